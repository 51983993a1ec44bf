//! A job as a backend is asked to run it: the pipeline's own command, its arguments and its environment.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Fetches the datasets.
    Download,
    /// Loads the datasets.
    Etl,
    /// Writes a report.
    Report,
    /// Publishes an earlier release again.
    Rollback,
    /// Applies pending migrations.
    Migrate,
    /// Makes a sample.
    Sample,
}

impl Kind {
    /// The pipeline's own word for it: `etl <word>`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Etl => "run",
            Self::Report => "report",
            Self::Rollback => "rollback",
            Self::Migrate => "migrate",
            Self::Sample => "sample",
        }
    }

    /// Whether two jobs of these kinds must not run at once: two of one kind, or two that publish.
    pub fn excludes(self, other: Self) -> bool {
        self == other || self.publishes() && other.publishes()
    }

    const fn publishes(self) -> bool {
        matches!(self, Self::Etl | Self::Rollback)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Download => "download",
            Self::Etl => "etl",
            Self::Report => "report",
            Self::Rollback => "rollback",
            Self::Migrate => "migrate",
            Self::Sample => "sample",
        })
    }
}

/// A job to start.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it does.
    pub kind: Kind,
    /// Arguments after the pipeline's own word. They are visible to everybody, so nothing secret.
    pub arguments: Vec<String>,
    /// Environment variables beside those that the backend sets.
    pub environment: Vec<(String, String)>,
    /// Start it although a job that it excludes is running.
    pub allow_concurrent: bool,
    /// Whoever starts it starts what comes after it, too.
    pub is_part_of_pipeline: bool,
}

impl Job {
    /// A job of this kind, with nothing special.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            arguments: Vec::new(),
            environment: Vec::new(),
            allow_concurrent: false,
            is_part_of_pipeline: false,
        }
    }

    /// With an environment variable more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }
}

/// A run in progress.
#[derive(Debug, Clone, Serialize)]
pub struct Active {
    /// Its id.
    pub run: Uuid,
    /// What it does.
    pub kind: Kind,
    /// When it was started.
    pub started_at: DateTime<Utc>,
}
