//! The hot path: one thread inflates and cuts the text into blocks, the others parse, clean and encode them.
//!
//! Blocks come out in file order, whatever thread was first, so that "the first row with an id stays" means the first in the file. The
//! number of blocks that exist is fixed; that bounds the memory and holds every stage back to the speed of the slowest.
//! What is done with the rows is for the consumer to say: see `pipeline`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::mpsc as channel;

use crate::clean::missing::Missing;
use crate::clean::null_words::NullWords;
use crate::clean::repairs::Repairs;
use crate::clean::rules::Notes;
use crate::clean::{Rejection, Rules, Verdict};
use crate::extract::blocks::{Block, Blocks};
use crate::extract::{self, Source};
use crate::parse::record::{Records, is_text};
use crate::store::Store;
use common::failure::{Failure, Result};

/// What one block became.
#[derive(Debug, Default)]
pub struct Cleaned {
    block: Block,
    /// Kept rows in COPY's format, one after the other.
    pub encoded: Vec<u8>,
    /// For each kept row: what is needed to take it out again if it turns out to be a duplicate.
    pub kept: Vec<Kept>,
    /// Rejected rows.
    pub rejected: Vec<Rejected>,
    /// Rows that the block has.
    pub read: u64,
    /// Rows of other years.
    pub filtered: u64,
    /// Nulls of kept rows that are written as words.
    pub null_words: NullWords,
}

/// A row that passed all rules but the one on duplicates.
#[derive(Debug)]
pub struct Kept {
    /// Its id.
    pub case_id: u64,
    /// Where its encoding ends; it begins where the one before it ends.
    pub encoded_end: usize,
    /// What was repaired in it.
    pub repairs: Repairs,
    /// Its columns without a value.
    pub missing: Missing,
    /// Its line in the file.
    pub line: u64,
    raw: (usize, usize),
}

/// A row that did not pass.
#[derive(Debug)]
pub struct Rejected {
    /// Its line in the file.
    pub line: u64,
    /// Why.
    pub reason: Rejection,
    raw: (usize, usize),
}

impl Cleaned {
    /// The row's text as it stands in the file.
    pub fn kept_text(&self, row: &Kept) -> &[u8] {
        &self.block.text()[row.raw.0..row.raw.1]
    }

    /// The row's text as it stands in the file.
    pub fn rejected_text(&self, row: &Rejected) -> &[u8] {
        &self.block.text()[row.raw.0..row.raw.1]
    }

    fn clear(&mut self) {
        self.encoded.clear();
        self.kept.clear();
        self.rejected.clear();
        self.read = 0;
        self.filtered = 0;
        self.null_words.clear();
    }
}

/// How far a transformation is, for whoever wants to show it.
#[derive(Debug, Default)]
pub struct Position {
    /// Bytes of the stored file that were read.
    pub bytes: Arc<AtomicU64>,
    /// Rows that were read.
    pub rows: AtomicU64,
}

/// What the threads report.
enum Report {
    Cleaned(Box<Cleaned>),
    /// The file has so many blocks.
    Ended(u64),
    Failed(Failure),
}

/// The blocks of one file, cleaned, in file order.
pub struct Transform {
    reports: channel::UnboundedReceiver<Report>,
    /// Where a used block goes to be filled again.
    used: Sender<Box<Cleaned>>,
    /// Blocks that came before their turn.
    early: BTreeMap<u64, Box<Cleaned>>,
    next: u64,
    blocks: Option<u64>,
    position: Arc<Position>,
}

impl Transform {
    /// Starts the threads. They end by themselves when the file does, or when this is dropped.
    pub fn start(
        store: &Store,
        source: &Source,
        rules: &Arc<Rules>,
        position: &Arc<Position>,
    ) -> Result<Self> {
        let workers = thread::available_parallelism().map_or(2, usize::from).clamp(1, 8);
        let (report, reports) = channel::unbounded_channel();
        let (used, free) = mpsc::channel();
        // One for each worker, one being filled, one being sent, and two that wait on the way.
        for _ in 0..workers + 4 {
            // Cannot fail: the other end is in scope.
            drop(used.send(Box::default()));
        }
        // A block that waits here costs memory that is counted above: the bound need not be tight.
        let (filled, to_clean) = mpsc::sync_channel(workers);
        let to_clean = Arc::new(Mutex::new(to_clean));
        for number in 0..workers {
            let (to_clean, report, rules) = (Arc::clone(&to_clean), report.clone(), Arc::clone(rules));
            spawn(&format!("clean-{number}"), move || clean(&to_clean, &report, &rules))?;
        }
        let (store, source, bytes, runtime) =
            (store.clone(), source.clone(), Arc::clone(&position.bytes), Handle::current());
        spawn("read", move || {
            let read = extract::with_text(&store, &source, &runtime, &bytes, |text| {
                let (_, blocks) = Blocks::open(text, &source.url)?;
                read(blocks, &free, &filled)
            });
            // Nobody listens any more where the run was given up.
            drop(report.send(match read {
                Ok(blocks) => Report::Ended(blocks),
                Err(failure) => Report::Failed(failure),
            }));
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

    /// The next block in file order, or `None` behind the last.
    pub async fn next(&mut self) -> Result<Option<Box<Cleaned>>> {
        loop {
            if let Some(cleaned) = self.early.remove(&self.next) {
                self.next += 1;
                self.position.rows.fetch_add(cleaned.read, Ordering::Relaxed);
                return Ok(Some(cleaned));
            }
            if self.blocks == Some(self.next) {
                return Ok(None);
            }
            match self.reports.recv().await {
                Some(Report::Cleaned(cleaned)) => drop(self.early.insert(cleaned.block.number, cleaned)),
                Some(Report::Ended(blocks)) => self.blocks = Some(blocks),
                Some(Report::Failed(failure)) => return Err(failure),
                None => {
                    return Err(Failure::new("a worker thread ended before its time")
                        .hint("this is a bug: please report it with the log of this run"));
                }
            }
        }
    }

    /// Gives a block back, so that it can be filled again.
    pub fn done(&self, cleaned: Box<Cleaned>) {
        // The reader may have ended already; then the block is not needed.
        drop(self.used.send(cleaned));
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::new("cannot start a thread").source(error))
}

/// Fills free blocks until the file ends; gives their number.
fn read(
    mut blocks: Blocks<'_>,
    free: &Receiver<Box<Cleaned>>,
    filled: &SyncSender<Box<Cleaned>>,
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
fn clean(to_clean: &Mutex<Receiver<Box<Cleaned>>>, report: &channel::UnboundedSender<Report>, rules: &Rules) {
    loop {
        let block = to_clean.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut cleaned) = block else {
            return;
        };
        clean_block(&mut cleaned, rules);
        if report.send(Report::Cleaned(cleaned)).is_err() {
            return;
        }
    }
}

/// Applies the rules to every row of a block.
fn clean_block(cleaned: &mut Cleaned, rules: &Rules) {
    cleaned.clear();
    let Cleaned { block, encoded, kept, rejected, read, filtered, null_words: words } = cleaned;
    let text = block.text();
    // Nearly every block is valid as a whole, which is quick to see; only in others each row is looked at.
    let all_valid = is_text(text);
    let mut records = Records::new(text, block.first_line, rules.columns.count);
    while let Some(record) = records.next() {
        *read += 1;
        let start = record.raw.as_ptr().addr() - text.as_ptr().addr();
        let raw = (start, start + record.raw.len());
        let verdict = if record.well_formed && (all_valid || is_text(record.raw)) {
            rules.judge(record.raw, records.fields())
        } else {
            Verdict::Rejected(Rejection::Malformed)
        };
        match verdict {
            Verdict::Filtered => *filtered += 1,
            Verdict::Rejected(reason) => rejected.push(Rejected { line: record.line, reason, raw }),
            Verdict::Kept(case, notes) => {
                case.encode(encoded);
                let case_id = case.case_id.unsigned_abs();
                let (encoded_end, line) = (encoded.len(), record.line);
                let Notes { repairs, missing, null_words } = notes;
                for column in null_words.iter() {
                    let field = records.fields().get(record.raw, rules.columns.source_of(column));
                    words.note(column, line, field.trimmed());
                }
                kept.push(Kept { case_id, encoded_end, repairs, missing, line, raw });
            }
        }
    }
}
