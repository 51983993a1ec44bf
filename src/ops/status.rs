//! The components of a target, its storage and its last runs. What cannot be determined is a state, not an error.

use common::failure::Result;

use common::text;
use target::Run;
use target::{Component, ComponentState, Target};

use crate::ops;

/// Components in the order in which data pass through them; others come last.
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

/// How many runs are searched for the last one of each kind.
const RECENT_RUNS: usize = 50;

/// Returns the components in pipeline order, without runs in progress.
pub async fn components(target: &Target) -> Result<Vec<Component>> {
    let mut components = target.components.list().await?;
    let (datasets, runs, report) = tokio::join!(datasets(target), last_runs(target), report(target));
    components.extend(runs);
    for (name, known) in [("datasets", datasets), ("report", report)] {
        components.push(
            known.unwrap_or_else(|failure| component(name, ComponentState::Unknown, &failure.to_string())),
        );
    }
    sort(&mut components);
    Ok(components)
}

/// Sorts components in pipeline order.
pub fn sort(components: &mut [Component]) {
    components.sort_by_key(|component| {
        ORDER.iter().position(|name| *name == component.name).unwrap_or(ORDER.len())
    });
}

async fn datasets(target: &Target) -> Result<Component> {
    let Ok(store) = target.storage.datasets().await else {
        return Ok(component("datasets", ComponentState::Missing, "the target is not up"));
    };
    let datasets = ops::datasets::list(&store).await?;
    let Some(newest) = datasets.iter().map(|dataset| dataset.stored_at).max() else {
        return Ok(component(
            "datasets",
            ComponentState::Missing,
            &format!("{store} is empty; `covidctl run download` fills it"),
        ));
    };
    let size = text::size(datasets.iter().map(|dataset| dataset.size).sum());
    let detail = format!("{} files, {size}", datasets.len());
    Ok(Component { since: Some(newest), ..component("datasets", ComponentState::Ready, &detail) })
}

async fn last_runs(target: &Target) -> Vec<Component> {
    match target.runs.history(RECENT_RUNS).await {
        Ok(runs) => [("last etl", "etl"), ("last report", "report")]
            .map(|(name, kind)| last_run(name, runs.iter().find(|run| run.kind == kind).cloned()))
            .into(),
        Err(failure) => ["last etl", "last report"]
            .map(|name| component(name, ComponentState::Unknown, &failure.to_string()))
            .into(),
    }
}

fn last_run(name: &str, run: Option<Run>) -> Component {
    let Some(run) = run else { return component(name, ComponentState::Missing, "no run yet") };
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
    Component { since: Some(run.finished_at.unwrap_or(run.started_at)), ..component(name, state, &detail) }
}

async fn report(target: &Target) -> Result<Component> {
    let Ok(store) = target.storage.reports().await else {
        return Ok(component("report", ComponentState::Missing, "the target is not up"));
    };
    Ok(match ops::reports::latest(&store).await? {
        Some(report) => Component {
            since: Some(report.stored_at),
            ..component("report", ComponentState::Ready, &report.name)
        },
        None => component("report", ComponentState::Missing, "`covidctl run report` writes one"),
    })
}

fn component(name: &str, state: ComponentState, detail: &str) -> Component {
    Component { name: name.to_owned(), state, since: None, detail: detail.to_owned() }
}
