//! The Data screen: the published release, its charts, and what was rejected and repaired.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::Pane;
use super::table::{column, list, number};
use super::{chart, runs};
use crate::tui::domain::{Issue, Run, checks};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::model::data::{Charts, DataSummary, TableSize};
use crate::tui::text::{sanitize, short_id, truncate, width};
use common::text::{age, size, thousands};

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    if let Some(issue) = &model.data.page {
        return draw_page(model, issue, pane);
    }
    pane.remote_title(0, "PUBLISHED", &model.data.summary, model);
    let Some(summary) = &model.data.summary.value else {
        return pane.no_value(2, &model.data.summary);
    };
    draw_gate(summary, pane);
    let Some(published) = &summary.published else {
        return pane.dim(2, "nothing is published yet; press p on the Overview to run the pipeline");
    };
    pane.text(1, &sanitize(&release(model, published)), pane.theme.text());
    draw_tables(summary, pane);
    let upper = layout::data_upper_rows(model);
    if let Some(charts) = &summary.charts {
        let mut pane = pane.rows(4, upper.saturating_sub(5));
        let half = pane.area.width / 2;
        let left = Rect { x: 0, y: 0, width: half, ..pane.area };
        let right = Rect { x: half + 1, width: pane.area.width - half - 2, ..left };
        draw_weeks(charts, &mut pane.part(left));
        draw_provinces(charts, &mut pane.part(right));
    }
    let mut lower = pane.below(upper);
    lower.title("REJECTED AND REPAIRED", "rows by reason");
    let cursor = (model.data.cursor, model.has_focus());
    runs::draw_issues(&mut lower.below(1), cursor, model.data.issues());
}

fn release(model: &Model, published: &Run) -> String {
    let date = published.dataset_updated_on;
    let date = date.map_or_else(|| "unknown date".to_owned(), |date| date.to_string());
    let years = published.years.as_deref().unwrap_or_default();
    let at = published.finished_at.map(|at| age(at, model.now)).unwrap_or_default();
    format!("data of {date} · years {years} · published {at} by run {}", short_id(&published.run_id))
}

fn draw_tables(summary: &DataSummary, pane: &mut Pane) {
    let table = |table: &TableSize| {
        let bytes = size(u64::try_from(table.size).unwrap_or(0));
        format!("{} {} ({bytes})", sanitize(&table.name), thousands(table.rows))
    };
    let room = pane.width().saturating_sub(2);
    // Missing datasets come first: they matter more than sizes.
    let left_out: String = summary.left_out.iter().map(|dataset| sanitize(dataset) + " · ").collect();
    let left_out = truncate(&left_out, room);
    let tables: Vec<String> = summary.tables.iter().map(table).collect();
    let tables = truncate(&tables.join(" · "), room - width(&left_out));
    let theme = pane.theme;
    let spans =
        vec![Span::raw(" "), Span::styled(left_out, theme.warning()), Span::styled(tables, theme.dim())];
    pane.line(2, spans);
}

/// Draws why the publish gate rejected the latest load, or else the checks of the published one.
fn draw_gate(summary: &DataSummary, pane: &mut Pane) {
    let theme = pane.theme;
    let (text, style) = if let Some(run) = &summary.refused {
        let reason = run.error.as_deref().unwrap_or("checks of the publish gate failed");
        (format!("the latest load, {}, was not published: {reason}", short_id(&run.run_id)), theme.error())
    } else if summary.checks.is_empty() {
        return;
    } else {
        let counts = checks::summary(&summary.checks);
        match summary.checks.iter().find(|check| check.is_anomaly()) {
            Some(check) => (format!("checks: {counts}: {}", check.message), theme.warning()),
            None => (format!("checks: {counts}"), theme.dim()),
        }
    };
    pane.text(3, &sanitize(&text), style);
}

/// Returns the latest reproduction number of the country with its 95 % interval.
fn reproduction_number(charts: &Charts) -> String {
    let number = charts.reproduction_number;
    number.map_or_else(String::new, |(mean, low, high)| format!("R {mean:.2} ({low:.2}–{high:.2})"))
}

/// Draws the confirmed cases by week.
fn draw_weeks(charts: &Charts, pane: &mut Pane) {
    pane.title("CONFIRMED BY WEEK", &reproduction_number(charts));
    let (Some((first, _)), Some((last, _))) = (charts.weeks.first(), charts.weeks.last()) else {
        return pane.dim(1, "no confirmed cases");
    };
    if pane.height() < 4 || pane.width() < 24 {
        return;
    }
    let values: Vec<u64> = charts.weeks.iter().map(|(_, cases)| u64::try_from(*cases).unwrap_or(0)).collect();
    let highest = thousands(charts.weeks.iter().map(|(_, cases)| *cases).max().unwrap_or(0));
    let (height, style) = (pane.height(), pane.theme.accent());
    pane.dim(1, &highest);
    pane.dim(height - 2, &format!("{:>1$}", 0, highest.len()));
    let label = u16::try_from(highest.len() + 2).unwrap_or(0);
    let plot = Rect { x: label, y: 1, width: pane.area.width.saturating_sub(label + 1), ..pane.area };
    let mut plot = pane.part(Rect { height: plot.height - 2, ..plot });
    chart::columns(&mut plot, &values, style);
    let room = plot.width().saturating_sub(10);
    let dates = format!("{}{first}{:>room$}", " ".repeat(usize::from(label)), last.to_string());
    pane.line(height - 1, Line::styled(dates, pane.theme.dim()));
}

fn draw_provinces(charts: &Charts, pane: &mut Pane) {
    pane.title("CONFIRMED BY PROVINCE", "");
    let row = |(name, cases): &(Option<String>, i64)| {
        (name.as_deref().map_or_else(|| "unspecified".to_owned(), sanitize), *cases)
    };
    let rows: Vec<_> = charts.provinces.iter().map(row).collect();
    let styles = (pane.theme.text(), pane.theme.accent());
    let list = Rect { x: 1, y: 1, width: pane.area.width.saturating_sub(1), ..pane.area };
    chart::bars(&mut pane.part(list), &rows, styles);
}

fn draw_page(model: &Model, issue: &Issue, pane: &mut Pane) {
    let rejected = &model.data.rejected;
    let title = format!("REJECTED ROWS · {} · {}", sanitize(&issue.dataset), sanitize(&issue.reason));
    pane.remote_title(0, &title, rejected, model);
    let Some(rows) = &rejected.value else { return pane.no_value(2, rejected) };
    if rows.is_empty() {
        return pane.dim(2, "no rows are stored");
    }
    let theme = pane.theme;
    list(&mut pane.below(1), (model.data.page_cursor, model.has_focus()), rows, |row| {
        vec![
            number("LINE", 0).cell(thousands(row.line), theme.dim()),
            column("RAW TEXT", 10, 0).cell(sanitize(&row.raw), theme.text()),
        ]
    });
}
