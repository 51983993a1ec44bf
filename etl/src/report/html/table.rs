//! An answer as an HTML table, with a bar in each line where the question wants one.

use super::markup::{escaped, number};
use crate::report::answer::{Answer, Value};
use crate::report::format;
use crate::report::grid::Grid;
use crate::report::language::Language;
use crate::report::question::{Column, Kind, Place, Shape};
use crate::report::table::{extent, title, total};

/// The table; every line that the text has, and every column that people see.
pub(super) fn table(answer: &Answer, language: Language) -> String {
    match answer.question.shape {
        Shape::Grid { .. } => grid(answer, language),
        Shape::List => list(answer, language),
        Shape::Table | Shape::Totalled => lines(answer, language),
    }
}

fn list(answer: &Answer, language: Language) -> String {
    let facts = answer.rows.iter().flat_map(|row| answer.columns().iter().zip(row));
    let facts = facts.map(|(column, value)| {
        let (term, fact) = (column.title.to(language), format::value(value, column, language));
        format!("<div><dt>{}</dt><dd>{}</dd></div>", escaped(term), escaped(&fact))
    });
    format!("<dl>{}</dl>", facts.collect::<String>())
}

fn grid(answer: &Answer, language: Language) -> String {
    let grid = Grid::of(answer, language);
    let head: String =
        grid.titles.iter().enumerate().map(|(nth, text)| cell("th", class(nth > 0, false), text)).collect();
    let line = |cells: &Vec<String>| {
        let cells: String =
            cells.iter().enumerate().map(|(nth, text)| cell("td", class(nth > 0, false), text)).collect();
        format!("<tr>{cells}</tr>")
    };
    let body: String = grid.lines.iter().map(line).collect();
    format!("<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
}

fn lines(answer: &Answer, language: Language) -> String {
    let body: Vec<(usize, &Column)> = answer
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| matches!(column.place, Place::Body | Place::Bar))
        .collect();
    let bar = answer.columns().iter().position(|column| column.place == Place::Bar);
    let shown = &answer.rows[extent(answer)];
    let largest = bar.map(|at| shown.iter().filter_map(|row| count(&row[at])).max().unwrap_or(0));

    // A phone has no room for what comes after the bar's own number and its share.
    let class_of = |(at, column): &(usize, &Column)| {
        let share = matches!(column.kind, Kind::Share | Kind::Percent);
        class(column.kind.is_numeric(), bar.is_some_and(|bar| *at > bar + usize::from(share)))
    };
    let mut head: String =
        body.iter().map(|pair| cell("th", class_of(pair), &title(pair.1, language))).collect();
    if bar.is_some() {
        head.push_str("<th class=\"bar\"></th>");
    }
    let line = |row: &Vec<Value>| {
        let mut cells: String = body
            .iter()
            .map(|pair| cell("td", class_of(pair), &format::value(&row[pair.0], pair.1, language)))
            .collect();
        if let Some((at, largest)) = bar.zip(largest) {
            cells.push_str(&bar_cell(count(&row[at]).unwrap_or(0), largest));
        }
        format!("<tr>{cells}</tr>")
    };
    let rows: String = shown.iter().map(line).collect();
    let foot = (answer.question.shape == Shape::Totalled && answer.rows.len() > 1).then(|| {
        let cells = body
            .iter()
            .enumerate()
            .map(|(nth, pair)| cell("td", class_of(pair), &total(nth, *pair, &answer.rows, language)));
        let bar = if bar.is_some() { "<td></td>" } else { "" };
        format!("<tfoot><tr>{}{bar}</tr></tfoot>", cells.collect::<String>())
    });
    let foot = foot.unwrap_or_default();
    format!("<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{foot}</table>")
}

/// Numbers stand to the right; what is late gives way on a phone.
const fn class(numeric: bool, late: bool) -> &'static str {
    match (numeric, late) {
        (false, false) => "",
        (true, false) => " class=\"n\"",
        (false, true) => " class=\"late\"",
        (true, true) => " class=\"n late\"",
    }
}

fn cell(element: &str, class: &str, text: &str) -> String {
    format!("<{element}{class}>{}</{element}>", escaped(text))
}

/// A bar whose length is the value's part of the largest one; what is there is seen.
#[expect(clippy::cast_precision_loss, reason = "a length on the screen")]
fn bar_cell(value: i64, largest: i64) -> String {
    let part = if largest > 0 { 100.0 * value.max(0) as f64 / largest as f64 } else { 0.0 };
    let part = if value > 0 { part.max(0.5) } else { 0.0 };
    format!(
        "<td class=\"bar\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect width=\"{}\" height=\"10\"/></svg></td>",
        number(part)
    )
}

const fn count(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}
