//! The dataset's date: `ultima_actualizacion` of the first row that has one. Every rule on dates needs it before the first row.
//!
//! In the ministry's files the first row has it. Where it is not so, the file is read as far as needed and then read again from the start,
//! so that memory stays bounded.

use std::sync::Arc;

use crate::background::in_background;
use crate::clean::columns::Columns;
use crate::extract::blocks::Blocks;
use crate::extract::{self, Source};
use crate::failure::{Failure, Result};
use crate::parse::date::Day;
use crate::parse::record::{Records, is_text};
use crate::store::Store;

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
    let mut buffer = Vec::new();
    while let Some(block) = blocks.next(buffer)? {
        let mut records = Records::new(block.text(), block.first_line, columns.count);
        while let Some(record) = records.next() {
            if record.well_formed
                && is_text(record.raw)
                && let Some(date) = records.fields().get(record.raw, columns.updated_on).day()
            {
                return Ok(date);
            }
        }
        buffer = block.into_buffer();
    }
    Err(Failure::new(format!("no row of `{name}` has a date in `ultima_actualizacion`"))
        .hint("the file has no rows, or is not the ministry's line list: download it again"))
}
