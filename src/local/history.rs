//! What is known of a run beside its log: its kind, when it began, how it ended. It outlives the run.
//!
//! The note is written before the log's first line, so that whoever finds a log knows whose it is. The pipeline's own record in the
//! store says more, but only of loads and reports, and only when it was possible to write it.

use chrono::{DateTime, Utc};
use common::failure::{Context as _, Failure, Result};
use etl::record::{Record, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::files::{Folders, cannot_read, write_whole};
use super::log_files;
use target::JobKind;
use target::Run;

/// The note beside a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    kind: JobKind,
    started_at: DateTime<Utc>,
    #[serde(default)]
    exit_code: Option<u8>,
}

/// Notes a run that is about to start.
pub(super) fn begin(folders: &Folders, run: Uuid, kind: JobKind) -> Result<()> {
    write(folders, &run.to_string(), &Note { kind, started_at: Utc::now(), exit_code: None })
}

/// Notes how it ended. Nothing depends on it that cannot be guessed otherwise.
pub(super) fn end(folders: &Folders, run: Uuid, code: u8) {
    let run = run.to_string();
    if let Some(note) = note(folders, &run) {
        drop(write(folders, &run, &Note { exit_code: Some(code), ..note }));
    }
}

fn write(folders: &Folders, run: &str, note: &Note) -> Result<()> {
    let json = serde_json::to_vec(note).context(|| "cannot write JSON".to_owned())?;
    write_whole(&folders.log_note(run), &json)
}

fn note(folders: &Folders, run: &str) -> Option<Note> {
    serde_json::from_slice(&std::fs::read(folders.log_note(run)).ok()?).ok()
}

fn record(folders: &Folders, run: &str) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(folders.run_record(run)).ok()?).ok()
}

/// The run with what only its record knows: who started it, and how its program ended.
pub(super) fn with_record(folders: &Folders, run: Run) -> Run {
    let record = record(folders, &run.run_id.to_string());
    match record {
        Some(Record { exit_code, started_by, .. }) => Run { exit_code, started_by, ..run },
        None => run,
    }
}

/// What a run does. A log of which nothing is known is taken for a load's.
pub(super) fn kind(folders: &Folders, run: &str) -> JobKind {
    let noted = note(folders, run).map(|note| note.kind);
    let recorded = || match record(folders, run)?.kind.as_str() {
        "report" => Some(JobKind::Report),
        "rollback" => Some(JobKind::Rollback),
        _ => None,
    };
    noted.or_else(recorded).unwrap_or(JobKind::Etl)
}

/// When it began, in milliseconds.
pub(super) fn started(folders: &Folders, run: &str) -> Option<i64> {
    note(folders, run).map(|note| note.started_at.timestamp_millis())
}

/// The exit code of a run that has ended.
pub(super) fn exit_code(folders: &Folders, run: Uuid) -> u8 {
    let run = run.to_string();
    let note = note(folders, &run);
    if let Some(code) = note.as_ref().and_then(|note| note.exit_code) {
        return code;
    }
    let has_record = note.is_some_and(|note| {
        matches!(note.kind, JobKind::Download | JobKind::Etl | JobKind::Report | JobKind::Rollback)
    });
    match record(folders, &run) {
        // Killed before it could say so.
        Some(Record { status: Status::Running, .. }) => 1,
        Some(record) => record.exit_code.unwrap_or(0),
        // It did not even begin; nobody was there to take down the code.
        None if has_record => 1,
        // One that fails says its code in its last line.
        None => last_line(folders, &run)
            .and_then(|line| line.get("exit_code")?.as_u64())
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(0),
    }
}

fn last_line(folders: &Folders, run: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folders.log_file(run)).ok()?;
    serde_json::from_str(text.lines().last()?).ok()
}

/// The runs that have a log, in the order of their names.
pub(super) fn logged(folders: &Folders) -> Result<Vec<String>> {
    let folder = folders.logs();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot_read(&folder, error)),
    };
    let mut runs: Vec<String> =
        entries.flatten().filter_map(|entry| log_files::run_of(&entry.path())).collect();
    runs.sort();
    Ok(runs)
}

/// The run that `typed` begins, among those that have a log; `latest` is the one that began last.
pub(super) fn find(folders: &Folders, typed: &str) -> Result<Uuid> {
    let mut runs: Vec<Uuid> = logged(folders)?.iter().filter_map(|run| run.parse().ok()).collect();
    if typed == "latest" {
        runs.sort_by_key(|run| started(folders, &run.to_string()));
        return runs
            .pop()
            .ok_or_else(|| Failure::new("there is no run yet").hint("start one: covidctl run etl"));
    }
    let typed = typed.to_lowercase();
    let mut fitting = runs.iter().filter(|run| !typed.is_empty() && run.to_string().starts_with(&typed));
    match (fitting.next(), fitting.next()) {
        (Some(run), None) => Ok(*run),
        (None, _) => Err(Failure::new(format!("there is no log of a run `{typed}`"))
            .hint("`covidctl runs` lists the runs; `latest` is the newest")),
        _ => Err(Failure::new(format!("several runs begin with `{typed}`")).hint("type more of the id")),
    }
}
