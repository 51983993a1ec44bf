//! Charts of block characters, which every terminal and every font has.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::text::{fit, pad, width};
use common::text::thousands;

/// Eighths of a cell, from below.
const UPWARD: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Eighths of a cell, from the left.
const RIGHTWARD: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// Values as columns, the highest as high as the area. Where there are more values than columns, neighbours share one and
/// the highest of them counts; where there are fewer, each one takes several.
pub(super) fn columns(frame: &mut Frame, area: Rect, values: &[u64], style: Style) {
    let (columns, rows) = (usize::from(area.width), u64::from(area.height));
    if columns == 0 || rows == 0 || values.is_empty() {
        return;
    }
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let buffer = frame.buffer_mut();
    for column in 0..columns {
        let (start, end) = (column * values.len() / columns, (column + 1) * values.len() / columns);
        let value = values[start..end.max(start + 1)].iter().copied().max().unwrap_or(0);
        // What is not nothing is seen.
        let eighths = (value * rows * 8).div_ceil(highest);
        for row in 0..rows {
            let filled = eighths.saturating_sub((rows - 1 - row) * 8).min(8);
            if filled > 0 {
                let (x, y) =
                    (area.x + u16::try_from(column).unwrap_or(0), area.y + u16::try_from(row).unwrap_or(0));
                buffer.set_string(x, y, UPWARD[usize::try_from(filled).unwrap_or(8)], style);
            }
        }
    }
}

/// Names with bars and numbers, one a row.
pub(super) fn bars(frame: &mut Frame, area: Rect, values: &[(String, i64)], (text, bar): (Style, Style)) {
    let room = usize::from(area.width);
    let names = values.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(room / 3);
    let numbers = values.iter().map(|(_, value)| thousands(*value).len()).max().unwrap_or(0);
    let most = u64::try_from(room.saturating_sub(names + numbers + 2)).unwrap_or(0);
    let highest = values.iter().map(|(_, value)| value.unsigned_abs()).max().unwrap_or(0).max(1);
    let buffer = frame.buffer_mut();
    for (row, (name, value)) in (0..area.height).zip(values) {
        let y = area.y + row;
        buffer.set_string(area.x, y, pad(name, names), text);
        let number = thousands(*value);
        let at = area.x + u16::try_from(names + 1 + numbers - number.len()).unwrap_or(0);
        buffer.set_string(at, y, fit(&number, numbers), text);
        let eighths = value.unsigned_abs() * most * 8 / highest;
        let mut drawn = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
        drawn.push_str(RIGHTWARD[usize::try_from(eighths % 8).unwrap_or(0)]);
        buffer.set_string(area.x + u16::try_from(names + numbers + 2).unwrap_or(0), y, drawn, bar);
    }
}
