//! Writes `Covid19Casos.zip`: rows are made on some threads and compressed on this one, in order.
//!
//! Every lane makes every n-th block and waits when it is a few ahead, so memory is the same for any number of rows and the bytes are
//! the same for any number of threads. The archive says Zip64 when its member may be larger than 4 GiB.

use std::io::{BufWriter, Seek, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::case::header;
use super::defect::Planted;
use super::planting::{Block, Writer};
use common::failure::{Context, Failure, Result};

/// The one member of the archive.
const MEMBER: &str = "Covid19Casos.csv";
/// Rows of a block: about a megabyte.
const BLOCK: u64 = 4096;
/// Blocks that a lane may be ahead.
const AHEAD: usize = 4;
/// Compression: three quarters of the first level's size for a third more time, so that it stays about as fast as rows are made.
const LEVEL: i64 = 2;
/// No row is longer, whatever its defect.
const LONGEST_ROW: u64 = 512;

/// What was written.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) csv_bytes: u64,
    pub(super) planted: Planted,
}

/// Writes the whole archive into a file.
pub(super) fn write(
    writer: &Writer,
    rows: u64,
    file: impl Write + Seek,
    progress: &dyn Fn(u64),
) -> Result<Contents> {
    let or_fail = || format!("cannot write {MEMBER} into its archive");
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::from_date_and_time(2022, 6, 5, 23, 0, 0).context(or_fail)?)
        .unix_permissions(0o644)
        .large_file(rows.saturating_mul(LONGEST_ROW) > u64::from(u32::MAX));
    zip.start_file(MEMBER, options).context(or_fail)?;

    let head = header();
    zip.write_all(head.as_bytes()).context(or_fail)?;
    let mut contents = Contents { csv_bytes: head.len() as u64, ..Contents::default() };
    in_order(writer, rows, |block, done| {
        zip.write_all(&block.text).context(or_fail)?;
        contents.csv_bytes += block.text.len() as u64;
        contents.planted.add(&block.planted);
        progress(done);
        Ok(())
    })?;
    zip.finish().context(or_fail)?.flush().context(or_fail)?;
    Ok(contents)
}

/// Makes all blocks on other threads and hands them over in order, each with the number of rows done after it.
fn in_order(writer: &Writer, rows: u64, mut take: impl FnMut(Block, u64) -> Result<()>) -> Result<()> {
    // One core compresses; making rows is faster than that, so more than a few lanes would only wait.
    let lanes = thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).clamp(1, 3));
    thread::scope(|scope| {
        let lanes: Vec<Receiver<Block>> = (0..lanes)
            .map(|lane| {
                let (sender, receiver) = sync_channel(AHEAD);
                scope.spawn(move || make(writer, rows, (lane, lanes), &sender));
                receiver
            })
            .collect();
        for (start, lane) in starts(rows).zip(lanes.iter().cycle()) {
            let block = lane.recv().map_err(|_| Failure::new("a thread that makes rows has stopped"))?;
            take(block, (start + BLOCK).min(rows))?;
        }
        // On an error the receivers are dropped here, which ends the lanes.
        Ok(())
    })
}

/// One lane: makes its share of the blocks until nobody wants them any more.
fn make(writer: &Writer, rows: u64, (lane, lanes): (usize, usize), sender: &SyncSender<Block>) {
    for start in starts(rows).skip(lane).step_by(lanes) {
        if sender.send(writer.block(start..(start + BLOCK).min(rows))).is_err() {
            return;
        }
    }
}

fn starts(rows: u64) -> impl Iterator<Item = u64> {
    (0..rows.div_ceil(BLOCK)).map(|block| block * BLOCK)
}
