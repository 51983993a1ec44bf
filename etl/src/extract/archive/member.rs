//! A member of a zip archive: whether it is readable, and its content, checked against size and checksum.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::record::{damaged, record_at, u16_at};

/// The fixed part of a local header.
const LOCAL_HEADER: usize = 30;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) struct Member {
    /// As one line of text.
    pub(in crate::extract) name: String,
    /// General purpose bits.
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Offset of the local header in the file.
    pub(super) header_at: u64,
    /// The start of the directory, which follows all members.
    pub(super) end: u64,
}

impl Member {
    /// Returns why the member cannot be read, if so.
    pub(super) fn obstacle(&self) -> Option<String> {
        const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
        const AES: u16 = 99;
        if self.flags & ENCRYPTED != 0 || self.method == AES {
            return Some("protected with a password".to_owned());
        }
        let method = match self.method {
            STORED | DEFLATED => return None,
            1 => "shrink",
            2..=5 => "reduce",
            6 => "implode",
            9 => "deflate64",
            12 => "bzip2",
            14 => "LZMA",
            20 | 93 => "zstd",
            95 => "XZ",
            98 => "PPMd",
            other => return Some(format!("compressed with method {other}")),
        };
        Some(format!("compressed with {method}"))
    }

    /// Returns a reader of the content. The last read fails if size or checksum do not match the directory.
    pub(super) fn open<'a>(&self, file: &'a mut (impl BufRead + Seek)) -> io::Result<Box<dyn Read + 'a>> {
        let header = record_at::<LOCAL_HEADER>(file, self.header_at, b"PK\x03\x04")?
            .ok_or_else(|| damaged("its member is not where its directory says"))?;
        let names = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let start = self.header_at + LOCAL_HEADER as u64 + names;
        if start.checked_add(self.compressed).is_none_or(|end| end > self.end) {
            return Err(damaged("its member is longer than the archive"));
        }
        file.seek(SeekFrom::Start(start))?;
        let bytes = file.take(self.compressed);
        let (seen, crc, left) = (Crc::new(), self.crc, self.size);
        Ok(match self.method {
            DEFLATED => Box::new(Checked { input: DeflateDecoder::new(bytes), seen, crc, left }),
            _ => Box::new(Checked { input: bytes, seen, crc, left }),
        })
    }
}

/// A reader that fails at the end if size or checksum do not match.
struct Checked<R> {
    input: R,
    seen: Crc,
    /// The expected checksum.
    crc: u32,
    /// Bytes not yet read.
    left: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.seen.update(&buffer[..count]);
        match self.left.checked_sub(count as u64) {
            None => return Err(damaged("the member is longer than its archive says")),
            Some(left) => self.left = left,
        }
        if count == 0 && !buffer.is_empty() {
            if self.left > 0 {
                return Err(damaged("the member is shorter than its archive says"));
            }
            if self.seen.sum() != self.crc {
                return Err(damaged("the member has another checksum than its archive says"));
            }
        }
        Ok(count)
    }
}
