//! Jobs, runs in progress, and how runs end.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
}

impl JobKind {
    /// Returns the subcommand of `etl` that does it.
    pub const fn subcommand(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Etl => "run",
            Self::Report => "report",
            Self::Rollback => "rollback",
            Self::Migrate => "migrate",
            Self::Sample => "sample",
        }
    }

    /// Returns whether jobs of these kinds must not run at the same time: two of one kind, or two that publish.
    pub fn excludes(self, other: Self) -> bool {
        self == other || self.publishes() && other.publishes()
    }

    const fn publishes(self) -> bool {
        matches!(self, Self::Etl | Self::Rollback)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
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
}

impl RunEnd {
    /// Returns the end of a program that exited by itself.
    pub const fn exited(code: u8) -> Self {
        Self { code, reason: None, hint: None }
    }
}
