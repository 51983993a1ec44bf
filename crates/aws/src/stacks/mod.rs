//! Creating, updating and deleting the stacks.
//!
//! A plan is made and shown before it is executed, stack by stack in the order of the templates. Every step is idempotent, so that an
//! interrupted command can be repeated. The caller asks for confirmation.

mod change;
mod cluster;
mod down;
mod engine_version;
mod events;
mod failed_creation;
mod follow;
mod parameters;
mod poll_interval;
mod service;
mod templates;
mod up;
mod validation;

use std::path::Path;

use chrono::{DateTime, Utc};
use common::failure::Result;
use futures_util::future;

pub use self::change::{Change, ResourceAction, StackAction, Step};
pub use self::down::{KEPT, StackSummary};
use self::parameters::ParameterOverrides;
use self::service::{Service, Stack};
use self::templates::Template;
use super::clients::Clients;
use target::AwsSettings;

/// The options of `up`.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpOptions<'a> {
    /// `NAME=VALUE` or `STACK.NAME=VALUE`.
    pub parameters: &'a [(String, String)],
    /// Software release.
    pub release: Option<&'a str>,
    /// Directory of templates to use instead of the embedded ones.
    pub templates: Option<&'a Path>,
}

pub(super) struct Stacks<'a> {
    clients: &'a Clients,
    service: Service,
}

/// Validated options, without any request.
#[derive(Debug)]
pub(super) struct UpRequest {
    templates: Vec<Template>,
    given: ParameterOverrides,
}

impl UpRequest {
    pub(super) fn new(wanted: &UpOptions<'_>, settings: &AwsSettings) -> Result<Self> {
        let templates = templates::all(wanted.templates)?;
        let given = ParameterOverrides::new(&settings.stacks, wanted.parameters, wanted.release, &templates)?;
        Ok(Self { templates, given })
    }
}

/// A plan with everything needed to execute it.
#[derive(Debug)]
pub struct Plan {
    pub steps: Vec<Step>,
    order: UpRequest,
}

/// The state of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StackState {
    pub(super) name: &'static str,
    /// `None` if it does not exist.
    pub(super) status: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
    /// Result and time of the last drift detection.
    pub(super) drift: Option<(bool, DateTime<Utc>)>,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(clients: &'a Clients) -> Self {
        Self { clients, service: Service::new(clients.stacks()) }
    }

    /// Returns the states of all stacks in the order of deployment.
    pub(super) async fn states(&self) -> Result<Vec<StackState>> {
        let look = |name: &'static str| async move {
            let stack = self.service.stack(&templates::stack_name(name)).await?;
            Ok(match stack {
                Some(Stack { status, parameters, drift, .. }) => {
                    StackState { name, status: Some(status), parameters, drift }
                }
                None => StackState { name, status: None, parameters: Vec::new(), drift: None },
            })
        };
        future::join_all(templates::names().map(look)).await.into_iter().collect()
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
