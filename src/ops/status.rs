//! What there is of a target and of its pipeline: its own parts, what its store holds and how its last runs ended.
//!
//! It changes nothing. What cannot be known now is a state, not a failure.

use common::failure::Result;

use common::text;
use target::Run;
use target::{Component, ComponentState, Target};

use crate::ops;

/// The parts in the order in which data pass through them; what is not listed comes last.
const ORDER: [&str; 15] = [
    "schedule",
    "lambda",
    "datasets",
    "run etl",
    "last etl",
    "postgresql",
    "master",
    "replica",
    "run report",
    "last report",
    "report",
    "metabase",
    "bastion",
    "alarms",
    "server",
];

/// Among so many runs the last ones of each kind are looked for.
const RECENT: usize = 50;

/// All parts, in the order of the pipeline. Runs in progress are not among them.
pub async fn parts(target: &Target) -> Result<Vec<Component>> {
    let mut parts = target.components.list().await?;
    let (datasets, runs, report) = tokio::join!(datasets(target), last_runs(target), report(target));
    parts.extend(runs);
    for (name, known) in [("datasets", datasets), ("report", report)] {
        // What cannot be asked hides nothing else.
        parts.push(known.unwrap_or_else(|failure| part(name, ComponentState::Unknown, &failure.to_string())));
    }
    sort(&mut parts);
    Ok(parts)
}

/// Puts parts into the order of the pipeline.
pub fn sort(parts: &mut [Component]) {
    parts.sort_by_key(|part| ORDER.iter().position(|name| *name == part.name).unwrap_or(ORDER.len()));
}

async fn datasets(target: &Target) -> Result<Component> {
    let Ok(store) = target.storage.datasets().await else {
        return Ok(part("datasets", ComponentState::Missing, "the target is not up"));
    };
    let datasets = ops::datasets::list(&store).await?;
    let Some(newest) = datasets.iter().map(|dataset| dataset.stored_at).max() else {
        return Ok(part(
            "datasets",
            ComponentState::Missing,
            &format!("{store} is empty; `covidctl run download` fills it"),
        ));
    };
    let size = text::size(datasets.iter().map(|dataset| dataset.size).sum());
    let detail = format!("{} files, {size}", datasets.len());
    Ok(Component { since: Some(newest), ..part("datasets", ComponentState::Ready, &detail) })
}

/// What keeps the history may be away; that is a state, not a failure.
async fn last_runs(target: &Target) -> Vec<Component> {
    match target.runs.history(RECENT).await {
        Ok(runs) => [("last etl", "etl"), ("last report", "report")]
            .map(|(name, kind)| last_run(name, runs.iter().find(|run| run.kind == kind).cloned()))
            .into(),
        Err(failure) => ["last etl", "last report"]
            .map(|name| part(name, ComponentState::Unknown, &failure.to_string()))
            .into(),
    }
}

fn last_run(name: &str, run: Option<Run>) -> Component {
    let Some(run) = run else { return part(name, ComponentState::Missing, "there was none yet") };
    let state = match run.status.as_str() {
        "succeeded" | "skipped" => ComponentState::Ready,
        "running" => ComponentState::Busy,
        "failed" => ComponentState::Failed,
        _ => ComponentState::Unknown,
    };
    let rows =
        run.rows_loaded.map(|rows| format!(", {} rows loaded", text::thousands(rows))).unwrap_or_default();
    let error = run.error.map(|error| format!(": {error}")).unwrap_or_default();
    let detail = format!("{} {}{rows}{error}", run.status, run.run_id);
    Component { since: Some(run.finished_at.unwrap_or(run.started_at)), ..part(name, state, &detail) }
}

async fn report(target: &Target) -> Result<Component> {
    let Ok(store) = target.storage.reports().await else {
        return Ok(part("report", ComponentState::Missing, "the target is not up"));
    };
    Ok(match ops::reports::latest(&store).await? {
        Some(report) => {
            Component { since: Some(report.stored_at), ..part("report", ComponentState::Ready, &report.name) }
        }
        None => part("report", ComponentState::Missing, "`covidctl run report` writes one"),
    })
}

fn part(name: &str, state: ComponentState, detail: &str) -> Component {
    Component { name: name.to_owned(), state, since: None, detail: detail.to_owned() }
}
