//! The parts of PostgreSQL's binary COPY: what every table's rows are written with, and read back.
//!
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

/// What a binary COPY begins with: the signature, no flags, no extension.
pub const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What a binary COPY ends with.
pub const COPY_TRAILER: &[u8] = b"\xff\xff";

/// A field of fixed size, or NULL: a length, then the bytes.
#[inline]
pub(crate) fn value<const N: usize>(out: &mut Vec<u8>, bytes: Option<[u8; N]>) {
    match bytes {
        Some(bytes) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "at most 16")]
            out.extend_from_slice(&(N as i32).to_be_bytes());
            out.extend_from_slice(&bytes);
        }
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}

/// A text, or NULL.
#[inline]
pub(crate) fn text(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "a field is shorter than a block"
            )]
            out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}

/// The next field of an encoded row, which is taken off `row`; `None` for NULL.
#[inline]
pub(super) fn field<'a>(row: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = row.split_first_chunk()?;
    *row = rest;
    // NULL is a length of -1.
    let (field, rest) = rest.split_at_checked(usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
    *row = rest;
    Some(field)
}
