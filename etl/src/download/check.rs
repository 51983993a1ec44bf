//! Whether a file is what it should be, judged while it passes: by its first bytes, its last bytes and its size.
//!
//! A zip must begin as one and end with a directory that names the dataset's file; a CSV must have the expected columns and a whole last
//! row. What is in between is the load's to judge. A web page is called what it is.

use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::dataset::Dataset;
use crate::parse::header::Header;
use crate::parse::unlike::looks_like_html;
use common::failure::{Failure, Result as Checked};

/// How much of the beginning is looked at: a header row.
const HEAD: usize = 16 << 10;

/// How much of the end is kept: an archive's directory.
const TAIL: usize = 1 << 20;

/// See the module.
pub(super) struct Check<'a> {
    dataset: Dataset,
    url: &'a str,
    head: Vec<u8>,
    /// Whether the beginning was judged already, here or by the process that went before.
    began_well: bool,
    columns: usize,
    tail: Vec<u8>,
}

impl<'a> Check<'a> {
    /// `resumed` means that another process has seen the beginning.
    pub(super) const fn new(dataset: Dataset, url: &'a str, resumed: bool) -> Self {
        Self { dataset, url, head: Vec::new(), began_well: resumed, columns: 0, tail: Vec::new() }
    }

    /// Looks at the next bytes. The beginning is judged as soon as there is enough of it, so that nothing wrong is carried on.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Checked<()> {
        if !self.began_well {
            self.head.extend_from_slice(&bytes[..bytes.len().min(HEAD - self.head.len())]);
            if self.head.len() == HEAD {
                self.judge_the_beginning()?;
            }
        }
        let kept = &bytes[bytes.len().saturating_sub(TAIL)..];
        self.tail.extend_from_slice(kept);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        Ok(())
    }

    /// Judges the whole, which is `size` bytes long.
    pub(super) fn finish(&mut self, size: u64) -> Checked<()> {
        if size == 0 {
            return Err(self.wrong("is empty"));
        }
        if !self.began_well {
            self.judge_the_beginning()?;
        }
        if self.is_zip() { self.judge_the_directory(size) } else { self.judge_the_last_row() }
    }

    fn is_zip(&self) -> bool {
        !matches!(self.dataset, Dataset::Provinces | Dataset::Departments)
    }

    fn judge_the_beginning(&mut self) -> Checked<()> {
        let start = self.head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.head);
        if looks_like_html(start) {
            return Err(self.wrong("is a web page"));
        }
        if self.is_zip() {
            if !start.starts_with(b"PK\x03\x04") {
                return Err(self.wrong("is not a zip archive"));
            }
        } else {
            let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
            let header = Header::parse(line, self.url)?;
            match self.dataset {
                Dataset::Provinces => header.positions(["id", "nombre"], self.url).map(drop)?,
                Dataset::Departments => {
                    header.positions(["id", "nombre", "provincia_id"], self.url).map(drop)?;
                }
                // Zips, all of them.
                Dataset::Cases | Dataset::Tests | Dataset::Vaccinations => {}
            }
            self.columns = header.columns();
        }
        self.began_well = true;
        Ok(())
    }

    fn judge_the_directory(&self, size: u64) -> Checked<()> {
        let archive = ZipArchive::new(End { size, tail: &self.tail, position: 0 });
        let archive = archive.map_err(|error| self.wrong("is not a whole zip archive").source(error))?;
        let wanted = self.dataset.member_name();
        let is_wanted = |name: &str| {
            name.rsplit(['/', '\\']).next().is_some_and(|base| base.eq_ignore_ascii_case(wanted))
        };
        if archive.offset() == 0 && archive.file_names().flatten().any(|name| is_wanted(&name)) {
            return Ok(());
        }
        Err(self.wrong(format!("is a zip archive without `{wanted}`")))
    }

    fn judge_the_last_row(&self) -> Checked<()> {
        let text = self.tail.trim_ascii_end();
        let row = text.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
        let fields = reader.byte_records().next().and_then(Result::ok).map_or(0, |record| record.len());
        if fields == self.columns {
            return Ok(());
        }
        Err(self.wrong(format!("ends in the middle of a row ({fields} of {} fields)", self.columns)))
    }

    fn wrong(&self, what: impl AsRef<str>) -> Failure {
        Failure::new(format!("`{}` {}", self.url, what.as_ref()))
            .hint("what is in the store stays; look at the address in a browser, and try again later")
    }
}

/// A file of which only the end is there.
struct End<'a> {
    size: u64,
    tail: &'a [u8],
    position: u64,
}

impl Read for End<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.size - self.tail.len() as u64;
        let Some(at) = self.position.checked_sub(start) else {
            return Err(io::Error::other("its directory is too far from its end"));
        };
        let rest = usize::try_from(at).ok().and_then(|at| self.tail.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for End<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::other("a seek before the file's start"))?;
        Ok(self.position)
    }
}
