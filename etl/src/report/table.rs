//! An answer in aligned plain text, at most as wide as it is told: numbers to the right, words to the left, a bar at the
//! end of the line where the question wants one and there is room.

use std::ops::Range;

use super::answer::{Answer, Value};
use super::format;
use super::grid;
use super::language::{Language, Words};
use super::question::{Column, Extent, Kind, Place, Shape};

const GAP: usize = 2;
/// Of the line, in tenths.
const WIDEST_BAR: usize = 3;
const NARROWEST_BAR: usize = 4;
const TOTAL: Words = Words::same("Total");

/// The answer's lines, without title and note, for lines of this width.
pub(super) fn lines(answer: &Answer, language: Language, width: usize) -> Vec<String> {
    match answer.question.shape {
        Shape::List => list(answer, language, width),
        Shape::Table | Shape::Totalled => table(answer, language, width),
        Shape::Grid { .. } => grid(answer, language, width),
    }
}

/// The rows that people see, as a range.
pub(super) fn extent(answer: &Answer) -> Range<usize> {
    let rows = answer.rows.len();
    match answer.question.extent {
        Extent::Whole => 0..rows,
        Extent::First(first) => 0..first.min(rows),
        Extent::Last(last) => rows.saturating_sub(last)..rows,
    }
}

fn grid(answer: &Answer, language: Language, most: usize) -> Vec<String> {
    let grid = grid::Grid::of(answer, language);
    let to_the_right: Vec<bool> = (0..grid.titles.len()).map(|nth| nth > 0).collect();
    let layout = Layout::new(&to_the_right, grid.titles.iter().chain(grid.lines.iter().flatten()), most);
    let lines = grid.lines.iter().map(|cells| layout.line(cells));
    [layout.line(&grid.titles), "─".repeat(layout.used())].into_iter().chain(lines).collect()
}

/// `Month: June 2022 · data until: 2022-06-04 · partial month`, where the answer has such columns.
pub(super) fn heading(answer: &Answer, language: Language) -> Option<String> {
    let row = answer.rows.first()?;
    let parts: Vec<String> = answer
        .columns()
        .iter()
        .zip(row)
        .filter(|(column, _)| column.place == Place::Heading)
        .map(|(column, value)| match column.kind {
            Kind::Flag => format::value(value, column, language),
            _ => format!("{}: {}", column.title.to(language), format::value(value, column, language)),
        })
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn list(answer: &Answer, language: Language, most: usize) -> Vec<String> {
    let columns = answer.columns();
    let widest = columns.iter().map(|column| width(column.title.to(language))).max().unwrap_or(0);
    let room = most.saturating_sub(widest + GAP);
    let counts_only = columns.iter().all(|column| matches!(column.kind, Kind::Count));
    let facts: Vec<(&str, String)> = answer
        .rows
        .iter()
        .flat_map(|row| columns.iter().zip(row))
        .map(|(column, value)| (column.title.to(language), format::value(value, column, language)))
        .collect();
    // Numbers that are read against each other stand below each other, digit by digit.
    let to = if counts_only { facts.iter().map(|(_, fact)| width(fact)).max().unwrap_or(0) } else { 0 };
    facts
        .into_iter()
        .map(|(title, fact)| {
            format!("{}  {}", padded(title, widest, false), shortened(&padded(&fact, to, true), room))
        })
        .collect()
}

fn table(answer: &Answer, language: Language, most: usize) -> Vec<String> {
    let body: Vec<(usize, &Column)> = answer
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| matches!(column.place, Place::Body | Place::Bar))
        .collect();
    let titles: Vec<String> = body.iter().map(|(_, column)| title(column, language)).collect();
    let extent = extent(answer);
    let rows: Vec<Vec<String>> = answer.rows[extent.clone()]
        .iter()
        .map(|row| body.iter().map(|(at, column)| format::value(&row[*at], column, language)).collect())
        .collect();
    let totals: Option<Vec<String>> = (answer.question.shape == Shape::Totalled && answer.rows.len() > 1)
        .then(|| {
            body.iter().enumerate().map(|(nth, pair)| total(nth, *pair, &answer.rows, language)).collect()
        });

    let to_the_right: Vec<bool> = body.iter().map(|(_, column)| column.kind.is_numeric()).collect();
    let cells = titles.iter().chain(rows.iter().flatten()).chain(totals.iter().flatten());
    let layout = Layout::new(&to_the_right, cells, most);
    let rule = "─".repeat(layout.used());
    let room = most.saturating_sub(layout.used() + GAP);
    let bars = bars(answer, extent, room.min(most * WIDEST_BAR / 10));

    let mut lines = vec![layout.line(&titles), rule.clone()];
    for (cells, bar) in rows.iter().zip(bars) {
        lines.push(format!("{}  {bar}", layout.line_whole(cells)).trim_end().to_owned());
    }
    if let Some(cells) = &totals {
        lines.push(rule);
        lines.push(layout.line(cells));
    }
    lines
}

/// A flag needs no title: its cells are the title.
pub(super) fn title(column: &Column, language: Language) -> String {
    match column.kind {
        Kind::Flag => String::new(),
        _ => column.title.to(language).to_owned(),
    }
}

pub(super) fn total(
    nth: usize,
    (at, column): (usize, &Column),
    rows: &[Vec<Value>],
    language: Language,
) -> String {
    let values = rows.iter().map(|row| &row[at]);
    match column.kind {
        _ if nth == 0 => TOTAL.to(language).to_owned(),
        Kind::Count | Kind::Difference => {
            format::value(&Value::Number(values.filter_map(number).sum()), column, language)
        }
        // Whoever is left out of a line would be missing here: the values are added, not assumed.
        Kind::Share => {
            let parts: Vec<f64> = values.filter_map(percent).collect();
            let sum = if parts.is_empty() { Value::Missing } else { Value::Percent(parts.iter().sum()) };
            format::value(&sum, column, language)
        }
        _ => String::new(),
    }
}

const fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

const fn percent(value: &Value) -> Option<f64> {
    match value {
        Value::Percent(percent) => Some(*percent),
        _ => None,
    }
}

/// One bar for each row, in eighths of a character; empty where there is no room or nothing to draw.
fn bars(answer: &Answer, extent: Range<usize>, room: usize) -> Vec<String> {
    let drawn = answer.columns().iter().position(|column| column.place == Place::Bar);
    let values = answer.rows[extent.clone()]
        .iter()
        .map(|row| drawn.and_then(|at| number(&row[at])).unwrap_or(0).max(0));
    let largest = values.clone().max().unwrap_or(0);
    if room < NARROWEST_BAR || largest == 0 {
        return vec![String::new(); extent.len()];
    }
    values.map(|value| bar(value, largest, room)).collect()
}

fn bar(value: i64, largest: i64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let (value, largest) = (i128::from(value), i128::from(largest));
    let scale = i128::try_from(room * 8).unwrap_or(0);
    let length = usize::try_from((value * scale + largest / 2) / largest).unwrap_or(0);
    // What is there must be seen.
    let length = if value > 0 { length.max(1) } else { 0 };
    format!("{}{}", "█".repeat(length / 8), EIGHTHS[length % 8])
}

/// The width and side of each column.
struct Layout {
    columns: Vec<(usize, bool)>,
}

impl Layout {
    /// Fits the columns to their cells, which come row by row; words give way where a line would be too long.
    fn new<'a>(to_the_right: &[bool], cells: impl Iterator<Item = &'a String>, most: usize) -> Self {
        let mut columns: Vec<(usize, bool)> = to_the_right.iter().map(|right| (0, *right)).collect();
        for (nth, cell) in cells.enumerate() {
            let column = &mut columns[nth % to_the_right.len()].0;
            *column = (*column).max(width(cell).min(most));
        }
        let mut layout = Self { columns };
        while layout.used() > most && layout.narrow_widest_words() {}
        layout
    }

    /// Takes a character from the widest column of words, if it has more than one.
    fn narrow_widest_words(&mut self) -> bool {
        let words = self.columns.iter_mut().filter(|(width, right)| !right && *width > 1);
        words.max_by_key(|(width, _)| *width).map(|(width, _)| *width -= 1).is_some()
    }

    /// How wide a line is. A column without a single character is left out.
    fn used(&self) -> usize {
        let widths: Vec<usize> =
            self.columns.iter().map(|(width, _)| *width).filter(|width| *width > 0).collect();
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }

    fn line(&self, cells: &[String]) -> String {
        self.line_whole(cells).trim_end().to_owned()
    }

    /// The line padded to its full width, so that bars stand below each other.
    fn line_whole(&self, cells: &[String]) -> String {
        let shown = self.columns.iter().zip(cells).filter(|((width, _), _)| *width > 0);
        let cells: Vec<String> =
            shown.map(|((width, right), cell)| padded(&shortened(cell, *width), *width, *right)).collect();
        cells.join(&" ".repeat(GAP))
    }
}

/// Every character that a report shows takes one column of a terminal.
fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, to: usize, right: bool) -> String {
    if right { format!("{text:>to$}") } else { format!("{text:<to$}") }
}

fn shortened(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    text.chars().take(to.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::questions::QUESTIONS;
    use super::*;

    #[test]
    fn a_bar_shows_even_the_least_and_fills_the_room_with_the_most() {
        assert_eq!(bar(0, 1_000_000, 10), "");
        assert_eq!(bar(1, 1_000_000, 10), "▏");
        assert_eq!(bar(500_000, 1_000_000, 10), "█████");
        assert_eq!(bar(1_000_000, 1_000_000, 10), "██████████");
    }

    #[test]
    fn long_words_give_way_to_the_width() {
        let question = QUESTIONS.iter().find(|question| question.name == "loaded_issues").unwrap();
        let text = |text: &str| Value::Text(text.into());
        let row = vec![text("cases"), text("rejected"), text(&"x".repeat(200)), Value::Number(1_234_567)];
        let lines = lines(&Answer { question, rows: vec![row] }, Language::Spanish, 80);
        assert_eq!(lines[2].chars().count(), 80);
        assert!(lines[2].ends_with("x…  1.234.567"), "{}", lines[2]);
    }

    proptest! {
        #[test]
        fn a_line_is_never_too_wide(
            counts in proptest::collection::vec((".{0,60}", 0_i64..100_000_000), 0..6),
            most in 80_usize..200,
        ) {
            for question in &QUESTIONS {
                let rows = counts.iter().map(|(word, number)| {
                    question.columns.iter().map(|column| match column.kind {
                        Kind::Text(_) => Value::Text(word.clone()),
                        Kind::Count => Value::Number(*number),
                        _ => Value::Missing,
                    }).collect()
                });
                let answer = Answer { question, rows: rows.collect() };
                for language in [Language::Spanish, Language::English] {
                    for line in lines(&answer, language, most) {
                        prop_assert!(line.chars().count() <= most, "{line}");
                    }
                }
            }
        }
    }
}
