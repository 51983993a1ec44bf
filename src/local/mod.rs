//! The target on this machine: folders for buckets, child processes for tasks, files for logs, a private PostgreSQL.
//!
//! It is no second implementation of the pipeline: a job is the same program with the same environment names as on AWS, and
//! only the values differ. This file wires the parts below it into the trait; it must not know how any of them works.

mod doctor;
mod files;
mod history;
mod lease;
mod log_files;
mod postgres;
mod process;
mod runs;
mod sample;

use std::any::Any;
use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use common::env;
use common::failure::{Context as _, Exit, Failure, Result};
use etl::store::Store;
use tokio::process::Child;
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use self::files::Folders;
pub use self::lease::Lease;
use self::postgres::{Postgres, Server};
pub use self::sample::Plan;
use logs::{Logs, RunLog, Tempo};
use target::{
    ActiveRun, CheckSink, Component, ComponentState, Components, DataRetention, Database, DatabaseAccess,
    Databases, DoctorContext, Job, JobKind, Location, Progress, Run, RunEnd, Runs, Services, Storage, Target,
};

use crate::db;
use crate::settings::Settings;

/// The database's name.
const DATABASE: &str = "covid19";

/// How long a job that is asked to end may take before it is made to.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How often a run that somebody else has started is looked at.
const WAIT_PACE: Duration = Duration::from_millis(100);

/// The target on this machine.
#[derive(Debug)]
pub struct Local {
    folders: Folders,
    postgres: Postgres,
    children: Mutex<HashMap<Uuid, Arc<AsyncMutex<Child>>>>,
}

impl Local {
    /// The target in the folder that the settings name. Nothing is created yet.
    pub fn new(settings: &Settings) -> Result<Self> {
        let folders = Folders::new(&settings.data_dir.value);
        let named = settings.pg_bin.as_ref().map(|folder| folder.value.clone());
        let postgres = Postgres::new(folders.clone(), named);
        Ok(Self { folders, postgres, children: Mutex::default() })
    }

    /// Returns its capabilities.
    pub fn target(self: Arc<Self>) -> Target {
        Target { services: Some(Arc::clone(&self) as _), ..Target::of(self) }
    }

    /// Creates what is missing and makes PostgreSQL run until the lease ends.
    pub async fn lease(&self, progress: Arc<dyn Progress>) -> Result<Lease> {
        self.lease_with(false, progress).await
    }

    async fn lease_with(&self, keep: bool, progress: Arc<dyn Progress>) -> Result<Lease> {
        self.postgres.check_reach()?;
        let lock = self.folders.lock().await?;
        let (folders, postgres) = (self.folders.clone(), self.postgres.clone());
        let lease = tokio::task::spawn_blocking(move || {
            // Dropped before the lease is, where something fails: giving that back needs the lock.
            let _lock = lock;
            folders.create()?;
            let lease = Lease::take(&folders, &postgres, progress.as_ref())?;
            Ok::<_, Failure>(lease)
        });
        let lease = lease.await.context(|| "cannot start PostgreSQL".to_owned())??;
        if keep {
            lease.keep()?;
        }
        db::create_if_missing(&self.database(DatabaseAccess::READ).await?).await?;
        Ok(lease)
    }

    /// A guard that ends a run when it goes out of scope before the run does.
    pub fn attach(&self, run: Uuid) -> Attached {
        Attached { folders: self.folders.clone(), run }
    }

    /// Waits for a run that another call of this program has started.
    async fn wait_for_other(&self, run: Uuid, patience: Duration) -> Result<Option<RunEnd>> {
        let wait = async {
            while runs::find(&self.folders, run)?.is_some() {
                tokio::time::sleep(WAIT_PACE).await;
            }
            Ok(RunEnd::exited(history::exit_code(&self.folders, run)))
        };
        tokio::time::timeout(patience, wait).await.ok().transpose()
    }

    fn children(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<AsyncMutex<Child>>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store_url(&self) -> String {
        url_of(&self.folders.store())
    }

    fn not_up(&self) -> Failure {
        Failure::new(format!("the target `local` is not up in `{}`", self.folders.root().display()))
            .hint("covidctl up    (or name another folder with --data-dir)")
            .exit_code(Exit::NotStarted)
    }
}

/// See [`Local::attach`].
#[derive(Debug)]
pub struct Attached {
    folders: Folders,
    run: Uuid,
}

impl Drop for Attached {
    fn drop(&mut self) {
        // A run that is over is not in progress any more, and nothing happens.
        if let Ok(Some(process)) = runs::find(&self.folders, self.run) {
            process.end_group(STOP_PATIENCE);
            runs::forget(&self.folders, self.run);
        }
    }
}

#[async_trait]
impl Components for Local {
    fn location(&self) -> Location {
        Location { target: "local".to_owned(), location: self.folders.root().display().to_string() }
    }

    async fn list(&self) -> Result<Vec<Component>> {
        let (state, since, detail) = match (self.folders.exist(), self.postgres.version()) {
            (true, Some(version)) => match self.postgres.state()? {
                Server::Stopped => (ComponentState::Stopped, None, format!("version {version}")),
                Server::Crashed => (
                    ComponentState::Failed,
                    None,
                    "was not stopped properly; `covidctl up` recovers it".to_owned(),
                ),
                Server::Busy(process) => {
                    (ComponentState::Busy, None, format!("version {version}, process {}", process.pid))
                }
                Server::Ready { process, port, since } => {
                    let detail = format!("version {version}, 127.0.0.1:{port}, process {}", process.pid);
                    (ComponentState::Ready, Some(since), detail)
                }
            },
            _ => (ComponentState::Missing, None, "`covidctl up` creates it".to_owned()),
        };
        Ok(vec![Component { name: "postgresql".to_owned(), state, since, detail }])
    }

    async fn diagnose(&self, _: &DoctorContext, found: &CheckSink<'_>) -> bool {
        doctor::examine(&self.folders, &self.postgres, found)
    }
}

#[async_trait]
impl Services for Local {
    async fn up(&self, progress: Arc<dyn Progress>) -> Result<()> {
        self.lease_with(true, progress).await.map(drop)
    }

    async fn down(&self, data: DataRetention, progress: Arc<dyn Progress>) -> Result<()> {
        if !self.folders.exist() {
            return Ok(());
        }
        let lock = self.folders.lock().await?;
        if let Some(active) = self.active().await?.first() {
            return Err(Failure::new(format!("{} is in progress: {}", active.kind, active.run))
                .hint(format!("wait for it, or stop it: covidctl stop {}", active.run)));
        }
        let (folders, postgres) = (self.folders.clone(), self.postgres.clone());
        let stopped = tokio::task::spawn_blocking(move || {
            let _lock = lock;
            if matches!(postgres.state()?, Server::Busy(_) | Server::Ready { .. }) {
                progress.step("stopping PostgreSQL");
            }
            postgres.stop()?;
            if data == DataRetention::Delete {
                progress.step(&format!("deleting the data in `{}`", folders.root().display()));
                return folders.delete();
            }
            let mut memory = folders.memory()?;
            memory.keep = false;
            folders.remember(&memory)
        });
        stopped.await.context(|| "cannot stop PostgreSQL".to_owned())?
    }
}

#[async_trait]
impl Runs for Local {
    async fn start(&self, job: &Job) -> Result<Uuid> {
        let mut surroundings = vec![(env::STORE_URL, self.store_url())];
        if !matches!(job.kind, JobKind::Download | JobKind::Sample) {
            surroundings.push((env::DATABASE_URL, self.database(DatabaseAccess::READ).await?.url()));
        }
        let _lock = self.folders.lock().await?;
        let (run, child) = runs::start(&self.folders, job, &surroundings)?;
        self.children().insert(run, Arc::new(AsyncMutex::new(child)));
        Ok(run)
    }

    async fn wait(&self, run: Uuid, limit: Duration) -> Result<Option<RunEnd>> {
        let Some(child) = self.children().get(&run).cloned() else {
            return self.wait_for_other(run, limit).await;
        };
        let mut child = child.lock().await;
        let Ok(ended) = tokio::time::timeout(limit, child.wait()).await else { return Ok(None) };
        let status = ended.context(|| format!("cannot wait for run {run}"))?;
        self.children().remove(&run);
        let code = exit_code(status);
        history::end(&self.folders, run, code);
        runs::forget(&self.folders, run);
        Ok(Some(RunEnd::exited(code)))
    }

    async fn stop(&self, run: Uuid) -> Result<()> {
        let Some(process) = runs::find(&self.folders, run)? else {
            return Err(
                Failure::new(format!("run {run} is not in progress")).hint("`covidctl status` shows what is")
            );
        };
        tokio::task::spawn_blocking(move || process.end_group(STOP_PATIENCE))
            .await
            .context(|| format!("cannot stop run {run}"))
    }

    async fn active(&self) -> Result<Vec<ActiveRun>> {
        Ok(runs::active(&self.folders)?.into_iter().map(ActiveRun::from).collect())
    }

    async fn history(&self, limit: usize) -> Result<Vec<Run>> {
        let database = self.database(DatabaseAccess::READ).await?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let runs = db::runs::newest(&mut db::connect(&database).await?, limit).await?;
        Ok(runs.into_iter().map(|run| history::with_record(&self.folders, run)).collect())
    }

    async fn find(&self, typed: &str) -> Result<Run> {
        let database = self.database(DatabaseAccess::READ).await?;
        let run = db::runs::find(&mut db::connect(&database).await?, typed).await?;
        Ok(history::with_record(&self.folders, run))
    }

    async fn logs(&self, run: Option<&str>) -> Result<Logs> {
        if !self.folders.exist() && !self.folders.logs().is_dir() {
            return Err(self.not_up());
        }
        let run = run.map(|typed| history::find(&self.folders, typed)).transpose()?;
        let sources = log_files::sources(&self.folders, run.map(|run| run.to_string()).as_deref());
        // A run's file is short enough to be read from its beginning, whatever times its lines bear.
        Ok(Logs { sources, tempo: Tempo::FILES, run: run.map(|id| RunLog { id, from: 0 }) })
    }
}

#[async_trait]
impl Storage for Local {
    async fn datasets(&self) -> Result<Store> {
        if !self.folders.exist() {
            return Err(self.not_up());
        }
        Store::open(&self.store_url())
    }

    async fn reports(&self) -> Result<Store> {
        self.datasets().await
    }
}

#[async_trait]
impl Databases for Local {
    async fn database(&self, _: DatabaseAccess) -> Result<Database> {
        let Server::Ready { port, .. } = self.postgres.state()? else { return Err(self.not_up()) };
        Ok(Database {
            host: "127.0.0.1".to_owned(),
            address: None,
            port,
            user: postgres::USER.to_owned(),
            name: DATABASE.to_owned(),
            password_file: self.folders.password_file(),
            programs: self.postgres.programs_folder(),
            ca_bundle: None,
            password: postgres::cluster::password(&self.folders)?,
            guard: Some(Box::new(self.folders.users()?)),
        })
    }

    async fn keep_alive(&self) -> Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(self.database(DatabaseAccess::READ).await?))
    }

    fn migrates_by_job(&self) -> bool {
        true
    }
}

/// A child's code; one that a signal ended has the code that a shell gives it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(1)
}

/// A folder as the URL of a store. Only what would be misread is escaped.
fn url_of(folder: &Path) -> String {
    format!("file://{}", folder.display().to_string().replace('%', "%25"))
}
