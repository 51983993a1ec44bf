//! An answer of many lines as a grid: a line for each value of one column, a cell for each value of another.
//!
//! It puts values into words and leaves the drawing to the views.

use super::answer::{Answer, Value};
use super::format;
use super::language::Language;
use super::question::{Extent, Shape};

/// The words of a grid.
pub(super) struct Grid {
    /// Above the lines; the first one is that of their names.
    pub(super) titles: Vec<String>,
    /// Each with its name first.
    pub(super) lines: Vec<Vec<String>>,
}

impl Grid {
    /// The last values across, as many as the question's extent says. Lines keep the order in which they come first.
    pub(super) fn of(answer: &Answer, language: Language) -> Self {
        let Shape::Grid { line, across, cell } = answer.question.shape else {
            return Self { titles: Vec::new(), lines: Vec::new() };
        };
        let columns = answer.columns();
        let at = |name| answer.question.position(name).unwrap_or_default();
        let (line, across, cell) = (at(line), at(across), at(cell));
        let across_title = columns[across].title.to(language);

        let mut shown: Vec<&Value> = Vec::new();
        let mut names: Vec<&Value> = Vec::new();
        for row in &answer.rows {
            // One value across never comes twice in a row of the same line, so a repetition is the same column.
            if shown.last() != Some(&&row[across]) {
                shown.push(&row[across]);
            }
            if !names.contains(&&row[line]) {
                names.push(&row[line]);
            }
        }
        let per_group = names.len();
        let groups = shown.len();
        let last = match answer.question.extent {
            Extent::Last(last) => last.min(groups),
            Extent::Whole | Extent::First(_) => groups,
        };
        let word = |value: &Value, at: usize| format::value(value, &columns[at], language);
        let titles = std::iter::once(columns[line].title.to(language).to_owned())
            .chain(
                shown[groups - last..].iter().map(|value| format!("{across_title} {}", word(value, across))),
            )
            .collect();
        let first = (groups - last) * per_group;
        let lines = names
            .iter()
            .enumerate()
            .map(|(nth, name)| {
                let cells = answer.rows[first..].chunks(per_group.max(1)).filter_map(|group| group.get(nth));
                std::iter::once(word(name, line)).chain(cells.map(|row| word(&row[cell], cell))).collect()
            })
            .collect();
        Self { titles, lines }
    }
}
