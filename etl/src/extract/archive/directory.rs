//! The central directory of a zip archive, streamed one entry at a time.
//!
//! Format: PKWARE's APPNOTE, <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, sections 4.3.12 to 4.3.16 and 4.5.3. The directory
//! is found from the archive's end, with or without Zip64 records, a comment, or other bytes before the archive.

use std::io::{self, BufRead, Read as _, Seek, SeekFrom};

use super::member::Member;
use super::record::{damaged, record_at, u16_at, u32_at, u64_at};

/// The end record without its comment, and the longest comment.
const END: usize = 22;
const LONGEST_COMMENT: usize = 0xFFFF;

/// The Zip64 locator, directly before the end record, and the fixed part of the Zip64 end record.
const LOCATOR: usize = 20;
const ZIP64_END: usize = 56;

/// The fixed part of an entry.
const ENTRY: usize = 46;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) struct Directory {
    /// Offset in the file.
    pub(in crate::extract) start: u64,
    /// In bytes.
    size: u64,
    /// Bytes in the file before the archive, which its offsets do not include.
    prefix: u64,
}

impl Directory {
    /// Finds the directory of an archive of `length` bytes; `None` if the file has no end record: it is not an archive, or is truncated.
    pub(in crate::extract) fn find(
        file: &mut (impl BufRead + Seek),
        length: u64,
    ) -> io::Result<Option<Self>> {
        let tail_at = length.saturating_sub((END + LONGEST_COMMENT + LOCATOR) as u64);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(tail_at))?;
        file.take(length - tail_at).read_to_end(&mut tail)?;
        // A comment may contain the signature: of several end records the last one that leads to a directory counts.
        let (mut ends, mut any) = (memchr::memmem::rfind_iter(&tail, b"PK\x05\x06"), false);
        let found = ends.find_map(|at| {
            let end = tail.get(at..at + END)?;
            (at + END + usize::from(u16_at(end, 20)) <= tail.len()).then_some(())?;
            any = true;
            let locator = at.checked_sub(LOCATOR).map(|before| &tail[before..at]);
            Self::behind(file, end, locator, tail_at + at as u64).transpose()
        });
        match found {
            None if any => Err(damaged("its directory is not where its end says")),
            found => found.transpose(),
        }
    }

    /// Follows an end record at `end_at`, with the bytes before it, to the directory; `None` if there is none.
    fn behind(
        file: &mut (impl BufRead + Seek),
        end: &[u8],
        locator: Option<&[u8]>,
        end_at: u64,
    ) -> io::Result<Option<Self>> {
        let locator = locator.filter(|locator| locator.starts_with(b"PK\x06\x07"));
        let (size, offset, directory_end, disk) = if let Some(locator) = locator {
            let (noted, before) = (u64_at(locator, 8), end_at.saturating_sub((LOCATOR + ZIP64_END) as u64));
            // If other bytes precede the archive, the record is not where the locator says.
            let record = match record_at::<ZIP64_END>(file, noted, b"PK\x06\x06")? {
                Some(record) => Some((record, noted)),
                None => record_at(file, before, b"PK\x06\x06")?.map(|record| (record, before)),
            };
            let Some((record, at)) = record else { return Ok(None) };
            (u64_at(&record, 40), u64_at(&record, 48), at, u32_at(&record, 16))
        } else {
            (u32_at(end, 12).into(), u32_at(end, 16).into(), end_at, u16_at(end, 4).into())
        };
        if disk != 0 {
            return Err(damaged("it is one part of an archive in several parts"));
        }
        let before_end = directory_end.checked_sub(size);
        for start in before_end.into_iter().chain([offset]) {
            let prefix = start.checked_sub(offset);
            let is_there = size == 0 || record_at::<4>(file, start, b"PK\x01\x02")?.is_some();
            if let (true, Some(prefix)) = (is_there, prefix) {
                return Ok(Some(Self { start, size, prefix }));
            }
        }
        Ok(None)
    }

    /// Calls `each` with every member, in order.
    pub(in crate::extract) fn for_each(
        &self,
        file: &mut (impl BufRead + Seek),
        mut each: impl FnMut(Member),
    ) -> io::Result<()> {
        file.seek(SeekFrom::Start(self.start))?;
        let mut directory = file.take(self.size);
        let (mut fixed, mut variable) = ([0; ENTRY], Vec::new());
        while directory.limit() > 0 {
            directory.read_exact(&mut fixed[..4])?;
            if fixed.starts_with(b"PK\x05\x05") {
                // The directory's signature ends it.
                return Ok(());
            }
            if !fixed.starts_with(b"PK\x01\x02") {
                return Err(damaged("its directory is damaged"));
            }
            directory.read_exact(&mut fixed[4..])?;
            let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at)));
            variable.resize(name + extra + comment, 0);
            directory.read_exact(&mut variable)?;
            each(self.member(&fixed, &variable[..name], &variable[name..name + extra])?);
        }
        Ok(())
    }

    fn member(&self, fixed: &[u8; ENTRY], name: &[u8], extra: &[u8]) -> io::Result<Member> {
        let mut wide = zip64_values(extra);
        // A value that does not fit is in the Zip64 field instead, in this order.
        let mut value = |at| match u32_at(fixed, at) {
            u32::MAX => wide.next().unwrap_or(u32::MAX.into()),
            value => value.into(),
        };
        let (size, compressed, header_at) = (value(24), value(20), value(42));
        Ok(Member {
            name: printable(name),
            flags: u16_at(fixed, 8),
            method: u16_at(fixed, 10),
            crc: u32_at(fixed, 16),
            compressed,
            size,
            header_at: self
                .prefix
                .checked_add(header_at)
                .ok_or_else(|| damaged("its directory is damaged"))?,
            end: self.start,
        })
    }
}

/// Returns a path, in UTF-8 or an older code page, as one line of text.
fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|at| if at.is_control() { '\u{FFFD}' } else { at }).collect()
}

/// Returns the values of the Zip64 field among the extra fields of an entry.
fn zip64_values(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut values: &[u8] = &[];
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16_at(head, 2)).min(rest.len());
        if u16_at(head, 0) == 1 {
            values = &rest[..length];
            break;
        }
        extra = &rest[length..];
    }
    values.chunks_exact(8).map(|value| u64_at(value, 0))
}
