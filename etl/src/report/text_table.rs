//! Lays out an answer in plain text: numbers right-aligned, text left-aligned, bars at the end of the rows.

use super::answer::Answer;
use super::language::Language;
use super::question::{ColumnKind, Layout};
use super::table::{Table, properties};

/// Columns between two cells.
const GAP: usize = 2;
/// The longest bar, in tenths of the line.
const MAX_BAR_TENTHS: usize = 3;
const MIN_BAR: usize = 4;

/// Returns the lines of an answer, without title and note, of at most `max_width` characters.
pub(super) fn lines(answer: &Answer, language: Language, max_width: usize) -> Vec<String> {
    if answer.question.layout == Layout::List {
        return list(answer, language, max_width);
    }
    let table = Table::of(answer, language);
    let titles: Vec<String> = table.columns.iter().map(|column| column.title.clone()).collect();
    let cells = titles.iter().chain(table.rows.iter().flatten()).chain(table.totals.iter().flatten());
    let alignment = table.columns.iter().map(|column| column.is_numeric);
    let layout = TextLayout::fit(alignment, cells, max_width);
    let rule = "─".repeat(layout.width());
    let room = max_width.saturating_sub(layout.width() + GAP).min(max_width * MAX_BAR_TENTHS / 10);
    let bars = bars(table.bars.unwrap_or_default(), room);

    let mut lines = vec![layout.line(&titles, ""), rule.clone()];
    let bars = bars.iter().map(String::as_str).chain(std::iter::repeat(""));
    lines.extend(table.rows.iter().zip(bars).map(|(cells, bar)| layout.line(cells, bar)));
    if let Some(cells) = &table.totals {
        lines.extend([rule, layout.line(cells, "")]);
    }
    lines
}

fn list(answer: &Answer, language: Language, max_width: usize) -> Vec<String> {
    let properties = properties(answer, language);
    let title_width = properties.iter().map(|(title, _)| width(title)).max().unwrap_or(0);
    let room = max_width.saturating_sub(title_width + GAP);
    // Counts are aligned digit by digit, so that they can be compared.
    let counts_only = answer.columns().iter().all(|column| matches!(column.kind, ColumnKind::Count));
    let value_width =
        properties.iter().map(|(_, value)| width(value)).max().filter(|_| counts_only).unwrap_or(0);
    let line = |(title, value): &(&str, String)| {
        format!(
            "{}  {}",
            padded(title, title_width, false),
            shortened(&padded(value, value_width, true), room)
        )
    };
    properties.iter().map(line).collect()
}

/// Returns one bar for each value, in eighths of a character. Bars are empty if there is no room, or no value above 0.
fn bars(values: Vec<i64>, room: usize) -> Vec<String> {
    let max = values.iter().copied().max().unwrap_or(0);
    if room < MIN_BAR || max == 0 {
        return Vec::new();
    }
    values.into_iter().map(|value| bar(value, max, room)).collect()
}

fn bar(value: i64, max: i64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let (value, max) = (i128::from(value), i128::from(max));
    let scale = i128::try_from(room * 8).unwrap_or(0);
    let length = usize::try_from((value * scale + max / 2) / max).unwrap_or(0);
    // A value above 0 is always visible.
    let length = if value > 0 { length.max(1) } else { 0 };
    format!("{}{}", "█".repeat(length / 8), EIGHTHS[length % 8])
}

/// The width of each column, and whether it is right-aligned.
struct TextLayout {
    columns: Vec<(usize, bool)>,
}

impl TextLayout {
    /// Fits the columns to their cells, which come row by row. The widest text columns are narrowed until a line fits.
    fn fit<'a>(
        alignment: impl Iterator<Item = bool>,
        cells: impl Iterator<Item = &'a String>,
        max_width: usize,
    ) -> Self {
        let mut layout = Self { columns: alignment.map(|right| (0, right)).collect() };
        for (nth, cell) in cells.enumerate() {
            let count = layout.columns.len();
            let column = &mut layout.columns[nth % count].0;
            *column = (*column).max(width(cell).min(max_width));
        }
        while layout.width() > max_width && layout.narrow_widest_text() {}
        layout
    }

    /// Narrows the widest text column by a character; returns false if each has only one left.
    fn narrow_widest_text(&mut self) -> bool {
        let text = self.columns.iter_mut().filter(|(width, right)| !right && *width > 1);
        text.max_by_key(|(width, _)| *width).map(|(width, _)| *width -= 1).is_some()
    }

    /// Returns the width of a line. Columns without a character are left out.
    fn width(&self) -> usize {
        let widths: Vec<usize> =
            self.columns.iter().map(|(width, _)| *width).filter(|width| *width > 0).collect();
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }

    fn line(&self, cells: &[String], bar: &str) -> String {
        let shown = self.columns.iter().zip(cells).filter(|((width, _), _)| *width > 0);
        let mut cells: Vec<String> =
            shown.map(|((width, right), cell)| padded(&shortened(cell, *width), *width, *right)).collect();
        cells.push(bar.to_owned());
        cells.join(&" ".repeat(GAP)).trim_end().to_owned()
    }
}

/// Returns the width of a text in a terminal: every character of a report takes one column.
fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, width: usize, right: bool) -> String {
    if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

fn shortened(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::answer::Value;
    use super::super::questions::QUESTIONS;
    use super::*;

    #[test]
    fn bar_of_smallest_value_is_visible_and_of_largest_fills_room() {
        assert_eq!(bar(0, 1_000_000, 10), "");
        assert_eq!(bar(1, 1_000_000, 10), "▏");
        assert_eq!(bar(500_000, 1_000_000, 10), "█████");
        assert_eq!(bar(1_000_000, 1_000_000, 10), "██████████");
    }

    #[test]
    fn lines_with_long_text_are_shortened_to_width() {
        let question = QUESTIONS.iter().find(|question| question.name == "loaded_issues").unwrap();
        let text = |text: &str| Value::Text(text.into());
        let row = vec![text("cases"), text("rejected"), text(&"x".repeat(200)), Value::Number(1_234_567)];
        let lines = lines(&Answer { question, rows: vec![row] }, Language::Spanish, 80);
        assert_eq!(lines[2].chars().count(), 80);
        assert!(lines[2].ends_with("x…  1.234.567"), "{}", lines[2]);
    }

    proptest! {
        #[test]
        fn lines_of_any_answer_fit_width(
            counts in proptest::collection::vec((".{0,60}", 0_i64..100_000_000), 0..6),
            max_width in 80_usize..200,
        ) {
            for question in QUESTIONS.iter() {
                let rows = counts.iter().map(|(word, number)| {
                    question.columns.iter().map(|column| match column.kind {
                        ColumnKind::Text => Value::Text(word.clone()),
                        ColumnKind::Count => Value::Number(*number),
                        _ => Value::Missing,
                    }).collect()
                });
                let answer = Answer { question, rows: rows.collect() };
                for language in [Language::Spanish, Language::English] {
                    for line in lines(&answer, language, max_width) {
                        prop_assert!(line.chars().count() <= max_width, "{line}");
                    }
                }
            }
        }
    }
}
