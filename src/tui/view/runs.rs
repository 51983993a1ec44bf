//! The history of runs with the active ones, and the details of a run.

use chrono::{DateTime, Utc};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use uuid::Uuid;

use super::pane::Pane;
use super::run_phases;
use super::table::{Cell, column, fixed, list, number, table};
use crate::tui::domain::{Issue, Run, RunCheck, checks};
use crate::tui::layout;
use crate::tui::model::runs::RunRow;
use crate::tui::model::{Cursor, Model};
use crate::tui::text::{sanitize, short_id, wrap_words};
use crate::tui::theme::Theme;
use common::text::{maybe_thousands, size, span, thousands};

/// Lines that one fact takes at most.
const MAX_FACT_LINES: usize = 3;

/// Earlier runs that the usual duration is the median of.
const USUAL_RUNS: usize = 10;

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let runs = &model.runs;
    if let Some(run) = runs.page {
        return draw_page(model, run, pane);
    }
    let rows = runs.rows();
    pane.remote_title(0, "RUNS", &runs.history, model);
    let is_known = runs.history.value.is_some();
    if rows.is_empty() && is_known {
        return pane.dim(2, "no runs yet; press e to load the datasets, or p for the whole pipeline");
    }
    let theme = pane.theme;
    if !rows.is_empty() {
        run_phases::draw_days(model, &mut pane.rows(1, layout::DAYS_ROWS));
        let row = |row: &RunRow| cells(model, row, theme);
        list(&mut pane.below(1 + layout::DAYS_ROWS), (runs.cursor, model.has_focus()), &rows, row);
    }
    if !is_known {
        // Active runs are known without the history.
        let below = if rows.is_empty() { 2 } else { rows.len() + 3 + layout::DAYS_ROWS };
        pane.no_value(below, &runs.history);
    }
}

/// Draws runs as a table without a selection.
pub(super) fn draw_rows(model: &Model, rows: &[RunRow], pane: &mut Pane) {
    let cells: Vec<_> = rows.iter().map(|row| cells(model, row, pane.theme)).collect();
    table(pane, &cells, None);
}

fn status(model: &Model, row: &RunRow) -> String {
    match row.record {
        _ if model.runs.stopping.contains(&row.id) => "stopping".to_owned(),
        Some(run) => sanitize(&run.status),
        None => "running".to_owned(),
    }
}

fn cells(model: &Model, row: &RunRow, theme: Theme) -> Vec<Cell> {
    let status = status(model, row);
    let (symbol, style) = theme.run_status(&status);
    // A run that ended without a record of it has no duration.
    let is_running = matches!(status.as_str(), "running" | "stopping");
    let until = row.record.and_then(|run| run.finished_at).or_else(|| is_running.then_some(model.now));
    let took = until.map_or_else(|| "-".to_owned(), |until| span(until - row.started_at));
    let rows = |count: fn(&Run) -> Option<i64>| maybe_thousands(row.record.and_then(count));
    let user = row.record.and_then(|run| run.started_by.as_deref()).unwrap_or("-");
    let error = row.record.and_then(|run| run.error.as_deref()).unwrap_or_default();
    let text = theme.text();
    vec![
        column("", 1, 0).cell(symbol, style),
        fixed("RUN", 0).cell(short_id(&row.id), text),
        fixed("KIND", 0).cell(sanitize(&row.kind), text),
        fixed("STATUS", 0).cell(status, style),
        fixed("STARTED", 3).cell(time(model, row.started_at), text),
        number("TOOK", 1).cell(took, text),
        number("READ", 4).cell(rows(|run| run.rows_read), text),
        number("LOADED", 0).cell(rows(|run| run.rows_loaded), text),
        number("REJECTED", 2).cell(rows(|run| run.rows_rejected), text),
        fixed("BY", 6).cell(sanitize(user), text),
        column("REASON", 6, 5).cell(sanitize(error.lines().next().unwrap_or_default()), theme.error()),
    ]
}

fn time(model: &Model, time: DateTime<Utc>) -> String {
    time.with_timezone(&model.zone).format("%m-%d %H:%M:%S").to_string()
}

fn draw_page(model: &Model, run: Uuid, pane: &mut Pane) {
    let theme = pane.theme;
    pane.title("RUN", &run.to_string());
    let Some(row) = model.runs.row(run) else {
        return pane.dim(2, "the record of this run no longer exists");
    };
    let status = status(model, &row);
    let (symbol, style) = theme.run_status(&status);
    let mut facts = vec![("status", format!("{symbol} {status}"), style)];
    if let Some(run) = row.record {
        add_facts(model, run, &status, theme, &mut facts);
    } else {
        facts.push(("kind", row.kind.to_string(), theme.text()));
        facts.push(("started", time(model, row.started_at), theme.text()));
        facts.push(("duration", span(model.now - row.started_at), theme.text()));
    }
    let mut at = 1;
    for (name, value, style) in facts {
        let lines = wrap_words(&sanitize(&value), pane.width().saturating_sub(14));
        for (line, name) in lines.into_iter().take(MAX_FACT_LINES).zip([name].into_iter().chain(["", ""])) {
            let name = Span::styled(format!("  {name:<10} "), theme.dim());
            pane.line(at, vec![name, Span::styled(line, style)]);
            at += 1;
        }
    }
    if let Some(run) = row.record.filter(|run| run_phases::rows(run) > 0 && at + 3 < pane.height()) {
        run_phases::draw(model, run, &mut pane.rows(at, 3));
        at += run_phases::rows(run);
    }
    at += 1;
    // Only loads have checks and issues, and only after they have read rows.
    let has_read = row.record.is_none_or(|run| run.rows_read.is_some() || run.status == "running");
    if row.kind != "etl" || !has_read {
        return;
    }
    let checks = model.runs.checks();
    if at + 2 < pane.height() {
        draw_checks(checks, &mut pane.below(at));
        at += layout::check_rows(checks, pane.width());
    }
    if at + 2 < pane.height() {
        let mut pane = pane.below(at);
        pane.remote_title(0, "ISSUES", &model.runs.details, model);
        if model.runs.details.value.is_none() {
            return pane.no_value(1, &model.runs.details);
        }
        draw_issues(&mut pane.below(1), (model.runs.page_cursor, false), model.runs.issues());
    }
}

type Fact = (&'static str, String, Style);

fn add_facts(model: &Model, run: &Run, status: &str, theme: Theme, facts: &mut Vec<Fact>) {
    let text = theme.text();
    if let Some(error) = &run.error {
        facts.push(("reason", error.clone(), theme.error()));
    } else if status == "skipped" && run.kind == "etl" {
        let reason = "the same dataset is already published, or was rolled back";
        facts.push(("reason", reason.to_owned(), text));
    }
    facts.push(("kind", run.kind.clone(), text));
    let ended = run.finished_at.map(|at| format!(" to {}", time(model, at))).unwrap_or_default();
    let took = match run.duration() {
        Some(took) => format!(" ({})", span(took)),
        None if status == "running" => format!(" ({} so far)", span(model.now - run.started_at)),
        None => String::new(),
    };
    facts.push(("time", format!("{}{ended}{took}", time(model, run.started_at)), text));
    facts.extend(run.started_by.as_ref().map(|user| ("started by", user.clone(), text)));
    facts.extend(usual_duration(model, run).map(|usual| ("usual time", usual, text)));
    if let Some(name) = &run.source_name {
        let bytes = run.source_size.and_then(|bytes| u64::try_from(bytes).ok()).map(size);
        let date = run.dataset_updated_on.map(|date| format!("of {date}"));
        let years = run.years.as_ref().map(|years| format!("years {years}"));
        let source: Vec<_> = [Some(name.clone()), bytes, date, years].into_iter().flatten().collect();
        facts.push(("source", source.join(", "), text));
    }
    if run.rows_read.is_some() {
        let rows = [
            ("read", run.rows_read),
            ("filtered", run.rows_filtered),
            ("loaded", run.rows_loaded),
            ("rejected", run.rows_rejected),
        ];
        let rows = rows.map(|(word, count)| format!("{} {word}", maybe_thousands(count)));
        facts.push(("rows", rows.join(" · "), text));
        let speed = run.rows_per_second().map(|speed| format!(" · {} rows/s", thousands(speed)));
        let repaired = maybe_thousands(run.rows_repaired);
        facts.push(("repairs", format!("{repaired}{}", speed.unwrap_or_default()), text));
    }
}

/// The median duration of the successful runs of the same kind before this one.
fn usual_duration(model: &Model, run: &Run) -> Option<String> {
    let before = model.runs.history.items().iter().filter(|other| {
        other.kind == run.kind && other.status == "succeeded" && other.started_at < run.started_at
    });
    let mut durations: Vec<_> = before.filter_map(Run::duration).take(USUAL_RUNS).collect();
    durations.sort();
    let median = *durations.get(durations.len() / 2)?;
    let is_slow = run.duration().is_some_and(|took| took > median * 2);
    let remark = if is_slow { "; this run was slower" } else { "" };
    Some(format!("{} (median of {}){remark}", span(median), durations.len()))
}

/// Draws a summary of the publish gate's checks, and the anomalies.
fn draw_checks(checks: &[RunCheck], pane: &mut Pane) {
    if checks.is_empty() {
        return;
    }
    let theme = pane.theme;
    pane.title("CHECKS", &checks::summary(checks));
    for (row, (text, outcome)) in (1..).zip(layout::anomalies(checks, pane.width())) {
        let style = if outcome == "failed" { theme.error() } else { theme.warning() };
        pane.line(row, Line::styled(format!("  {text}"), style));
    }
}

/// Draws issues as a table, with a selection or without.
pub(super) fn draw_issues(pane: &mut Pane, cursor: (Cursor, bool), issues: &[Issue]) {
    let theme = pane.theme;
    if issues.is_empty() {
        return pane.dim(0, "nothing was rejected or repaired");
    }
    list(pane, cursor, issues, |issue| {
        let style = if issue.kind == "rejected" { theme.warning() } else { theme.text() };
        vec![
            fixed("KIND", 0).cell(sanitize(&issue.kind), style),
            fixed("DATASET", 1).cell(sanitize(&issue.dataset), theme.text()),
            column("REASON", 10, 0).cell(sanitize(&issue.reason), theme.text()),
            number("ROWS", 0).cell(thousands(issue.rows), theme.text()),
        ]
    });
}
