//! The optional datasets: small files, read on one thread and copied row by row into tables whose rows carry the id of their run.
//!
//! Nobody sees the rows before the record of the run says that it is published, so nothing is swapped, and a file that turns out
//! to be unreadable in its middle leaves nothing behind. Such a file is left out and said; only the database's own failures end the run. At any
//! time a few blocks of the file are in memory, whatever its size.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::rejects::Rejects;
use crate::background::in_background;
use crate::clean::encoding::{COPY_HEADER, COPY_TRAILER};
use crate::clean::optional::{Judge, Outcome};
use crate::clean::{Rejection, laboratories, vaccinations};
use crate::database::OrSqlFail as _;
use crate::dataset::Dataset;
use crate::extract::blocks::{Block, Blocks};
use crate::extract::{self, Source};
use crate::parse::header::Header;
use crate::parse::record::{Records, is_text};
use crate::store::Store;
use crate::tally::{Counts, Kind, Tally};
use common::failure::{Context as _, Failure, Result};

/// Makes the rules for a file with this header and this name.
pub type Rules = Box<dyn FnOnce(&Header, &str) -> Result<Box<dyn Judge>> + Send>;

/// What one block became.
struct Judged {
    block: Block,
    encoded: Vec<u8>,
    /// Line, reason, and where the text stands in the block.
    rejected: Vec<(u64, &'static str, Range<usize>)>,
    repaired: Vec<&'static str>,
    counts: Counts,
}

/// Table and columns of a dataset's rows.
const fn target(dataset: Dataset) -> (&'static str, &'static str) {
    match dataset {
        Dataset::Vaccinations => ("vaccination_count", vaccinations::COPY_COLUMNS),
        _ => ("test_count", laboratories::COPY_COLUMNS),
    }
}

/// Loads a file. The inner failure is the file's: nothing of it is loaded then, and the run goes on.
pub async fn load(
    session: &mut PgConnection,
    (store, source): (&Store, &Source),
    rules: Rules,
    (rejects, tally): (&mut Rejects<'_>, &mut Tally),
) -> Result<Result<Counts>> {
    let (table, columns) = target(source.dataset);
    let what = format!("cannot fill the table `{table}`");
    session.execute("BEGIN; SET LOCAL synchronous_commit = off").await.or_sql_fail(&what)?;
    let statement = format!("COPY public.{table} ({columns}) FROM STDIN (FORMAT binary)");
    let mut copy = session.copy_in_raw(&statement).await.or_sql_fail(&what)?;
    copy.send(COPY_HEADER).await.or_sql_fail(&what)?;

    let (mut blocks, reading) = read(store, source, rules);
    let (mut counts, mut issues) = (Counts::default(), Tally::default());
    while let Some(judged) = blocks.recv().await {
        for piece in judged.encoded.chunks(64 << 10) {
            copy.send(piece).await.or_sql_fail(&what)?;
        }
        for (line, reason, raw) in &judged.rejected {
            issues.count(source.dataset, Kind::Rejected, reason, 1);
            rejects.add(source.dataset, *line, reason, &judged.block.text()[raw.clone()]).await?;
        }
        judged.repaired.iter().for_each(|repair| issues.count(source.dataset, Kind::Repaired, repair, 1));
        counts.add(judged.counts);
    }
    let ended = reading.await.context(|| "a worker thread ended before its time".to_owned())?;
    if let Err(failure) = ended {
        // What the server answers to this is that it was told so.
        drop(copy.abort("the file cannot be read").await);
        session.execute("ROLLBACK").await.or_sql_fail(&what)?;
        return Ok(Err(failure));
    }
    copy.send(COPY_TRAILER).await.or_sql_fail(&what)?;
    copy.finish().await.or_sql_fail(&what)?;
    session.execute(AssertSqlSafe(format!("COMMIT; ANALYZE public.{table}"))).await.or_sql_fail(&what)?;
    tally.merge(&issues);
    Ok(Ok(counts))
}

/// Deletes the rows that a run has loaded of a dataset which the publish gate refuses.
pub async fn discard(session: &mut PgConnection, dataset: Dataset, run_id: Uuid) -> Result<()> {
    let (table, _) = target(dataset);
    sqlx::query(AssertSqlSafe(format!("DELETE FROM public.{table} WHERE run_id = $1")))
        .bind(run_id)
        .execute(session)
        .await
        .or_sql_fail(&format!("cannot delete the refused rows of `{table}`"))
        .map(drop)
}

/// Reads and judges a file on a thread of its own; what it says about the file comes last.
fn read(store: &Store, source: &Source, rules: Rules) -> (Receiver<Judged>, JoinHandle<Result<()>>) {
    let (send, blocks) = channel(1);
    let (store, source) = (store.clone(), source.clone());
    let reading = tokio::spawn(in_background(move |runtime| {
        extract::with_text(&store, &source, runtime, &Arc::default(), |text| {
            judge(text, &source.url, rules, &send)
        })
    }));
    (blocks, reading)
}

fn judge(text: &mut dyn Read, name: &str, rules: Rules, send: &Sender<Judged>) -> Result<()> {
    let (header, mut blocks) = Blocks::open(text, name)?;
    let mut judge = rules(&header, name)?;
    while let Some(block) = blocks.next(Vec::new())? {
        let judged = judge_block(block, header.columns(), judge.as_mut())?;
        if send.blocking_send(judged).is_err() {
            return Err(Failure::new(format!("nobody wants the rows of `{name}` any more")));
        }
    }
    Ok(())
}

fn judge_block(block: Block, columns: usize, judge: &mut dyn Judge) -> Result<Judged> {
    let (mut encoded, mut rejected, mut repaired) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = Counts::default();
    let text = block.text();
    let mut records = Records::new(text, block.first_line, columns);
    while let Some(record) = records.next() {
        counts.read += 1;
        let outcome = if record.well_formed && is_text(record.raw) {
            judge.judge(record.raw, records.fields(), &mut encoded)?
        } else {
            Outcome::Rejected(Rejection::Malformed.name())
        };
        match outcome {
            Outcome::Filtered => counts.filtered += 1,
            Outcome::Kept(repairs) => {
                counts.loaded += 1;
                counts.repaired += repairs.len() as u64;
                repaired.extend(repairs);
            }
            Outcome::Rejected(reason) => {
                let start = record.raw.as_ptr().addr() - text.as_ptr().addr();
                counts.rejected += 1;
                rejected.push((record.line, reason, start..start + record.raw.len()));
            }
        }
    }
    Ok(Judged { block, encoded, rejected, repaired, counts })
}
