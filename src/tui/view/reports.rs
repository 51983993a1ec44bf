//! The list of reports, and the text of one.

use ratatui::text::Line;

use super::pane::Pane;
use super::table::{column, fixed, list, number};
use crate::tui::model::Model;
use crate::tui::text::{sanitize, truncate};
use common::text::{age, size};

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let reports = &model.reports;
    if let Some(name) = &reports.page {
        return draw_page(model, name, pane);
    }
    pane.remote_title(0, "REPORTS", &reports.list, model);
    let Some(listed) = &reports.list.value else { return pane.no_value(2, &reports.list) };
    if listed.is_empty() {
        return pane.dim(2, "no reports yet; press w to write one");
    }
    let theme = pane.theme;
    list(&mut pane.below(1), (reports.cursor, model.has_focus()), listed, |report| {
        let stored = report.stored_at.with_timezone(&model.zone).format("%Y-%m-%d %H:%M:%S").to_string();
        vec![
            column("REPORT", 16, 0).cell(sanitize(&report.name), theme.text()),
            fixed("LATEST", 1).cell(if report.latest { "*" } else { "" }, theme.text()),
            fixed("STORED", 1).cell(stored, theme.text()),
            fixed("AGE", 3).cell(age(report.stored_at, model.now), theme.dim()),
            number("FILES", 2).cell(report.files.to_string(), theme.text()),
            number("SIZE", 2).cell(size(report.size), theme.text()),
        ]
    });
}

fn draw_page(model: &Model, name: &str, pane: &mut Pane) {
    let reports = &model.reports;
    pane.remote_title(0, &format!("REPORT {}", sanitize(name)), &reports.text, model);
    let Some(text) = &reports.text.value else { return pane.no_value(2, &reports.text) };
    // No margin: the text may be as wide as the terminal.
    for (row, text) in (2..pane.height()).zip(text.lines().skip(reports.page_cursor.top)) {
        pane.line(row, Line::raw(truncate(&sanitize(text), pane.width())));
    }
}
