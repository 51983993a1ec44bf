//! `covidctl status`: the target's parts, what its store holds and how its last runs ended.

use std::fmt;

use chrono::{DateTime, Utc};
use etl::failure::Result;
use serde::Serialize;

use crate::backend::{self, Backend, Part, Place, State};
use crate::db::{self, runs::Run};
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::text;

#[derive(Debug, Serialize)]
struct Status {
    place: Place,
    checked_at: DateTime<Utc>,
    parts: Vec<Part>,
}

pub(super) async fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    let backend = backend::connect(settings)?;
    let mut parts = backend.parts().await?;
    parts.push(datasets(backend.as_ref()).await?);
    parts.extend(last_runs(backend.as_ref()).await);
    parts.push(report(backend.as_ref()).await?);
    for active in backend.active().await? {
        let (name, detail) = (format!("run {}", active.kind), active.run.to_string());
        parts.push(Part { name, state: State::Busy, since: Some(active.started_at), detail });
    }
    printer.show(&Status { place: backend.place(), checked_at: Utc::now(), parts })
}

async fn datasets(backend: &dyn Backend) -> Result<Part> {
    let Ok(store) = backend.store() else {
        return Ok(part("datasets", State::Missing, "the target is not up"));
    };
    let datasets = ops::datasets::list(&store).await?;
    let Some(newest) = datasets.iter().map(|dataset| dataset.stored_at).max() else {
        return Ok(part("datasets", State::Missing, &format!("put the ministry's files into {store}")));
    };
    let size = text::size(datasets.iter().map(|dataset| dataset.size).sum());
    let detail = format!("{} files, {size}", datasets.len());
    Ok(Part { since: Some(newest), ..part("datasets", State::Ready, &detail) })
}

/// The database may be away; that is a state, not a failure of `status`.
async fn last_runs(backend: &dyn Backend) -> Vec<Part> {
    let last = async {
        let database = backend.database().await?;
        let mut connection = db::connect(&database).await?;
        let etl = db::runs::newest_of(&mut connection, "etl").await?;
        let report = db::runs::newest_of(&mut connection, "report").await?;
        Ok::<_, etl::failure::Failure>([("last etl", etl), ("last report", report)])
    };
    match last.await {
        Ok(runs) => runs.map(|(name, run)| last_run(name, run)).into(),
        Err(failure) => vec![part("last runs", State::Unknown, &failure.to_string())],
    }
}

fn last_run(name: &str, run: Option<Run>) -> Part {
    let Some(run) = run else { return part(name, State::Missing, "there was none yet") };
    let state = match run.status.as_str() {
        "succeeded" | "skipped" => State::Ready,
        "running" => State::Busy,
        "failed" => State::Failed,
        _ => State::Unknown,
    };
    let rows =
        run.rows_loaded.map(|rows| format!(", {} rows loaded", text::thousands(rows))).unwrap_or_default();
    let error = run.error.map(|error| format!(": {error}")).unwrap_or_default();
    let detail = format!("{} {}{rows}{error}", run.status, run.run_id);
    Part { since: Some(run.finished_at.unwrap_or(run.started_at)), ..part(name, state, &detail) }
}

async fn report(backend: &dyn Backend) -> Result<Part> {
    let Ok(store) = backend.store() else {
        return Ok(part("report", State::Missing, "the target is not up"));
    };
    Ok(match ops::reports::list(&store).await?.into_iter().next() {
        Some(report) => Part { since: Some(report.stored_at), ..part("report", State::Ready, &report.name) },
        None => part("report", State::Missing, "`covidctl run report` writes one"),
    })
}

fn part(name: &str, state: State, detail: &str) -> Part {
    Part { name: name.to_owned(), state, since: None, detail: detail.to_owned() }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = |since: DateTime<Utc>| text::age(since, self.checked_at);
        let row = |part: &Part| {
            let since = part.since.map_or_else(|| "-".to_owned(), age);
            vec![part.name.clone(), part.state.to_string(), since, part.detail.clone()]
        };
        let rows: Vec<_> = self.parts.iter().map(row).collect();
        write!(f, "target {}\n\n{}", self.place, text::table(&["PART", "STATE", "SINCE", "DETAIL"], &rows))
    }
}
