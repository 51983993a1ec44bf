//! Starts jobs as child processes, and finds the running ones.
//!
//! A child writes its log directly to a file, so that it survives this program (`--no-wait`, a detached run). A file per process lets any
//! later call find and stop it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::Utc;
use common::env;
use common::failure::{Context as _, Exit, Failure, Result};
use serde::{Deserialize, Serialize};
use target::{ActiveRun, Job};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::layout::{Layout, entries_of, open_log, read_json, write_json};
use super::process::Process;
use super::run_history;

/// Variables that a job never inherits from the user's shell.
const RESERVED_VARIABLES: [&str; 8] = [
    env::STORE_URL,
    env::REPORTS_URL,
    env::DATABASE_URL,
    env::YEARS,
    env::FORCE,
    env::ACCEPT_ANOMALIES,
    env::RUN_ID,
    env::LOG_FORMAT,
];

/// The file about a run in progress.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunProcess {
    #[serde(flatten)]
    pub(super) active: ActiveRun,
    process: Process,
}

/// Starts a job. The caller holds the lock of the layout, so that concurrent starts see each other.
pub(super) fn start(layout: &Layout, job: &Job, env: &[(&str, String)]) -> Result<(Uuid, Child)> {
    if !job.allow_concurrent {
        ensure_not_running(layout, job)?;
    }
    run_history::delete_old(layout)?;
    let run = Uuid::new_v4();
    run_history::begin(layout, run, job.kind.clone())?;
    let mut child = launch(layout, job, env, run)?;
    let pid = child.id().map_or(0, u32::cast_signed);
    let process = Process { pid, uid: nix::unistd::geteuid().as_raw(), mark: mark(run) };
    // Until exec the process has no command line of its own and would not be recognized.
    while !process.is_alive() && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let active = ActiveRun { run, kind: job.kind.clone(), started_at: Utc::now() };
    write_json(&process_file(layout, run), &RunProcess { active, process })?;
    Ok((run, child))
}

fn launch(layout: &Layout, job: &Job, env: &[(&str, String)], run: Uuid) -> Result<Child> {
    let (out, err) = open_log(&layout.log_file(&run.to_string()))?;
    let program = std::env::current_exe().context(|| "cannot find this program's executable")?;
    let mut command = Command::new(&program);
    command.arg0(OsString::from(mark(run))).arg("etl").arg(job.kind.subcommand()).args(&job.arguments);
    for name in RESERVED_VARIABLES {
        command.env_remove(name);
    }
    command
        .envs(job.environment.iter().cloned())
        .envs(env.iter().cloned())
        .env(env::RUN_ID, run.to_string())
        .env(env::LOG_FORMAT, "json")
        .current_dir(&layout.root)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // The terminal's Ctrl-C must not reach the job.
        .process_group(0);
    command
        .spawn()
        .context(|| format!("cannot start `{}`", program.display()))
        .map_err(|failure| failure.exit_code(Exit::NotStarted))
}

/// Returns the first argument of a run's process, by which it is recognized.
fn mark(run: Uuid) -> String {
    format!("covidctl-run-{run}")
}

fn ensure_not_running(layout: &Layout, job: &Job) -> Result<()> {
    let mut active = active(layout)?.into_iter().map(|process| process.active);
    let Some(ActiveRun { run, kind, .. }) = active.find(|active| active.kind.excludes(&job.kind)) else {
        return Ok(());
    };
    Err(Failure::new(format!("{kind} is running already: {run}"))
        .hint(format!("wait for it, stop it with `covidctl stop {run}`, or use --allow-concurrent"))
        .exit_code(Exit::NotStarted))
}

/// Returns the runs in progress, oldest first, and deletes the files of the others.
pub(super) fn active(layout: &Layout) -> Result<Vec<RunProcess>> {
    let mut active = Vec::new();
    for path in entries_of(&layout.processes)? {
        match read_json::<RunProcess>(&path) {
            Some(run) if run.process.is_alive() => active.push(run),
            // Not a temporary file of a write in progress.
            _ if path.extension().is_some_and(|extension| extension == "json") => {
                drop(std::fs::remove_file(&path));
            }
            _ => {}
        }
    }
    active.sort_by_key(|process: &RunProcess| process.active.started_at);
    Ok(active)
}

/// Returns the process of a run in progress.
pub(super) fn find(layout: &Layout, run: Uuid) -> Result<Option<Process>> {
    Ok(active(layout)?.into_iter().find(|process| process.active.run == run).map(|active| active.process))
}

/// Deletes the file of a run that has ended; if that fails, [`active`] does it later.
pub(super) fn forget(layout: &Layout, run: Uuid) {
    drop(std::fs::remove_file(process_file(layout, run)));
}

fn process_file(layout: &Layout, run: Uuid) -> PathBuf {
    layout.processes.join(format!("{run}.json"))
}
