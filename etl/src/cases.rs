//! Loads the line list into the table of a new release: cleaned blocks arrive in file order, duplicates are rejected, and the counts for
//! reports and gate are collected.

use std::sync::Arc;

use common::failure::{Failure, Result};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::aggregates::CaseAggregates;
use crate::clean::case::Case;
use crate::clean::missing::Column;
use crate::clean::null_words::NullWords;
use crate::clean::{CaseCleaner, DUPLICATE_CASE_ID, case};
use crate::context::LoadContext;
use crate::database::{Database, execute};
use crate::dataset::Dataset;
use crate::distinct::SeenIds;
use crate::extract::Source;
use crate::gate::Profile;
use crate::load::copy::{self, BinaryCopy};
use crate::load::counts;
use crate::load::rejects::Rejects;
use crate::log;
use crate::progress::Progress;
use crate::tally::{IssueKind, Tally};
use crate::transform::{self, CleanedBlock, Position, Transform};

type CaseBlock = CleanedBlock<CaseCleaner>;

/// Parses, cleans and copies every case into the new release, without duplicates, and stores rejected rows.
pub async fn load(
    context: &LoadContext<'_>,
    source: &Source,
    session: &mut PgConnection,
    rejects: &mut Rejects<'_>,
    stats: &mut LoadStats,
) -> Result<()> {
    let position = Arc::new(Position::default());
    let _progress = Progress::start(&position, source.size, context.options.log_format);
    let rules = Arc::clone(&context.rules);
    let cleaner = move |_: &_, _: &str| Ok(CaseCleaner(Arc::clone(&rules)));
    let mut transform =
        Transform::start((context.store, source), transform::parallelism(), &position, cleaner)?;
    let table = context.release.cases();
    let what = format!("cannot fill the table `{table}`");
    execute(session, copy::BEGIN, &what).await?;
    let mut copy = BinaryCopy::begin(session, &format!("public.{table}"), case::COPY_COLUMNS, &what).await?;
    let mut seen = SeenIds::default();
    let (mut samples, mut null_words) = (Samples::default(), NullWords::default());
    while let Some(block) = transform.next().await? {
        let duplicates = duplicates(&block, &mut seen)?;
        send(&block, &duplicates, &mut copy).await?;
        stats.count(&block, &duplicates).await?;
        null_words.append(&block.notes);
        for (line, reason, raw) in rejected(&block, &duplicates) {
            stats.tally.count(Dataset::Cases, IssueKind::Rejected, reason, 1);
            samples.add(line, reason, raw);
            rejects.add(Dataset::Cases, line, reason, raw).await?;
        }
        transform.recycle(block);
    }
    let copied = copy.finish().await?;
    execute(session, "COMMIT", "cannot commit the cases of the new release").await?;
    samples.log();
    log::warn_of_null_words(&null_words);
    let (rows, unknown) = stats.profile.share(Column::UnknownClassification, |_| true);
    if unknown > 0 {
        tracing::warn!(rows, unknown, "classifications other than the ministry's four are kept as they are");
    }
    if copied != stats.tally.loaded {
        let sent = stats.tally.loaded;
        return Err(Failure::new(format!("PostgreSQL took {copied} of {sent} rows")).hint(BUG));
    }
    Ok(())
}

const BUG: &str = "this is a bug: please report it with the log of this run";

/// Returns the indexes of accepted rows whose id was accepted before.
fn duplicates(block: &CaseBlock, seen: &mut SeenIds) -> Result<Vec<usize>> {
    let mut duplicates = Vec::new();
    for (at, row) in block.accepted.iter().enumerate() {
        let is_new = seen.insert(row.data.case_id).map_err(|error| {
            Failure::new("cannot keep track of the case ids")
                .source(error)
                .hint("the temporary directory (TMPDIR) needs free space and write permission")
        })?;
        if !is_new {
            duplicates.push(at);
        }
    }
    Ok(duplicates)
}

/// Sends the accepted rows of a block without duplicates.
async fn send(block: &CaseBlock, duplicates: &[usize], copy: &mut BinaryCopy<'_>) -> Result<()> {
    let mut start = 0;
    for duplicate in duplicates {
        let before = duplicate.checked_sub(1).map_or(0, |before| block.accepted[before].encoded_end);
        copy.send(&block.encoded[start..before.max(start)]).await?;
        start = block.accepted[*duplicate].encoded_end;
    }
    copy.send(&block.encoded[start..]).await
}

/// The counts of the cases, for the run, the publish gate and reports.
pub struct LoadStats {
    pub tally: Tally,
    /// Rows and missing values by year.
    pub profile: Profile,
    counts: CaseAggregates,
    writer: counts::AggregateWriter,
}

impl LoadStats {
    /// Opens the session that writes the aggregates for reports.
    pub async fn begin(database: &Database, run_id: Uuid) -> Result<Self> {
        let writer = counts::AggregateWriter::begin(database, run_id).await?;
        Ok(Self {
            tally: Tally::default(),
            profile: Profile::default(),
            counts: CaseAggregates::default(),
            writer,
        })
    }

    /// Counts the accepted rows of a block without duplicates; writes the aggregates when there are many.
    async fn count(&mut self, block: &CaseBlock, duplicates: &[usize]) -> Result<()> {
        self.tally.read += block.read;
        self.tally.filtered += block.filtered;
        self.tally.loaded += (block.accepted.len() - duplicates.len()) as u64;
        let mut duplicates = duplicates.iter().peekable();
        let mut start = 0;
        for (at, row) in block.accepted.iter().enumerate() {
            let encoded = &block.encoded[start..row.encoded_end];
            start = row.encoded_end;
            if duplicates.next_if_eq(&&at).is_some() {
                continue;
            }
            let case = Case::decode(encoded).ok_or_else(|| {
                Failure::new(format!("cannot count the case of line {}", row.line)).hint(BUG)
            })?;
            self.profile.add(case.registered_on, row.data.missing);
            self.counts.add(&case);
            if !row.data.repairs.is_empty() {
                for repair in row.data.repairs.iter() {
                    self.tally.count(Dataset::Cases, IssueKind::Repaired, repair.name(), 1);
                }
            }
        }
        if self.counts.is_full() { self.writer.write(&mut self.counts).await } else { Ok(()) }
    }

    /// Writes the remaining aggregates.
    pub async fn finish(self) -> Result<()> {
        self.writer.finish(self.counts).await
    }
}

/// Returns line, reason and text of every rejected row of a block.
fn rejected<'a>(block: &'a CaseBlock, duplicates: &[usize]) -> Vec<(u64, &'static str, &'a [u8])> {
    let by_rule = block.rejected.iter().map(|row| (row.line, row.reason, block.text(&row.raw)));
    let twice = duplicates.iter().map(|at| {
        let row = &block.accepted[*at];
        (row.line, DUPLICATE_CASE_ID, block.text(&row.raw))
    });
    by_rule.chain(twice).collect()
}

/// The first lines of each reason, logged at the end.
#[derive(Default)]
struct Samples(std::collections::BTreeMap<&'static str, (u64, Vec<String>)>);

impl Samples {
    const EACH: usize = 3;

    fn add(&mut self, line: u64, reason: &'static str, raw: &[u8]) {
        let (rows, lines) = self.0.entry(reason).or_default();
        *rows += 1;
        if lines.len() < Self::EACH {
            let text: String = String::from_utf8_lossy(raw).chars().take(80).collect();
            lines.push(format!("line {line}: {text}"));
        }
    }

    fn log(&self) {
        for (reason, (rows, lines)) in &self.0 {
            tracing::warn!(reason, rows, first = lines.join(" | "), "rows rejected");
        }
    }
}
