//! Reading and seeking in pieces, and the error of a read.

use std::io::{self, Read, SeekFrom};

use common::failure::Failure;

/// Returns the failure of a read error after a line.
pub(super) fn unreadable_at(name: &str, line: u64, error: io::Error) -> Failure {
    Failure::new(format!("cannot read `{name}` after line {line}"))
        .source(error)
        .hint("the file is damaged, or its store is unavailable: download it again, or run again")
}

/// Returns the position after a seek in a file of `size` bytes.
pub(crate) fn position_after(to: SeekFrom, position: u64, size: u64) -> io::Result<u64> {
    let position = match to {
        SeekFrom::Start(position) => Some(position),
        SeekFrom::End(offset) => size.checked_add_signed(offset),
        SeekFrom::Current(offset) => position.checked_add_signed(offset),
    };
    position.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start of the file"))
}

/// Reads until the buffer is full or the file ends.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
