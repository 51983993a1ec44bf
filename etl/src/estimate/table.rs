//! A small CSV file or standard input, read whole, with the line of each row for messages.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use common::failure::{Context as _, Failure, Result};

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// A file as messages name it.
pub(super) fn shown(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        format!("`{}`", path.display())
    }
}

/// Refuses to read standard input twice.
pub(super) fn refuse_double_input(left: &Path, right: &Path) -> Result<()> {
    if left.as_os_str() == STANDARD_INPUT && right.as_os_str() == STANDARD_INPUT {
        return Err(Failure::usage("standard input can be only one of the files")
            .hint("give a path for the other file"));
    }
    Ok(())
}

/// The rows of one file.
pub(super) struct Table {
    name: String,
    header: Vec<String>,
    rows: Vec<Row>,
}

/// One row and the line on which it starts.
pub(super) struct Row {
    line: u64,
    fields: csv::StringRecord,
}

/// A column that the file has.
#[derive(Clone, Copy)]
pub(super) struct Column {
    index: usize,
    name: &'static str,
}

impl Column {
    /// The name by which it was found.
    pub(super) fn name(self) -> &'static str {
        self.name
    }
}

impl Table {
    /// Reads a file with a header and at least one row.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = shown(path);
        let mut bytes = Vec::new();
        let read = if path.as_os_str() == STANDARD_INPUT {
            std::io::stdin().lock().read_to_end(&mut bytes)
        } else {
            std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
        };
        read.context(|| format!("cannot read {name}"))
            .map_err(|failure| failure.hint("give the path of a CSV file, or `-` for standard input"))?;
        let text = std::str::from_utf8(&bytes)
            .context(|| format!("cannot read {name}"))
            .map_err(|failure| failure.hint("save the file as CSV in UTF-8"))?;
        Self::parse(name, text.trim_start_matches('\u{feff}'))
    }

    fn parse(name: String, text: &str) -> Result<Self> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().context(|| format!("cannot read the header of {name}"))?;
        let header: Vec<String> = header.iter().map(str::to_lowercase).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let fields = record.context(|| format!("cannot read {name}"))?;
            let line = fields.position().map_or(0, csv::Position::line);
            rows.push(Row { line, fields });
        }
        if rows.is_empty() {
            let failure = Failure::new(format!("{name} has no rows"));
            return Err(failure.hint("give a CSV file with a header and one row for each day"));
        }
        Ok(Self { name, header, rows })
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Finds a column by one of its names.
    pub(super) fn find(&self, names: &[&'static str]) -> Option<Column> {
        names.iter().find_map(|&name| {
            self.header.iter().position(|column| column == name).map(|index| Column { index, name })
        })
    }

    /// Finds a column by one of its names, or says which are missing.
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

    /// The text of a field.
    pub(super) fn field<'a>(&self, row: &'a Row, column: Column) -> Result<&'a str> {
        match row.fields.get(column.index) {
            Some(field) if !field.is_empty() => Ok(field),
            _ => Err(self.bad_row(row, format_args!("column `{}` is empty", column.name))),
        }
    }

    /// A field, parsed; `wanted` says what it must be.
    pub(super) fn value<T>(
        &self,
        row: &Row,
        column: Column,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let field = self.field(row, column)?;
        parse(field).ok_or_else(|| {
            self.bad_row(row, format_args!("column `{}` is `{field}`, not {wanted}", column.name))
        })
    }

    /// A failure about one row.
    pub(super) fn bad_row(&self, row: &Row, what: impl fmt::Display) -> Failure {
        Failure::new(format!("{}, line {}: {what}", self.name, row.line)).hint("correct or remove the line")
    }

    /// A failure about all rows.
    pub(super) fn bad_file(&self, what: impl fmt::Display) -> Failure {
        Failure::new(format!("{}: {what}", self.name))
    }
}

/// Parses a finite number from 0.
pub(super) fn amount(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// Parses a whole number from 0; `12.0` is one, too.
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
