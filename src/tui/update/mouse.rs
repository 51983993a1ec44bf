//! Clicks: on the name of a screen, on a row of a list.

use super::commands::show;
use crate::tui::effect::Effect;
use crate::tui::layout;
use crate::tui::model::{Model, Overlay, Screen};

/// Takes a click in.
pub(super) fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    if row == 1 {
        let hit = layout::tabs().find(|(_, start, width)| (*start..start + width).contains(&column));
        return hit.map(|(screen, ..)| show(model, screen)).unwrap_or_default();
    }
    match &model.overlay {
        // Whoever clicks beside something to read is done with it.
        Some(Overlay::Help { .. } | Overlay::Text { .. }) => {
            model.overlay = None;
            return Vec::new();
        }
        Some(_) => return Vec::new(),
        None => {}
    }
    let Some(row) = row.checked_sub(layout::HEADER).map(usize::from) else { return Vec::new() };
    if row >= model.body() {
        return Vec::new();
    }
    select(model, row);
    Vec::new()
}

fn select(model: &mut Model, row: usize) {
    // A list's heading, and for most also the names of its columns, are above its first row.
    let Some(in_list) = row.checked_sub(2) else { return };
    match model.screen {
        Screen::Overview => {
            let count = model.overview.parts.last.as_ref().map_or(0, Vec::len);
            if let Some(at) = row.checked_sub(layout::overview_parts(model)).filter(|at| *at < count) {
                model.overview.cursor.at = at;
            }
        }
        Screen::Runs if model.runs.page.is_none() => {
            let at = model.runs.cursor.top + in_list;
            if at < model.run_rows().len() {
                model.runs.cursor.at = at;
            }
        }
        Screen::Reports if model.reports.page.is_none() => {
            let at = model.reports.cursor.top + in_list;
            if at < model.reports.list.last.as_ref().map_or(0, Vec::len) {
                model.reports.cursor.at = at;
            }
        }
        Screen::Tunnels => {
            let at = model.tunnels.cursor.top + in_list;
            if at < model.tunnels.all.len() {
                model.tunnels.cursor.at = at;
            }
        }
        Screen::Data => {
            if let Some(page) = &mut model.data.page {
                let at = page.cursor.top + in_list;
                if at < page.rows.last.as_ref().map_or(0, Vec::len) {
                    page.cursor.at = at;
                }
            } else if let Some(at) = row.checked_sub(layout::data_upper(model) + 2) {
                let at = at + model.data.cursor.top;
                if at < model.data.issues().len() {
                    model.data.cursor.at = at;
                }
            }
        }
        Screen::Logs => select_line(model, row),
        Screen::Runs | Screen::Reports => {}
    }
}

fn select_line(model: &mut Model, row: usize) {
    let Some(mut line) = row.checked_sub(1) else { return };
    let (width, height) = (usize::from(model.width), model.body().saturating_sub(1).max(1));
    let (first, hidden) = model.logs.first_in_sight(width, height);
    line += hidden;
    for position in first..model.logs.buffer.shown() {
        let lines = model.logs.height(position, width);
        if line < lines {
            if model.logs.following {
                (model.logs.top, model.logs.following) = (first, false);
            }
            model.logs.at = position;
            return model.logs.settle(width, height);
        }
        line -= lines;
    }
}
