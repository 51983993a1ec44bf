//! What `covidctl doctor` finds: a check, how it ended, and what to do about it.
//!
//! A check is told as soon as it is known; whoever looks does not know who listens.

use std::fmt;
use std::net::Ipv4Addr;

use common::failure::Failure;
use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, and somebody should look; or it could not be found out.
    Warning,
    /// It does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub outcome: Outcome,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What whoever asks knows that the place cannot know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Examination {
    /// From where the bastion is reached.
    pub my_address: Option<Ipv4Addr>,
}

/// Who is told.
pub type Found<'a> = dyn Fn(Check) + Send + Sync + 'a;

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Ok, detail: detail.into(), hint: None }
    }

    /// Somebody should look.
    pub fn warning(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Warning, detail: detail.into(), hint: Some(hint.into()) }
    }

    /// It does not work.
    pub fn failed(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Failed, detail: detail.into(), hint: Some(hint.into()) }
    }

    /// It failed, with the failure's own words.
    pub fn of(name: &'static str, failure: &Failure) -> Self {
        let hint = failure.hint_text().map(str::to_owned);
        Self { name, outcome: Outcome::Failed, detail: failure.to_string(), hint }
    }

    /// The same, less serious.
    #[must_use]
    pub fn only_a_warning(self) -> Self {
        Self { outcome: self.outcome.min(Outcome::Warning), ..self }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
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
    fn a_check_is_one_line_and_what_to_do() {
        assert_eq!(Check::ok("lambda", "is there").to_string(), "ok       lambda        is there");
        let failed = Check::of("tunnel", &Failure::new("no way\nthrough").hint("covidctl status"));
        assert_eq!(
            failed.to_string(),
            "failed   tunnel        no way through\n                       hint: covidctl status"
        );
        assert_eq!(failed.only_a_warning().outcome, Outcome::Warning);
    }
}
