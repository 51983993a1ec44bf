//! The components of a target, its storage and its last runs. What cannot be determined is a state, not an error.

use common::failure::{Failure, Result};
use common::text;
use target::{Component, ComponentState, JobKind, Run, Target};

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

/// Returns the components in pipeline order, without runs in progress. Those that the target does not have are not among them.
pub async fn components(target: &Target) -> Result<Vec<Component>> {
    let mut components = target.components.list().await?;
    if !target.location().capabilities.releases {
        components.extend(last_runs(target).await);
        return Ok(components);
    }
    let (datasets, runs, report) = tokio::join!(datasets(target), last_runs(target), report(target));
    components.extend(runs);
    for (name, known) in [("datasets", datasets), ("report", report)] {
        let unknown = |failure: Failure| Component::new(name, ComponentState::Unknown, failure.to_string());
        components.push(known.unwrap_or_else(unknown));
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
        return Ok(Component::new("datasets", ComponentState::Missing, "the target is not up"));
    };
    let datasets = ops::datasets::list(&store).await?;
    let Some(newest) = datasets.iter().map(|dataset| dataset.stored_at).max() else {
        let detail = format!("{store} is empty; `covidctl run download` fills it");
        return Ok(Component::new("datasets", ComponentState::Missing, detail));
    };
    let size = text::size(datasets.iter().map(|dataset| dataset.size).sum());
    let detail = format!("{} files, {size}", datasets.len());
    Ok(Component { since: Some(newest), ..Component::new("datasets", ComponentState::Ready, detail) })
}

/// Returns the last run of each job; of a download, the datasets are the result.
async fn last_runs(target: &Target) -> Vec<Component> {
    let runs = target.runs.history(RECENT_RUNS).await;
    let has_datasets = target.location().capabilities.releases;
    let jobs = target.runs.jobs().into_iter().filter(|kind| !(has_datasets && *kind == JobKind::Download));
    let component = |kind: JobKind| {
        let name = format!("last {kind}");
        match &runs {
            Ok(runs) => last_run(&name, runs.iter().find(|run| run.kind == kind.name())),
            Err(failure) => Component::new(&name, ComponentState::Unknown, failure.to_string()),
        }
    };
    jobs.map(component).collect()
}

fn last_run(name: &str, run: Option<&Run>) -> Component {
    let Some(run) = run else { return Component::new(name, ComponentState::Missing, "no run yet") };
    let state = match run.status.as_str() {
        "succeeded" | "skipped" => ComponentState::Ready,
        "running" => ComponentState::Busy,
        "failed" => ComponentState::Failed,
        _ => ComponentState::Unknown,
    };
    let rows =
        run.rows_loaded.map(|rows| format!(", {} rows loaded", text::thousands(rows))).unwrap_or_default();
    let error = run.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let detail = format!("{} {}{rows}{error}", run.status, run.run_id);
    Component { since: run.finished_at.or(Some(run.started_at)), ..Component::new(name, state, detail) }
}

async fn report(target: &Target) -> Result<Component> {
    let Ok(store) = target.storage.reports().await else {
        return Ok(Component::new("report", ComponentState::Missing, "the target is not up"));
    };
    Ok(match ops::reports::latest(&store).await? {
        Some(report) => Component {
            since: Some(report.stored_at),
            ..Component::new("report", ComponentState::Ready, report.name)
        },
        None => Component::new("report", ComponentState::Missing, "`covidctl run report` writes one"),
    })
}
