//! The model's reader: splits a text into rows, character by character.
//!
//! A quoted field may contain line breaks, within eight lines; a line that is a row by itself never belongs to the one before it. A
//! line with broken quoting is malformed by itself; a row whose quotes are all closed is one row, even with too many fields or too few.

/// The most lines of a row.
const MOST_LINES: usize = 8;

/// A row of the file.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its first line in the file, from 1.
    pub(crate) line: i64,
    /// The text without its line end.
    pub(crate) raw: Vec<u8>,
    /// The fields, if the row is well-formed.
    pub(crate) fields: Option<Vec<String>>,
}

/// Returns every row of a text in UTF-8, the header first, without empty lines.
pub(crate) fn rows(text: &[u8]) -> Vec<Row> {
    let mut starts = vec![0];
    starts.extend(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1));
    starts.push(text.len() + 1);
    // From the start of line `first` to the end of line `last`, without the last line's end.
    let lines = |first: usize, last: usize| {
        let whole = &text[starts[first]..(starts[last + 1] - 1).max(starts[first])];
        whole.strip_suffix(b"\r").unwrap_or(whole)
    };

    let (mut rows, mut columns, mut at) = (Vec::new(), None, 0);
    let count = starts.len() - 1;
    while at < count {
        let mut row = Row { line: i64::try_from(at).unwrap() + 1, raw: lines(at, at).to_vec(), fields: None };
        if row.raw.is_empty() {
            at += 1;
            continue;
        }
        let mut last = at;
        match split(lines(at, at)) {
            Split::Fields(fields) => row.fields = Some(fields),
            Split::Broken => {}
            Split::Open => {
                if let Some((next, fields)) = joined(at, count, columns, lines) {
                    row.raw = lines(at, next).to_vec();
                    row.fields = Some(fields);
                    last = next;
                }
            }
        }
        columns = columns.or(row.fields.as_ref().map(Vec::len));
        let valid = std::str::from_utf8(&row.raw).is_ok() && !row.raw.contains(&0);
        row.fields = row.fields.filter(|fields| valid && Some(fields.len()) == columns);
        rows.push(row);
        at = last + 1;
    }
    rows
}

/// Returns the last line and the fields of the row that begins with line `at` and continues after it, if there is one.
fn joined<'a>(
    at: usize,
    count: usize,
    columns: Option<usize>,
    lines: impl Fn(usize, usize) -> &'a [u8],
) -> Option<(usize, Vec<String>)> {
    for next in at + 1..(at + MOST_LINES).min(count) {
        if matches!(split(lines(next, next)), Split::Fields(fields) if Some(fields.len()) == columns) {
            return None;
        }
        match split(lines(at, next)) {
            Split::Open => {}
            Split::Broken => return None,
            Split::Fields(fields) => return Some((next, fields)),
        }
    }
    None
}

enum Split {
    Fields(Vec<String>),
    /// It ends inside a quoted field.
    Open,
    /// It has a quote in the wrong place.
    Broken,
}

fn split(line: &[u8]) -> Split {
    let (mut fields, mut field) = (Vec::new(), Vec::new());
    let (mut quoted, mut closed) = (false, false);
    for byte in line {
        match byte {
            b'"' if quoted => (quoted, closed) = (false, true),
            // A quote right behind a closing one: it was a doubled one.
            b'"' if closed => {
                field.push(b'"');
                (quoted, closed) = (true, false);
            }
            b'"' if field.is_empty() => quoted = true,
            b',' if !quoted => {
                fields.push(String::from_utf8_lossy(&std::mem::take(&mut field)).into_owned());
                closed = false;
            }
            _ if closed || (*byte == b'"' && !quoted) => return Split::Broken,
            _ => field.push(*byte),
        }
    }
    if quoted {
        return Split::Open;
    }
    fields.push(String::from_utf8_lossy(&field).into_owned());
    Split::Fields(fields)
}
