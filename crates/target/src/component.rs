//! Components of a target and their states.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Where a target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The target's name.
    pub target: String,
    /// A directory, or an account and region.
    pub location: String,
    /// What the target can do.
    #[serde(skip)]
    pub capabilities: Capabilities,
}

/// The optional capabilities of a target, for screens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It starts and stops at once; otherwise it consists of stacks.
    pub services: bool,
    /// Its databases are behind a bastion.
    pub bastion: bool,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.target, self.location)
    }
}

/// A component of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its name, such as `postgresql` or `bastion`.
    pub name: String,
    /// Its state.
    pub state: ComponentState,
    /// When it entered the state, or when it last changed.
    pub since: Option<DateTime<Utc>>,
    /// Details for people.
    pub detail: String,
}

/// The state of a component, the same words for every kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ComponentState {
    /// It works.
    Ready,
    /// It starts, stops or runs a job.
    Busy,
    /// It exists and does not run.
    Stopped,
    /// It does not exist.
    Missing,
    /// It broke.
    Failed,
    /// It cannot be determined now.
    Unknown,
}

impl Component {
    /// Returns a component whose age is unknown.
    pub fn new(name: &str, state: ComponentState, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state, since: None, detail: detail.into() }
    }
}

impl fmt::Display for ComponentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
