//! Writes the zip archives. Worker threads generate the rows of the large files; the calling thread compresses them in order.
//!
//! Worker `n` of `N` generates every `N`-th block into a bounded queue, so memory does not depend on the number of rows and the bytes
//! do not depend on the number of threads.

use std::io::{BufWriter, Seek, Write};
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::case::HEADER;
use crate::defect::DefectCounts;
use crate::doses::{self, Doses};
use crate::file_summary::FileSummary;
use crate::row_writer::RowWriter;
use common::failure::{Context, Failure, Result};

const CASES_MEMBER: &str = "Covid19Casos.csv";
/// About a megabyte of text.
const BLOCK_ROWS: u64 = 4096;
const QUEUE_BLOCKS: usize = 4;
/// Level 2 compresses about as fast as one core generates rows: a third more time than level 1 for three quarters of its size.
const CASES_LEVEL: i64 = 2;
/// An upper bound, whatever the defect; decides whether the member needs Zip64.
const MAX_ROW_BYTES: u64 = 512;

/// Writes the line list; calls `progress` with the number of rows written. Returns the size of the text and the planted defects.
pub(crate) fn write_cases(
    writer: &RowWriter,
    rows: u64,
    file: impl Write + Seek,
    progress: &dyn Fn(u64),
) -> Result<(u64, DefectCounts)> {
    let large = rows.saturating_mul(MAX_ROW_BYTES) > u64::from(u32::MAX);
    write_member(CASES_MEMBER, (Some(CASES_LEVEL), large), file, |out| {
        let context = || format!("cannot write {CASES_MEMBER} into its archive");
        out.write_all(HEADER.as_bytes()).context(context)?;
        let (mut csv_bytes, mut planted) = (HEADER.len() as u64, DefectCounts::default());
        write_blocks(rows, &|rows| writer.block(rows), |block, done| {
            out.write_all(&block.text).context(context)?;
            csv_bytes += block.text.len() as u64;
            planted.add(&block.planted);
            progress(done);
            Ok(())
        })?;
        Ok((csv_bytes, planted))
    })
}

/// Writes the register of doses.
pub(crate) fn write_doses(writer: &Doses<'_>, rows: u64, file: impl Write + Seek) -> Result<FileSummary> {
    let large = rows.saturating_mul(MAX_ROW_BYTES) > u64::from(u32::MAX);
    write_member(doses::MEMBER, (Some(CASES_LEVEL), large), file, |out| {
        let context = || format!("cannot write {} into its archive", doses::MEMBER);
        out.write_all(doses::HEADER.as_bytes()).context(context)?;
        let mut summary = FileSummary::default();
        write_blocks(rows, &|rows| writer.block(rows), |(text, of_block), _| {
            out.write_all(&text).context(context)?;
            summary.rows += of_block.rows;
            for (consequence, rows) in of_block.planted {
                summary.plant(consequence, rows);
            }
            Ok(())
        })?;
        Ok(summary)
    })
}

/// Writes an archive with one member. `large` is whether it may need Zip64.
pub(crate) fn write_member<T>(
    member: &str,
    (level, large): (Option<i64>, bool),
    file: impl Write + Seek,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let context = || format!("cannot write {member} into its archive");
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(level)
        .last_modified_time(DateTime::from_date_and_time(2022, 6, 5, 23, 0, 0).context(context)?)
        .unix_permissions(0o644)
        .large_file(large);
    zip.start_file(member, options).context(context)?;
    let written = write(&mut zip)?;
    zip.finish().context(context)?.flush().context(context)?;
    Ok(written)
}

/// Generates all blocks on worker threads and passes them to `consume` in order, each with the number of rows up to its end.
fn write_blocks<Block: Send>(
    rows: u64,
    block: &(impl Fn(Range<u64>) -> Block + Sync),
    mut consume: impl FnMut(Block, u64) -> Result<()>,
) -> Result<()> {
    // One core compresses, and generating is faster than that: more workers would only wait.
    let workers =
        thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).clamp(1, 3));
    thread::scope(|scope| {
        let queues: Vec<Receiver<Block>> = (0..workers)
            .map(|worker| {
                let (sender, receiver) = sync_channel(QUEUE_BLOCKS);
                scope.spawn(move || generate(block, rows, (worker, workers), &sender));
                receiver
            })
            .collect();
        for (start, queue) in block_starts(rows).zip(queues.iter().cycle()) {
            let block = queue.recv().map_err(|_| Failure::new("a thread that generates rows has stopped"))?;
            consume(block, (start + BLOCK_ROWS).min(rows))?;
        }
        // On an error the receivers are dropped here, which ends the workers.
        Ok(())
    })
}

fn generate<Block>(
    block: &impl Fn(Range<u64>) -> Block,
    rows: u64,
    (worker, workers): (usize, usize),
    queue: &SyncSender<Block>,
) {
    for start in block_starts(rows).skip(worker).step_by(workers) {
        if queue.send(block(start..(start + BLOCK_ROWS).min(rows))).is_err() {
            return;
        }
    }
}

fn block_starts(rows: u64) -> impl Iterator<Item = u64> {
    (0..rows.div_ceil(BLOCK_ROWS)).map(|block| block * BLOCK_ROWS)
}
