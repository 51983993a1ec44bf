//! The result of the demo, as text and JSON.

use std::fmt;

use chrono::TimeDelta;
use serde::Serialize;

use crate::commands::next_command;
use crate::db::runs::Issue;
use crate::settings::Settings;
use common::text::{maybe_thousands, span, table, thousands};
use target::Location;
use target::Run;

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

impl Summary {
    pub(super) fn new(
        place: Location,
        already_loaded: bool,
        run: Run,
        issues: Vec<Issue>,
        report: String,
        stays_up: bool,
        settings: &Settings,
    ) -> Self {
        let next = |words: &str, purpose| Next { command: next_command(words, settings), purpose };
        let mut steps = Vec::new();
        if !stays_up {
            steps.push(next("up", "start PostgreSQL again"));
        }
        steps.push(next("reports open", "open the report with its charts in the browser"));
        steps.push(next("psql", "query the database"));
        steps.push(next("runs show latest", "show the last run with its rejects and repairs"));
        steps.push(next("down", "stop PostgreSQL and keep the data"));
        let duration_seconds = run.duration().map(TimeDelta::as_seconds_f64);
        let rows_per_second = run.rows_per_second();
        Self { place, already_loaded, run, duration_seconds, rows_per_second, issues, next: steps, report }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = &self.run;
        if self.already_loaded {
            writeln!(f, "The data are already loaded; nothing changed.\n")?;
        }
        let rows = |rows| maybe_thousands(rows);
        writeln!(f, "run       {}", run.run_id)?;
        writeln!(f, "read      {}", rows(run.rows_read))?;
        writeln!(f, "filtered  {}", rows(run.rows_filtered))?;
        writeln!(f, "loaded    {}", rows(run.rows_loaded))?;
        writeln!(f, "rejected  {}", rows(run.rows_rejected))?;
        writeln!(f, "repaired  {}", rows(run.rows_repaired))?;
        if let (Some(took), Some(speed)) = (run.duration(), self.rows_per_second) {
            writeln!(f, "took      {} ({} rows/s)", span(took), thousands(speed))?;
        }
        writeln!(f, "place     {}", self.place)?;
        if !self.issues.is_empty() {
            let row = |issue: &Issue| {
                vec![issue.dataset.clone(), issue.kind.clone(), issue.reason.clone(), thousands(issue.rows)]
            };
            let rows: Vec<_> = self.issues.iter().map(row).collect();
            write!(f, "\n{}", table(&["DATASET", "KIND", "REASON", "ROWS"], &rows))?;
        }
        writeln!(f, "\n{}", self.report.trim_end())?;
        writeln!(f, "\nNext:")?;
        let width = self.next.iter().map(|next| next.command.chars().count()).max().unwrap_or(0);
        for next in &self.next {
            writeln!(f, "  {:<width$}  # {}", next.command, next.purpose)?;
        }
        Ok(())
    }
}
