//! Charts of Unicode block elements.

use ratatui::style::Style;
use ratatui::widgets::{Sparkline, Widget as _};

use super::pane::Pane;
use crate::tui::text::{pad, truncate, width};
use common::text::thousands;

/// Eighths of a cell, from the left.
const RIGHTWARD: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

fn cells(number: impl TryInto<u16>) -> u16 {
    number.try_into().unwrap_or(0)
}

/// Draws values as columns; the highest one fills the height. If there are more values than columns, neighbours share one that shows
/// their maximum; if there are fewer, each takes several.
pub(super) fn columns(pane: &mut Pane, values: &[u64], style: Style) {
    let (columns, eighths) = (pane.width(), pane.height() as u64 * 8);
    if values.is_empty() {
        return;
    }
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |column: usize| {
        let (start, end) = (column * values.len() / columns, (column + 1) * values.len() / columns);
        let value = values[start..end.max(start + 1)].iter().copied().max().unwrap_or(0);
        // Rounded up, so that every value above zero is visible.
        (value * eighths).div_ceil(highest)
    };
    let heights: Vec<u64> = (0..columns).map(height).collect();
    Sparkline::default().data(&heights).max(eighths).style(style).render(pane.area, pane.buffer);
}

/// Draws names with their values and bars, one in each row.
pub(super) fn bars(pane: &mut Pane, values: &[(String, i64)], (text, bar): (Style, Style)) {
    let (area, room) = (pane.area, pane.width());
    let names = values.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(room / 3);
    let numbers = values.iter().map(|(_, value)| thousands(*value).len()).max().unwrap_or(0);
    let longest = u64::try_from(room.saturating_sub(names + numbers + 2)).unwrap_or(0);
    let highest = values.iter().map(|(_, value)| value.unsigned_abs()).max().unwrap_or(0).max(1);
    for (y, (name, value)) in (area.y..area.y + area.height).zip(values) {
        let number = thousands(*value);
        let eighths = value.unsigned_abs() * longest * 8 / highest;
        let mut drawn = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
        drawn.push_str(RIGHTWARD[usize::try_from(eighths % 8).unwrap_or(0)]);
        pane.buffer.set_string(area.x, y, pad(name, names), text);
        let start = area.x + cells(names + 1 + numbers - number.len());
        pane.buffer.set_string(start, y, truncate(&number, numbers), text);
        pane.buffer.set_string(area.x + cells(names + numbers + 2), y, drawn, bar);
    }
}
