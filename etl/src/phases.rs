//! When each phase of a run began.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A phase of a run, which lasts until the next one begins or the run ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub name: String,
    pub began_at: DateTime<Utc>,
}

/// The phases of all kinds of runs. Reading, cleaning and copying are one phase, because they run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseName {
    /// From the request of the task until ECS fetches the image: a place for the task, and its network.
    Provision,
    /// ECS fetches the image.
    Pull,
    /// From the image to the first line of the program.
    Boot,
    /// Connecting, migrations and the lock of the load.
    Wait,
    Download,
    /// Finding the files and reading the reference tables.
    Extract,
    Load,
    /// The checks of the publish gate.
    Check,
    /// Indexes and foreign keys.
    Keys,
    Publish,
    /// Dropping replaced releases.
    CleanUp,
    Report,
}

impl PhaseName {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Pull => "pull",
            Self::Boot => "boot",
            Self::Wait => "wait",
            Self::Download => "download",
            Self::Extract => "extract",
            Self::Load => "load",
            Self::Check => "check",
            Self::Keys => "keys",
            Self::Publish => "publish",
            Self::CleanUp => "cleanup",
            Self::Report => "report",
        }
    }
}

/// The phases of a run, in the order in which they began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phases(pub Vec<Phase>);

impl Phases {
    /// Begins a phase now, which ends the one before.
    pub fn begin(&mut self, phase: PhaseName) {
        self.begin_at(phase, Utc::now());
    }

    pub fn begin_at(&mut self, phase: PhaseName, began_at: DateTime<Utc>) {
        self.0.push(Phase { name: phase.name().to_owned(), began_at });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
