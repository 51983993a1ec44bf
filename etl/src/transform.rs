//! The cleaning engine of all datasets: one thread decompresses the text and cuts it into blocks, others parse, clean and encode their
//! rows.
//!
//! Blocks come out in file order, so that "the first row with an id" means the first in the file. The number of blocks is fixed, which
//! bounds the memory and gives back-pressure. A dataset differs only by its [`RowCleaner`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use common::failure::{Failure, Result};
use tokio::runtime::Handle;
use tokio::sync::mpsc as channel;

use crate::clean::{Excluded, MALFORMED, Row, RowCleaner};
use crate::extract::blocks::{Block, Blocks};
use crate::extract::{self, Source};
use crate::panics;
use crate::parse::header::Header;
use crate::parse::record::{Records, is_text};
use crate::store::Store;

/// The cleaned rows of a block.
#[derive(Debug)]
pub struct CleanedBlock<C: RowCleaner> {
    block: Block,
    /// Accepted rows in COPY's binary format.
    pub encoded: Vec<u8>,
    pub accepted: Vec<AcceptedRow<C::Accepted>>,
    pub rejected: Vec<RejectedRow>,
    /// Rows of the block.
    pub read: u64,
    /// Rows of years that are not wanted.
    pub filtered: u64,
    pub notes: C::Notes,
}

/// A row that passed the rules.
#[derive(Debug)]
pub struct AcceptedRow<A> {
    pub data: A,
    /// End of its encoding, which begins at the end of the previous row's.
    pub encoded_end: usize,
    pub line: u64,
    /// The position of its text in the block.
    pub raw: Range<usize>,
}

/// A row that a rule rejected.
#[derive(Debug)]
pub struct RejectedRow {
    pub line: u64,
    pub reason: &'static str,
    /// The position of its text in the block.
    pub raw: Range<usize>,
}

impl<C: RowCleaner> CleanedBlock<C> {
    /// Returns the text of a row as it is in the file.
    pub fn text(&self, raw: &Range<usize>) -> &[u8] {
        &self.block.text()[raw.clone()]
    }

    /// Cleans every row of the block.
    fn clean(&mut self, cleaner: &mut C, columns: usize) -> Result<()> {
        self.encoded.clear();
        self.accepted.clear();
        self.rejected.clear();
        (self.read, self.filtered, self.notes) = (0, 0, C::Notes::default());
        let text = self.block.text();
        // Nearly every block is valid as a whole, which is fast to check; only in others each row is checked.
        let all_valid = is_text(text);
        let mut records = Records::new(text, self.block.first_line, columns);
        while let Some(record) = records.next() {
            self.read += 1;
            let start = record.raw.as_ptr().addr() - text.as_ptr().addr();
            let (line, raw) = (record.line, start..start + record.raw.len());
            let outcome = if record.well_formed && (all_valid || is_text(record.raw)) {
                let row = Row { line, text: record.raw, fields: records.fields() };
                cleaner.clean_row(&row, &mut self.encoded, &mut self.notes)
            } else {
                Err(Excluded::Rejected(MALFORMED))
            };
            match outcome {
                Ok(data) => {
                    self.accepted.push(AcceptedRow { data, encoded_end: self.encoded.len(), line, raw });
                }
                Err(Excluded::Filtered) => self.filtered += 1,
                Err(Excluded::Rejected(reason)) => self.rejected.push(RejectedRow { line, reason, raw }),
                Err(Excluded::Failed(failure)) => return Err(failure),
            }
        }
        Ok(())
    }
}

impl<C: RowCleaner> Default for CleanedBlock<C> {
    fn default() -> Self {
        Self {
            block: Block::default(),
            encoded: Vec::new(),
            accepted: Vec::new(),
            rejected: Vec::new(),
            read: 0,
            filtered: 0,
            notes: C::Notes::default(),
        }
    }
}

/// Progress of a transformation.
#[derive(Debug, Default)]
pub struct Position {
    /// Bytes read of the stored file.
    pub bytes: Arc<AtomicU64>,
    /// Rows read.
    pub rows: AtomicU64,
}

/// What the threads report.
enum Report<C: RowCleaner> {
    Cleaned(Box<CleanedBlock<C>>),
    /// The number of blocks of the file.
    Ended(u64),
}

/// The cleaned blocks of a file, in file order.
pub struct Transform<C: RowCleaner> {
    reports: channel::UnboundedReceiver<Result<Report<C>>>,
    /// Returns used blocks to the reader.
    used: Sender<Box<CleanedBlock<C>>>,
    /// Blocks that were cleaned before their predecessors.
    early: BTreeMap<u64, Box<CleanedBlock<C>>>,
    next: u64,
    blocks: Option<u64>,
    position: Arc<Position>,
}

impl<C: RowCleaner> Transform<C> {
    /// Starts the threads, which end with the file, or when the value is dropped. `cleaner` is called with the header and name of the file
    /// once per worker; a cleaner that remembers rows needs a single worker.
    pub fn start(
        (store, source): (&Store, &Source),
        workers: usize,
        position: &Arc<Position>,
        cleaner: impl Fn(&Header, &str) -> Result<C> + Send + 'static,
    ) -> Result<Self> {
        let (report, reports) = channel::unbounded_channel();
        let (used, free) = mpsc::channel();
        // One per worker, one being filled, one being sent, and two in the channels.
        for _ in 0..workers + 4 {
            // Cannot fail: the receiver is in scope.
            drop(used.send(Box::default()));
        }
        let (store, source, bytes, runtime) =
            (store.clone(), source.clone(), Arc::clone(&position.bytes), Handle::current());
        spawn("read", move || {
            let read = || {
                extract::with_text(&store, &source, &runtime, &bytes, |text| {
                    let (header, blocks) = Blocks::open(text, &source.url)?;
                    // The memory of waiting blocks is bounded by their number, so this bound need not be tight.
                    let (filled, to_clean) = mpsc::sync_channel(workers);
                    let to_clean = Arc::new(Mutex::new(to_clean));
                    for number in 0..workers {
                        let mut cleaner = cleaner(&header, &source.url)?;
                        let (to_clean, report, columns) =
                            (Arc::clone(&to_clean), report.clone(), header.columns());
                        spawn(&format!("clean-{number}"), move || {
                            clean_blocks(&to_clean, &report, &mut cleaner, columns);
                        })?;
                    }
                    // Without workers, which have failed, sending a block must fail, too.
                    drop(to_clean);
                    read_blocks(blocks, &free, &filled)
                })
            };
            // The receiver is gone if the run has failed.
            drop(report.send(panics::caught(read).map(Report::Ended)));
        })?;
        Ok(Self {
            reports,
            used,
            early: BTreeMap::new(),
            next: 0,
            blocks: None,
            position: Arc::clone(position),
        })
    }

    /// Returns the next block in file order, or `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read or its rows cannot be those of the dataset.
    pub async fn next(&mut self) -> Result<Option<Box<CleanedBlock<C>>>> {
        loop {
            if let Some(block) = self.early.remove(&self.next) {
                self.next += 1;
                self.position.rows.fetch_add(block.read, Ordering::Relaxed);
                return Ok(Some(block));
            }
            if self.blocks == Some(self.next) {
                return Ok(None);
            }
            // Threads report how they ended, even after a panic.
            let report = self.reports.recv().await.ok_or_else(panics::failure)?;
            match report? {
                Report::Cleaned(block) => drop(self.early.insert(block.block.number, block)),
                Report::Ended(blocks) => self.blocks = Some(blocks),
            }
        }
    }

    /// Returns a block to the reader for reuse.
    pub fn recycle(&self, block: Box<CleanedBlock<C>>) {
        // The reader may have ended; then the block is not needed.
        drop(self.used.send(block));
    }
}

/// Returns the number of workers for a cleaner that remembers nothing.
pub fn parallelism() -> usize {
    thread::available_parallelism().map_or(2, usize::from).clamp(1, 8)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::new("cannot start a thread").source(error))
}

/// Fills free blocks until the end of the file; returns their number.
fn read_blocks<C: RowCleaner>(
    mut blocks: Blocks<'_>,
    free: &Receiver<Box<CleanedBlock<C>>>,
    filled: &SyncSender<Box<CleanedBlock<C>>>,
) -> Result<u64> {
    let mut number = 0;
    while let Ok(mut cleaned) = free.recv() {
        let Some(block) = blocks.next(std::mem::take(&mut cleaned.block).into_buffer())? else {
            break;
        };
        cleaned.block = block;
        number += 1;
        if filled.send(cleaned).is_err() {
            break;
        }
    }
    Ok(number)
}

/// Cleans blocks until there are no more.
fn clean_blocks<C: RowCleaner>(
    to_clean: &Mutex<Receiver<Box<CleanedBlock<C>>>>,
    report: &channel::UnboundedSender<Result<Report<C>>>,
    cleaner: &mut C,
    columns: usize,
) {
    loop {
        let block = to_clean.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut block) = block else { return };
        let result = panics::caught(|| block.clean(cleaner, columns).map(|()| Report::Cleaned(block)));
        let failed = result.is_err();
        if report.send(result).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;

    use super::*;
    use crate::clean::Row;
    use crate::dataset::Dataset;

    /// Panics at a line.
    #[derive(Debug)]
    struct PanickingCleaner(u64);

    impl RowCleaner for PanickingCleaner {
        type Accepted = ();
        type Notes = ();

        fn clean_row(&mut self, row: &Row<'_>, _: &mut Vec<u8>, (): &mut ()) -> Result<(), Excluded> {
            assert!(row.line < self.0, "a bug");
            Ok(())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn panic_of_a_worker_fails_the_run() {
        let store = Store::in_memory();
        // More blocks than the channels hold.
        let text = format!("a,b\n{}", "1,2\n".repeat(2_000_000));
        store.objects().put(&"Covid19Casos.csv".into(), text.into()).await.unwrap();
        let source = extract::find(&store, Dataset::Cases).await.unwrap();
        for workers in [1, 4] {
            let cleaner = |_: &Header, _: &str| Ok(PanickingCleaner(300_000));
            let mut transform =
                Transform::start((&store, &source), workers, &Arc::default(), cleaner).unwrap();
            let failure = loop {
                match transform.next().await {
                    Ok(Some(block)) => transform.recycle(block),
                    Ok(None) => panic!("the panic was lost"),
                    Err(failure) => break failure,
                }
            };
            assert_eq!(failure.to_string(), "the run panicked");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn panic_of_the_reader_fails_the_run() {
        let store = Store::in_memory();
        store.objects().put(&"Covid19Casos.csv".into(), "a,b\n1,2\n".into()).await.unwrap();
        let source = extract::find(&store, Dataset::Cases).await.unwrap();
        let cleaner = |_: &Header, _: &str| -> Result<PanickingCleaner> { panic!("a bug") };
        let mut transform = Transform::start((&store, &source), 1, &Arc::default(), cleaner).unwrap();
        assert_eq!(transform.next().await.unwrap_err().to_string(), "the run panicked");
    }
}
