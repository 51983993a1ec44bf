//! The result of the demo, as text and JSON.

use std::fmt;

use chrono::TimeDelta;
use common::failure::{Failure, Result};
use common::text::{maybe_thousands, span, thousands};
use serde::Serialize;
use uuid::Uuid;

use crate::commands::next_command;
use crate::commands::runs::issue_table;
use crate::db::{self, runs::Issue};
use crate::local::Lease;
use crate::ops::reports;
use crate::settings::Settings;
use target::{DatabaseAccess, Location, Run, Target};

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    place: Location,
    /// Whether the load was skipped because the same dataset is published already.
    already_loaded: bool,
    /// The load whose rows are published.
    run: Run,
    duration_seconds: Option<f64>,
    rows_per_second: Option<i64>,
    issues: Vec<Issue>,
    next: Vec<Next>,
    report: String,
}

#[derive(Debug, Serialize)]
struct Next {
    command: String,
    purpose: &'static str,
}

/// Summarizes the load `etl`, or the one that published the same datasets before, and the latest report.
pub(super) async fn summarize(
    target: &Target,
    etl: Uuid,
    lease: &Lease,
    settings: &Settings,
) -> Result<Summary> {
    let database = target.databases.database(DatabaseAccess::READ).await?;
    let mut connection = db::connect(&database).await?;
    let run = db::runs::find(&mut connection, &etl.to_string()).await?;
    let already_loaded = run.status == "skipped";
    let loaded = if already_loaded { db::runs::published(&mut connection).await? } else { Some(run) };
    let run = loaded.ok_or_else(|| Failure::new("no release is published"))?;
    let issues = db::runs::issues(&mut connection, run.run_id).await?;
    let store = target.storage.reports().await?;
    let report = reports::text(&store, &reports::find(&store, reports::LATEST).await?).await?;
    let next = [
        ("up", "start PostgreSQL again"),
        ("reports open", "open the report with its charts in the browser"),
        ("psql", "query the database"),
        ("runs show latest", "show the last run with its rejects and repairs"),
        ("down", "stop PostgreSQL and keep the data"),
    ];
    let runs_on = lease.is_kept()?;
    let next = next.into_iter().filter(|(words, _)| *words != "up" || !runs_on);
    Ok(Summary {
        place: target.location(),
        already_loaded,
        duration_seconds: run.duration().map(TimeDelta::as_seconds_f64),
        rows_per_second: run.rows_per_second(),
        run,
        issues,
        next: next.map(|(words, purpose)| Next { command: next_command(words, settings), purpose }).collect(),
        report,
    })
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = &self.run;
        if self.already_loaded {
            writeln!(f, "The data are already loaded; nothing changed.\n")?;
        }
        writeln!(f, "run       {}", run.run_id)?;
        for (name, rows) in [
            ("read", run.rows_read),
            ("filtered", run.rows_filtered),
            ("loaded", run.rows_loaded),
            ("rejected", run.rows_rejected),
            ("repaired", run.rows_repaired),
        ] {
            writeln!(f, "{name:<9} {}", maybe_thousands(rows))?;
        }
        if let (Some(took), Some(speed)) = (run.duration(), self.rows_per_second) {
            writeln!(f, "took      {} ({} rows/s)", span(took), thousands(speed))?;
        }
        writeln!(f, "place     {}", self.place)?;
        writeln!(f, "{}\n{}", issue_table(&self.issues), self.report.trim_end())?;
        writeln!(f, "\nNext:")?;
        let width = self.next.iter().map(|next| next.command.chars().count()).max().unwrap_or(0);
        for next in &self.next {
            writeln!(f, "  {:<width$}  # {}", next.command, next.purpose)?;
        }
        Ok(())
    }
}
