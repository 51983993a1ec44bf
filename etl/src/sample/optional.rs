//! The files that a load can do without: what they have in common, which is their archive and the account of what is wrong in them.

use std::io::{BufWriter, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::defect::Consequence;
use common::failure::{Context as _, Result};

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Rows; a blank line is none.
    pub rows: u64,
    /// What a correct load of all years says of them, beside what it loads silently.
    pub planted: Vec<(Consequence, u64)>,
}

impl Made {
    /// Counts a row, and what is to become of it.
    pub(super) fn count(&mut self, consequence: Consequence) {
        self.rows += 1;
        if consequence == Consequence::Kept {
            return;
        }
        match self.planted.iter_mut().find(|(known, _)| *known == consequence) {
            Some((_, rows)) => *rows += 1,
            None => self.planted.push((consequence, 1)),
        }
    }
}

/// Writes an archive with one member.
pub(super) fn archive(
    member: &str,
    file: impl Write + Seek,
    write: impl FnOnce(&mut dyn Write) -> Result<Made>,
) -> Result<Made> {
    let or_fail = || format!("cannot write {member} into its archive");
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 16, file));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::from_date_and_time(2022, 6, 5, 23, 0, 0).context(or_fail)?)
        .unix_permissions(0o644)
        .large_file(true);
    zip.start_file(member, options).context(or_fail)?;
    let made = write(&mut zip)?;
    zip.finish().context(or_fail)?.flush().context(or_fail)?;
    Ok(made)
}
