//! The dataset's date: `ultima_actualizacion` of the first row that has one. Every rule on dates needs it before the first row.
//!
//! In the ministry's files the first row has it. If it does not, the file is read as far as needed and then read again from the start,
//! so that memory stays bounded. A file whose first rows all write their dates in another format is refused here, with the value.

use std::sync::Arc;

use crate::background::in_background;
use crate::clean::columns::Columns;
use crate::extract::blocks::Blocks;
use crate::extract::{self, Source};
use crate::parse::date::{self, Day};
use crate::parse::field::Field;
use crate::parse::record::{Records, is_text};
use crate::store::Store;
use common::failure::{Failure, Result};

/// Finds the columns and the date.
pub async fn find(store: &Store, cases: &Source) -> Result<(Columns, Day)> {
    let (store, cases) = (store.clone(), cases.clone());
    in_background(move |runtime| {
        extract::with_text(&store, &cases, runtime, &Arc::default(), |text| {
            let (header, blocks) = Blocks::open(text, &cases.url)?;
            let columns = Columns::find(&header, &cases.url)?;
            Ok((columns, first_date(blocks, columns, &cases.url)?))
        })
    })
    .await
}

fn first_date(mut blocks: Blocks<'_>, columns: Columns, name: &str) -> Result<Day> {
    let (mut updated, mut registered) =
        (DateColumn::new("ultima_actualizacion"), DateColumn::new("fecha_apertura"));
    let mut buffer = Vec::new();
    while let Some(block) = blocks.next(buffer)? {
        let mut records = Records::new(block.text(), block.first_line, columns.count);
        while let Some(record) = records.next() {
            if record.well_formed && is_text(record.raw) {
                let field = |column| records.fields().get(record.raw, column);
                updated.look(record.line, field(columns.updated_on));
                registered.look(record.line, field(columns.registered_on));
            }
        }
        // The rows of one block are enough to know a format; a date that is missing there may come later.
        registered.refuse_other_format(name)?;
        if let Some(date) = updated.first {
            return Ok(date);
        }
        buffer = block.into_buffer();
    }
    updated.refuse_other_format(name)?;
    Err(Failure::new(format!("no row of `{name}` has a date in `ultima_actualizacion`"))
        .hint("the file has no rows, or is not the ministry's line list: download it again"))
}

/// What the rows so far have in a column of dates.
struct DateColumn {
    name: &'static str,
    /// The first date.
    first: Option<Day>,
    /// The first value that is a date in another format: its line, the value, the format.
    other: Option<(u64, String, &'static str)>,
}

impl DateColumn {
    const fn new(name: &'static str) -> Self {
        Self { name, first: None, other: None }
    }

    fn look(&mut self, line: u64, field: Field<'_>) {
        if self.first.is_some() {
            return;
        }
        self.first = field.day();
        if self.first.is_none() && self.other.is_none() {
            let text = String::from_utf8_lossy(field.trimmed());
            self.other = date::other_format(&text).map(|format| (line, text.into_owned(), format));
        }
    }

    /// Fails if there is no date but in another format.
    fn refuse_other_format(&self, name: &str) -> Result<()> {
        match &self.other {
            Some((line, value, format)) if self.first.is_none() => Err(Failure::new(format!(
                "no row of `{name}` has a date in `{}` that is written YYYY-MM-DD: line {line} has `{value}`, which is {format}",
                self.name
            ))
            .hint("write the dates as the ministry does, such as 2022-06-05, or download the original again")),
            _ => Ok(()),
        }
    }
}
