//! What is known about a run beside its log: its job, when it started, how it ended.
//!
//! The metadata is written before the first line of the log and outlives the run. The pipeline's record in the store says more, but only
//! about some jobs, and only if it could be written.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use etl::record::{Record, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use target::{JobKind, Run};
use uuid::Uuid;

use super::layout::{Layout, entries_of, ignore_not_found, read_json, write_json};

/// How long the files of a run are kept: twice the ninety days that are compared.
const RETENTION: Duration = Duration::from_hours(180 * 24);

/// Bytes at the end of a log in which the last line is looked for.
const LONGEST_LAST_LINE: u64 = 64 << 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RunMetadata {
    kind: JobKind,
    started_at: DateTime<Utc>,
    #[serde(default)]
    exit_code: Option<u8>,
}

/// Writes the metadata of a run that is about to start.
pub(super) fn begin(layout: &Layout, run: Uuid, kind: JobKind) -> Result<()> {
    let metadata = RunMetadata { kind, started_at: Utc::now(), exit_code: None };
    write_json(&layout.run_metadata(&run.to_string()), &metadata)
}

/// Adds the exit code to the metadata of a run, best effort: [`exit_code`] has other sources.
pub(super) fn end(layout: &Layout, run: Uuid, code: u8) {
    let run = run.to_string();
    if let Some(metadata) = metadata(layout, &run) {
        drop(write_json(&layout.run_metadata(&run), &RunMetadata { exit_code: Some(code), ..metadata }));
    }
}

fn metadata(layout: &Layout, run: &str) -> Option<RunMetadata> {
    read_json(&layout.run_metadata(run))
}

fn record(layout: &Layout, run: &str) -> Option<Record> {
    read_json(&layout.run_record(run))
}

/// Adds the exit code and the user from the pipeline's record.
pub(super) fn with_record(layout: &Layout, run: Run) -> Run {
    match record(layout, &run.run_id.to_string()) {
        Some(Record { exit_code, started_by, phases, .. }) => {
            Run { exit_code, started_by, phases: phases.0, ..run }
        }
        None => run,
    }
}

/// Returns the job of a run; if it is unknown, a load.
pub(super) fn kind(layout: &Layout, run: &str) -> JobKind {
    let recorded = || match record(layout, run)?.kind.as_str() {
        "report" => Some(JobKind::Report),
        "rollback" => Some(JobKind::Rollback),
        _ => None,
    };
    metadata(layout, run).map(|metadata| metadata.kind).or_else(recorded).unwrap_or(JobKind::Etl)
}

/// Returns the start time in milliseconds.
pub(super) fn started(layout: &Layout, run: &str) -> Option<i64> {
    metadata(layout, run).map(|metadata| metadata.started_at.timestamp_millis())
}

/// Returns the exit code of a run that has ended.
pub(super) fn exit_code(layout: &Layout, run: Uuid) -> u8 {
    let run = run.to_string();
    let metadata = metadata(layout, &run);
    if let Some(code) = metadata.as_ref().and_then(|metadata| metadata.exit_code) {
        return code;
    }
    let writes_record = metadata.is_some_and(|metadata| {
        matches!(metadata.kind, JobKind::Download | JobKind::Etl | JobKind::Report | JobKind::Rollback)
    });
    match record(layout, &run) {
        // Killed before it could write its end.
        Some(Record { status: RunStatus::Running, .. }) => 1,
        Some(record) => record.exit_code.unwrap_or(0),
        // It failed before it could write a record, and no client was waiting for its code.
        None if writes_record => 1,
        // A failed job logs its code in its last line.
        None => last_line(layout, &run)
            .and_then(|line| line.get("exit_code")?.as_u64())
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(0),
    }
}

fn last_line(layout: &Layout, run: &str) -> Option<Value> {
    let mut log = File::open(layout.log_file(run)).ok()?;
    let length = log.metadata().ok()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LAST_LINE))).ok()?;
    let mut end = Vec::new();
    log.read_to_end(&mut end).ok()?;
    serde_json::from_slice(end.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?).ok()
}

/// Deletes what is left of runs of long ago: log, metadata and record. Their rows in the database stay.
pub(super) fn delete_old(layout: &Layout) -> Result<()> {
    let Some(oldest) = SystemTime::now().checked_sub(RETENTION) else { return Ok(()) };
    for folder in [&layout.logs, &layout.run_records()] {
        for file in entries_of(folder)? {
            // Only files that are named after a run.
            let is_run = file
                .file_stem()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.parse::<Uuid>().is_ok());
            let changed_at = file.metadata().and_then(|metadata| metadata.modified());
            if is_run && changed_at.is_ok_and(|time| time < oldest) {
                ignore_not_found("delete", &file, std::fs::remove_file(&file))?;
            }
        }
    }
    Ok(())
}

/// Returns the runs that have a log, sorted by id.
pub(super) fn logged(layout: &Layout) -> Result<Vec<String>> {
    let run_of = |file: &Path| {
        let is_log = file.extension().is_some_and(|extension| extension == "jsonl");
        file.file_stem().filter(|_| is_log)?.to_str().map(str::to_owned)
    };
    let mut runs: Vec<String> = entries_of(&layout.logs)?.iter().filter_map(|file| run_of(file)).collect();
    runs.sort();
    Ok(runs)
}

/// Returns the run with a log whose id begins as typed; `latest` is the newest.
pub(super) fn find(layout: &Layout, typed: &str) -> Result<Uuid> {
    let mut runs: Vec<Uuid> = logged(layout)?.iter().filter_map(|run| run.parse().ok()).collect();
    if typed == "latest" {
        runs.sort_by_key(|run| started(layout, &run.to_string()));
        return runs
            .pop()
            .ok_or_else(|| Failure::new("there is no run yet").hint("start one: covidctl run etl"));
    }
    let typed = typed.to_lowercase();
    let mut matching = runs.iter().filter(|run| !typed.is_empty() && run.to_string().starts_with(&typed));
    match (matching.next(), matching.next()) {
        (Some(run), None) => Ok(*run),
        (None, _) => Err(Failure::new(format!("there is no log of a run `{typed}`"))
            .hint("`covidctl runs` lists the runs; `latest` is the newest")),
        _ => Err(target::ambiguous_run(&typed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delete_old_deletes_files_of_old_runs_only() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let runs = [Uuid::new_v4(), Uuid::new_v4()].map(|run| run.to_string());
        std::fs::create_dir_all(&layout.logs).unwrap();
        std::fs::create_dir_all(layout.run_records()).unwrap();
        let files = |run: &str| [layout.log_file(run), layout.run_metadata(run), layout.run_record(run)];
        let long_ago = SystemTime::now().checked_sub(RETENTION * 2).unwrap();
        let other = layout.logs.join("postgresql.log");
        for file in runs.iter().flat_map(|run| files(run)).chain([other.clone()]) {
            std::fs::write(&file, "").unwrap();
        }
        for file in files(&runs[0]).into_iter().chain([other.clone()]) {
            File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
        }
        delete_old(&layout).unwrap();
        assert!(files(&runs[0]).iter().all(|file| !file.exists()));
        assert!(files(&runs[1]).iter().all(|file| file.exists()) && other.exists());
    }

    #[test]
    fn last_line_is_found_in_a_long_log() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        std::fs::create_dir_all(&layout.logs).unwrap();
        let log = format!("{}\n{{\"exit_code\": 4}}\n", "x".repeat(1 << 20));
        std::fs::write(layout.log_file("run"), log).unwrap();
        assert_eq!(last_line(&layout, "run").unwrap()["exit_code"], 4);
    }
}
