//! Cursors: motions, the mouse, and the limits of the list that has the focus.

use crate::tui::layout;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Cursor, Model, Motion, Screen};

/// The list or the text that motions apply to.
struct Focus<'a> {
    cursor: &'a mut Cursor,
    count: usize,
    /// Visible items.
    page: usize,
    /// The row of the body where the items begin; none for a text, which is scrolled as a whole.
    first_row: Option<usize>,
}

impl Focus<'_> {
    fn navigate(self, motion: Motion) {
        match self.first_row {
            Some(_) => self.cursor.navigate(motion, self.count, self.page),
            None => self.cursor.scroll(motion, self.count, self.page),
        }
    }
}

/// Finds the focus; on the Logs screen and below an input or a question there is none.
fn focus(model: &mut Model) -> Option<Focus<'_>> {
    if model.overlay.is_none() {
        return screen_focus(model);
    }
    let (overlay_count, overlay_page) = (layout::overlay_lines(model), layout::overlay_rows(model));
    let (sources, targets) = (model.logs.sources.len(), model.targets.len());
    let patterns = model.logs.patterns.len();
    let (count, page, first_row, cursor) = match model.overlay.as_mut()? {
        Overlay::Help(cursor) | Overlay::Text { cursor, .. } => (overlay_count, overlay_page, None, cursor),
        Overlay::Sources(cursor) => (sources, sources, Some(0), cursor),
        Overlay::Patterns(cursor) => (patterns, overlay_page, Some(0), cursor),
        Overlay::Targets(cursor) => (targets, targets, Some(0), cursor),
        Overlay::Confirm(_) | Overlay::Input(_) => return None,
    };
    Some(Focus { cursor, count, page, first_row })
}

fn screen_focus(model: &mut Model) -> Option<Focus<'_>> {
    let page = layout::page_rows(model);
    let components = model.overview.components.items().len();
    let (issues, issue_rows) = (model.data.issues().len(), layout::data_issue_rows(model));
    let (components_row, issues_row) = (layout::components_row(model), layout::data_upper_rows(model) + 2);
    let (run_issues, run_issue_rows) = (model.runs.issues().len(), layout::run_issue_rows(model));
    let (sessions, session_rows) = (model.database.sessions().len(), layout::session_rows(model));
    let sessions_row = layout::database_upper_rows(model) + 1;
    let (checks, check_rows) = (model.health.checks.items().len(), layout::check_list_rows(model));
    let runs = model.runs.rows().len();
    let (is_page, run_rows) = (model.page_is_open(), layout::run_rows(model));
    let (count, page, first_row, cursor) = match model.screen {
        Screen::Overview => (components, components, Some(components_row), &mut model.overview.cursor),
        Screen::Runs if is_page => (run_issues, run_issue_rows, None, &mut model.runs.page_cursor),
        Screen::Runs => (runs, run_rows, Some(2 + layout::DAYS_ROWS), &mut model.runs.cursor),
        Screen::Logs => return None,
        Screen::Data if is_page => {
            (model.data.rejected.items().len(), page, Some(2), &mut model.data.page_cursor)
        }
        Screen::Data => (issues, issue_rows, Some(issues_row), &mut model.data.cursor),
        Screen::Reports if is_page => {
            let count = model.reports.text.value.as_ref().map_or(0, |text| text.lines().count());
            (count, page, None, &mut model.reports.page_cursor)
        }
        Screen::Reports => (model.reports.list.items().len(), page, Some(2), &mut model.reports.cursor),
        Screen::Tunnels => (model.tunnels.all.len(), page, Some(2), &mut model.tunnels.cursor),
        Screen::Database => (sessions, session_rows, Some(sessions_row), &mut model.database.cursor),
        Screen::Health => (checks, check_rows, Some(2), &mut model.health.cursor),
    };
    Some(Focus { cursor, count, page, first_row })
}

pub(super) fn navigate(model: &mut Model, motion: Motion) {
    let view = layout::log_viewport(model);
    if let Some(focus) = focus(model) {
        focus.navigate(motion);
    } else if model.overlay.is_none() {
        model.logs.navigate(motion, view);
    }
}

/// Keeps the cursor that has the focus inside its list, and visible.
pub(super) fn clamp_cursors(model: &mut Model) {
    let view = layout::log_viewport(model);
    if let Some(focus) = focus(model) {
        focus.navigate(Motion::By(0));
    } else if model.screen == Screen::Logs && !model.logs.following {
        model.logs.clamp_cursor(view);
    }
}

/// A click on a tab shows its screen, one on a row selects it, one beside a text closes the text.
pub(super) fn click(model: &mut Model, column: u16, row: u16) {
    if row == 1 {
        let hit =
            layout::tabs(model.width).find(|(_, start, width)| (*start..start + width).contains(&column));
        if let Some((screen, ..)) = hit {
            model.show(screen);
        }
        return;
    }
    match model.overlay {
        Some(Overlay::Help(_) | Overlay::Text { .. }) => return model.overlay = None,
        Some(_) => return,
        None => {}
    }
    let row = row.checked_sub(layout::HEADER).map(usize::from);
    let Some(row) = row.filter(|row| *row < layout::body_rows(model)) else { return };
    match focus(model) {
        Some(Focus { cursor, count, first_row: Some(first_row), .. }) => {
            let clicked = row.checked_sub(first_row).map(|row| row + cursor.top);
            cursor.at = clicked.filter(|at| *at < count).unwrap_or(cursor.at);
        }
        Some(_) => {}
        None => select_log_line(model, row),
    }
}

fn select_log_line(model: &mut Model, row: usize) {
    let view = layout::log_viewport(model);
    let strip = layout::strip_rows(model);
    let Some(mut line) = row.checked_sub(1 + strip) else { return };
    let logs = &mut model.logs;
    let (first, hidden) = logs.first_visible(view);
    line += hidden;
    for position in first..logs.buffer.shown() {
        let height = logs.row_height(position, view.width);
        if line < height {
            if logs.following {
                (logs.top, logs.following) = (first, false);
            }
            logs.at = position;
            return;
        }
        line -= height;
    }
}
