//! The target on this machine: folders for buckets, child processes for tasks, files for logs, a private PostgreSQL.
//!
//! A job is the same program with the same environment variables as on AWS, with other values. This file implements the capabilities with
//! the modules below.

mod doctor;
mod layout;
mod lease;
mod log_files;
mod postgres;
mod process;
mod run_history;
mod run_processes;
mod sample;

use std::any::Any;
use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;
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

use self::layout::Layout;
pub use self::lease::Lease;
use self::postgres::{Postgres, ServerState};
pub use self::sample::SamplePlan;
use logs::{LogSources, PollPolicy, RunLog};
use target::{
    ActiveRun, Capabilities, CheckSink, Component, ComponentState, Components, DataRetention, Database,
    DatabaseAccess, DatabaseServer, Databases, DoctorContext, Job, JobKind, Location, Progress, Run, RunEnd,
    Runs, Services, Storage, Target,
};

use crate::db;
use crate::ops::pipeline;
use crate::settings::Settings;

/// Time between SIGTERM and SIGKILL.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a run that another process started is polled.
const RUN_POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct Local {
    /// Name of the target.
    name: String,
    layout: Layout,
    postgres: Postgres,
    children: Mutex<HashMap<Uuid, Arc<AsyncMutex<Child>>>>,
}

impl Local {
    /// Returns the target in the configured folder, without creating anything.
    pub fn new(settings: &Settings) -> Self {
        let layout = Layout::new(&settings.data_dir.value);
        let pg_bin = settings.pg_bin.as_ref().map(|folder| folder.value.clone());
        let postgres = Postgres::new(layout.clone(), pg_bin);
        Self { name: settings.target.value.clone(), layout, postgres, children: Mutex::default() }
    }

    pub fn target(self: Arc<Self>) -> Target {
        Target { services: Some(Arc::clone(&self) as _), ..Target::of(self) }
    }

    /// Creates what is missing and starts PostgreSQL, which runs until the last lease is dropped; with `keep`, longer.
    pub async fn lease(&self, keep: bool, progress: Arc<dyn Progress>) -> Result<Lease> {
        self.postgres.check_access()?;
        let lock = self.layout.lock().await?;
        let (layout, postgres) = (self.layout.clone(), self.postgres.clone());
        let lease = tokio::task::spawn_blocking(move || {
            // On an error this lock is dropped before the lease, which needs it to be released.
            let _lock = lock;
            layout.create()?;
            Lease::take(&layout, &postgres, keep, progress.as_ref())
        });
        let lease = lease.await.context(|| "cannot start PostgreSQL")??;
        db::create_if_missing(&self.database(DatabaseAccess::READ).await?).await?;
        Ok(lease)
    }

    /// Returns a guard that ends the run when it is dropped.
    pub fn attach(&self, run: Uuid) -> AttachedRun {
        AttachedRun { layout: self.layout.clone(), run }
    }

    /// Waits for a run that another process started.
    async fn wait_for_detached(&self, run: Uuid, timeout: Duration) -> Result<Option<RunEnd>> {
        let wait = async {
            while run_processes::find(&self.layout, run)?.is_some() {
                tokio::time::sleep(RUN_POLL_INTERVAL).await;
            }
            Ok(RunEnd::exited(run_history::exit_code(&self.layout, run)))
        };
        tokio::time::timeout(timeout, wait).await.ok().transpose()
    }

    fn children(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<AsyncMutex<Child>>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store_url(&self) -> String {
        format!("file://{}", self.layout.store.display().to_string().replace('%', "%25"))
    }

    fn not_up(&self) -> Failure {
        Failure::new(format!("the target `{}` is not up in `{}`", self.name, self.layout.root.display()))
            .hint("covidctl up    (or use another folder with --data-dir)")
            .exit_code(Exit::NotStarted)
    }
}

#[derive(Debug)]
pub struct AttachedRun {
    layout: Layout,
    run: Uuid,
}

impl Drop for AttachedRun {
    fn drop(&mut self) {
        if let Ok(Some(process)) = run_processes::find(&self.layout, self.run) {
            process.end_group(STOP_TIMEOUT);
            run_processes::forget(&self.layout, self.run);
        }
    }
}

#[async_trait]
impl Components for Local {
    fn location(&self) -> Location {
        Location {
            target: self.name.clone(),
            location: self.layout.root.display().to_string(),
            capabilities: Capabilities { services: true, bastion: false, account: false, releases: true },
        }
    }

    async fn list(&self) -> Result<Vec<Component>> {
        let component = |state, detail: String| Component::new("postgresql", state, detail);
        let Some(version) = self.postgres.version().filter(|_| self.layout.exists()) else {
            return Ok(vec![component(ComponentState::Missing, "`covidctl up` creates it".to_owned())]);
        };
        Ok(vec![match self.postgres.state()? {
            ServerState::Stopped => component(ComponentState::Stopped, format!("version {version}")),
            ServerState::Crashed => component(
                ComponentState::Failed,
                "was not shut down properly; `covidctl up` recovers it".to_owned(),
            ),
            ServerState::Foreign => component(
                ComponentState::Failed,
                "is run by another container, was started by hand, or was killed during a query".to_owned(),
            ),
            ServerState::Busy(process) => {
                component(ComponentState::Busy, format!("version {version}, process {}", process.pid))
            }
            ServerState::Ready { process, port, since } => {
                let detail = format!("version {version}, 127.0.0.1:{port}, process {}", process.pid);
                Component { since: Some(since), ..component(ComponentState::Ready, detail) }
            }
        }])
    }

    async fn diagnose(&self, _: &DoctorContext, sink: &CheckSink<'_>) -> bool {
        doctor::diagnose(&self.layout, &self.postgres, sink)
    }
}

#[async_trait]
impl Services for Local {
    async fn up(&self, progress: Arc<dyn Progress>) -> Result<()> {
        self.lease(true, progress).await.map(drop)
    }

    async fn down(&self, data: DataRetention, progress: Arc<dyn Progress>) -> Result<()> {
        if !self.layout.exists() {
            return Ok(());
        }
        let lock = self.layout.lock().await?;
        if let Some(active) = self.active().await?.first() {
            return Err(Failure::new(format!("{} is in progress: {}", active.kind, active.run))
                .hint(format!("wait for it, or stop it: covidctl stop {}", active.run)));
        }
        let (layout, postgres) = (self.layout.clone(), self.postgres.clone());
        let stopped = tokio::task::spawn_blocking(move || {
            let _lock = lock;
            if matches!(postgres.state()?, ServerState::Busy(_) | ServerState::Ready { .. }) {
                progress.step("stopping PostgreSQL");
            }
            postgres.stop()?;
            if data == DataRetention::Delete {
                progress.step(&format!("deleting the data in `{}`", layout.root.display()));
                return layout.delete();
            }
            layout.update_state(|state| state.keep = false)
        });
        stopped.await.context(|| "cannot stop PostgreSQL")?
    }
}

#[async_trait]
impl Runs for Local {
    fn jobs(&self) -> Vec<JobKind> {
        pipeline::FULL_PIPELINE.to_vec()
    }

    async fn start(&self, job: &Job) -> Result<Uuid> {
        let mut env = vec![(env::STORE_URL, self.store_url())];
        if let JobKind::Named(name) = &job.kind {
            return Err(Failure::usage(format!("the target has no job `{name}`")));
        }
        if !matches!(job.kind, JobKind::Download | JobKind::Sample) {
            env.push((env::DATABASE_URL, self.database(DatabaseAccess::READ).await?.url()));
        }
        let _lock = self.layout.lock().await?;
        let (run, child) = run_processes::start(&self.layout, job, &env)?;
        self.children().insert(run, Arc::new(AsyncMutex::new(child)));
        Ok(run)
    }

    async fn wait(&self, run: Uuid, limit: Duration) -> Result<Option<RunEnd>> {
        let Some(child) = self.children().get(&run).cloned() else {
            return self.wait_for_detached(run, limit).await;
        };
        let mut child = child.lock().await;
        let Ok(ended) = tokio::time::timeout(limit, child.wait()).await else { return Ok(None) };
        let status = ended.context(|| format!("cannot wait for run {run}"))?;
        self.children().remove(&run);
        let code = exit_code(status);
        run_history::end(&self.layout, run, code);
        run_processes::forget(&self.layout, run);
        Ok(Some(RunEnd::exited(code)))
    }

    async fn stop(&self, run: Uuid) -> Result<()> {
        let Some(process) = run_processes::find(&self.layout, run)? else {
            return Err(Failure::new(format!("run {run} is not in progress"))
                .hint("`covidctl status` lists the runs in progress"));
        };
        tokio::task::spawn_blocking(move || process.end_group(STOP_TIMEOUT))
            .await
            .context(|| format!("cannot stop run {run}"))
    }

    async fn active(&self) -> Result<Vec<ActiveRun>> {
        Ok(run_processes::active(&self.layout)?.into_iter().map(|process| process.active).collect())
    }

    async fn history(&self, limit: usize) -> Result<Vec<Run>> {
        let database = self.database(DatabaseAccess::READ).await?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let runs = db::runs::newest(&mut db::connect(&database).await?, limit).await?;
        Ok(runs.into_iter().map(|run| run_history::with_record(&self.layout, run)).collect())
    }

    async fn find(&self, typed: &str) -> Result<Run> {
        let database = self.database(DatabaseAccess::READ).await?;
        let run = db::runs::find(&mut db::connect(&database).await?, typed).await?;
        Ok(run_history::with_record(&self.layout, run))
    }

    async fn logs(&self, run: Option<&str>) -> Result<LogSources> {
        if !self.layout.exists() && !self.layout.logs.is_dir() {
            return Err(self.not_up());
        }
        let run = run.map(|typed| run_history::find(&self.layout, typed)).transpose()?;
        let sources = log_files::sources(&self.layout, run.map(|run| run.to_string()).as_deref());
        // The log of a run is short and read as a whole, whatever the timestamps of its lines.
        Ok(LogSources { sources, poll_policy: PollPolicy::FILES, run: run.map(|id| RunLog { id, from: 0 }) })
    }
}

#[async_trait]
impl Storage for Local {
    async fn datasets(&self) -> Result<Store> {
        if !self.layout.exists() {
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
        let ServerState::Ready { port, .. } = self.postgres.state()? else { return Err(self.not_up()) };
        Ok(Database {
            host: "127.0.0.1".to_owned(),
            address: None,
            socket_folder: None,
            port,
            user: postgres::cluster::USER.to_owned(),
            name: target::covid19::DATABASE.to_owned(),
            password_file: Some(self.layout.password_file.clone()),
            programs: self.postgres.programs_folder(),
            ca_bundle: None,
            password: Some(postgres::cluster::password(&self.layout.password_file)?),
            guard: Some(Box::new(self.layout.hold_in_use()?)),
        })
    }

    async fn reader(&self, _: DatabaseServer) -> Result<Database> {
        let database = self.database(DatabaseAccess::ADMINISTER).await?;
        let file = self.layout.reader_password_file.clone();
        let password = postgres::cluster::reader_password(&file)?;
        let mut session = db::connect(&database).await?;
        db::roles::ensure_login(&mut session, etl::database::READER, &password).await?;
        let (password_file, password) = (Some(file), Some(password));
        Ok(Database { user: etl::database::READER.to_owned(), password_file, password, ..database })
    }

    /// The one server has both names, so that a command is the same on every target.
    fn names(&self) -> Vec<String> {
        [DatabaseServer::MASTER, DatabaseServer::REPLICA].map(|server| server.name().to_owned()).into()
    }

    async fn keep_alive(&self) -> Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(self.database(DatabaseAccess::READ).await?))
    }

    fn migrates_by_job(&self) -> bool {
        true
    }
}

/// Returns the exit code of a child, 128 + N for signal N as in a shell.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(1)
}
