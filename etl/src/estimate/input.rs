//! Input of the estimates: CSV files with line numbers for messages, and the numbers in them.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use common::failure::{Context as _, Failure, Result};
use epidemic::InputError;

const STANDARD_INPUT: &str = "-";

/// Returns the name of a file in messages.
fn display(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        format!("`{}`", path.display())
    }
}

/// Fails if both files are standard input, which can be read only once.
pub(super) fn ensure_one_standard_input(left: &Path, right: &Path) -> Result<()> {
    if left.as_os_str() == STANDARD_INPUT && right.as_os_str() == STANDARD_INPUT {
        return Err(Failure::usage("standard input can be only one of the files")
            .hint("give a path for the other file"));
    }
    Ok(())
}

/// A CSV file with a header.
pub(super) struct Table {
    name: String,
    header: Vec<String>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    /// The line on which the row starts, from 1.
    line: u64,
    fields: csv::StringRecord,
}

#[derive(Clone, Copy)]
pub(super) struct Column {
    index: usize,
    pub(super) name: &'static str,
}

impl Table {
    /// Reads a file or standard input, which must have a header and at least one row.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = display(path);
        let cannot_read = || format!("cannot read {name}");
        let bytes = if path.as_os_str() == STANDARD_INPUT {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(path)
        };
        let bytes = bytes
            .context(cannot_read)
            .map_err(|failure| failure.hint("give the path of a CSV file, or `-` for standard input"))?;
        let text = std::str::from_utf8(&bytes)
            .context(cannot_read)
            .map_err(|failure| failure.hint("save the file as CSV in UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().context(|| format!("cannot read the header of {name}"))?;
        let header: Vec<String> = header.iter().map(str::to_lowercase).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let fields = record.context(cannot_read)?;
            let line = fields.position().map_or(0, csv::Position::line);
            rows.push(Row { line, fields });
        }
        if rows.is_empty() {
            let failure = Failure::new(format!("{name} has no rows"));
            return Err(failure.hint("give a CSV file with a header and one row for each day"));
        }
        Ok(Self { name, header, rows })
    }

    /// Finds a column by one of its names.
    pub(super) fn find(&self, names: &[&'static str]) -> Option<Column> {
        names.iter().find_map(|&name| {
            self.header.iter().position(|column| column == name).map(|index| Column { index, name })
        })
    }

    /// Finds a column by one of its names; fails if there is none, or more than one of that name.
    pub(super) fn column(&self, names: &[&'static str]) -> Result<Column> {
        let found = self.find(names).ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let failure = Failure::new(format!("{} has no column {}", self.name, names.join(" or ")));
            if self.header.iter().any(|column| column.contains(';')) {
                failure.hint("separate the columns by commas, not by semicolons")
            } else {
                failure.hint(format!("name the columns in the first line; it has {}", self.header.join(", ")))
            }
        })?;
        if self.header.iter().filter(|column| *column == found.name).count() > 1 {
            let failure = Failure::new(format!("{} has more than one column `{}`", self.name, found.name));
            return Err(failure.hint("remove all but one of them"));
        }
        Ok(found)
    }

    /// Parses a field; `expected` describes it in the error.
    pub(super) fn parse<T>(
        &self,
        row: &Row,
        column: Column,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let name = column.name;
        match row.fields.get(column.index) {
            None | Some("") => Err(self.row_error(row, format_args!("column `{name}` is empty"))),
            Some(field) => parse(field).ok_or_else(|| {
                self.row_error(row, format_args!("column `{name}` is `{field}`, not {expected}"))
            }),
        }
    }

    /// Returns the error of a second row for the same key.
    pub(super) fn duplicate_error(&self, row: &Row, key: impl fmt::Display) -> Failure {
        self.row_error(row, format_args!("{key} occurs twice")).hint("keep one row for it")
    }

    fn row_error(&self, row: &Row, what: impl fmt::Display) -> Failure {
        Failure::new(format!("{}, line {}: {what}", self.name, row.line)).hint("correct or remove the line")
    }

    pub(super) fn error(&self, what: impl fmt::Display) -> Failure {
        Failure::new(format!("{}: {what}", self.name))
    }
}

/// Turns an error of the estimate into one of this file, or of the flag that set the parameter.
pub(super) fn estimate_error(input: &Path, error: InputError) -> Failure {
    let hint = match error {
        InputError::InvalidParameter { .. } => {
            return Failure::usage(error.to_string())
                .hint("change the flag; `--help` after the command explains each");
        }
        InputError::ProbabilityOnDayZero => "give day 0 the probability 0",
        InputError::NotADistribution { .. } => "give one probability for each day, which add up to 1",
        InputError::TooShort { .. } => "give more days, or a smaller `--window` or `--max-delay`",
        InputError::MoreDeathsThanCases { .. } => "count the deaths among these cases alone",
        _ => "correct the file",
    };
    Failure::new(format!("cannot estimate from {}", display(input))).source(error).hint(hint)
}

/// Parses two numbers of a flag, as in `2.6,1.5`.
pub(super) fn number_pair(text: &str) -> Result<(f64, f64), &'static str> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split_once(',')
        .and_then(|(left, right)| Some((number(left)?, number(right)?)))
        .ok_or("give two numbers with a comma between them, such as 2.6,1.5")
}

/// Parses a finite number from 0.
pub(super) fn amount(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// Parses a whole number from 0, also if it is written as `12.0`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number was checked to be a small whole one"
)]
pub(super) fn count(text: &str) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = || {
        amount(text).filter(|number| number.fract() == 0.0 && *number <= EXACT).map(|number| number as u64)
    };
    text.parse().ok().or_else(whole)
}
