//! Where things stand on the screen, in plain numbers: views draw there, and `update` knows what is in sight and what was clicked.

use super::keys::{self, Layer};
use super::model::{Model, Overlay, Screen};
use super::text;
use crate::db::checks::RunCheck;

/// Rows of the header: where we are, and the names of the screens.
pub const HEADER: u16 = 2;

/// Rows at the bottom: the notice and the keys.
pub const FOOTER: u16 = 2;

/// An overlay is never wider than this.
const WIDEST: u16 = 100;

/// A rectangle: column, row, width, height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Its first column.
    pub x: u16,
    /// Its first row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// What a screen is called in the header: its number and name, `2 Runs`.
pub fn tab(screen: Screen) -> String {
    let number = Screen::ALL.iter().position(|other| *other == screen).unwrap_or(0) + 1;
    format!(" {number} {} ", screen.name())
}

/// The columns of the tabs in the header's second row.
pub fn tabs() -> impl Iterator<Item = (Screen, u16, u16)> {
    Screen::ALL.into_iter().scan(0, |x, screen| {
        let width = u16::try_from(text::width(&tab(screen))).unwrap_or(0);
        let start = *x;
        *x += width;
        Some((screen, start, width))
    })
}

/// The box of an overlay whose content has so many lines.
pub fn overlay(model: &Model, lines: usize) -> Area {
    let width = model.width.saturating_sub(4).min(WIDEST);
    let most = model.height.saturating_sub(HEADER + FOOTER).max(3);
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(most);
    Area { x: (model.width - width.min(model.width)) / 2, y: HEADER + (most - height) / 2, width, height }
}

/// Columns of text in an overlay.
pub fn overlay_width(model: &Model) -> usize {
    usize::from(overlay(model, 0).width.saturating_sub(4))
}

/// Rows of text in an overlay that is as high as possible.
pub fn overlay_page(model: &Model) -> usize {
    usize::from(model.height.saturating_sub(HEADER + FOOTER + 2)).max(1)
}

/// Lines of the overlay that can be scrolled.
pub fn overlay_lines(model: &Model) -> usize {
    match &model.overlay {
        Some(Overlay::Help { .. }) => help(model).len(),
        Some(Overlay::Text { lines, .. }) => {
            let width = overlay_width(model);
            lines.iter().map(|line| text::lines(line, width)).sum()
        }
        _ => 0,
    }
}

/// The layer below the overlay.
pub fn layer_below(model: &Model) -> Layer {
    if model.page_is_open() { Layer::Page(model.screen) } else { Layer::Screen(model.screen) }
}

/// The help of what is below it: keys and words, with an empty line between the screen's own and the rest.
pub fn help(model: &Model) -> Vec<(String, &'static str)> {
    let mut own = Vec::new();
    let mut common = Vec::new();
    for binding in keys::in_layer(layer_below(model)) {
        let names: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
        let row = (names.join(" "), binding.help);
        match binding.scope {
            keys::Scope::On(_) | keys::Scope::TopOf(_) => own.push(row),
            _ => common.push(row),
        }
    }
    if !own.is_empty() {
        own.push((String::new(), ""));
    }
    own.extend(common);
    own
}

/// The most rows that the anomalies of an opened run take.
const MOST_ANOMALIES: usize = 6;

/// The anomalies that the publish gate found in a run, as wrapped lines with their outcome.
pub fn anomalies(checks: &[RunCheck], columns: usize) -> Vec<(String, &str)> {
    let anomalies = checks.iter().filter(|check| check.is_anomaly());
    let lines = anomalies.flat_map(|check| {
        let sentence = text::cells(&format!("{}: {}", check.outcome, check.message));
        let lines = text::prose(&sentence, columns.saturating_sub(4));
        lines.into_iter().map(|line| (line, check.outcome.as_str())).collect::<Vec<_>>()
    });
    lines.take(MOST_ANOMALIES).collect()
}

/// Rows between the facts and the tally of an opened run: the checks with their heading.
pub fn checks_rows(checks: &[RunCheck], columns: usize) -> usize {
    if checks.is_empty() { 0 } else { anomalies(checks, columns).len() + 2 }
}

/// Rows of the list of reasons on the Data screen: the lower part of the body.
pub fn issues_page(model: &Model) -> usize {
    model.body().saturating_sub(data_upper(model) + 2).max(1)
}

/// Rows of the upper part of the Data screen: what is published, and the charts.
pub fn data_upper(model: &Model) -> usize {
    (model.body() * 3 / 5).max(10).min(model.body())
}

/// The row of the body at which the list of parts begins on the Overview: below freshness, strip and headings.
pub fn overview_parts(model: &Model) -> usize {
    if model.body() < 16 { 2 } else { 9 }
}
