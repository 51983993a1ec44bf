//! Jobs and their runs.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use etl::phases::Phase;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a job does: one of the jobs of this program, or a job of the target's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum JobKind {
    /// Downloads the datasets.
    Download,
    /// Loads the datasets.
    Etl,
    /// Writes a report.
    Report,
    /// Publishes an earlier release again.
    Rollback,
    /// Applies pending migrations.
    Migrate,
    /// Writes a sample.
    Sample,
    /// A job that only the description of the target names.
    Named(Arc<str>),
}

impl JobKind {
    /// Returns the name.
    pub fn name(&self) -> &str {
        match self {
            Self::Download => "download",
            Self::Etl => "etl",
            Self::Report => "report",
            Self::Rollback => "rollback",
            Self::Migrate => "migrate",
            Self::Sample => "sample",
            Self::Named(name) => name,
        }
    }

    /// Returns the subcommand of `etl` that does it.
    pub fn subcommand(&self) -> String {
        match self {
            Self::Etl => "run".to_owned(),
            other => other.to_string(),
        }
    }

    /// Returns whether jobs of these kinds must not run at the same time: two of one kind, or two that publish.
    pub fn excludes(&self, other: &Self) -> bool {
        self == other || self.publishes() && other.publishes()
    }

    const fn publishes(&self) -> bool {
        matches!(self, Self::Etl | Self::Rollback)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<String> for JobKind {
    fn from(name: String) -> Self {
        [Self::Download, Self::Etl, Self::Report, Self::Rollback, Self::Migrate, Self::Sample]
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_else(|| Self::Named(name.into()))
    }
}

impl From<JobKind> for String {
    fn from(kind: JobKind) -> Self {
        kind.name().to_owned()
    }
}

/// A job to start.
#[derive(Debug, Clone)]
pub struct Job {
    /// The kind of job.
    pub kind: JobKind,
    /// Arguments after the subcommand. Other users of the machine can see them: no secrets.
    pub arguments: Vec<String>,
    /// Environment variables in addition to those that the target sets.
    pub environment: Vec<(String, String)>,
    /// Starts it although a job that it excludes is running.
    pub allow_concurrent: bool,
    /// The client that starts it also starts the jobs that follow it.
    pub is_part_of_pipeline: bool,
}

impl Job {
    /// Returns a job without arguments or environment.
    pub const fn new(kind: JobKind) -> Self {
        Self {
            kind,
            arguments: Vec::new(),
            environment: Vec::new(),
            allow_concurrent: false,
            is_part_of_pipeline: false,
        }
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }
}

/// A run in progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ActiveRun {
    pub run: Uuid,
    pub kind: JobKind,
    pub started_at: DateTime<Utc>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// The program's exit code, or 125 if the program was never started.
    pub code: u8,
    /// Why, if the target knows more than the program could log.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Something else that failed, which changes nothing about how the run ended.
    pub warning: Option<String>,
}

impl RunEnd {
    /// Returns the end of a program that exited by itself.
    pub const fn exited(code: u8) -> Self {
        Self { code, reason: None, hint: None, warning: None }
    }
}

/// A run's summary. Fields are named like the columns of `pipeline_run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the schema page documents the columns")]
pub struct Run {
    pub run_id: Uuid,
    /// `etl`, `report`, `rollback`, …
    pub kind: String,
    /// `running`, `succeeded`, `failed` or `skipped`.
    pub status: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub dataset_updated_on: Option<NaiveDate>,
    pub source_name: Option<String>,
    /// Size of the line list in bytes.
    pub source_size: Option<i64>,
    /// `all`, or the loaded years.
    pub years: Option<String>,
    pub rows_read: Option<i64>,
    pub rows_filtered: Option<i64>,
    pub rows_loaded: Option<i64>,
    /// Repairs; a row may have several.
    pub rows_repaired: Option<i64>,
    pub rows_rejected: Option<i64>,
    pub error: Option<String>,
    /// Exit code of the program, if the target knows it.
    pub exit_code: Option<u8>,
    /// The user or service that started it, if the target knows it.
    pub started_by: Option<String>,
    /// When each phase began, in order, if the run recorded it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
}

impl Run {
    /// Returns a run in progress of which nothing else is known yet.
    pub fn begun(run_id: Uuid, kind: &str, started_at: DateTime<Utc>) -> Self {
        let (kind, status) = (kind.to_owned(), "running".to_owned());
        Self { run_id, kind, status, started_at, ..Self::default() }
    }

    /// Returns how long the run took, if it has ended.
    pub fn duration(&self) -> Option<TimeDelta> {
        self.finished_at.map(|finished| finished - self.started_at)
    }

    /// Returns the phases with how long each took; the last one took until the end of the run.
    pub fn phase_durations(&self) -> Vec<(&str, TimeDelta)> {
        let ends = self.phases.iter().skip(1).map(|next| next.began_at).chain(self.finished_at);
        self.phases.iter().zip(ends).map(|(phase, end)| (phase.name.as_str(), end - phase.began_at)).collect()
    }

    /// Returns the rows of the line list that were read per second.
    pub fn rows_per_second(&self) -> Option<i64> {
        let milliseconds = self.duration()?.num_milliseconds().max(1);
        self.rows_read.and_then(|rows| rows.checked_mul(1000)).map(|rows| rows / milliseconds)
    }
}
