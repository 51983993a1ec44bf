//! The formatted cells of an answer, which the text and the page lay out in their own ways.

use super::answer::{Answer, Value};
use super::format;
use super::language::Language;
use super::question::{Column, ColumnKind, Layout, Placement, RowLimit};

pub(super) struct Table {
    pub(super) columns: Vec<TableColumn>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) totals: Option<Vec<String>>,
    /// The value of each row's bar, if the question has bars.
    pub(super) bars: Option<Vec<i64>>,
}

pub(super) struct TableColumn {
    pub(super) title: String,
    pub(super) is_numeric: bool,
    /// Whether a phone has no room for it: it comes after the bar's own column and its share.
    pub(super) is_secondary: bool,
}

impl Table {
    pub(super) fn of(answer: &Answer, language: Language) -> Self {
        match answer.question.layout {
            Layout::Pivot { row, column, cell } => Self::pivot(answer, [row, column, cell], language),
            _ => Self::plain(answer, language),
        }
    }

    fn plain(answer: &Answer, language: Language) -> Self {
        let columns: Vec<(usize, &Column)> =
            answer.columns().iter().enumerate().filter(|(_, column)| column.is_in_table()).collect();
        let bar = answer.columns().iter().position(|column| column.placement == Placement::Bar);
        let visible = visible_rows(answer);
        let table_column = |&(at, column): &(usize, &Column)| TableColumn {
            title: if matches!(column.kind, ColumnKind::Flag) { "" } else { column.title.get(language) }
                .to_owned(),
            is_numeric: column.kind.is_numeric(),
            is_secondary: bar.is_some_and(|bar| {
                at > bar + usize::from(matches!(column.kind, ColumnKind::Share | ColumnKind::Percent))
            }),
        };
        let format_row = |row: &Vec<Value>| {
            columns.iter().map(|&(at, column)| format::value(&row[at], column, language)).collect()
        };
        let has_totals = answer.question.layout == Layout::TableWithTotals && answer.rows.len() > 1;
        Self {
            columns: columns.iter().map(table_column).collect(),
            rows: visible.iter().map(format_row).collect(),
            totals: has_totals.then(|| {
                let totals = columns.iter().map(|&(at, column)| total(at, column, &answer.rows, language));
                std::iter::once("Total".to_owned()).chain(totals.skip(1)).collect()
            }),
            bars: bar.map(|at| visible.iter().map(|row| row[at].as_i64().unwrap_or(0).max(0)).collect()),
        }
    }

    /// The last columns of the pivot, as many as the question's row limit; rows in the order of their first appearance.
    ///
    /// The answer has a row for each pair, sorted by column.
    fn pivot(answer: &Answer, names: [&str; 3], language: Language) -> Self {
        let [row, column, cell] = names.map(|name| answer.question.position(name).unwrap_or_default());
        let columns = answer.columns();
        let format = |value: &Value, at: usize| format::value(value, &columns[at], language);
        let keys = distinct(answer.rows.iter().map(|values| &values[row]));
        let groups: Vec<&[Vec<Value>]> =
            answer.rows.chunk_by(|values, next| values[column] == next[column]).collect();
        let hidden = match answer.question.row_limit {
            RowLimit::Last(last) => groups.len().saturating_sub(last),
            RowLimit::All | RowLimit::First(_) => 0,
        };
        let groups = &groups[hidden..];
        let titles = groups.iter().map(|group| match (&group[0][column], columns[column].kind) {
            // The whole name of a month is wider than its numbers.
            (Value::Date(month), ColumnKind::Month) => format::short_month(*month, true, language),
            (key, _) => format!("{} {}", columns[column].title.get(language), format(key, column)),
        });
        let rows = keys.iter().map(|key| {
            let cells = groups.iter().map(|group| {
                // A stored document may lack rows.
                let values = group.iter().find(|values| values[row] == **key);
                format(values.map_or(&Value::Missing, |values| &values[cell]), cell)
            });
            std::iter::once(format(key, row)).chain(cells).collect()
        });
        let rows = rows.collect();
        let titles = std::iter::once(columns[row].title.get(language).to_owned()).chain(titles);
        let columns = titles
            .enumerate()
            .map(|(nth, title)| TableColumn { title, is_numeric: nth > 0, is_secondary: false })
            .collect();
        Self { columns, rows, totals: None, bars: None }
    }
}

/// Returns each value once, in the order of first appearance.
pub(super) fn distinct<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// Formats the sum of a column that can be added up.
fn total(at: usize, column: &Column, rows: &[Vec<Value>], language: Language) -> String {
    let values = rows.iter().map(|row| &row[at]);
    match column.kind {
        ColumnKind::Count | ColumnKind::Difference => {
            let sum = values.filter_map(Value::as_i64).fold(0, i64::saturating_add);
            format::value(&Value::Number(sum), column, language)
        }
        // The shares are added instead of assumed to be 100 %, so that a missing row shows.
        ColumnKind::Share => {
            let shares: Vec<f64> = values.filter_map(Value::as_f64).collect();
            let sum = if shares.is_empty() { Value::Missing } else { Value::Percent(shares.iter().sum()) };
            format::value(&sum, column, language)
        }
        _ => String::new(),
    }
}

/// Returns the rows that the question's limit lets through.
pub(super) fn visible_rows(answer: &Answer) -> &[Vec<Value>] {
    let rows = &answer.rows;
    match answer.question.row_limit {
        RowLimit::All => rows,
        RowLimit::First(first) => &rows[..first.min(rows.len())],
        RowLimit::Last(last) => &rows[rows.len().saturating_sub(last)..],
    }
}

/// Returns titles and values of an answer with one row.
pub(super) fn properties(answer: &Answer, language: Language) -> Vec<(&'static str, String)> {
    let values = answer.rows.iter().flat_map(|row| answer.columns().iter().zip(row));
    values
        .map(|(column, value)| (column.title.get(language), format::value(value, column, language)))
        .collect()
}

/// Returns the line above a table, as in `Month: June 2022 · data until: 2022-06-04 · partial month`, if it has one.
pub(super) fn heading(answer: &Answer, language: Language) -> Option<String> {
    let columns = answer.columns().iter().zip(answer.rows.first()?);
    let parts: Vec<String> = columns
        .filter(|(column, _)| column.placement == Placement::Heading)
        .map(|(column, value)| (column, format::value(value, column, language)))
        .map(|(column, value)| match column.kind {
            ColumnKind::Flag => value,
            _ => format!("{}: {value}", column.title.get(language)),
        })
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
