//! A list in columns. What does not fit is cut, and where even that is not enough, the least important column goes.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::text::{fit, width};
use super::super::theme::Theme;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether it holds numbers.
    pub(super) right: bool,
    /// It may be cut to so many cells.
    pub(super) least: usize,
    /// Those with a higher number go first; 0 never goes.
    pub(super) goes: u8,
}

/// One field.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) style: Style,
}

/// A list to draw.
pub(super) struct Table<'a> {
    pub(super) columns: &'a [Column],
    /// Those in sight.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The selected one among them.
    pub(super) selected: Option<usize>,
}

/// Between two columns.
const GAP: usize = 2;

pub(super) const fn column(name: &'static str, least: usize, goes: u8) -> Column {
    Column { name, right: false, least, goes }
}

pub(super) const fn number(name: &'static str, goes: u8) -> Column {
    Column { name, right: true, least: usize::MAX, goes }
}

pub(super) fn cell(text: impl Into<String>, style: Style) -> Cell {
    Cell { text: text.into(), style }
}

impl Table<'_> {
    /// Draws the names of the columns and then the rows.
    pub(super) fn draw(&self, theme: Theme, frame: &mut Frame, area: Rect) {
        let widths = self.widths(usize::from(area.width).saturating_sub(2));
        let buffer = frame.buffer_mut();
        let mut put = |row: u16, texts: &mut dyn Iterator<Item = (&str, Style)>| {
            let mut x = area.x + 1;
            for ((text, style), (column, width)) in texts.zip(self.columns.iter().zip(&widths)) {
                let Some(cells) = *width else { continue };
                let fitted = fit(text, cells);
                let missing = u16::try_from(cells - super::super::text::width(&fitted)).unwrap_or(0);
                let at = if column.right { x + missing } else { x };
                buffer.set_string(at, area.y + row, fitted, style);
                x += u16::try_from(cells + GAP).unwrap_or(0);
            }
        };
        if area.height == 0 {
            return;
        }
        put(0, &mut self.columns.iter().map(|column| (column.name, theme.heading())));
        for (row, cells) in (1..area.height).zip(&self.rows) {
            put(row, &mut cells.iter().map(|cell| (cell.text.as_str(), cell.style)));
        }
        if let Some(row) =
            self.selected.and_then(|row| u16::try_from(row + 1).ok()).filter(|row| *row < area.height)
        {
            let selected = Rect { y: area.y + row, height: 1, ..area };
            frame.buffer_mut().set_style(selected, theme.selected());
        }
    }

    /// The width of each column, none for those that went.
    fn widths(&self, room: usize) -> Vec<Option<usize>> {
        let natural = |at: usize, column: &Column| {
            let cells = self.rows.iter().map(|row| width(&row[at].text));
            cells.chain([width(column.name)]).max().unwrap_or(0)
        };
        let mut widths: Vec<Option<usize>> =
            self.columns.iter().enumerate().map(|(at, column)| Some(natural(at, column))).collect();
        loop {
            let shown = widths.iter().flatten().count();
            let total = widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1);
            let Some(excess) = total.checked_sub(room).filter(|excess| *excess > 0) else { return widths };
            // The widest of those that may be cut gives way first.
            let cuttable = widths.iter().zip(self.columns).enumerate().filter_map(|(at, (width, column))| {
                let spare = width.as_ref()?.checked_sub(column.least).filter(|spare| *spare > 0)?;
                Some((spare, at))
            });
            if let Some((spare, at)) = cuttable.max() {
                widths[at] = widths[at].map(|width| width - spare.min(excess));
                continue;
            }
            let going = self
                .columns
                .iter()
                .enumerate()
                .filter(|(at, column)| widths[*at].is_some() && column.goes > 0);
            match going.max_by_key(|(_, column)| column.goes) {
                Some((at, _)) => widths[at] = None,
                None => return widths,
            }
        }
    }
}
