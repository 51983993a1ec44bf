//! Validates a file while it is streamed, by its first bytes, its last bytes and its size.
//!
//! A zip must start with a local header and end with a directory that lists the dataset's member; a CSV must have the expected columns
//! and a complete last row. The rows are validated by the load.

use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::dataset::Dataset;
use crate::extract::read::position_after;
use crate::parse::header::Header;
use crate::parse::unlike::looks_like_html;
use common::failure::{Failure, Result as Checked};

/// Enough for a header row.
const HEAD_BYTES: usize = 16 << 10;

/// Enough for an archive's directory.
const TAIL_BYTES: usize = 1 << 20;

pub(super) struct Validator<'a> {
    dataset: Dataset,
    url: &'a str,
    head: Vec<u8>,
    /// Whether the first bytes were validated, here or by a previous process.
    head_valid: bool,
    columns: usize,
    tail: Vec<u8>,
}

impl<'a> Validator<'a> {
    /// `resumed` means that a previous process has validated the first bytes.
    pub(super) const fn new(dataset: Dataset, url: &'a str, resumed: bool) -> Self {
        Self { dataset, url, head: Vec::new(), head_valid: resumed, columns: 0, tail: Vec::new() }
    }

    /// Validates the first bytes as soon as there are enough, so that a wrong file is rejected early.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Checked<()> {
        if !self.head_valid {
            self.head.extend_from_slice(&bytes[..bytes.len().min(HEAD_BYTES - self.head.len())]);
            if self.head.len() == HEAD_BYTES {
                self.validate_head()?;
            }
        }
        let kept = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        self.tail.extend_from_slice(kept);
        if self.tail.len() > 2 * TAIL_BYTES {
            self.tail.drain(..self.tail.len() - TAIL_BYTES);
        }
        Ok(())
    }

    /// Validates the end of the file, which is `size` bytes long.
    pub(super) fn finish(&mut self, size: u64) -> Checked<()> {
        if size == 0 {
            return Err(self.invalid("is empty"));
        }
        if !self.head_valid {
            self.validate_head()?;
        }
        if self.is_zip() { self.validate_directory(size) } else { self.validate_last_row() }
    }

    fn is_zip(&self) -> bool {
        !matches!(self.dataset, Dataset::Provinces | Dataset::Departments)
    }

    fn validate_head(&mut self) -> Checked<()> {
        let start = self.head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.head);
        if looks_like_html(start) {
            return Err(self.invalid("is a web page"));
        }
        if self.is_zip() {
            if !start.starts_with(b"PK\x03\x04") {
                return Err(self.invalid("is not a zip archive"));
            }
        } else {
            let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
            let header = Header::parse(line, self.url)?;
            match self.dataset {
                Dataset::Departments => drop(header.positions(["id", "nombre", "provincia_id"], self.url)?),
                _ => drop(header.positions(["id", "nombre"], self.url)?),
            }
            self.columns = header.columns();
        }
        self.head_valid = true;
        Ok(())
    }

    fn validate_directory(&self, size: u64) -> Checked<()> {
        let archive = ZipArchive::new(FileTail { size, tail: &self.tail, position: 0 });
        let archive = archive.map_err(|error| self.invalid("is not a complete zip archive").source(error))?;
        let wanted = self.dataset.member_name();
        let is_wanted = |name: &str| {
            name.rsplit(['/', '\\']).next().is_some_and(|base| base.eq_ignore_ascii_case(wanted))
        };
        if archive.offset() == 0 && archive.file_names().flatten().any(|name| is_wanted(&name)) {
            return Ok(());
        }
        Err(self.invalid(format!("is a zip archive without `{wanted}`")))
    }

    fn validate_last_row(&self) -> Checked<()> {
        let text = self.tail.trim_ascii_end();
        let row = text.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
        let fields = reader.byte_records().next().and_then(Result::ok).map_or(0, |record| record.len());
        if fields == self.columns {
            return Ok(());
        }
        Err(self.invalid(format!("ends within a row ({fields} of {} fields)", self.columns)))
    }

    fn invalid(&self, what: impl AsRef<str>) -> Failure {
        Failure::new(format!("`{}` {}", self.url, what.as_ref()))
            .hint("the store is unchanged; open the URL in a browser, and try again later")
    }
}

/// A file of which only the last bytes are available.
struct FileTail<'a> {
    size: u64,
    tail: &'a [u8],
    position: u64,
}

impl Read for FileTail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.size - self.tail.len() as u64;
        let Some(at) = self.position.checked_sub(start) else {
            return Err(io::Error::other("the directory starts before the last megabyte"));
        };
        let rest = usize::try_from(at).ok().and_then(|at| self.tail.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for FileTail<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = position_after(to, self.position, self.size)?;
        Ok(self.position)
    }
}
