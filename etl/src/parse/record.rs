//! Splits a block of whole lines into records, without copying.
//!
//! If a line ends inside a quoted field, the record continues up to the line that closes the quote. If none of the next lines does, or
//! one of them is a whole record by itself, the line alone is malformed and reading continues with the next.

use memchr::memchr;

use super::fields::{Broken, Fields};

/// The most lines of a record. The ministry's never span two; this bounds the cost of broken quoting.
pub const MOST_LINES: usize = 8;

/// A row of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its first line in the file, from 1.
    pub line: u64,
    /// The text without its line end.
    pub raw: &'a [u8],
    /// Whether it has the right number of fields; if not, [`Records::fields`] is unspecified.
    pub well_formed: bool,
}

/// The records of a block of whole lines.
pub struct Records<'a> {
    rest: &'a [u8],
    next_line: u64,
    columns: usize,
    fields: Fields,
}

impl<'a> Records<'a> {
    /// Returns the records of `block`, whose first line is `first_line` in the file and whose records have `columns` fields.
    pub fn new(block: &'a [u8], first_line: u64, columns: usize) -> Self {
        Self { rest: block, next_line: first_line, columns, fields: Fields::new(columns) }
    }

    /// Returns the fields of the record that [`Self::next`] returned last.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Returns the next record; skips empty lines.
    #[expect(clippy::should_implement_trait, reason = "`fields` borrows the state of the last call")]
    pub fn next(&mut self) -> Option<Record<'a>> {
        while !self.rest.is_empty() {
            let line = self.next_line;
            let (mut raw, mut after) = first_line(self.rest);
            if raw.is_empty() {
                self.advance(after, 1);
                continue;
            }
            let (mut lines, mut split) = (1, self.fields.split(raw));
            if split == Err(Broken::Open)
                && let Some(joined) = self.joined()
            {
                // Well quoted, it is one record, even with too many fields or too few.
                (raw, after, lines) = joined;
                split = Ok(());
            }
            self.advance(after, lines);
            return Some(Record {
                line,
                raw,
                well_formed: split.is_ok() && self.fields.count() == self.columns,
            });
        }
        None
    }

    fn advance(&mut self, after: usize, lines: u64) {
        self.rest = &self.rest[after..];
        self.next_line += lines;
    }

    /// Returns the well-quoted record that the first lines form together, if they do: its text, its length with line ends, and its lines.
    fn joined(&mut self) -> Option<(&'a [u8], usize, u64)> {
        let mut end = first_line(self.rest).1;
        for lines in 2..=MOST_LINES as u64 {
            if end >= self.rest.len() {
                return None;
            }
            let (last, after) = first_line(&self.rest[end..]);
            // A line that is a whole record by itself is not part of a broken one.
            if self.fields.split(last).is_ok() && self.fields.count() == self.columns {
                return None;
            }
            let raw = &self.rest[..end + last.len()];
            end += after;
            match self.fields.split(raw) {
                Ok(()) => return Some((raw, end, lines)),
                Err(Broken::Quote) => return None,
                Err(Broken::Open) => {}
            }
        }
        None
    }
}

/// Returns the first line without its end (LF or CRLF), and its length with the end.
#[inline]
fn first_line(text: &[u8]) -> (&[u8], usize) {
    let (line, after) = match memchr(b'\n', text) {
        Some(end) => (&text[..end], end + 1),
        None => (text, text.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), after)
}

/// Returns whether the bytes are UTF-8 without NUL, which PostgreSQL's `text` cannot hold.
pub fn is_text(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok() && memchr(0, bytes).is_none()
}

/// Returns the length at which a text that begins with a record can be cut between two records: after the last line that is a whole record
/// by itself. Without such a line among the last few, reads records from the start, as long as no following text can change them; `None` if
/// there is none.
pub fn cut(text: &[u8], columns: usize) -> Option<usize> {
    let last = memchr::memrchr(b'\n', text)? + 1;
    let mut fields = Fields::new(columns);
    let mut end = last;
    for _ in 0..4 * MOST_LINES {
        let start = memchr::memrchr(b'\n', &text[..end - 1]).map_or(0, |before| before + 1);
        let (line, _) = first_line(&text[start..end]);
        if fields.split(line).is_ok() && fields.count() == columns {
            return Some(end);
        }
        if start == 0 {
            break;
        }
        end = start;
    }
    last_certain_end(&text[..last], columns)
}

/// Returns the end of the last record that is followed by [`MOST_LINES`] lines, so that no following text can change it.
fn last_certain_end(lines: &[u8], columns: usize) -> Option<usize> {
    let count = memchr::memchr_iter(b'\n', lines).count() as u64;
    let mut records = Records::new(lines, 1, columns);
    let mut end = None;
    loop {
        match records.next() {
            None => return Some(lines.len()),
            Some(record) if record.line + MOST_LINES as u64 > count + 1 => return end,
            Some(_) => end = Some(lines.len() - records.rest.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, columns: usize) -> Vec<(u64, String, Option<Vec<String>>)> {
        let mut records = Records::new(text.as_bytes(), 1, columns);
        let mut all = Vec::new();
        while let Some(record) = records.next() {
            let fields = record.well_formed.then(|| {
                (0..records.fields().count())
                    .map(|index| {
                        String::from_utf8_lossy(records.fields().get(record.raw, index).0).into_owned()
                    })
                    .collect()
            });
            all.push((record.line, String::from_utf8_lossy(record.raw).into_owned(), fields));
        }
        all
    }

    fn good(line: u64, raw: &str, fields: &[&str]) -> (u64, String, Option<Vec<String>>) {
        (line, raw.into(), Some(fields.iter().map(|field| (*field).to_owned()).collect()))
    }

    fn bad(line: u64, raw: &str) -> (u64, String, Option<Vec<String>>) {
        (line, raw.into(), None)
    }

    #[test]
    fn quoted_bare_and_missing_fields() {
        let text = "\"1\",,\"a,b\"\r\n2,\"\",x y\n\n\"3\",\"say \"\"hi\"\"\",";
        assert_eq!(
            read(text, 3),
            [
                good(1, "\"1\",,\"a,b\"", &["1", "", "a,b"]),
                good(2, "2,\"\",x y", &["2", "", "x y"]),
                good(4, "\"3\",\"say \"\"hi\"\"\",", &["3", "say \"\"hi\"\"", ""]),
            ]
        );
    }

    #[test]
    fn malformed_row_leaves_its_neighbours_intact() {
        let text = "\"1\",\"a\"\n\"2,\"b\"\n\"3\",\"c\n\"4\",\"d\"\n5,e\"e\n6\n7,f,g\n8,h\n";
        assert_eq!(
            read(text, 2),
            [
                good(1, "\"1\",\"a\"", &["1", "a"]),
                bad(2, "\"2,\"b\""),
                bad(3, "\"3\",\"c"),
                good(4, "\"4\",\"d\"", &["4", "d"]),
                bad(5, "5,e\"e"),
                bad(6, "6"),
                bad(7, "7,f,g"),
                good(8, "8,h", &["8", "h"]),
            ]
        );
    }

    #[test]
    fn quoted_field_may_contain_a_line_break() {
        let text = "1,\"two\nlines\"\n2,b\n";
        assert_eq!(
            read(text, 2),
            [good(1, "1,\"two\nlines\"", &["1", "two\nlines"]), good(3, "2,b", &["2", "b"])]
        );
    }

    #[test]
    fn well_quoted_record_is_one_record_with_any_number_of_fields() {
        let text = "1,\"two\nlines\",more\n2,b\n\"one\n\nfield\"\n3,c\n";
        let expected = [
            bad(1, "1,\"two\nlines\",more"),
            good(3, "2,b", &["2", "b"]),
            bad(4, "\"one\n\nfield\""),
            good(7, "3,c", &["3", "c"]),
        ];
        assert_eq!(read(text, 2), expected);
    }

    #[test]
    fn missing_final_newline_keeps_the_last_row() {
        assert_eq!(read("1,a\n2,b", 2).len(), 2);
        assert_eq!(read("\n\r\n\n", 2), []);
    }

    #[test]
    fn block_boundary_never_splits_a_record() {
        assert_eq!(cut(b"1,a\n2,b\n3,", 2), Some(8));
        assert_eq!(cut(b"1,a\n2,\"b\n", 2), Some(4));
        assert_eq!(cut(b"no end", 2), None);
        assert_eq!(cut(b"x\ny\n", 2), None, "what follows may still belong to it");
        assert_eq!(cut(b"\n\r\n", 2), Some(3));
        let spanning = b"1,\"a\nb\"\n".repeat(50);
        assert_eq!(cut(&spanning, 2), Some(spanning.len() - 3 * 8));
    }

    proptest! {
        #[test]
        fn blocks_do_not_matter(lines in prop::collection::vec("[\",ab\r]{0,6}", 0..40), size in 1_usize..60) {
            let text = lines.join("\n");
            let whole = read(&text, 2);
            let mut pieces = Vec::new();
            let (mut start, mut line) = (0, 1);
            while start < text.len() {
                let mut take = size.min(text.len() - start);
                let end = loop {
                    if start + take >= text.len() {
                        break text.len();
                    }
                    // As the reader does: a block without a cut grows.
                    match cut(&text.as_bytes()[start..start + take], 2) {
                        Some(cut) => break start + cut,
                        None => take += 1,
                    }
                };
                for (at, raw, fields) in read(&text[start..end], 2) {
                    pieces.push((at + line - 1, raw, fields));
                }
                line += memchr::memchr_iter(b'\n', &text.as_bytes()[start..end]).count() as u64;
                start = end;
            }
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn reads_what_a_csv_writer_writes(rows in prop::collection::vec(prop::collection::vec("[a-z\", ñ]{0,5}", 3), 1..20)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let back: Vec<_> = read(&text, 3).into_iter().map(|(_, _, fields)| fields.unwrap()).collect();
            let escaped: Vec<Vec<_>> =
                rows.iter().map(|row| row.iter().map(|field| field.replace('"', "\"\"")).collect()).collect();
            prop_assert_eq!(back, escaped);
        }
    }
}
