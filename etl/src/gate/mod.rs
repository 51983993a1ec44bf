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
use common::failure::Failure;

pub use self::profile::Profile;
pub use self::published::{OptionalFigures, Published, optional_figures, published_load_of};

/// The limits of the checks, each a flag of `etl run`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// The largest share of rejected rows among those loaded and rejected, in percent.
    pub max_rejected_percent: f64,
    /// The smallest number of rows of a year, in percent of its published rows.
    pub min_rows_percent: f64,
    /// The largest rise of a column's share of missing values against the published release, in percentage points.
    pub max_missing_increase: f64,
    /// The largest share of repaired values of a column if there is nothing to compare it with, in percent.
    pub max_repaired_percent: f64,
    /// The largest share of classifications other than the ministry's four, in percent.
    pub max_unknown_classification_percent: f64,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Within its threshold.
    Passed,
    /// Beyond its threshold.
    Failed,
    /// There was nothing to compare with.
    Skipped,
}

/// One check of one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Which dataset.
    pub dataset: Dataset,
    /// What was checked; `run_check.check_name`.
    pub name: &'static str,
    /// The year or column; empty if the check is about the whole dataset.
    pub subject: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// The figure.
    pub measured: Option<f64>,
    /// Its limit.
    pub threshold: Option<f64>,
    /// Both in a sentence.
    pub message: String,
    /// Whether `--accept-anomalies` overrides it: nothing publishes an empty line list.
    pub acceptable: bool,
}

/// What is known of a load before it is published.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// `ultima_actualizacion`.
    pub dataset_date: Day,
    /// The wanted years.
    pub years: &'a Years,
    /// The tally of all datasets.
    pub tally: &'a Tally,
    /// The cases by year and column.
    pub profile: &'a Profile,
    /// What became of the rows of the provinces and the departments.
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

/// The sentences of the failed checks of a dataset that stop its publication; none if it may be published.
pub fn refusal<'a>(checks: impl IntoIterator<Item = &'a Check>, accept_anomalies: bool) -> Option<String> {
    let failed: Vec<&Check> = checks.into_iter().filter(|check| check.refuses(accept_anomalies)).collect();
    let messages: Vec<&str> = failed.iter().take(MOST_MESSAGES).map(|check| check.message.as_str()).collect();
    let more = failed.len().saturating_sub(MOST_MESSAGES);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!failed.is_empty()).then(|| messages.join("; ") + &more)
}

/// How many failed checks a message quotes.
const MOST_MESSAGES: usize = 3;

/// The failure of a run that the gate has refused.
pub fn refused(reason: &str, checks: &[Check], run_id: uuid::Uuid) -> Failure {
    let acceptable = checks.iter().all(|check| check.acceptable || check.outcome != CheckOutcome::Failed);
    let accept = if acceptable { format!("; `{ACCEPT}` publishes it all the same") } else { String::new() };
    Failure::new(format!("refused before publishing, what is published stays: {reason}{accept}")).hint(
        format!(
            "{}; `covidctl runs show {run_id}` lists every check{}",
            if acceptable {
                "compare the files with those of the last run"
            } else {
                "check YEARS and the files"
            },
            if acceptable { ", `etl run --accept-anomalies` overrides them" } else { "" }
        ),
    )
}

/// The command that publishes despite failed checks.
const ACCEPT: &str = "covidctl run etl --accept-anomalies";
