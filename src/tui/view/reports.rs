//! The list of reports, and the text of one.

use ratatui::text::Line;

use super::pane::Pane;
use super::table::{cell, column, fixed, list, number};
use crate::tui::domain::Report;
use crate::tui::model::{Model, ReportPage};
use crate::tui::text::{sanitize, truncate};
use common::text::{age, size};

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let reports = &model.reports;
    if let Some(page) = &reports.page {
        return draw_page(model, page, pane);
    }
    pane.remote_title(0, "REPORTS", &reports.list, model);
    if reports.list.value.is_none() {
        return pane.no_value(2, &reports.list);
    }
    if reports.list.items().is_empty() {
        return pane.dim(2, "no reports yet; press w to write one");
    }
    let theme = pane.theme;
    let row = |report: &Report| {
        let stored = report.stored_at.with_timezone(&model.zone).format("%Y-%m-%d %H:%M:%S").to_string();
        vec![
            cell(sanitize(&report.name), theme.text()),
            cell(if report.latest { "*" } else { "" }, theme.text()),
            cell(stored, theme.text()),
            cell(age(report.stored_at, model.now), theme.dim()),
            cell(report.files.to_string(), theme.text()),
            cell(size(report.size), theme.text()),
        ]
    };
    let columns = [
        column("REPORT", 16, 0),
        fixed("LATEST", 1),
        fixed("STORED", 1),
        fixed("AGE", 3),
        number("FILES", 2),
        number("SIZE", 2),
    ];
    list(&mut pane.below(1), (reports.cursor, model.has_focus()), &columns, reports.list.items(), row);
}

fn draw_page(model: &Model, opened: &ReportPage, pane: &mut Pane) {
    pane.remote_title(0, &format!("REPORT {}", sanitize(&opened.name)), &opened.text, model);
    let Some(text) = &opened.text.value else { return pane.no_value(2, &opened.text) };
    // No margin: the text may be as wide as the terminal.
    for (row, text) in (2..pane.height()).zip(text.lines().skip(opened.cursor.top)) {
        pane.line(row, Line::raw(truncate(&sanitize(text), pane.width())));
    }
}
