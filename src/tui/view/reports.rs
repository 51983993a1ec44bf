//! The reports, and one of them to read.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::model::{Model, ReportPage};
use super::super::text::{cells, fit};
use super::super::theme::Theme;
use super::table::{Table, cell, column, number};
use super::{covered, empty, line, titled, unanswered};
use crate::ops::reports::Report;
use common::text::{age, size};

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    if let Some(page) = &model.reports.page {
        return read(model, page, theme, frame, area);
    }
    line(frame, area, 0, titled("REPORTS", &model.reports.list, model, theme));
    let Some(reports) = &model.reports.list.last else {
        return unanswered(&model.reports.list, theme, frame, area, 2);
    };
    if reports.is_empty() {
        return empty(frame, area, 2, "there is none yet; w writes one", theme.faint());
    }
    let row = |report: &Report| {
        let stored = report.stored_at.with_timezone(&model.zone).format("%Y-%m-%d %H:%M:%S").to_string();
        vec![
            cell(cells(&report.name), theme.text()),
            cell(if report.latest { "*" } else { "" }, theme.text()),
            cell(stored, theme.text()),
            cell(age(report.stored_at, model.now), theme.faint()),
            cell(report.files.to_string(), theme.text()),
            cell(size(report.size), theme.text()),
        ]
    };
    let columns = [
        column("REPORT", 16, 0),
        column("LATEST", usize::MAX, 1),
        column("STORED", usize::MAX, 1),
        column("AGE", usize::MAX, 3),
        number("FILES", 2),
        number("SIZE", 2),
    ];
    let top = model.reports.cursor.top.min(reports.len());
    let rows = reports[top..].iter().take(usize::from(area.height)).map(row).collect();
    let selected = (!covered(model)).then(|| model.reports.cursor.at.saturating_sub(top));
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    Table { columns: &columns, rows, selected }.draw(theme, frame, list);
}

fn read(model: &Model, page: &ReportPage, theme: Theme, frame: &mut Frame, area: Rect) {
    line(frame, area, 0, titled(&format!("REPORT {}", cells(&page.name)), &page.text, model, theme));
    let Some(text) = &page.text.last else { return unanswered(&page.text, theme, frame, area, 2) };
    // The text is as wide as a terminal was: every column counts.
    let room = usize::from(area.width);
    for (row, text) in (2..area.height).zip(text.lines().skip(page.cursor.top)) {
        line(frame, area, row, Line::raw(fit(&cells(text), room)));
    }
}
