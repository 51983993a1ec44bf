//! Follows what happens in a stack until it is over, and tells it.
//!
//! A look that fails is repeated: the operation goes on without this program. Statuses are eventually consistent: right after a request,
//! `DescribeStacks` may still answer what the stack was before, so the end of an operation is believed together with its event.

use std::time::Duration;

use common::failure::{Failure, Result};
use tokio::time::Instant;

use super::events::{self, Teller};
use super::pace::Pace;
use super::service::{Service, Stack};
use super::{is_busy, templates};
use target::Progress;

/// A database takes half an hour; nothing takes so long.
const PATIENCE: Duration = Duration::from_hours(3);

/// How many looks may fail one after the other.
const MOST_FAILURES: u32 = 5;

/// After this time without an event, a status is believed on its own. CloudFormation's answers agree within seconds.
const CONSISTENT_AFTER: Duration = Duration::from_mins(1);

/// The operation whose end is waited for.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// It was in progress when the stack was looked at, and the newest event was this one.
    InProgress(Option<String>),
    /// It was requested when the newest event was this one. Its own events are newer.
    Requested(Option<String>),
}

/// Waits until the operation has ended. Returns the stack, or `None` if it is deleted.
pub(super) async fn to_end(
    service: &Service,
    name: &str,
    id: &str,
    operation: Operation,
    progress: &dyn Progress,
) -> Result<Option<Stack>> {
    let mut teller = Teller::default();
    let mut pace = Pace::new(PATIENCE);
    let mut failures = 0;
    let (mut last, mut expected) = match operation {
        Operation::InProgress(newest) => (newest, Expected::AnyEnd),
        Operation::Requested(newest) => (newest, Expected::Event),
    };
    let mut quiet_since = Instant::now();
    loop {
        // The state first: what has led to it has happened when the events are read.
        let looked = match service.stack(id).await {
            Ok(stack) => service.events(id, last.as_deref()).await.map(|events| (stack, events)),
            Err(failure) => Err(failure),
        };
        let (stack, events) = match looked {
            Ok(looked) => looked,
            Err(failure) => {
                failures += 1;
                if failures == MOST_FAILURES {
                    return Err(failure);
                }
                pace.wait().await?;
                continue;
            }
        };
        failures = 0;
        for event in &events {
            if let Some(line) = teller.line(name, event) {
                progress.step(&line);
            }
        }
        if let Some(event) = events.last() {
            last = Some(event.id.clone());
            quiet_since = Instant::now();
            pace.quicken();
        }
        if let Some(event) = events.iter().rfind(|event| event.is_of_stack) {
            expected = Expected::Status(event.status.clone());
        }
        match stack {
            Some(stack) if is_busy(&stack.status) => pace.wait().await?,
            Some(stack) if !expected.agrees(&stack.status) && quiet_since.elapsed() < CONSISTENT_AFTER => {
                pace.wait().await?;
            }
            stack => return Ok(stack),
        }
    }
}

/// What the stack's status has to be before it is believed.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// Any in which nothing is in progress.
    AnyEnd,
    /// None: there was no event of the stack yet.
    Event,
    /// The one that the stack's newest event announced.
    Status(String),
}

impl Expected {
    fn agrees(&self, status: &str) -> bool {
        match self {
            Self::AnyEnd => true,
            Self::Event => false,
            Self::Status(announced) => announced == status,
        }
    }
}

/// Why a stack is not what it should be: its first failure, in words.
pub(super) async fn explained(service: &Service, name: &str, stack: &Stack, what: &str) -> Failure {
    let events = service.events(&stack.id, None).await.unwrap_or_default();
    let why = events::first_failure(&events).or_else(|| stack.reason.clone());
    let why = why.unwrap_or_else(|| format!("CloudFormation only says that it is {}", stack.status));
    Failure::new(format!("the stack `{}` was not {what}", templates::stack_name(name))).source(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_believed_with_its_own_event() {
        assert!(Expected::AnyEnd.agrees("UPDATE_COMPLETE"));
        assert!(!Expected::Event.agrees("REVIEW_IN_PROGRESS") && !Expected::Event.agrees("UPDATE_COMPLETE"));
        let announced = Expected::Status("UPDATE_ROLLBACK_COMPLETE".to_owned());
        assert!(announced.agrees("UPDATE_ROLLBACK_COMPLETE") && !announced.agrees("UPDATE_COMPLETE"));
    }
}
