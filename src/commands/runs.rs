//! `covidctl runs`

use std::fmt;

use chrono::TimeDelta;
use common::failure::Result;
use serde::Serialize;

use crate::cli::{Runs, RunsCommand};
use crate::db;
use crate::db::checks::{self, RunCheck};
use crate::db::runs::Issue;
use crate::printer::Printer;
use crate::settings::Settings;
use common::text::{maybe_thousands, size, span, table, thousands};
use target::{DatabaseAccess, Run};

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct RunTable(pub(super) Vec<Run>);

#[derive(Debug, Serialize)]
struct Details {
    #[serde(flatten)]
    run: Run,
    duration_seconds: Option<f64>,
    rows_per_second: Option<i64>,
    checks: Vec<RunCheck>,
    issues: Vec<Issue>,
}

/// The checks of the publish gate: a summary, and each anomaly with its message.
pub(super) struct CheckList<'a>(pub(super) &'a [RunCheck]);

pub(super) async fn run(args: &Runs, settings: &Settings, printer: &Printer) -> Result<()> {
    let target = super::target(settings)?;
    match &args.command {
        None => {
            let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
            printer.show(&RunTable(target.runs.history(limit).await?))
        }
        Some(RunsCommand::Show { run }) => {
            let run = target.runs.find(run).await?;
            let database = target.databases.database(DatabaseAccess::READ).await?;
            let mut session = db::connect(&database).await?;
            let issues = db::runs::issues(&mut session, run.run_id).await?;
            let checks = checks::of_run(&mut session, run.run_id).await?;
            let duration_seconds = run.duration().map(TimeDelta::as_seconds_f64);
            let rows_per_second = run.rows_per_second();
            printer.show(&Details { run, duration_seconds, rows_per_second, checks, issues })
        }
    }
}

impl fmt::Display for RunTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADS: [&str; 10] =
            ["RUN", "KIND", "STATUS", "STARTED (UTC)", "TOOK", "READ", "LOADED", "REJECTED", "BY", "REASON"];
        let row = |run: &Run| {
            vec![
                run.run_id.to_string().chars().take(8).collect(),
                run.kind.clone(),
                run.status.clone(),
                run.started_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                run.duration().map_or_else(|| "-".to_owned(), span),
                maybe_thousands(run.rows_read),
                maybe_thousands(run.rows_loaded),
                maybe_thousands(run.rows_rejected),
                run.started_by.clone().unwrap_or_else(|| "-".to_owned()),
                run.error.as_deref().map(first_line).unwrap_or_default(),
            ]
        };
        f.write_str(&table(&HEADS, &self.0.iter().map(row).collect::<Vec<_>>()))
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = &self.run;
        let mut line = |name: &str, value: Option<String>| match value {
            Some(value) => writeln!(f, "{name:<12} {value}"),
            None => Ok(()),
        };
        line("run", Some(run.run_id.to_string()))?;
        line("kind", Some(run.kind.clone()))?;
        line("status", Some(run.status.clone()))?;
        line("why", run.error.clone())?;
        line("started", Some(run.started_at.format("%Y-%m-%d %H:%M:%S UTC").to_string()))?;
        line("took", run.duration().map(span))?;
        line("by", run.started_by.clone())?;
        let bytes = run.source_size.and_then(|bytes| u64::try_from(bytes).ok()).map(size);
        let source =
            |name: &String| bytes.as_ref().map_or_else(|| name.clone(), |bytes| format!("{name} ({bytes})"));
        line("source", run.source_name.as_ref().map(source))?;
        line("updated on", run.dataset_updated_on.map(|date| date.to_string()))?;
        line("years", run.years.clone())?;
        line("read", run.rows_read.map(thousands))?;
        line("filtered", run.rows_filtered.map(thousands))?;
        line("loaded", run.rows_loaded.map(thousands))?;
        line("rejected", run.rows_rejected.map(thousands))?;
        line("repaired", run.rows_repaired.map(thousands))?;
        line("speed", self.rows_per_second.map(|rows| format!("{} rows/s", thousands(rows))))?;
        write!(f, "{}", CheckList(&self.checks))?;
        if self.issues.is_empty() {
            return Ok(());
        }
        let row = |issue: &Issue| {
            vec![issue.dataset.clone(), issue.kind.clone(), issue.reason.clone(), thousands(issue.rows)]
        };
        let rows: Vec<_> = self.issues.iter().map(row).collect();
        write!(f, "\n{}", table(&["DATASET", "KIND", "REASON", "ROWS"], &rows))
    }
}

impl fmt::Display for CheckList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nchecks       {}", checks::summary(self.0))?;
        for check in self.0.iter().filter(|check| check.is_anomaly()) {
            writeln!(f, "  {:<9} {:<13} {}", check.outcome, check.dataset, check.message)?;
        }
        Ok(())
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
