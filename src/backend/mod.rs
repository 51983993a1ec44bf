//! Where the pipeline lives, behind one small trait.
//!
//! An implementation owns every decision that differs between places: how parts are created and inspected, how a job is
//! started, followed and stopped, how the database is reached. What does not differ is not here: files go through the store,
//! the history of runs through the database. No type of an implementation's libraries may appear in this file.

mod authorities;
pub mod aws;
pub mod check;
pub mod database;
pub mod job;
pub mod local;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use etl::store::Store;
use serde::Serialize;
use uuid::Uuid;

use self::aws::Aws;
pub use self::check::{Check, Examination, Found, Outcome};
pub use self::database::Database;
pub use self::job::{Active, Job, Kind};
use self::local::Local;
use crate::db::runs::Run;
use crate::logs::Logs;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::tunnel::event::Tell;

/// A place where the pipeline can live.
#[async_trait]
pub trait Backend: Send + Sync {
    /// What to call it, in headers and in questions.
    fn place(&self) -> Place;

    /// The same, after whoever knows was asked: with the account, where there is one.
    async fn identify(&self) -> Result<Place> {
        Ok(self.place())
    }

    /// Creates what is missing and starts what is stopped; does nothing the second time.
    async fn up(&self, progress: Arc<dyn Progress>) -> Result<()>;

    /// Stops it.
    async fn down(&self, data: Data, progress: Arc<dyn Progress>) -> Result<()>;

    /// Its own parts and their states. Changes nothing.
    async fn parts(&self) -> Result<Vec<Part>>;

    /// Starts a job and returns at once.
    async fn start(&self, job: &Job) -> Result<Uuid>;

    /// Waits for the end of a run, but not longer than `patience`: how it ended, or nothing while it goes on.
    async fn wait(&self, run: Uuid, patience: Duration) -> Result<Option<Ended>>;

    /// The sources of logs: all of them, or the one of a run with only what it logged. A run is named by the beginning of its id,
    /// or as `latest`.
    async fn logs(&self, run: Option<&str>) -> Result<Logs>;

    /// Asks a run to end, and makes it end when it does not listen.
    async fn stop(&self, run: Uuid) -> Result<()>;

    /// The runs in progress, whoever started them.
    async fn active(&self) -> Result<Vec<Active>>;

    /// The newest runs, whoever started them, the newest first.
    async fn history(&self, limit: usize) -> Result<Vec<Run>>;

    /// The run whose id begins as typed; `latest` is the newest.
    async fn find(&self, typed: &str) -> Result<Run>;

    /// The way to the database, for whoever only reads; open for as long as the value lives.
    async fn database(&self) -> Result<Database> {
        self.database_for(Access::READ).await
    }

    /// The way to a certain server, with a certain login.
    async fn database_for(&self, access: Access) -> Result<Database>;

    /// Keeps what jobs need here (a server, not theirs) for as long as the value lives.
    async fn keep(&self) -> Result<Kept>;

    /// The store of datasets.
    async fn datasets(&self) -> Result<Store>;

    /// The store of reports and of the records of runs; it may be the same.
    async fn reports(&self) -> Result<Store>;

    /// Looks for what is wrong with the place itself, check by check. Changes nothing; a check that fails ends no other. Says
    /// whether it makes sense to look at what is in it.
    async fn examine(&self, wanted: &Examination, found: &Found<'_>) -> bool;
}

/// The backend that the settings name. The only place that chooses.
pub fn connect(settings: &Settings) -> Result<Arc<dyn Backend>> {
    match settings.target.value.as_str() {
        "local" => Ok(Arc::new(Local::new(settings)?)),
        "aws" => Ok(Arc::new(aws(settings, &Arc::new(Printer::new(settings)))?)),
        other => Err(no_target(other)),
    }
}

/// The local target, for what only makes sense there.
pub fn local(settings: &Settings) -> Result<Local> {
    match settings.target.value.as_str() {
        "local" => Local::new(settings),
        "aws" => Err(Failure::usage("this only makes sense on the target `local`").hint("--target local")),
        other => Err(no_target(other)),
    }
}

/// The target on AWS, for what only makes sense there. What its tunnels tell is said on standard error.
pub fn aws(settings: &Settings, printer: &Arc<Printer>) -> Result<Aws> {
    let printer = Arc::clone(printer);
    let tell: Tell = Arc::new(move |event| {
        if !event.is_ready() {
            printer.say(&event.to_string());
        }
    });
    match settings.target.value.as_str() {
        "aws" => Ok(Aws::new(settings, tell)),
        "local" => Err(Failure::usage("this only makes sense on the target `aws`").hint("--target aws")),
        other => Err(no_target(other)),
    }
}

fn no_target(name: &str) -> Failure {
    Failure::usage(format!("there is no target `{name}`")).hint("the targets are local and aws")
}

fn no_run(typed: &str) -> Failure {
    Failure::new(format!("there is no run `{typed}`"))
        .hint("`covidctl runs` lists them; `latest` is the newest")
}

fn several_runs(typed: &str) -> Failure {
    Failure::new(format!("several runs begin with `{typed}`")).hint("type more of the id")
}

/// Who is at the keyboard, in words for records.
pub fn who() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    format!("{}@{}", user.unwrap_or_else(|| "?".to_owned()), host.unwrap_or_else(|| "?".to_owned()))
}

/// Which server, and with which rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The server.
    pub server: Server,
    /// The login.
    pub login: Login,
}

impl Access {
    /// The usual one.
    pub const READ: Self = Self { server: Server::Master, login: Login::Reader };
    /// For migrations.
    pub const WRITE: Self = Self { server: Server::Master, login: Login::Writer };
    /// For roles.
    pub const ADMINISTER: Self = Self { server: Server::Master, login: Login::Administrator };
}

/// A server of the database. Where there is only one, it is both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Server {
    /// The one that is written to
    Master,
    /// The one that dashboards read
    Replica,
}

/// A login of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Only reads.
    Reader,
    /// Loads and migrates.
    Writer,
    /// Makes the others.
    Administrator,
}

/// Something that is kept.
pub type Kept = Box<dyn Any + Send + Sync>;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code of its program, or 125 where that was never started.
    pub code: u8,
    /// Why, in plain words, where the place knows more than the program could say.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Ended {
    /// The program ended by itself.
    pub const fn by_itself(code: u8) -> Self {
        Self { code, reason: None, hint: None }
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
