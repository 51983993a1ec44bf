//! Creating, updating and deleting the stacks.
//!
//! A plan is made and shown before it is executed, stack by stack in the order of the templates. Every step is idempotent, so that an
//! interrupted command can be repeated. The caller asks for confirmation.

mod change;
mod down;
mod engine_version;
mod events;
mod obstacles;
mod operation;
mod parameters;
mod poll_interval;
#[cfg(test)]
pub(super) mod recorded_answers;
mod service;
mod stack;
mod templates;
mod up;
mod validation;

use aws_sdk_cloudformation::Client;
use common::failure::Result;
use futures_util::future;

pub use self::change::{Change, ResourceAction, StackAction, Step};
pub use self::down::KEPT;
pub(super) use self::stack::Stack;
pub use self::up::{Plan, UpOptions};
use super::clients::Clients;
use crate::Aws;

/// Sends requests about stacks.
pub(super) struct Stacks<'a> {
    clients: &'a Clients,
    client: Client,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(clients: &'a Clients) -> Self {
        Self { clients, client: clients.stacks() }
    }

    /// Returns every stack by its name, in the order of deployment; `None` if it does not exist.
    pub(super) async fn all(&self) -> Result<Vec<(&'static str, Option<Stack>)>> {
        let named = async |name: &'static str| Ok((name, self.stack(&templates::stack_name(name)).await?));
        future::try_join_all(templates::names().map(named)).await
    }
}

/// The tag of the stacks that a self-test created; its value is the time when it began.
pub const SELFTEST_TAG: &str = "covidctl:selftest";

/// An existing stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingStack {
    /// Its name without prefix.
    pub name: &'static str,
    /// When the self-test began that created it, if one did.
    pub selftest: Option<String>,
}

impl Aws {
    /// Returns the stacks that exist, in the order of deployment.
    pub async fn existing_stacks(&self) -> Result<Vec<ExistingStack>> {
        let stacks = Stacks::new(&self.account().await?.clients).all().await?.into_iter();
        let existing = stacks.filter_map(|(name, stack)| {
            Some(ExistingStack { name, selftest: stack?.tags.remove(SELFTEST_TAG) })
        });
        Ok(existing.collect())
    }
}

/// Returns whether an operation is in progress.
fn is_busy(status: &str) -> bool {
    status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
}

/// Returns whether the last operation completed.
pub(super) fn is_complete(status: &str) -> bool {
    status.ends_with("_COMPLETE") && status != "ROLLBACK_COMPLETE" && status != "DELETE_COMPLETE"
}

/// Returns whether the first creation failed, so that the stack has no data.
fn is_failed_creation(status: &str) -> bool {
    matches!(status, "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_meaning() {
        for (status, busy, whole, ruin) in [
            ("CREATE_IN_PROGRESS", true, false, false),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", true, false, false),
            ("REVIEW_IN_PROGRESS", false, false, false),
            ("CREATE_COMPLETE", false, true, false),
            ("UPDATE_ROLLBACK_COMPLETE", false, true, false),
            ("ROLLBACK_COMPLETE", false, false, true),
            ("CREATE_FAILED", false, false, true),
            ("DELETE_FAILED", false, false, false),
            ("UPDATE_ROLLBACK_FAILED", false, false, false),
        ] {
            assert_eq!(
                (is_busy(status), is_complete(status), is_failed_creation(status)),
                (busy, whole, ruin),
                "{status}"
            );
        }
    }
}
