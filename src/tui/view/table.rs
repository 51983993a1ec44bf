//! Tables. If one is too wide, its columns are cut, and the least important ones are left out.

use ratatui::style::Style;

use super::pane::Pane;
use crate::tui::model::Cursor;
use crate::tui::text::{truncate, width};

#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    name: &'static str,
    align_right: bool,
    /// The width below which it is not cut.
    min_width: usize,
    /// Columns with a higher number are left out first; 0 is never left out.
    priority: u8,
}

pub(super) struct Cell {
    column: Column,
    text: String,
    style: Style,
}

/// Cells between two columns.
const GAP: usize = 2;

/// A column that can be cut to `min_width` cells.
pub(super) const fn column(name: &'static str, min_width: usize, priority: u8) -> Column {
    Column { name, align_right: false, min_width, priority }
}

/// A column that is never cut.
pub(super) const fn fixed(name: &'static str, priority: u8) -> Column {
    column(name, usize::MAX, priority)
}

/// A column of numbers.
pub(super) const fn number(name: &'static str, priority: u8) -> Column {
    Column { name, align_right: true, min_width: usize::MAX, priority }
}

impl Column {
    pub(super) fn cell(self, text: impl Into<String>, style: Style) -> Cell {
        Cell { column: self, text: text.into(), style }
    }
}

/// Draws the visible part of a list, and its selected item if `has_selection`.
pub(super) fn list<T>(
    pane: &mut Pane,
    (cursor, has_selection): (Cursor, bool),
    items: &[T],
    row: impl Fn(&T) -> Vec<Cell>,
) {
    let top = cursor.top.min(items.len().saturating_sub(1));
    let rows: Vec<_> = items[top..].iter().take(pane.height()).map(row).collect();
    table(pane, &rows, has_selection.then(|| cursor.at.saturating_sub(top)));
}

/// Draws rows, which have the same columns, below the names of the columns.
pub(super) fn table(pane: &mut Pane, rows: &[Vec<Cell>], selected: Option<usize>) {
    let Some(first) = rows.first().filter(|_| pane.height() > 0) else { return };
    let columns: Vec<Column> = first.iter().map(|cell| cell.column).collect();
    let widths = widths(&columns, rows, pane.width().saturating_sub(2));
    let (area, heading) = (pane.area, pane.theme.heading());
    let mut draw = |row: u16, texts: &mut dyn Iterator<Item = (&str, Style)>| {
        let mut x = area.x + 1;
        for ((text, style), (column, cells)) in texts.zip(columns.iter().zip(&widths)) {
            let Some(cells) = *cells else { continue };
            let text = truncate(text, cells);
            let missing = u16::try_from(cells - width(&text)).unwrap_or(0);
            let start = if column.align_right { x + missing } else { x };
            pane.buffer.set_string(start, area.y + row, text, style);
            x += u16::try_from(cells + GAP).unwrap_or(0);
        }
    };
    draw(0, &mut columns.iter().map(|column| (column.name, heading)));
    for (row, cells) in (1..area.height).zip(rows) {
        draw(row, &mut cells.iter().map(|cell| (cell.text.as_str(), cell.style)));
    }
    if let Some(selected) = selected {
        pane.style_row(selected + 1, pane.theme.selected());
    }
}

/// The width of each column; none for those left out.
fn widths(columns: &[Column], rows: &[Vec<Cell>], room: usize) -> Vec<Option<usize>> {
    let natural = |(at, column): (usize, &Column)| {
        let cells = rows.iter().map(|row| width(&row[at].text));
        cells.chain([width(column.name)]).max()
    };
    let mut widths: Vec<Option<usize>> = columns.iter().enumerate().map(natural).collect();
    loop {
        let shown = widths.iter().flatten().count();
        let total = widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1);
        let Some(excess) = total.checked_sub(room).filter(|excess| *excess > 0) else { return widths };
        // The column with the most cells to spare is cut first.
        let spare = |at: usize| widths[at]?.checked_sub(columns[at].min_width).filter(|spare| *spare > 0);
        if let Some((spare, at)) = (0..columns.len()).filter_map(|at| Some((spare(at)?, at))).max() {
            widths[at] = widths[at].map(|width| width - spare.min(excess));
            continue;
        }
        let optional = (0..columns.len()).filter(|at| widths[*at].is_some() && columns[*at].priority > 0);
        match optional.max_by_key(|at| columns[*at].priority) {
            Some(at) => widths[at] = None,
            None => return widths,
        }
    }
}
