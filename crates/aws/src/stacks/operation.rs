//! An operation on a stack, followed to its end while its events are reported.
//!
//! Failed polls are retried: the operation continues without this program. Statuses are eventually consistent: after a request,
//! `DescribeStacks` may still return the previous status, so the end of an operation counts only together with its event.

use std::fmt::Display;
use std::time::Duration;

use common::failure::{Failure, Result};
use tokio::time::Instant;

use super::events::{self, EventFormatter};
use super::poll_interval::PollInterval;
use super::stack::Stack;
use super::{Stacks, is_busy, is_complete, templates};
use target::Progress;

/// Longer than any operation; a database takes half an hour.
const OPERATION_TIMEOUT: Duration = Duration::from_hours(3);

/// Consecutive failed polls before giving up.
const MAX_FAILURES: u32 = 5;

/// After this time without an event, a status counts on its own; CloudFormation is consistent within seconds.
const CONSISTENCY_DELAY: Duration = Duration::from_mins(1);

/// What is done to one stack.
pub(super) struct StackOperation<'a> {
    pub(super) stacks: &'a Stacks<'a>,
    /// Name of the stack without prefix.
    pub(super) name: &'a str,
    pub(super) progress: &'a dyn Progress,
}

impl StackOperation<'_> {
    pub(super) fn full_name(&self) -> String {
        templates::stack_name(self.name)
    }

    pub(super) fn report(&self, step: impl Display) {
        self.progress.step(&format!("{}: {step}", self.name));
    }

    /// Waits for the end of the operation in progress; returns the stack, or `None` if it is deleted.
    pub(super) async fn wait(&self, stack: &Stack) -> Result<Option<Stack>> {
        self.report(format_args!("{}, which is waited for", stack.status));
        let newest = self.stacks.newest_event(&stack.id).await?;
        self.follow(&stack.id, newest, Expected::AnyEnd).await
    }

    /// Executes a change set and waits for its end; `done` is `created` or `changed`.
    pub(super) async fn execute(&self, change_set: &str, id: &str, done: &str) -> Result<()> {
        let name = self.full_name();
        match self.request(id, self.stacks.execute(change_set, &name)).await? {
            Some(stack) if is_complete(&stack.status) && !stack.status.contains("ROLLBACK") => Ok(()),
            Some(stack) => Err(self.explained(&stack, done).await),
            None => Err(Failure::new(format!("the stack `{name}` was deleted while it was {done}"))
                .hint("repeat the command")),
        }
    }

    /// Deletes the stack and waits for the end.
    pub(super) async fn delete(&self, stack: &Stack) -> Result<()> {
        match self.request(&stack.id, self.stacks.delete(&stack.id, &self.full_name())).await? {
            Some(left) => Err(self.explained(&left, "deleted").await),
            None => Ok(()),
        }
    }

    /// Sends a request that starts an operation, and waits for its end.
    async fn request(&self, id: &str, request: impl Future<Output = Result<()>>) -> Result<Option<Stack>> {
        let newest = self.stacks.newest_event(id).await?;
        request.await?;
        self.follow(id, newest, Expected::Event).await
    }

    /// Reports the events after the newest known one until the operation ends.
    async fn follow(
        &self,
        id: &str,
        mut newest: Option<String>,
        mut expected: Expected,
    ) -> Result<Option<Stack>> {
        let mut formatter = EventFormatter::default();
        let mut interval = PollInterval::new(OPERATION_TIMEOUT);
        let mut failures = 0;
        let mut quiet_since = Instant::now();
        loop {
            // The status first, so that the events read later include those that led to it.
            let polled = async {
                let stack = self.stacks.stack(id).await?;
                Ok::<_, Failure>((stack, self.stacks.events(id, newest.as_deref()).await?))
            };
            let (stack, events) = match polled.await {
                Ok(polled) => polled,
                Err(failure) => {
                    failures += 1;
                    if failures == MAX_FAILURES {
                        return Err(failure);
                    }
                    interval.wait().await?;
                    continue;
                }
            };
            failures = 0;
            for line in events.iter().filter_map(|event| formatter.line(event)) {
                self.report(line);
            }
            if let Some(event) = events.last() {
                newest = event.event_id().map(str::to_owned);
                quiet_since = Instant::now();
                interval.reset();
            }
            if let Some(event) = events.iter().rfind(|event| events::is_of_stack(event)) {
                expected = Expected::Status(events::status(event).to_owned());
            }
            let is_over = stack.as_ref().is_none_or(|Stack { status, .. }| {
                let is_consistent = expected.agrees(status) || quiet_since.elapsed() >= CONSISTENCY_DELAY;
                !is_busy(status) && is_consistent
            });
            if is_over {
                return Ok(stack);
            }
            interval.wait().await?;
        }
    }

    /// Returns the error of a failed operation: its first failed resource.
    async fn explained(&self, stack: &Stack, done: &str) -> Failure {
        let events = self.stacks.events(&stack.id, None).await.unwrap_or_default();
        let why = events::first_failure(&events).or_else(|| stack.reason.clone());
        let why = why.unwrap_or_else(|| format!("CloudFormation only says that it is {}", stack.status));
        Failure::new(format!("the stack `{}` was not {done}", self.full_name()))
            .source(why)
            .hint("fix the cause and repeat the command: what is done is kept, and it continues here")
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
