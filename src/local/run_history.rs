//! What is known about a run beside its log: its job, when it started, how it ended.
//!
//! The metadata is written before the first line of the log and outlives the run. The pipeline's record in the store says more, but only
//! about some jobs, and only if it could be written.

use std::path::Path;

use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use etl::record::{Record, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use target::{JobKind, Run};
use uuid::Uuid;

use super::layout::{Layout, entries_of, read_json, write_json};

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
        Some(Record { exit_code, started_by, .. }) => Run { exit_code, started_by, ..run },
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
    let text = std::fs::read_to_string(layout.log_file(run)).ok()?;
    serde_json::from_str(text.lines().last()?).ok()
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
