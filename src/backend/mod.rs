//! Where the pipeline lives, behind one small trait.
//!
//! An implementation owns every decision that differs between places: how parts are created and inspected, how a job is
//! started, followed and stopped, how the database is reached. What does not differ is not here: files go through the store,
//! the history of runs through the database. No type of an implementation's libraries may appear in this file.

pub mod database;
pub mod job;
pub mod local;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use etl::failure::{Exit, Failure, Result};
use etl::store::Store;
use serde::Serialize;
use uuid::Uuid;

pub use self::database::Database;
pub use self::job::{Active, Job, Kind};
use self::local::Local;
use crate::logs::Logs;
use crate::settings::Settings;

/// A place where the pipeline can live.
#[async_trait]
pub trait Backend: Send + Sync {
    /// What to call it, in headers and in questions.
    fn place(&self) -> Place;

    /// Creates what is missing and starts what is stopped; does nothing the second time.
    async fn up(&self, progress: Arc<dyn Progress>) -> Result<()>;

    /// Stops it.
    async fn down(&self, data: Data, progress: Arc<dyn Progress>) -> Result<()>;

    /// Its own parts and their states. Changes nothing.
    async fn parts(&self) -> Result<Vec<Part>>;

    /// Starts a job and returns at once.
    async fn start(&self, job: &Job) -> Result<Uuid>;

    /// Waits for the end of a run, but not longer than `patience`: its exit code, or nothing while it goes on.
    async fn wait(&self, run: Uuid, patience: Duration) -> Result<Option<u8>>;

    /// The lines that a run has logged since the last call with the same cursor.
    async fn log(&self, run: Uuid, cursor: &mut Cursor) -> Result<Vec<String>>;

    /// The sources of logs: all of them, or the one of a run with only what it logged. A run is named by the beginning of its id,
    /// or as `latest`.
    async fn logs(&self, run: Option<&str>) -> Result<Logs>;

    /// Asks a run to end, and makes it end when it does not listen.
    async fn stop(&self, run: Uuid) -> Result<()>;

    /// The runs in progress, whoever started them.
    async fn active(&self) -> Result<Vec<Active>>;

    /// The way to the database, open for as long as the value lives.
    async fn database(&self) -> Result<Database>;

    /// The store of datasets and reports.
    fn store(&self) -> Result<Store>;
}

/// The backend that the settings name. The only place that chooses.
pub fn connect(settings: &Settings) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(local(settings)?))
}

/// The local target, for what only makes sense there.
pub fn local(settings: &Settings) -> Result<Local> {
    match settings.target.value.as_str() {
        "local" => Local::new(settings),
        "aws" => Err(Failure::new("this build of covidctl does not have the target `aws` yet")
            .hint("use --target local")
            .exiting(Exit::NotStarted)),
        other => Err(Failure::usage(format!("there is no target `{other}`")).hint("use --target local")),
    }
}

/// What to do with the data of a target that goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They stay.
    Keep,
    /// They are deleted, all of them.
    Delete,
}

/// How a target is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The target's name.
    pub target: String,
    /// Where it is: a folder, or an account and region.
    pub location: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.target, self.location)
    }
}

/// Who watches something that takes a while.
pub trait Progress: Send + Sync {
    /// One more step begins.
    fn step(&self, step: &str);
}

/// A part of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Since when, or when it last changed.
    pub since: Option<DateTime<Utc>>,
    /// What else there is to say.
    pub detail: String,
}

/// The state of a part, the same words for every kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does its work.
    Ready,
    /// It is on its way up or down, or a job is in progress.
    Busy,
    /// It is there and does not run.
    Stopped,
    /// It is not there.
    Missing,
    /// It broke.
    Failed,
    /// It cannot be known now.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Stopped => "stopped",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}

/// How far a run's log has been read. What the position means is up to the backend.
#[derive(Debug, Default)]
pub struct Cursor {
    position: u64,
    /// The beginning of a line whose end is not written yet.
    unfinished: Vec<u8>,
}

impl Cursor {
    /// Where to read on.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The whole lines among what was read now. The beginning of an unfinished one is kept for the next call.
    pub fn lines(&mut self, new: &[u8]) -> Vec<String> {
        self.position += new.len() as u64;
        self.unfinished.extend_from_slice(new);
        let Some(end) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.unfinished.split_off(end + 1);
        let whole = std::mem::replace(&mut self.unfinished, rest);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }

    /// What is left of a log that will not grow any more.
    pub fn rest(self) -> Option<String> {
        (!self.unfinished.is_empty()).then(|| String::from_utf8_lossy(&self.unfinished).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_given_once_and_whole() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.lines(b"one\ntw"), ["one"]);
        assert_eq!(cursor.lines(b""), [""; 0]);
        assert_eq!(cursor.lines("o ñ\nthree".as_bytes()), ["two ñ"]);
        assert_eq!(cursor.position(), 16);
        assert_eq!(cursor.rest().as_deref(), Some("three"));
    }
}
