//! Follows an operation on a stack to its end and reports its events.
//!
//! Failed polls are retried: the operation continues without this program. Statuses are eventually consistent: after a request,
//! `DescribeStacks` may still return the previous status, so the end of an operation counts only together with its event.

use std::time::Duration;

use common::failure::{Failure, Result};
use tokio::time::Instant;

use super::events::{self, EventFormatter};
use super::poll_interval::PollInterval;
use super::service::{Service, Stack};
use super::{is_busy, templates};
use target::Progress;

/// Longer than any operation; a database takes half an hour.
const OPERATION_TIMEOUT: Duration = Duration::from_hours(3);

/// Consecutive failed polls before giving up.
const MAX_FAILURES: u32 = 5;

/// After this time without an event, a status counts on its own; CloudFormation is consistent within seconds.
const CONSISTENCY_DELAY: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// It was in progress at the first poll; the newest event was this one.
    InProgress(Option<String>),
    /// It was requested when the newest event was this one.
    Requested(Option<String>),
}

/// Waits for the end of the operation; returns the stack, or `None` if it is deleted.
pub(super) async fn to_end(
    service: &Service,
    name: &str,
    id: &str,
    operation: Operation,
    progress: &dyn Progress,
) -> Result<Option<Stack>> {
    let mut teller = EventFormatter::default();
    let mut pace = PollInterval::new(OPERATION_TIMEOUT);
    let mut failures = 0;
    let (mut last, mut expected) = match operation {
        Operation::InProgress(newest) => (newest, Expected::AnyEnd),
        Operation::Requested(newest) => (newest, Expected::Event),
    };
    let mut quiet_since = Instant::now();
    loop {
        // The status first, so that the events read later include those that led to it.
        let looked = match service.stack(id).await {
            Ok(stack) => service.events(id, last.as_deref()).await.map(|events| (stack, events)),
            Err(failure) => Err(failure),
        };
        let (stack, events) = match looked {
            Ok(looked) => looked,
            Err(failure) => {
                failures += 1;
                if failures == MAX_FAILURES {
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
            pace.reset();
        }
        if let Some(event) = events.iter().rfind(|event| event.is_of_stack) {
            expected = Expected::Status(event.status.clone());
        }
        match stack {
            Some(stack) if is_busy(&stack.status) => pace.wait().await?,
            Some(stack) if !expected.agrees(&stack.status) && quiet_since.elapsed() < CONSISTENCY_DELAY => {
                pace.wait().await?;
            }
            stack => return Ok(stack),
        }
    }
}

/// The status that ends the operation.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// Any status without an operation in progress.
    AnyEnd,
    /// No event of the stack yet.
    Event,
    /// The status in the stack's newest event.
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

/// Returns the error of a failed operation: its first failed resource.
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
    fn status_counts_with_its_event() {
        assert!(Expected::AnyEnd.agrees("UPDATE_COMPLETE"));
        assert!(!Expected::Event.agrees("REVIEW_IN_PROGRESS") && !Expected::Event.agrees("UPDATE_COMPLETE"));
        let announced = Expected::Status("UPDATE_ROLLBACK_COMPLETE".to_owned());
        assert!(announced.agrees("UPDATE_ROLLBACK_COMPLETE") && !announced.agrees("UPDATE_COMPLETE"));
    }
}
