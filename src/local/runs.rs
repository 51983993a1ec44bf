//! Starts the pipeline's program as a child, and finds the ones that run.
//!
//! A child writes its log straight into a file, so that nothing is lost when we go away first: `--no-wait` and a detached run
//! are nothing special. Each one is noted in a small file with which any later call of this program recognises and stops it.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::env;
use common::failure::{Context as _, Exit, Failure, Result};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::files::{Folders, cannot_read, write_whole};
use super::history;
use super::process::Process;
use target::{ActiveRun, Job, JobKind};

/// Names that only we set: a value left in the user's shell must not change what a job does. `REPORT_LANG` may come from
/// there, and so may everything that is not the pipeline's.
const OURS: [&str; 8] = [
    env::STORE_URL,
    env::REPORTS_URL,
    env::DATABASE_URL,
    env::YEARS,
    env::FORCE,
    env::ACCEPT_ANOMALIES,
    env::RUN_ID,
    env::LOG_FORMAT,
];

/// What is noted about a run in progress.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    run: Uuid,
    kind: JobKind,
    started_at: DateTime<Utc>,
    pub(super) process: Process,
}

/// Starts a job. Called under the folder's lock, so that two cannot start side by side unseen.
pub(super) fn start(folders: &Folders, job: &Job, surroundings: &[(&str, String)]) -> Result<(Uuid, Child)> {
    if !job.allow_concurrent {
        refuse_double(folders, job)?;
    }
    let run = Uuid::new_v4();
    history::begin(folders, run, job.kind)?;
    let mut child = launch(folders, job, surroundings, run)?;
    let pid = child.id().map_or(0, u32::cast_signed);
    let process = Process { pid, uid: nix::unistd::geteuid().as_raw(), mark: mark(run) };
    // For a moment after its start a program has no command line, and would be taken for one that is gone.
    while !process.is_alive() && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let note = Note { run, kind: job.kind, started_at: Utc::now(), process };
    let json = serde_json::to_vec(&note).context(|| "cannot write JSON".to_owned())?;
    write_whole(&note_file(folders, run), &json)?;
    Ok((run, child))
}

fn launch(folders: &Folders, job: &Job, surroundings: &[(&str, String)], run: Uuid) -> Result<Child> {
    let log = folders.run_log(run);
    let open = || File::options().create(true).append(true).open(&log);
    let (out, err) = open()
        .and_then(|file| Ok((file.try_clone()?, file)))
        .context(|| format!("cannot open `{}`", log.display()))?;
    let program = std::env::current_exe().context(|| "cannot find this program's own file".to_owned())?;
    let mut command = Command::new(&program);
    command.arg0(OsString::from(mark(run))).arg("etl").arg(job.kind.subcommand()).args(&job.arguments);
    for name in OURS {
        command.env_remove(name);
    }
    command
        .envs(job.environment.iter().map(|(name, value)| (name, value)))
        .envs(surroundings.iter().map(|(name, value)| (name, value)))
        .env(env::RUN_ID, run.to_string())
        .env(env::LOG_FORMAT, "json")
        .current_dir(folders.root())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // Ctrl-C is for us; what happens to the job is decided here.
        .process_group(0);
    command
        .spawn()
        .context(|| format!("cannot start `{}`", program.display()))
        .map_err(|failure| failure.exit_code(Exit::NotStarted))
}

/// How a run's process is recognised: it stands where the program's name usually does.
fn mark(run: Uuid) -> String {
    format!("covidctl-run-{run}")
}

fn refuse_double(folders: &Folders, job: &Job) -> Result<()> {
    match active(folders)?.into_iter().find(|note| note.kind.excludes(job.kind)) {
        None => Ok(()),
        Some(Note { run, kind, .. }) => Err(Failure::new(format!("{kind} is running already: {run}"))
            .hint(format!("wait for it, stop it with `covidctl stop {run}`, or use --allow-concurrent"))
            .exit_code(Exit::NotStarted)),
    }
}

/// The notes of the runs that are in progress; those of others are thrown away.
pub(super) fn active(folders: &Folders) -> Result<Vec<Note>> {
    let folder = folders.processes();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot_read(&folder, error)),
    };
    let mut notes = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let note = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        match note {
            Some(note) if note.process.is_alive() => notes.push(note),
            // A note that is just being written has another name; this one is of a run that is over.
            _ if path.extension().is_some_and(|extension| extension == "json") => forget_file(&path),
            _ => {}
        }
    }
    notes.sort_by_key(|note| note.started_at);
    Ok(notes)
}

/// The process of a run, while it is in progress.
pub(super) fn find(folders: &Folders, run: Uuid) -> Result<Option<Process>> {
    Ok(active(folders)?.into_iter().find(|note| note.run == run).map(|note| note.process))
}

/// Forgets a run that has ended.
pub(super) fn forget(folders: &Folders, run: Uuid) {
    forget_file(&note_file(folders, run));
}

fn forget_file(file: &std::path::Path) {
    // It would only be thrown away later.
    drop(std::fs::remove_file(file));
}

fn note_file(folders: &Folders, run: Uuid) -> PathBuf {
    folders.processes().join(format!("{run}.json"))
}

impl From<Note> for ActiveRun {
    fn from(Note { run, kind, started_at, .. }: Note) -> Self {
        Self { run, kind, started_at }
    }
}
