//! The components of a target and their states, and the checks of `covidctl doctor`.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use common::failure::Failure;
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
#[expect(clippy::struct_excessive_bools, reason = "each capability is there or not, whatever the others are")]
pub struct Capabilities {
    /// It starts and stops at once; otherwise it consists of stacks.
    pub services: bool,
    /// Its databases are behind a bastion.
    pub bastion: bool,
    /// The audit log and the costs of its account can be read.
    pub account: bool,
    /// It runs this project's image: its database has releases, and its storage datasets, run records and reports.
    pub releases: bool,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.target, self.location)
    }
}

/// A component of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Such as `postgresql` or `bastion`.
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

/// A metric of a target over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Such as `master cpu`.
    pub name: String,
    /// Such as `% in use`.
    pub unit: &'static str,
    /// The values at equal intervals, the oldest first.
    pub values: Vec<f64>,
    /// Which values are a warning.
    pub warning: Option<WarningRange>,
}

/// The values of a metric that are a warning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WarningRange {
    /// This value and higher ones.
    From(f64),
    /// Lower values.
    Below(f64),
}

impl Metric {
    /// Returns whether the newest value is a warning.
    pub fn is_warning(&self) -> bool {
        match (self.values.last(), self.warning) {
            (Some(value), Some(WarningRange::From(limit))) => *value >= limit,
            (Some(value), Some(WarningRange::Below(limit))) => *value < limit,
            _ => false,
        }
    }
}

impl fmt::Display for WarningRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(limit) => write!(f, "warning from {limit}"),
            Self::Below(limit) => write!(f, "warning below {limit}"),
        }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// It works.
    Ok,
    /// It works but needs attention, or it could not be determined.
    Warning,
    /// It does not work.
    Failed,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Check {
    pub name: Cow<'static, str>,
    pub outcome: CheckOutcome,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What the client knows and the target cannot.
#[derive(Debug, Clone, Copy, Default)]
pub struct DoctorContext {
    /// The public address from which the client reaches the bastion.
    pub my_address: Option<Ipv4Addr>,
}

/// Receives checks as soon as they are known.
pub type CheckSink<'a> = dyn Fn(Check) + Send + Sync + 'a;

impl Check {
    /// Returns a passed check.
    pub fn ok(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: CheckOutcome::Ok, detail: detail.into(), hint: None }
    }

    /// Returns a warning with a hint.
    pub fn warning(
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            outcome: CheckOutcome::Warning,
            detail: detail.into(),
            hint: Some(hint.into()),
        }
    }

    /// Returns a failed check with a hint.
    pub fn failed(
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            outcome: CheckOutcome::Failed,
            detail: detail.into(),
            hint: Some(hint.into()),
        }
    }

    /// Returns a failed check with the message and hint of an error.
    pub fn of(name: impl Into<Cow<'static, str>>, failure: &Failure) -> Self {
        let hint = failure.hint_text().map(str::to_owned);
        Self { name: name.into(), outcome: CheckOutcome::Failed, detail: failure.to_string(), hint }
    }

    /// Lowers a failed check to a warning.
    #[must_use]
    pub fn at_most_warning(self) -> Self {
        Self { outcome: self.outcome.min(CheckOutcome::Warning), ..self }
    }
}

impl fmt::Display for CheckOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {:<13} {}", self.outcome, self.name, self.detail.replace('\n', " "))?;
        match &self.hint {
            Some(hint) => write!(f, "\n{:22} hint: {hint}", ""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_displays_one_line_and_hint_below() {
        assert_eq!(Check::ok("lambda", "is there").to_string(), "ok       lambda        is there");
        let failed = Check::of("tunnel", &Failure::new("no way\nthrough").hint("covidctl status"));
        assert_eq!(
            failed.to_string(),
            "failed   tunnel        no way through\n                       hint: covidctl status"
        );
        assert_eq!(failed.at_most_warning().outcome, CheckOutcome::Warning);
    }
}
