//! `covidctl runs` and `covidctl stop`

use chrono::TimeDelta;
use common::failure::{Failure, Result};
use common::text::{self, maybe_thousands, or_dash, span, table, thousands};
use serde::Serialize;
use uuid::Uuid;

use crate::cli::RunsCommand;
use crate::db;
use crate::db::checks::{self, RunCheck};
use crate::db::runs::Issue;
use crate::printer::Printer;
use crate::settings::Settings;
use target::{DatabaseAccess, Run};

#[derive(Debug, Serialize)]
struct Details {
    #[serde(flatten)]
    run: Run,
    duration_seconds: Option<f64>,
    rows_per_second: Option<i64>,
    checks: Vec<RunCheck>,
    issues: Vec<Issue>,
}

pub(super) async fn run(
    limit: u32,
    command: Option<&RunsCommand>,
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    let target = super::target(settings)?;
    let Some(RunsCommand::Show { run }) = command else {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        return show(&target.runs.history(limit).await?, printer);
    };
    let run = target.runs.find(run).await?;
    let (mut checks, mut issues) = (Vec::new(), Vec::new());
    if target.location().capabilities.releases {
        let database = target.databases.database(DatabaseAccess::READ).await?;
        let mut session = db::connect(&database).await?;
        issues = db::runs::issues(&mut session, run.run_id).await?;
        checks = checks::of_run(&mut session, run.run_id).await?;
    }
    let duration_seconds = run.duration().map(TimeDelta::as_seconds_f64);
    let rows_per_second = run.rows_per_second();
    printer.show_as(&Details { run, duration_seconds, rows_per_second, checks, issues }, details)
}

pub(super) async fn stop(typed: &str, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("stop a run")?;
    let target = super::target(settings)?;
    let active = target.runs.active().await?;
    let typed_id = typed.to_lowercase();
    let mut matching = active.iter().filter(|active| active.run.to_string().starts_with(&typed_id));
    let (run, kind) = match (matching.next(), matching.next(), typed.parse::<Uuid>()) {
        (Some(active), None, _) => (active.run, format!(" ({})", active.kind)),
        // ECS may not describe a new task yet; the list of active runs then lacks the id of its run.
        (None, _, Ok(run)) => (run, String::new()),
        (None, _, Err(_)) => {
            return Err(Failure::new(format!("no run `{typed}` is in progress"))
                .hint("`covidctl status` lists the runs in progress"));
        }
        _ => return Err(target::ambiguous_run(typed)),
    };
    target.runs.stop(run).await?;
    printer.note(&format!("stopped run {run}{kind}"));
    Ok(())
}

pub(super) fn show(runs: &[Run], printer: &Printer) -> Result<()> {
    const HEADS: [&str; 10] =
        ["RUN", "KIND", "STATUS", "STARTED (UTC)", "TOOK", "READ", "LOADED", "REJECTED", "BY", "REASON"];
    printer.show_table(HEADS, runs, |run| {
        let reason = run.error.as_deref().and_then(|error| error.lines().next());
        [
            run.run_id.to_string().chars().take(8).collect(),
            run.kind.clone(),
            run.status.clone(),
            text::time(run.started_at),
            or_dash(run.duration().map(span)),
            maybe_thousands(run.rows_read),
            maybe_thousands(run.rows_loaded),
            maybe_thousands(run.rows_rejected),
            or_dash(run.started_by.as_ref()),
            reason.unwrap_or_default().to_owned(),
        ]
    })
}

fn details(Details { run, rows_per_second, checks, issues, .. }: &Details) -> String {
    let bytes = run.source_size.and_then(|bytes| u64::try_from(bytes).ok());
    let bytes = bytes.map(|bytes| format!(" ({})", text::size(bytes))).unwrap_or_default();
    let fields = text::fields([
        ("run", Some(run.run_id.to_string())),
        ("kind", Some(run.kind.clone())),
        ("status", Some(run.status.clone())),
        ("why", run.error.clone()),
        ("started", Some(text::time(run.started_at) + " UTC")),
        ("took", run.duration().map(span)),
        ("by", run.started_by.clone()),
        ("source", run.source_name.as_ref().map(|name| format!("{name}{bytes}"))),
        ("updated on", run.dataset_updated_on.map(|date| date.to_string())),
        ("years", run.years.clone()),
        ("read", run.rows_read.map(thousands)),
        ("filtered", run.rows_filtered.map(thousands)),
        ("loaded", run.rows_loaded.map(thousands)),
        ("rejected", run.rows_rejected.map(thousands)),
        ("repaired", run.rows_repaired.map(thousands)),
        ("phases", phases(run)),
        ("speed", rows_per_second.map(|rows| format!("{} rows/s", thousands(rows)))),
    ]);
    fields + &check_list(checks) + &issue_table(issues)
}

/// Formats the phases with how long each took, if the run has recorded them.
fn phases(run: &Run) -> Option<String> {
    let took: Vec<_> =
        run.phase_durations().into_iter().map(|(name, took)| format!("{name} {}", span(took))).collect();
    (!took.is_empty()).then(|| took.join(", "))
}

/// Formats the checks of the publish gate: a summary, and each anomaly with its message.
pub(super) fn check_list(checks: &[RunCheck]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let anomalies = checks.iter().filter(|check| check.is_anomaly());
    let line = |check: &RunCheck| format!("  {:<9} {:<13} {}\n", check.outcome, check.dataset, check.message);
    let anomalies: String = anomalies.map(line).collect();
    format!("\nchecks       {}\n{anomalies}", checks::summary(checks))
}

/// Formats rejects and repairs below an empty line, if there are any.
pub(super) fn issue_table(issues: &[Issue]) -> String {
    if issues.is_empty() {
        return String::new();
    }
    let cells = |Issue { dataset, kind, reason, rows }: &Issue| {
        [dataset.clone(), kind.clone(), reason.clone(), thousands(*rows)]
    };
    format!("\n{}", table(["DATASET", "KIND", "REASON", "ROWS"], issues.iter().map(cells)))
}
