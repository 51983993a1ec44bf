//! The binary format of PostgreSQL's COPY.
//!
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

/// The start of a binary COPY: the signature, no flags, no extension.
pub const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The end of a binary COPY.
pub const COPY_TRAILER: &[u8] = b"\xff\xff";

/// Appends a field, or NULL: a length, then the bytes.
#[inline]
pub(crate) fn value(out: &mut Vec<u8>, bytes: Option<impl AsRef<[u8]>>) {
    let Some(bytes) = bytes else { return out.extend_from_slice(&(-1_i32).to_be_bytes()) };
    let bytes = bytes.as_ref();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "a field is shorter than a block"
    )]
    out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Takes the next field off an encoded row; `None` for NULL.
#[inline]
pub(super) fn field<'a>(row: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = row.split_first_chunk()?;
    *row = rest;
    // NULL is a length of -1.
    let (field, rest) = rest.split_at_checked(usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
    *row = rest;
    Some(field)
}
