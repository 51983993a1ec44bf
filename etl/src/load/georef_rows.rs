//! The rows of a reference table, through the same reader as the line list's: the same encodings, line ends and limits.
//!
//! Names are shown to people, so a file whose text is damaged is refused as a whole: in another encoding, encoded twice, or with characters lost.

use std::io::Read;

use crate::extract::blocks::Blocks;
use crate::parse::field::Field;
use crate::parse::mojibake;
use crate::parse::record::{Record, Records, is_text};
use crate::parse::unlike::{damaged, encoded_in};
use common::failure::{Failure, Result};

/// The most rows of a reference table; the real ones have 24 and 529.
const MOST_ROWS: u64 = 100_000;

/// The most bytes of a name; the longest real one has 53.
const LONGEST_NAME: usize = 200;

/// One row, with the wanted columns.
pub(super) struct Row<'a, const N: usize> {
    /// Its line in the file, from 1.
    pub(super) line: u64,
    /// Its text.
    pub(super) raw: &'a [u8],
    /// Whether it has the right number of fields and is text. If not, the fields are empty.
    pub(super) well_formed: bool,
    fields: [Field<'a>; N],
}

impl<'a, const N: usize> Row<'a, N> {
    fn new(record: &Record<'a>, records: &Records<'_>, positions: [usize; N]) -> Self {
        let well_formed = record.well_formed && is_text(record.raw);
        let field = |at| if well_formed { records.fields().get(record.raw, at) } else { Field(b"") };
        Self { line: record.line, raw: record.raw, well_formed, fields: positions.map(field) }
    }

    /// The code in a column, with leading zeros or without.
    pub(super) fn code<T: TryFrom<u64>>(&self, column: usize) -> Option<T> {
        self.fields[column].code().and_then(|code| code.try_into().ok())
    }

    /// The name in a column, if there is one of at most 200 bytes.
    pub(super) fn name(&self, column: usize) -> Option<String> {
        self.fields[column].value()?;
        let name = self.fields[column].text();
        (name.len() <= LONGEST_NAME).then(|| String::from_utf8_lossy(&name).into_owned())
    }
}

/// Calls `each` with every row, in order. `name` is the file, for messages.
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
            let row = Row::new(&record, &records, positions);
            encoding.note(&row, name)?;
            each(&row)?;
        }
        buffer = block.into_buffer();
    }
    encoding.finish(name)
}

/// What the rows say of the file's encoding.
#[derive(Default)]
struct Encoding {
    /// The first row in another encoding.
    other: Option<Vec<u8>>,
    /// Whether another character than those of ASCII is in UTF-8.
    is_utf_8: bool,
}

impl Encoding {
    /// Looks at a row; fails if one of its fields is damaged.
    fn note<const N: usize>(&mut self, row: &Row<'_, N>, name: &str) -> Result<()> {
        if row.raw.is_ascii() {
            return Ok(());
        }
        if !row.well_formed {
            if self.other.is_none() && mojibake::code_page(row.raw).is_some() {
                self.other = Some(row.raw.to_vec());
            }
            return Ok(());
        }
        self.is_utf_8 = true;
        let texts = row.fields.iter().filter_map(|field| std::str::from_utf8(field.0).ok());
        match texts.map(|text| (text, mojibake::damage(text))).find(|(_, damage)| damage.is_some()) {
            Some((text, Some(damage))) => Err(damaged(name, text, damage)),
            _ => Ok(()),
        }
    }

    /// Fails if the file is in another encoding. If only some rows are, they are malformed, and the file is what it says.
    fn finish(self, name: &str) -> Result<()> {
        let row = self.other.filter(|_| !self.is_utf_8).unwrap_or_default();
        mojibake::code_page(&row).map_or(Ok(()), |page| Err(encoded_in(page, name, &row)))
    }
}
