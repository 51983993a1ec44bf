//! Streams the line list into the table of a new release: blocks of cleaned rows come in file order, duplicates are taken out, and
//! what readers and the gate want to know is counted on the way.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::clean::case::Case;
use crate::clean::missing::Column;
use crate::clean::null_words::NullWords;
use crate::clean::{Rejection, Rules};
use crate::count::Counts;
use crate::dataset::Dataset;
use crate::distinct::Ids;
use crate::extract::Source;
use crate::gate::Profile;
use crate::load::counts;
use crate::load::rejects::Rejects;
use crate::load::release::ReleaseId;
use crate::load::staging::{self, Staging};
use crate::log::{self, Format};
use crate::progress::Progress;
use crate::store::Store;
use crate::tally::{Kind, Tally};
use crate::transform::{Cleaned, Position, Transform};
use common::failure::{Context as _, Failure, Result};

/// Parses, cleans and copies every case into the table of the new release, without duplicates; keeps what is rejected.
pub async fn load(
    (store, source, log_format): (&Store, &Source, Format),
    rules: &Arc<Rules>,
    (session, release): (&mut PgConnection, ReleaseId),
    rejects: &mut Rejects<'_>,
    found: &mut Found,
) -> Result<()> {
    let position = Arc::new(Position::default());
    let _progress = Progress::start(&position, source.size, log_format);
    let mut transform = Transform::start(store, source, rules, &position)?;
    let mut staging = Staging::begin(session, release).await?;
    let mut ids = Ids::default();
    let (mut samples, mut null_words) = (Samples::default(), NullWords::default());
    while let Some(cleaned) = transform.next().await? {
        let duplicates = duplicates(&cleaned, &mut ids)?;
        send(&cleaned, &duplicates, &mut staging).await?;
        found.count_for_reports(&cleaned, &duplicates).await?;
        found.count(&cleaned, &duplicates);
        null_words.append(&cleaned.null_words);
        for (line, reason, raw) in rejected(&cleaned, &duplicates) {
            samples.add(line, reason, raw);
            rejects.add(Dataset::Cases, line, reason.name(), raw).await?;
        }
        transform.done(cleaned);
    }
    let copied = staging.finish().await?;
    staging::commit(session).await?;
    samples.say();
    log::warn_of_null_words(&null_words);
    let (rows, unknown) = found.profile.share(Column::UnknownClassification, |_| true);
    if unknown > 0 {
        tracing::warn!(rows, unknown, "classifications other than the ministry's four are kept as they are");
    }
    if copied != found.tally.loaded {
        let sent = found.tally.loaded;
        return Err(Failure::new(format!("PostgreSQL took {copied} rows of {sent} that were sent")).hint(BUG));
    }
    Ok(())
}

/// What to do about what cannot happen.
const BUG: &str = "this is a bug: please report it with the log of this run";

/// Which of a block's kept rows have an id that was kept before, in file order.
fn duplicates(cleaned: &Cleaned, ids: &mut Ids) -> Result<Vec<usize>> {
    let mut duplicates = Vec::new();
    for (at, row) in cleaned.kept.iter().enumerate() {
        let new = ids.insert(row.case_id).context(|| "cannot keep track of the case ids".to_owned());
        if !new.map_err(|failure| {
            failure.hint("the temporary folder (TMPDIR) needs room and the right to write")
        })? {
            duplicates.push(at);
        }
    }
    Ok(duplicates)
}

/// Sends a block's rows but the duplicates.
async fn send(cleaned: &Cleaned, duplicates: &[usize], staging: &mut Staging<'_>) -> Result<()> {
    let mut start = 0;
    for duplicate in duplicates {
        let before = duplicate.checked_sub(1).map_or(0, |before| cleaned.kept[before].encoded_end);
        staging.send(&cleaned.encoded[start..before.max(start)]).await?;
        start = cleaned.kept[*duplicate].encoded_end;
    }
    staging.send(&cleaned.encoded[start..]).await
}

/// What is found out about the cases while they pass by.
pub struct Found {
    /// What became of the rows.
    pub tally: Tally,
    /// Rows and missing values by year.
    pub profile: Profile,
    counts: Counts,
    writer: counts::Writer,
}

impl Found {
    /// Opens the session that writes the counts for the reports.
    pub async fn begin(database_url: &str, run_id: Uuid) -> Result<Self> {
        let writer = counts::Writer::begin(database_url, run_id).await?;
        Ok(Self { tally: Tally::default(), profile: Profile::default(), counts: Counts::default(), writer })
    }

    /// Counts a block's rows but the duplicates, for the reports and for the gate; writes the counts if there are many.
    async fn count_for_reports(&mut self, cleaned: &Cleaned, duplicates: &[usize]) -> Result<()> {
        let mut duplicates = duplicates.iter().peekable();
        let mut start = 0;
        for (at, row) in cleaned.kept.iter().enumerate() {
            let encoded = &cleaned.encoded[start..row.encoded_end];
            start = row.encoded_end;
            if duplicates.next_if_eq(&&at).is_some() {
                continue;
            }
            let case = Case::decode(encoded).ok_or_else(|| {
                Failure::new(format!("cannot count the case of line {}", row.line)).hint(BUG)
            })?;
            self.profile.add(case.registered_on, row.missing);
            self.counts.add(&case);
        }
        if self.counts.is_full() { self.writer.write(&mut self.counts).await } else { Ok(()) }
    }

    /// Adds a block to the tally. Repairs count only in rows that stay.
    fn count(&mut self, cleaned: &Cleaned, duplicates: &[usize]) {
        let tally = &mut self.tally;
        tally.read += cleaned.read;
        tally.filtered += cleaned.filtered;
        tally.loaded += (cleaned.kept.len() - duplicates.len()) as u64;
        for row in &cleaned.rejected {
            tally.count(Dataset::Cases, Kind::Rejected, row.reason.name(), 1);
        }
        let twice = duplicates.len() as u64;
        tally.count(Dataset::Cases, Kind::Rejected, Rejection::DuplicateCaseId.name(), twice);
        for (at, row) in cleaned.kept.iter().enumerate() {
            if !row.repairs.is_empty() && duplicates.binary_search(&at).is_err() {
                row.repairs
                    .iter()
                    .for_each(|repair| tally.count(Dataset::Cases, Kind::Repaired, repair.name(), 1));
            }
        }
    }

    /// Writes the counts that are left.
    pub async fn finish(self) -> Result<()> {
        self.writer.finish(self.counts).await
    }
}

/// Every rejected row of a block: line, reason, text.
fn rejected<'a>(cleaned: &'a Cleaned, duplicates: &[usize]) -> Vec<(u64, Rejection, &'a [u8])> {
    let by_rule = cleaned.rejected.iter().map(|row| (row.line, row.reason, cleaned.rejected_text(row)));
    let twice = duplicates.iter().map(|at| {
        let row = &cleaned.kept[*at];
        (row.line, Rejection::DuplicateCaseId, cleaned.kept_text(row))
    });
    by_rule.chain(twice).collect()
}

/// The first few lines of each reason, for the log: said once, at the end.
#[derive(Default)]
struct Samples(std::collections::BTreeMap<Rejection, (u64, Vec<String>)>);

impl Samples {
    const EACH: usize = 3;

    fn add(&mut self, line: u64, reason: Rejection, raw: &[u8]) {
        let (rows, lines) = self.0.entry(reason).or_default();
        *rows += 1;
        if lines.len() < Self::EACH {
            let text: String = String::from_utf8_lossy(raw).chars().take(80).collect();
            lines.push(format!("line {line}: {text}"));
        }
    }

    fn say(&self) {
        for (reason, (rows, lines)) in &self.0 {
            tracing::warn!(reason = reason.name(), rows, first = lines.join(" | "), "rows rejected");
        }
    }
}
