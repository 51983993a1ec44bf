//! The stacks: what `covidctl up` and `down` do on AWS.
//!
//! A plan is made first and shown, and only then carried out, one stack after the other in the order of the templates. Everything
//! can be broken off and typed again: what is done is seen to be done. Nobody is asked anything here; whoever calls has done that.

mod change;
mod cluster;
mod down;
mod engine;
mod events;
mod follow;
mod pace;
mod remains;
mod service;
mod templates;
mod up;
mod validation;
mod values;

use std::path::Path;

use chrono::{DateTime, Utc};
use common::failure::Result;
use futures_util::future;

pub use self::change::{Action, Change, Fate, Step};
pub use self::down::{KEPT, Standing};
use self::service::{Service, Stack};
use self::templates::Template;
use self::values::Given;
use super::clients::Clients;
use target::AwsSettings;

/// What the user wants of `up`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// `NAME=VALUE` or `STACK.NAME=VALUE`.
    pub parameters: &'a [(String, String)],
    /// The release that runs.
    pub release: Option<&'a str>,
    /// Other templates than this program's own.
    pub templates: Option<&'a Path>,
}

/// The stacks of one account and region.
pub(super) struct Stacks<'a> {
    clients: &'a Clients,
    service: Service,
}

/// What was wanted, checked as far as nobody has to be asked.
#[derive(Debug)]
pub(super) struct Order {
    templates: Vec<Template>,
    given: Given,
}

impl Order {
    pub(super) fn new(wanted: &Wanted<'_>, settings: &AwsSettings) -> Result<Self> {
        let templates = templates::all(wanted.templates)?;
        let given = Given::new(&settings.stacks, wanted.parameters, wanted.release, &templates)?;
        Ok(Self { templates, given })
    }
}

/// What would be done, and all that is needed to do it.
#[derive(Debug)]
pub struct Plan {
    /// Every stack, in order.
    pub steps: Vec<Step>,
    order: Order,
}

/// The state of a stack, for whoever only looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) name: &'static str,
    /// Nothing where it is not there.
    pub(super) status: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
    /// Whether it differed from its template when somebody last looked, and when that was.
    pub(super) drift: Option<(bool, DateTime<Utc>)>,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(clients: &'a Clients) -> Self {
        Self { clients, service: Service::new(clients.stacks()) }
    }

    /// All of them and their states, in the order of deployment.
    pub(super) async fn states(&self) -> Result<Vec<State>> {
        let look = |name: &'static str| async move {
            let stack = self.service.stack(&templates::stack_name(name)).await?;
            Ok(match stack {
                Some(Stack { status, parameters, drift, .. }) => {
                    State { name, status: Some(status), parameters, drift }
                }
                None => State { name, status: None, parameters: Vec::new(), drift: None },
            })
        };
        future::join_all(templates::names().map(look)).await.into_iter().collect()
    }
}

/// Whether something is going on in a stack.
fn is_busy(status: &str) -> bool {
    status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
}

/// Whether a stack is what somebody has made of it.
pub(super) fn is_whole(status: &str) -> bool {
    status.ends_with("_COMPLETE") && status != "ROLLBACK_COMPLETE" && status != "DELETE_COMPLETE"
}

/// Whether only the ruins of a first attempt are there, which hold nothing.
fn is_ruin(status: &str) -> bool {
    matches!(status, "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_of_one_kind() {
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
            assert_eq!((is_busy(status), is_whole(status), is_ruin(status)), (busy, whole, ruin), "{status}");
        }
    }
}
