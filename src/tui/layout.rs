//! Positions on the terminal: views draw there, and `update` determines what is visible or was clicked.

use ratatui::layout::Rect;

use super::domain::RunCheck;
use super::keys::{self, Scope};
use super::model::logs::Viewport;
use super::model::overlay::Overlay;
use super::model::{Model, Screen};
use super::text;

/// Rows of the header: the target, and the names of the screens.
pub(super) const HEADER: u16 = 2;

/// Rows at the bottom: the notice and the keys.
pub(super) const FOOTER: u16 = 2;

const MAX_OVERLAY_WIDTH: u16 = 100;

/// Columns that the names of all screens take with their numbers.
const MIN_TAB_COLUMNS: u16 = 80;

/// Commands whose progress is shown, at most.
const MAX_PROGRESS_ROWS: usize = 4;

/// Nodes of a Citus cluster that are shown, at most: the fullest.
const MAX_NODE_ROWS: usize = 4;

/// Rows of the metrics on the Health screen, at least.
const MIN_METRIC_ROWS: usize = 5;

/// Rows of the heat row above the list of runs.
pub(super) const DAYS_ROWS: usize = 1;

/// Rows of the facts about an open run.
const FACT_ROWS: usize = 12;

/// Rows of the anomalies of an open run, at most.
const MAX_ANOMALY_ROWS: usize = 6;

/// Rows between header and footer.
pub(super) fn body_rows(model: &Model) -> usize {
    usize::from(model.height.saturating_sub(HEADER + FOOTER)).max(1)
}

/// Rows of a list or a text in the body, below its title and its column names.
pub(super) fn page_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(2).max(1)
}

/// Rows of the list of runs, below the heat row.
pub(super) fn run_rows(model: &Model) -> usize {
    page_rows(model).saturating_sub(DAYS_ROWS).max(1)
}

/// The cells of the log lines, below the title and the histogram.
pub(super) fn log_viewport(model: &Model) -> Viewport {
    let height = body_rows(model).saturating_sub(1 + strip_rows(model)).max(1);
    Viewport { width: usize::from(model.width), height }
}

/// Rows of the histogram above the log lines; a small terminal has none.
pub(super) fn strip_rows(model: &Model) -> usize {
    if body_rows(model) < 14 || model.logs.buffer.histogram().is_empty() { 0 } else { 2 }
}

/// The label of a screen in the header: `2 Runs`. All of them fit in 80 columns; in fewer, the numbers are left out.
pub(super) fn tab(screen: Screen, columns: u16) -> String {
    if columns < MIN_TAB_COLUMNS {
        return format!("{} ", screen.name());
    }
    format!(" {} {} ", screen as usize + 1, screen.name())
}

/// The screens with the first column and the width of their tabs.
pub(super) fn tabs(columns: u16) -> impl Iterator<Item = (Screen, u16, u16)> {
    Screen::ALL.into_iter().scan(0, move |x, screen| {
        let width = u16::try_from(text::width(&tab(screen, columns))).unwrap_or(0);
        let start = *x;
        *x += width;
        Some((screen, start, width))
    })
}

/// The box of an overlay with this many lines.
pub(super) fn overlay(model: &Model, lines: usize) -> Rect {
    let width = model.width.saturating_sub(4).min(MAX_OVERLAY_WIDTH);
    let room = model.height.saturating_sub(HEADER + FOOTER).max(3);
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(room);
    Rect { x: (model.width - width.min(model.width)) / 2, y: HEADER + (room - height) / 2, width, height }
}

/// Columns of text in an overlay.
pub(super) fn overlay_columns(model: &Model) -> usize {
    usize::from(overlay(model, 0).width.saturating_sub(4))
}

/// Rows of text in the highest possible overlay.
pub(super) fn overlay_rows(model: &Model) -> usize {
    usize::from(model.height.saturating_sub(HEADER + FOOTER + 2)).max(1)
}

/// Lines of a scrollable overlay.
pub(super) fn overlay_lines(model: &Model) -> usize {
    match &model.overlay {
        Some(Overlay::Help(_)) => help(model).len(),
        Some(Overlay::Text { lines, .. }) => {
            let columns = overlay_columns(model);
            lines.iter().map(|line| text::wrapped_height(line, columns)).sum()
        }
        _ => 0,
    }
}

/// The keys of the layer below the help, with their meaning; an empty row follows those of the screen.
pub(super) fn help(model: &Model) -> Vec<(&'static str, &'static str)> {
    let row = |binding: &keys::Binding| (binding.keys, binding.help);
    let (own, common): (Vec<_>, Vec<_>) = keys::in_layer(model.layer_below())
        .partition(|binding| matches!(binding.scope, Scope::On(_) | Scope::TopOf(_)));
    let separator = (!own.is_empty()).then_some(("", ""));
    own.into_iter().map(row).chain(separator).chain(common.into_iter().map(row)).collect()
}

/// The anomalies that the publish gate found, wrapped to lines with their outcome.
pub(super) fn anomalies(checks: &[RunCheck], columns: usize) -> Vec<(String, &str)> {
    let anomalies = checks.iter().filter(|check| check.is_anomaly());
    let lines = anomalies.flat_map(|check| {
        let sentence = text::sanitize(&format!("{}: {}", check.outcome, check.message));
        let lines = text::wrap_words(&sentence, columns.saturating_sub(4));
        lines.into_iter().map(|line| (line, check.outcome.as_str())).collect::<Vec<_>>()
    });
    lines.take(MAX_ANOMALY_ROWS).collect()
}

/// Rows of the checks of an open run, with their title and an empty row.
pub(super) fn check_rows(checks: &[RunCheck], columns: usize) -> usize {
    if checks.is_empty() { 0 } else { anomalies(checks, columns).len() + 2 }
}

/// Rows of the issues of an open run.
pub(super) fn run_issue_rows(model: &Model) -> usize {
    let above = FACT_ROWS + check_rows(model.runs.checks(), usize::from(model.width));
    page_rows(model).saturating_sub(above).max(1)
}

/// Rows of the issues on the Data screen.
pub(super) fn data_issue_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(data_upper_rows(model) + 2).max(1)
}

/// Rows of the nodes of a Citus cluster on the Database screen.
pub(super) fn node_rows(model: &Model) -> usize {
    let nodes = model.database.activity.value.as_ref().map_or(0, |activity| activity.nodes.len());
    if nodes == 0 { 0 } else { 1 + nodes.min(MAX_NODE_ROWS) }
}

/// Rows above the sessions on the Database screen: title, server, nodes, progress.
pub(super) fn database_upper_rows(model: &Model) -> usize {
    let progress = model.database.activity.value.as_ref().map_or(0, |activity| activity.progress.len());
    2 + node_rows(model) + progress.min(MAX_PROGRESS_ROWS)
}

/// Rows of the sessions, above the tables.
pub(super) fn session_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(database_upper_rows(model) + 3).max(1)
}

/// Rows of the metrics on the Health screen: all, or as many as half of the body holds.
pub(super) fn metric_rows(model: &Model) -> usize {
    let kept = model.health.metrics.value.as_ref().map_or(0, |metrics| metrics.kept.len());
    // Those of the database are below.
    (kept + 2).min(body_rows(model) / 2).max(MIN_METRIC_ROWS)
}

/// Rows of the checks on the Health screen, above the cure and the metrics.
pub(super) fn check_list_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(metric_rows(model) + 3).max(1)
}

/// Rows of the upper part of the Data screen: the release and the charts.
pub(super) fn data_upper_rows(model: &Model) -> usize {
    (body_rows(model) * 3 / 5).max(10).min(body_rows(model))
}

/// The row of the body where the components begin on the Overview.
pub(super) fn components_row(model: &Model) -> usize {
    if body_rows(model) < 16 { 2 } else { 9 }
}
