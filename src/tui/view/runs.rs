//! The history of runs and what is in progress; one run with its phases, tally and reasons.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::layout;
use super::super::model::{Model, RunPage, RunRow};
use super::super::text::{cells, prose};
use super::super::theme::Theme;
use super::table::{Cell, Column, Table, cell, column, number};
use super::{covered, empty, line, title, titled, unanswered};
use crate::db;
use crate::db::runs::Issue;
use common::text::{maybe_thousands, size, span, thousands};
use target::Run;

const COLUMNS: [Column; 11] = [
    column("", 1, 0),
    column("RUN", usize::MAX, 0),
    column("KIND", usize::MAX, 0),
    column("STATUS", usize::MAX, 0),
    column("STARTED", usize::MAX, 3),
    number("TOOK", 1),
    number("READ", 4),
    number("LOADED", 0),
    number("REJECTED", 2),
    column("BY", usize::MAX, 6),
    column("WHY", 6, 5),
];

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    if let Some(page) = &model.runs.page {
        return detail(model, page, theme, frame, area);
    }
    let rows = model.run_rows();
    line(frame, area, 0, titled("RUNS", &model.runs.history, model, theme));
    if rows.is_empty() {
        return match model.runs.history.last {
            Some(_) => {
                empty(
                    frame,
                    area,
                    2,
                    "there was none yet; e loads the datasets, p reports, too",
                    theme.faint(),
                );
            }
            None => unanswered(&model.runs.history, theme, frame, area, 2),
        };
    }
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let top = model.runs.cursor.top.min(rows.len());
    let end = (top + usize::from(list.height)).min(rows.len());
    let selected = (!covered(model)).then(|| model.runs.cursor.at.saturating_sub(top));
    table(model, &rows[top..end], selected, theme).draw(theme, frame, list);
    if model.runs.history.last.is_none() {
        // What is in progress is known all the same.
        let below = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(3);
        unanswered(&model.runs.history, theme, frame, area, below);
    }
}

/// Runs as a table.
pub(super) fn table<'a>(model: &Model, rows: &[RunRow], selected: Option<usize>, theme: Theme) -> Table<'a> {
    let rows = rows.iter().map(|row| cells_of(model, row, theme)).collect();
    Table { columns: &COLUMNS, rows, selected }
}

fn status(model: &Model, row: &RunRow) -> String {
    let run = row.run();
    match row {
        _ if model.stopping.contains(&run) => "stopping".to_owned(),
        RunRow::Active(_) => "running".to_owned(),
        RunRow::Known(run) => cells(&run.status),
    }
}

fn cells_of(model: &Model, row: &RunRow, theme: Theme) -> Vec<Cell> {
    let status = status(model, row);
    let (sign, style) = theme.status(&status);
    let (started, ended) = match row {
        RunRow::Active(active) => (active.started_at, None),
        RunRow::Known(run) => (run.started_at, run.finished_at),
    };
    // A run that is over did not take until now.
    let until = ended.or_else(|| (status == "running" || status == "stopping").then_some(model.now));
    let took = until.map_or_else(|| "-".to_owned(), |until| span(until - started));
    let known = match row {
        RunRow::Known(run) => Some(*run),
        RunRow::Active(_) => None,
    };
    let rows = |of: fn(&Run) -> Option<i64>| maybe_thousands(known.and_then(of));
    let why = known.and_then(|run| run.error.as_deref()).unwrap_or_default();
    vec![
        cell(sign, style),
        cell(row.run().to_string().chars().take(8).collect::<String>(), theme.text()),
        cell(cells(&row.kind()), theme.text()),
        cell(status, style),
        cell(time(model, started), theme.text()),
        cell(took, theme.text()),
        cell(rows(|run| run.rows_read), theme.text()),
        cell(rows(|run| run.rows_loaded), theme.text()),
        cell(rows(|run| run.rows_rejected), theme.text()),
        cell(cells(known.and_then(|run| run.started_by.as_deref()).unwrap_or("-")), theme.text()),
        cell(cells(why.lines().next().unwrap_or_default()), theme.bad()),
    ]
}

fn time(model: &Model, time: DateTime<Utc>) -> String {
    time.with_timezone(&model.zone).format("%m-%d %H:%M:%S").to_string()
}

fn detail(model: &Model, page: &RunPage, theme: Theme, frame: &mut Frame, area: Rect) {
    let id = page.run.to_string();
    line(frame, area, 0, title("RUN", &id, theme));
    let rows = model.run_rows();
    let Some(row) = rows.iter().find(|row| row.run() == page.run) else {
        return empty(frame, area, 2, "its record is gone", theme.faint());
    };
    let status = status(model, row);
    let (sign, style) = theme.status(&status);
    let mut facts = vec![("status", format!("{sign} {status}"), style)];
    match row {
        RunRow::Active(active) => {
            facts.push(("kind", active.kind.to_string(), theme.text()));
            facts.push(("started", time(model, active.started_at), theme.text()));
            facts.push(("takes", span(model.now - active.started_at), theme.text()));
        }
        RunRow::Known(run) => facts_of(model, run, &status, theme, &mut facts),
    }
    let mut at = 1;
    for (name, value, style) in facts {
        let room = usize::from(area.width).saturating_sub(14);
        for (index, piece) in prose(&cells(&value), room).into_iter().take(3).enumerate() {
            let name = if index == 0 { name } else { "" };
            line(
                frame,
                area,
                at,
                Line::from(vec![
                    Span::styled(format!("  {name:<10} "), theme.faint()),
                    Span::styled(piece, style),
                ]),
            );
            at += 1;
        }
    }
    at += 1;
    // Only a load has checks and a tally, and only one that has read something.
    let has_read = match row {
        RunRow::Active(_) => true,
        RunRow::Known(run) => run.rows_read.is_some() || run.status == "running",
    };
    if row.kind() == "etl" && has_read && at + 2 < area.height {
        at = at.saturating_add(checks(
            page,
            theme,
            frame,
            Rect { y: area.y + at, height: area.height - at, ..area },
        ));
    }
    if row.kind() == "etl" && has_read && at + 2 < area.height {
        tally(model, page, theme, frame, Rect { y: area.y + at, height: area.height - at, ..area });
    }
}

type Fact = (&'static str, String, ratatui::style::Style);

fn facts_of(model: &Model, run: &Run, status: &str, theme: Theme, facts: &mut Vec<Fact>) {
    let text = theme.text();
    if let Some(error) = &run.error {
        facts.push(("why", error.clone(), theme.bad()));
    } else if status == "skipped" && run.kind == "etl" {
        facts.push(("why", "the same dataset is published already, or was rolled back".to_owned(), text));
    }
    facts.push(("kind", run.kind.clone(), text));
    let ended = run.finished_at.map(|at| format!(" to {}", time(model, at))).unwrap_or_default();
    let took = match run.duration() {
        Some(took) => format!(" ({})", span(took)),
        None if status == "running" => format!(" ({} so far)", span(model.now - run.started_at)),
        None => String::new(),
    };
    facts.push(("ran", format!("{}{ended}{took}", time(model, run.started_at)), text));
    facts.extend(run.started_by.as_ref().map(|who| ("by", who.clone(), text)));
    if let Some(usual) = usual(model, run) {
        facts.push(("usually", usual, text));
    }
    if let Some(name) = &run.source_name {
        let bytes = run.source_size.and_then(|bytes| u64::try_from(bytes).ok()).map(size);
        let bytes = bytes.map(|bytes| format!(", {bytes}")).unwrap_or_default();
        let date = run.dataset_updated_on.map(|date| format!(", of {date}")).unwrap_or_default();
        let years = run.years.as_ref().map(|years| format!(", years {years}")).unwrap_or_default();
        facts.push(("source", format!("{name}{bytes}{date}{years}"), text));
    }
    if run.rows_read.is_some() {
        let rows = [
            ("read", run.rows_read),
            ("filtered", run.rows_filtered),
            ("loaded", run.rows_loaded),
            ("rejected", run.rows_rejected),
        ];
        let words: Vec<String> =
            rows.iter().map(|(word, rows)| format!("{} {word}", maybe_thousands(*rows))).collect();
        facts.push(("rows", words.join(" · "), text));
        let speed = run.rows_per_second().map(|speed| format!(" · {} rows/s", thousands(speed)));
        let repaired = maybe_thousands(run.rows_repaired);
        facts.push(("repairs", format!("{repaired}{}", speed.unwrap_or_default()), text));
    }
}

/// How long the runs of this kind before it took, in the middle.
fn usual(model: &Model, run: &Run) -> Option<String> {
    let history = model.runs.history.last.as_deref().unwrap_or_default();
    let before = history.iter().filter(|other| {
        other.kind == run.kind && other.status == "succeeded" && other.started_at < run.started_at
    });
    let mut times: Vec<_> = before.filter_map(Run::duration).take(10).collect();
    times.sort();
    let middle = *times.get(times.len() / 2)?;
    let slower = run.duration().is_some_and(|took| took > middle * 2);
    let remark = if slower { ", this one was slower" } else { "" };
    Some(format!("{} (the last {}){remark}", span(middle), times.len()))
}

/// Draws the anomalies that the publish gate found and how many checks ended in which way; returns the rows that it took.
fn checks(page: &RunPage, theme: Theme, frame: &mut Frame, area: Rect) -> u16 {
    let checks = page.details.last.as_ref().map_or(&[][..], |details| &details.checks);
    if checks.is_empty() {
        return 0;
    }
    line(frame, area, 0, title("CHECKS", &db::checks::summary(checks), theme));
    let lines = layout::anomalies(checks, usize::from(area.width));
    for (at, (text, outcome)) in (1..).zip(lines) {
        let style = if outcome == "failed" { theme.bad() } else { theme.warn() };
        line(frame, area, at, Line::styled(format!("  {text}"), style));
    }
    u16::try_from(layout::checks_rows(checks, usize::from(area.width))).unwrap_or(u16::MAX)
}

fn tally(model: &Model, page: &RunPage, theme: Theme, frame: &mut Frame, area: Rect) {
    line(frame, area, 0, titled("TALLY", &page.details, model, theme));
    let issues = page.details.last.as_ref().map_or(&[][..], |details| &details.issues);
    if issues.is_empty() {
        return match page.details.last {
            Some(_) => empty(frame, area, 1, "nothing was rejected or repaired", theme.faint()),
            None => unanswered(&page.details, theme, frame, area, 1),
        };
    }
    let row = |issue: &Issue| {
        let style = if issue.kind == "rejected" { theme.warn() } else { theme.text() };
        vec![
            cell(cells(&issue.dataset), theme.text()),
            cell(cells(&issue.kind), style),
            cell(cells(&issue.reason), theme.text()),
            cell(thousands(issue.rows), theme.text()),
        ]
    };
    let columns = [
        column("DATASET", usize::MAX, 1),
        column("KIND", usize::MAX, 0),
        column("REASON", 10, 0),
        number("ROWS", 0),
    ];
    let top = page.cursor.top.min(issues.len());
    let rows = issues[top..].iter().take(usize::from(area.height)).map(row).collect();
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    Table { columns: &columns, rows, selected: None }.draw(theme, frame, list);
}
