//! A member of a zip archive: whether it is readable, and its content, checked against size and checksum.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::directory::{Directory, Entry, damaged, read_at, u16_at};

/// The fixed part of a local header.
const LOCAL_HEADER: usize = 30;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) struct Member {
    /// For messages.
    pub(in crate::extract) name: String,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    header_at: u64,
    /// The start of the directory, which follows all members.
    end: u64,
}

impl Member {
    pub(super) fn new(entry: &Entry<'_>, directory: &Directory) -> Self {
        let Entry { name, flags, method, crc, compressed, size, header_at } = *entry;
        let name = printable(name);
        Self { name, flags, method, crc, compressed, size, header_at, end: directory.start }
    }

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
        let header: [u8; LOCAL_HEADER] = read_at(file, self.header_at)?
            .filter(|header: &[u8; LOCAL_HEADER]| header.starts_with(b"PK\x03\x04"))
            .ok_or_else(|| damaged("its member is not where its directory says"))?;
        let names = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let start = self.header_at + LOCAL_HEADER as u64 + names;
        if start.checked_add(self.compressed).is_none_or(|end| end > self.end) {
            return Err(damaged("its member is longer than the archive"));
        }
        file.seek(SeekFrom::Start(start))?;
        let bytes = file.take(self.compressed);
        let (crc, left) = (self.crc, self.size);
        Ok(if self.method == DEFLATED {
            Box::new(Checked { input: DeflateDecoder::new(bytes), seen: Crc::new(), crc, left })
        } else {
            Box::new(Checked { input: bytes, seen: Crc::new(), crc, left })
        })
    }
}

/// Returns a path as one line of text.
pub(super) fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|at| if at.is_control() { '\u{FFFD}' } else { at }).collect()
}

/// A reader that fails at the end if size or checksum do not match.
struct Checked<R> {
    input: R,
    seen: Crc,
    crc: u32,
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
