//! The date of the dataset: `ultima_actualizacion` of the first row that has one. The rules on dates need it before the first row.
//!
//! If the first rows have none, the file is read as far as needed and then again from the start, so that memory stays bounded. A file with
//! dates in another format is refused.

use std::io::Read;

use crate::clean::columns::{Columns, CsvColumn};
use crate::extract::blocks::Blocks;
use crate::extract::{self, Source};
use crate::parse::date::{self, Day};
use crate::parse::field::Field;
use crate::parse::record::{Records, is_text};
use crate::store::Store;
use common::failure::{Failure, Result};

/// Returns the columns and the date.
pub async fn find(store: &Store, cases: &Source) -> Result<(Columns, Day)> {
    let name = cases.url.clone();
    let read = move |text: &mut dyn Read| {
        let (header, blocks) = Blocks::open(text, &name)?;
        let columns = Columns::find(&header, &name)?;
        Ok((columns, first_date(blocks, columns, &name)?))
    };
    extract::read_text(store, cases, read).await
}

fn first_date(mut blocks: Blocks<'_>, columns: Columns, name: &str) -> Result<Day> {
    let [mut updated, mut registered] = [CsvColumn::UpdatedOn, CsvColumn::RegisteredOn]
        .map(|column| DateColumn { column, first: None, other: None });
    let mut buffer = Vec::new();
    while let Some(block) = blocks.next(buffer)? {
        let mut records = Records::new(block.text(), block.first_line, columns.count);
        while let Some(record) = records.next() {
            if record.well_formed && is_text(record.raw) {
                for column in [&mut updated, &mut registered] {
                    let field = records.fields().get(record.raw, columns.position(column.column));
                    column.look(record.line, field);
                }
            }
        }
        // One block is enough to recognize a format; a missing date may come later.
        registered.refuse_other_format(name)?;
        if let Some(date) = updated.first {
            return Ok(date);
        }
        buffer = block.into_buffer();
    }
    updated.refuse_other_format(name)?;
    Err(Failure::new(format!("`{name}` has no date in `ultima_actualizacion`"))
        .hint("the file is empty or not the line list; download it again"))
}

struct DateColumn {
    column: CsvColumn,
    first: Option<Day>,
    /// Line, value and format of the first date in another format.
    other: Option<(u64, String, &'static str)>,
}

impl DateColumn {
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

    /// Returns an error if all dates are in another format.
    fn refuse_other_format(&self, name: &str) -> Result<()> {
        match &self.other {
            Some((line, value, format)) if self.first.is_none() => {
                let column = self.column.name();
                let what = format!(
                    "`{name}` has no date in `{column}` in the format YYYY-MM-DD: line {line} has `{value}`, which is {format}"
                );
                Err(Failure::new(what)
                    .hint("convert the dates to the format 2022-06-05, or download the original again"))
            }
            _ => Ok(()),
        }
    }
}
