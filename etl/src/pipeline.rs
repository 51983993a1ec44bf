//! One run: find the files, parse and clean them, load them, publish them. Either everything becomes visible or nothing does.
//!
//! This file is the story; each step's own file says how. It reads from top to bottom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::clean::case::Case;
use crate::clean::laboratories::Laboratories;
use crate::clean::null_words::NullWords;
use crate::clean::vaccinations::Vaccinations;
use crate::clean::years::{Years, YearsWanted};
use crate::clean::{Rejection, Rules};
use crate::count::Counts;
use crate::dataset::Dataset;
use crate::distinct::Ids;
use crate::extract::Source;
use crate::failure::{Failure, OrFail as _, Result};
use crate::load::georef::Georef;
use crate::load::publish::Publication;
use crate::load::rejects::Rejects;
use crate::load::staging::Staging;
use crate::load::{counts, lock, optional, publish, retire, staging};
use crate::log::{self, Format};
use crate::parse::date::Day;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::sources::Sources;
use crate::store::Store;
use crate::tally::{Kind, Tally};
use crate::transform::{Cleaned, Position, Transform};
use crate::{database, dataset_date, migrate, runs};

/// What is to be loaded, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// This run.
    pub run_id: Uuid,
    /// PostgreSQL. A secret.
    pub database_url: String,
    /// Which years of registration.
    pub years: YearsWanted,
    /// Load although the same is published already.
    pub force: bool,
    /// How progress is shown.
    pub log_format: Format,
}

/// How a run ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// New data are published.
    Published(Tally),
    /// This run published the same already.
    Skipped(Uuid),
}

/// Loads the datasets of `store`. Which dataset it is about is told as soon as it is known, however the run ends.
pub async fn run(options: &Options, store: &Store, about: &mut Option<runs::Dataset>) -> Result<Outcome> {
    let mut signals = Signals::listen();
    let mut session = signals.or_interrupted(begin(options)).await?;
    let result = signals.or_interrupted(load(options, store, &mut session, about)).await;
    match &result {
        Ok(Outcome::Published(_)) => clear_away(&mut session, &mut signals).await,
        Ok(Outcome::Skipped(_)) => {}
        Err(failure) => give_up(options, session, failure).await,
    }
    result
}

/// A session that holds the lock, in a database that has its tables, with this run on record.
async fn begin(options: &Options) -> Result<PgConnection> {
    let mut session = database::connect(&options.database_url, options.run_id).await?;
    migrate::refuse_read_only(&mut session).await?;
    migrate::migrate(&mut session).await?;
    lock::take(&mut session).await?;
    runs::bury_dead(&mut session, runs::Kind::Etl).await?;
    runs::begin(&mut session, options.run_id, runs::Kind::Etl).await?;
    Ok(session)
}

/// Everything between the run's first record and its last.
async fn load(
    options: &Options,
    store: &Store,
    session: &mut PgConnection,
    about: &mut Option<runs::Dataset>,
) -> Result<Outcome> {
    let begun = Instant::now();
    retire::drop_leftovers(session, retire::FIRST_ROUNDS).await?;
    counts::forget_others(session).await?;

    let mut sources = Sources::find(store).await?;
    let cases = &sources.cases;
    let (columns, dataset_date) = dataset_date::find(store, cases).await?;
    let years = Years::new(&options.years, dataset_date);
    let dataset = sources.describe(dataset_date, &years);
    runs::describe(session, options.run_id, &dataset).await?;
    tracing::info!(source = cases.url, bytes = cases.size, dataset_date = %dataset_date, years = %years, "run started");
    *about = Some(dataset);

    if !options.force
        && let Some(run_id) =
            already_published(session, options.run_id, (store, &mut sources), (dataset_date, &years)).await?
    {
        runs::finish(session, options.run_id, "skipped").await?;
        tracing::info!(published_by = %run_id, "this dataset is already loaded; nothing to do (--force loads it again)");
        return Ok(Outcome::Skipped(run_id));
    }

    let georef = sources.read_georef(store).await?;
    let geography = georef.insert_new(session).await?;
    let rules = Rules { columns, dataset_date, years: years.clone(), geography };
    let mut counting = Counting::begin(options).await?;
    let tally = fill_tables((options, store), &mut sources, rules, &georef, session, &mut counting).await?;
    tracing::info!(rows = tally.loaded, seconds = seconds(begun.elapsed()), "rows loaded, adding keys");
    staging::add_primary_key(session, options.run_id).await?;
    // PostgreSQL checks them on one core; the other one is free for what does not need the table.
    let keys =
        async { tokio::try_join!(staging::add_foreign_keys(session, options.run_id), counting.finish()) };
    let (done, ()) = tokio::join!(keys, sources.identify(store));
    done?;
    runs::describe(session, options.run_id, &sources.describe(dataset_date, &years)).await?;
    let inclusions = sources.inclusions(&georef, &tally);
    let publication = Publication { georef: &georef, tally: &tally, inclusions: &inclusions };
    publish::publish(session, options.run_id, publication).await?;
    tracing::info!(
        read = tally.read,
        filtered = tally.filtered,
        loaded = tally.loaded,
        rejected = tally.rejected(),
        repaired = tally.repaired(),
        seconds = seconds(begun.elapsed()),
        "run succeeded"
    );
    if tally.loaded == 0 {
        tracing::warn!(years = options.years.to_string(), "no row was loaded: the published table is empty");
    }
    Ok(Outcome::Published(tally))
}

/// The run that published exactly these files, if they are what is published. Only where that may be so are their checksums waited
/// for; else there is a better moment.
async fn already_published(
    session: &mut PgConnection,
    run_id: Uuid,
    (store, sources): (&Store, &mut Sources),
    (dataset_date, years): (Day, &Years),
) -> Result<Option<Uuid>> {
    let alike = runs::published_alike(session, &sources.describe(dataset_date, years)).await?;
    let Some((published_by, fingerprint)) = alike else { return Ok(None) };
    sources.identify(store).await;
    let dataset = sources.describe(dataset_date, years);
    runs::describe(session, run_id, &dataset).await?;
    Ok((fingerprint == dataset.fingerprint).then_some(published_by))
}

/// Fills the staging table with the cases, and the tables of the optional datasets; keeps what is rejected.
async fn fill_tables(
    (options, store): (&Options, &Store),
    sources: &mut Sources,
    rules: Rules,
    georef: &Georef,
    session: &mut PgConnection,
    counting: &mut Counting,
) -> Result<Tally> {
    let mut aside = database::connect(&options.database_url, options.run_id).await?;
    let mut rejects = Rejects::begin(&mut aside, options.run_id).await?;
    let mut tally = Tally::default();
    georef.count(&mut tally);
    for reject in &georef.rejects {
        rejects.add(reject.dataset, reject.line, reject.reason, &reject.raw).await?;
    }
    let rules = Arc::new(rules);
    let record = (&mut rejects, &mut tally, counting);
    fill_staging((options, store), &sources.cases, &rules, session, record).await?;
    for source in sources.optional() {
        let wanted = optional_rules(source.dataset, options.run_id, &rules);
        let loaded = optional::load(session, (store, &source), wanted, (&mut rejects, &mut tally)).await?;
        sources.note(source.dataset, loaded);
    }
    rejects.finish().await?;
    let left_out = sources.left_out();
    if !left_out.is_empty() {
        Rejects::forget(&mut aside, options.run_id, &left_out).await?;
    }
    Ok(tally)
}

/// The rules of an optional dataset, which need to know what those of the cases know.
fn optional_rules(dataset: Dataset, run_id: Uuid, rules: &Arc<Rules>) -> optional::Rules {
    let rules = Arc::clone(rules);
    Box::new(move |header, name| {
        let geography = rules.geography.clone();
        if dataset == Dataset::Vaccinations {
            return Ok(Box::new(Vaccinations::new(header, name, run_id, geography)?));
        }
        let period = (rules.years.clone(), rules.dataset_date);
        Ok(Box::new(Laboratories::new(header, name, run_id, period, geography)?))
    })
}

/// Parses, cleans and copies every case into a new staging table, without duplicates; keeps what is rejected.
async fn fill_staging(
    (options, store): (&Options, &Store),
    cases: &Source,
    rules: &Arc<Rules>,
    session: &mut PgConnection,
    (rejects, tally, counting): (&mut Rejects<'_>, &mut Tally, &mut Counting),
) -> Result<()> {
    let position = Arc::new(Position::default());
    let _progress = Progress::start(&position, cases.size, options.log_format);
    let mut transform = Transform::start(store, cases, rules, &position)?;
    let mut staging = Staging::begin(session).await?;
    let mut ids = Ids::default();
    let (mut samples, mut null_words) = (Samples::default(), NullWords::default());
    while let Some(cleaned) = transform.next().await? {
        let duplicates = duplicates(&cleaned, &mut ids)?;
        send(&cleaned, &duplicates, &mut staging).await?;
        counting.count(&cleaned, &duplicates).await?;
        count(&cleaned, &duplicates, tally);
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
    if copied != tally.loaded {
        return Err(
            Failure::new(format!("PostgreSQL took {copied} rows where {} were sent", tally.loaded)).hint(BUG)
        );
    }
    Ok(())
}

/// What to do about what cannot happen.
const BUG: &str = "this is a bug: please report it with the log of this run";

/// Which of a block's kept rows have an id that was kept before, in file order.
fn duplicates(cleaned: &Cleaned, ids: &mut Ids) -> Result<Vec<usize>> {
    let mut duplicates = Vec::new();
    for (at, row) in cleaned.kept.iter().enumerate() {
        let new = ids.insert(row.case_id).or_fail(|| "cannot keep track of the case ids".to_owned());
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

/// Counts cases for the reports, and writes the counts when there are many.
struct Counting {
    counts: Counts,
    writer: counts::Writer,
}

impl Counting {
    async fn begin(options: &Options) -> Result<Self> {
        let writer = counts::Writer::begin(&options.database_url, options.run_id).await?;
        Ok(Self { counts: Counts::default(), writer })
    }

    /// Counts a block's rows but the duplicates.
    async fn count(&mut self, cleaned: &Cleaned, duplicates: &[usize]) -> Result<()> {
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
            self.counts.add(&case);
        }
        if self.counts.is_full() { self.writer.write(&mut self.counts).await } else { Ok(()) }
    }

    async fn finish(self) -> Result<()> {
        self.writer.finish(self.counts).await
    }
}

/// Adds a block to the tally. Repairs count only in rows that stay.
fn count(cleaned: &Cleaned, duplicates: &[usize], tally: &mut Tally) {
    tally.read += cleaned.read;
    tally.filtered += cleaned.filtered;
    tally.loaded += (cleaned.kept.len() - duplicates.len()) as u64;
    for row in &cleaned.rejected {
        tally.count(Dataset::Cases, Kind::Rejected, row.reason.name(), 1);
    }
    tally.count(Dataset::Cases, Kind::Rejected, Rejection::DuplicateCaseId.name(), duplicates.len() as u64);
    for (at, row) in cleaned.kept.iter().enumerate() {
        if !row.repairs.is_empty() && duplicates.binary_search(&at).is_err() {
            row.repairs
                .iter()
                .for_each(|repair| tally.count(Dataset::Cases, Kind::Repaired, repair.name(), 1));
        }
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

/// Runs blocking work beside the runtime's own threads.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce(&Handle) -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || work(&runtime))
        .await
        .or_fail(|| "a worker thread ended before its time".to_owned())?
}

/// Drops what was replaced. What is published stays published, whatever becomes of that.
async fn clear_away(session: &mut PgConnection, signals: &mut Signals) {
    let work = async {
        counts::forget_others(session).await?;
        retire::drop_leftovers(session, retire::LAST_ROUNDS).await
    };
    if let Err(failure) = signals.or_interrupted(work).await {
        tracing::warn!(%failure, "what was replaced is not cleared away; the next run does it");
    }
}

/// Records the failure, if the database still listens; else the next run does it.
async fn give_up(options: &Options, session: PgConnection, failure: &Failure) {
    // The session may be in the middle of anything: closing it frees the lock and rolls back.
    drop(session);
    let record = async {
        let mut fresh = database::connect(&options.database_url, options.run_id).await?;
        runs::fail(&mut fresh, options.run_id, &failure.to_string()).await
    };
    match tokio::time::timeout(Duration::from_secs(5), record).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the failure could not be recorded; the next run does it"),
        Err(_) => tracing::warn!("the failure could not be recorded in time; the next run does it"),
    }
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
