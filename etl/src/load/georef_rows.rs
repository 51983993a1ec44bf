//! The rows of a reference table, by the reader of the line list: with the same encodings, line ends and limits.
//!
//! Names are shown to people, so a file with damaged text is refused as a whole: in another encoding, encoded twice, or with characters lost.

use std::io::Read;

use crate::extract::blocks::Blocks;
use crate::parse::field::Field;
use crate::parse::mojibake;
use crate::parse::record::{Record, Records, is_text};
use crate::parse::unlike::{damaged, encoded_in};
use common::failure::{Failure, Result};

/// The published tables have 24 and 529.
const MOST_ROWS: u64 = 100_000;

/// In bytes; the longest published name has 53.
const LONGEST_NAME: usize = 200;

/// A row, with the wanted columns.
pub(super) struct Row<'a, const N: usize> {
    /// Well-formed if it is also text; if not, the fields are empty.
    pub(super) record: Record<'a>,
    fields: [Field<'a>; N],
}

impl<'a, const N: usize> Row<'a, N> {
    fn new(mut record: Record<'a>, records: &Records<'_>, positions: [usize; N]) -> Self {
        record.well_formed &= is_text(record.raw);
        let field = |at| if record.well_formed { records.fields().get(record.raw, at) } else { Field(b"") };
        Self { record, fields: positions.map(field) }
    }

    /// Returns the code in a column.
    pub(super) fn code<T: TryFrom<u64>>(&self, column: usize) -> Option<T> {
        self.fields[column].code().and_then(|code| code.try_into().ok())
    }

    /// Returns the name in a column, if there is one of at most 200 bytes.
    pub(super) fn name(&self, column: usize) -> Option<String> {
        self.fields[column].value()?;
        let name = self.fields[column].text();
        (name.len() <= LONGEST_NAME).then(|| String::from_utf8_lossy(&name).into_owned())
    }
}

/// Calls `each` with every row. `name` is the file, for messages.
pub(super) fn for_each<const N: usize>(
    text: &mut dyn Read,
    name: &str,
    wanted: [&str; N],
    mut each: impl FnMut(&Row<'_, N>) -> Result<()>,
) -> Result<()> {
    let (header, mut blocks) = Blocks::open(text, name)?;
    let positions = header.positions(wanted, name)?;
    let (mut encoding, mut rows, mut buffer) = (Encoding::default(), 0, Vec::new());
    while let Some(block) = blocks.next(buffer)? {
        let mut records = Records::new(block.text(), block.first_line, header.columns());
        while let Some(record) = records.next() {
            rows += 1;
            if rows > MOST_ROWS {
                return Err(Failure::new(format!("`{name}` has more than {MOST_ROWS} rows"))
                    .hint("this is no table of provinces or departments: check what was put there"));
            }
            let row = Row::new(record, &records, positions);
            encoding.note(&row, name)?;
            each(&row)?;
        }
        buffer = block.into_buffer();
    }
    encoding.finish(name)
}

/// The encoding of a file, judged by its rows.
#[derive(Default)]
struct Encoding {
    /// The first row in another encoding.
    other: Option<Vec<u8>>,
    /// Whether a row has UTF-8 other than ASCII.
    is_utf_8: bool,
}

impl Encoding {
    /// Records the encoding of a row; fails if one of its fields is damaged.
    fn note<const N: usize>(&mut self, row: &Row<'_, N>, name: &str) -> Result<()> {
        let Record { raw, well_formed, .. } = row.record;
        if raw.is_ascii() {
            return Ok(());
        }
        if !well_formed {
            if self.other.is_none() && mojibake::code_page(raw).is_some() {
                self.other = Some(raw.to_vec());
            }
            return Ok(());
        }
        self.is_utf_8 = true;
        let mut texts = row.fields.iter().filter_map(|field| std::str::from_utf8(field.0).ok());
        match texts.find_map(|text| Some((text, mojibake::damage(text)?))) {
            Some((text, damage)) => Err(damaged(name, text, damage)),
            None => Ok(()),
        }
    }

    /// Fails if the file is in another encoding. If only some rows are, they alone are malformed.
    fn finish(self, name: &str) -> Result<()> {
        let row = self.other.filter(|_| !self.is_utf_8).unwrap_or_default();
        mojibake::code_page(&row).map_or(Ok(()), |page| Err(encoded_in(page, name, &row)))
    }
}
