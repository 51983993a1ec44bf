//! Follows what happens in a stack until it is over, and tells it.
//!
//! Whoever does not answer for a moment is asked again: what happens there goes on without us.

use std::time::Duration;

use etl::failure::{Failure, Result};

use super::events::{self, Teller};
use super::pace::Pace;
use super::service::{Service, Stack};
use super::{is_busy, templates};
use crate::backend::Progress;

/// A database takes half an hour; nothing takes so long.
const PATIENCE: Duration = Duration::from_hours(3);

/// How many looks may fail one after the other.
const MOST_FAILURES: u32 = 5;

/// Waits until nothing goes on in the stack any more: what it is then, or nothing where it is gone.
pub(super) async fn to_end(
    service: &Service,
    name: &str,
    id: &str,
    mut last: Option<String>,
    progress: &dyn Progress,
) -> Result<Option<Stack>> {
    let mut teller = Teller::default();
    let mut pace = Pace::new(PATIENCE);
    let mut failures = 0;
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
            pace.quicken();
        }
        match stack {
            Some(stack) if is_busy(&stack.status) => pace.wait().await?,
            stack => return Ok(stack),
        }
    }
}

/// Why a stack is not what it should be: its first failure, in words.
pub(super) async fn explained(service: &Service, name: &str, stack: &Stack, what: &str) -> Failure {
    let events = service.events(&stack.id, None).await.unwrap_or_default();
    let why = events::first_failure(&events).or_else(|| stack.reason.clone());
    let why = why.unwrap_or_else(|| format!("CloudFormation only says that it is {}", stack.status));
    Failure::new(format!("the stack `{}` was not {what}", templates::stack_name(name))).because(why)
}
