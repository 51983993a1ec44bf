//! The publish gate: what a load is compared with before it may replace the published release.
//!
//! Every check has a sentence with its figures. If one of a required dataset fails, nothing is published, unless anomalies are accepted;
//! if one of an optional dataset fails, the new release keeps what is published of that dataset. `checks` is pure; `published`
//! reads what is published, [`record`] writes what was found.

mod checks;
mod profile;
mod published;
pub mod record;

use crate::clean::years::Years;
use crate::dataset::Dataset;
use crate::parse::date::Day;
use crate::tally::{RowCounts, Tally};
use common::env;
use common::failure::Failure;

pub use self::profile::Profile;
pub use self::published::{OptionalFigures, Published, optional_figures, published_load_of};

/// The limits of the checks: flags of `etl run`.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub struct Thresholds {
    /// Maximum share of rejected rows per dataset
    #[arg(long, env = env::MAX_REJECTED_PERCENT, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub max_rejected_percent: f64,

    /// Minimum number of rows per year, relative to the published release
    #[arg(long, env = env::MIN_ROWS_PERCENT, value_name = "PERCENT", default_value_t = 90.0, value_parser = percent)]
    pub min_rows_percent: f64,

    /// Maximum increase of missing values per column since the published release
    #[arg(long, env = env::MAX_MISSING_INCREASE, value_name = "POINTS", default_value_t = 25.0, value_parser = percent)]
    pub max_missing_increase: f64,

    /// Maximum share of repaired values per column on the first load
    #[arg(long, env = env::MAX_REPAIRED_PERCENT, value_name = "PERCENT", default_value_t = 50.0, value_parser = percent)]
    pub max_repaired_percent: f64,

    /// Maximum share of unknown classifications
    #[arg(long, env = env::MAX_UNKNOWN_CLASSIFICATION_PERCENT, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    pub max_unknown_classification_percent: f64,
}

fn percent(text: &str) -> Result<f64, &'static str> {
    let number = text.trim().trim_end_matches('%').trim().parse().ok();
    number.filter(|percent| (0.0..=100.0).contains(percent)).ok_or("expected a number from 0 to 100")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    Passed,
    Failed,
    /// There was nothing to compare with.
    Skipped,
}

/// One check of one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub dataset: Dataset,
    /// The value of `run_check.check_name`.
    pub name: &'static str,
    /// The year or column; empty if the check is about the whole dataset.
    pub subject: String,
    pub outcome: CheckOutcome,
    pub measured: Option<f64>,
    pub threshold: Option<f64>,
    /// A sentence with the figures.
    pub message: String,
    /// Whether `--accept-anomalies` overrides it: nothing publishes an empty line list.
    pub acceptable: bool,
}

/// What is known of a load before it is published.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// `ultima_actualizacion`.
    pub dataset_date: Day,
    pub years: &'a Years,
    pub tally: &'a Tally,
    pub profile: &'a Profile,
    pub georef: [(Dataset, RowCounts); 2],
    /// The optional datasets that were loaded.
    pub optional: Vec<(Dataset, RowCounts, OptionalFigures)>,
}

/// Compares a load with what is published, if anything is.
pub fn examine(candidate: &Candidate<'_>, published: Option<&Published>, limits: &Thresholds) -> Vec<Check> {
    // Causes before consequences: a province that is missing rejects its cases.
    let mut found = checks::of_georef(candidate, published);
    found.extend(checks::of_cases(candidate, published, limits));
    for optional in &candidate.optional {
        found.extend(checks::of_optional(optional, candidate, published, limits));
    }
    found
}

impl Check {
    /// Whether it stops the publication.
    pub fn refuses(&self, accept_anomalies: bool) -> bool {
        self.outcome == CheckOutcome::Failed && !(accept_anomalies && self.acceptable)
    }
}

/// The number of failed checks that a message quotes.
const MAX_MESSAGES: usize = 3;

/// Returns the sentences of the failed checks that stop the publication of a dataset; `None` if it may be published.
pub fn refusal<'a>(checks: impl IntoIterator<Item = &'a Check>, accept_anomalies: bool) -> Option<String> {
    let failed = checks.into_iter().filter(|check| check.refuses(accept_anomalies));
    let mut messages: Vec<&str> = failed.map(|check| check.message.as_str()).collect();
    let more = messages.len().saturating_sub(MAX_MESSAGES);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    messages.truncate(MAX_MESSAGES);
    (!messages.is_empty()).then(|| messages.join("; ") + &more)
}

/// Returns the failure of a run that the gate has refused.
pub fn refused(reason: &str, checks: &[Check], run_id: uuid::Uuid) -> Failure {
    let acceptable = checks.iter().all(|check| check.acceptable || check.outcome != CheckOutcome::Failed);
    let (accept, action, flag) = if acceptable {
        (
            "; `covidctl run etl --accept-anomalies` publishes it anyway",
            "compare the files with those of the last run",
            ", `etl run --accept-anomalies` overrides them",
        )
    } else {
        ("", "check YEARS and the files", "")
    };
    Failure::new(format!("refused before publishing, the published release is untouched: {reason}{accept}"))
        .hint(format!("{action}; `covidctl runs show {run_id}` lists every check{flag}"))
}
