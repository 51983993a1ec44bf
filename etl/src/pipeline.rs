//! One run: find the files, parse and clean them, load them, check them, publish them. Either everything becomes visible or nothing.
//!
//! This file is the story; each step's own file says how. It reads from top to bottom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cases::{self, Found};
use crate::clean::Rules;
use crate::clean::laboratories::Laboratories;
use crate::clean::vaccinations::Vaccinations;
use crate::clean::years::{Years, YearsWanted};
use crate::dataset::Dataset;
use crate::gate::{self, Candidate, Check, Published, Thresholds};
use crate::load::georef::Georef;
use crate::load::publish::Publication;
use crate::load::rejects::Rejects;
use crate::load::release::{self, ReleaseId};
use crate::load::retire::{self, Retention};
use crate::load::{counts, disk, lock, optional, publish, staging};
use crate::log::Format;
use crate::parse::date::Day;
use crate::signals::Signals;
use crate::sources::Sources;
use crate::store::Store;
use crate::tally::Tally;
use crate::{database, dataset_date, migrate, runs};
use common::failure::{Failure, Result};

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
    /// Publish although checks of the gate failed.
    pub accept_anomalies: bool,
    /// The limits of the gate.
    pub thresholds: Thresholds,
    /// Which releases stay.
    pub retention: Retention,
    /// How progress is shown.
    pub log_format: Format,
}

/// How a run ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// New data are published.
    Published(Tally),
    /// Nothing was loaded: that run published the same already, or published what was rolled back.
    Skipped(Uuid),
}

/// Loads the datasets of `store`. Which dataset it is about is told as soon as it is known, however the run ends.
pub async fn run(options: &Options, store: &Store, about: &mut Option<runs::Dataset>) -> Result<Outcome> {
    let mut signals = Signals::listen();
    let mut session =
        signals.or_interrupted(begin(&options.database_url, options.run_id, runs::Kind::Etl)).await?;
    let load = Load { options, store, begun: Instant::now() };
    let result = signals.or_interrupted(load.perform(&mut session, about)).await;
    match &result {
        Ok(Outcome::Published(_)) => load.finish(&mut session, &mut signals).await,
        Ok(Outcome::Skipped(_)) => {}
        Err(failure) => give_up(&options.database_url, options.run_id, session, failure).await,
    }
    result
}

/// Opens a session that holds the lock of the load, in a database that has its tables, with this run on record.
pub(crate) async fn begin(database_url: &str, run_id: Uuid, kind: runs::Kind) -> Result<PgConnection> {
    let mut session = database::connect(database_url, run_id).await?;
    migrate::refuse_read_only(&mut session).await?;
    migrate::migrate(&mut session).await?;
    lock::take(&mut session).await?;
    runs::bury_dead(&mut session, kind).await?;
    runs::begin(&mut session, run_id, kind).await?;
    Ok(session)
}

/// A load that is under way.
struct Load<'a> {
    options: &'a Options,
    store: &'a Store,
    begun: Instant,
}

impl Load<'_> {
    /// Everything between the run's first record and its last.
    async fn perform(
        &self,
        session: &mut PgConnection,
        about: &mut Option<runs::Dataset>,
    ) -> Result<Outcome> {
        let Options { run_id, .. } = *self.options;
        retire::drop_releases(session, self.options.retention, retire::ROUNDS_BEFORE).await?;
        counts::forget_others(session).await?;

        let mut sources = Sources::find(self.store).await?;
        let (columns, dataset_date) = dataset_date::find(self.store, &sources.cases).await?;
        let years = Years::new(&self.options.years, dataset_date);
        let dataset = sources.describe(dataset_date, &years);
        runs::describe(session, run_id, &dataset).await?;
        let (source, bytes) = (&sources.cases.url, sources.cases.size);
        tracing::info!(source, bytes, dataset_date = %dataset_date, years = %years, "run started");
        *about = Some(dataset);
        if let Some(load) = self.loaded_before(session, &mut sources, (dataset_date, &years)).await? {
            runs::finish(session, run_id, "skipped").await?;
            return Ok(Outcome::Skipped(load));
        }

        let georef = sources.read_georef(self.store).await?;
        disk::require_room(session, sources.cases.size).await?;
        let release = release::begin(session, run_id).await?;
        georef.insert(session, release).await?;
        let rules = Rules { columns, dataset_date, years: years.clone(), geography: georef.geography() };
        let mut found = Found::begin(&self.options.database_url, run_id).await?;
        self.fill_tables(&mut sources, rules, &georef, (session, release), &mut found).await?;
        self.check(session, &mut sources, (dataset_date, &years), &georef, &found).await?;

        tracing::info!(
            rows = found.tally.loaded,
            seconds = seconds(self.begun.elapsed()),
            "rows loaded, building the index"
        );
        let tally = found.tally.clone();
        let finish_cases = async {
            staging::add_unique_index(session, release).await?;
            release::add_foreign_keys(session, release).await?;
            staging::analyze(session).await
        };
        let rest = async { tokio::try_join!(finish_cases, found.finish()) };
        let (done, ()) = tokio::join!(rest, sources.identify(self.store));
        done?;
        runs::describe(session, run_id, &sources.describe(dataset_date, &years)).await?;
        let inclusions = sources.inclusions(&georef, &tally);
        let optional = sources.optional_loads(session, run_id).await?;
        let publication =
            Publication { release, tally: &tally, inclusions: &inclusions, optional: &optional };
        release::wait_for_stale_plans(session, release).await?;
        publish::publish(session, run_id, publication).await?;
        tracing::info!(
            release = release.0,
            read = tally.read,
            filtered = tally.filtered,
            loaded = tally.loaded,
            rejected = tally.rejected(),
            repaired = tally.repaired(),
            seconds = seconds(self.begun.elapsed()),
            "run succeeded"
        );
        Ok(Outcome::Published(tally))
    }

    /// The run that published exactly these files, if they are what is published, or if a rollback has replaced them since.
    ///
    /// Checksums are only waited for if the size of the line list does not answer the question.
    async fn loaded_before(
        &self,
        session: &mut PgConnection,
        sources: &mut Sources,
        (dataset_date, years): (Day, &Years),
    ) -> Result<Option<Uuid>> {
        let Options { run_id, force, accept_anomalies, .. } = *self.options;
        let dataset = sources.describe(dataset_date, years);
        if force || !runs::may_be_loaded(session, &dataset).await? {
            return Ok(None);
        }
        sources.identify(self.store).await;
        let dataset = sources.describe(dataset_date, years);
        runs::describe(session, run_id, &dataset).await?;
        if let Some(load) = runs::published_alike(session, &dataset, accept_anomalies).await? {
            tracing::info!(published_by = %load, "this dataset is already loaded; nothing to do (--force loads it again)");
            return Ok(Some(load));
        }
        let rolled_back = runs::rolled_back_alike(session, &dataset).await?;
        if let Some(load) = rolled_back {
            tracing::warn!(
                loaded_by = %load,
                "this dataset was published and rolled back; it is not loaded again until its files change (--force loads it)"
            );
        }
        Ok(rolled_back)
    }

    /// Fills the tables of the release and of the optional datasets; keeps what is rejected.
    async fn fill_tables(
        &self,
        sources: &mut Sources,
        rules: Rules,
        georef: &Georef,
        (session, release): (&mut PgConnection, ReleaseId),
        found: &mut Found,
    ) -> Result<()> {
        let Options { run_id, log_format, .. } = *self.options;
        let mut rejects_session = database::connect(&self.options.database_url, run_id).await?;
        let mut rejects = Rejects::begin(&mut rejects_session, run_id).await?;
        georef.count(&mut found.tally);
        for reject in &georef.rejects {
            rejects.add(reject.dataset, reject.line, reject.reason, &reject.raw).await?;
        }
        let rules = Arc::new(rules);
        let from = (self.store, &sources.cases, log_format);
        cases::load(from, &rules, (session, release), &mut rejects, found).await?;
        for source in sources.optional() {
            let wanted = optional_rules(source.dataset, run_id, &rules);
            let rejects = (&mut rejects, &mut found.tally);
            let loaded = optional::load(session, (self.store, &source), wanted, rejects).await?;
            sources.note(source.dataset, loaded);
        }
        rejects.finish().await?;
        Rejects::forget(&mut rejects_session, run_id, &sources.left_out()).await
    }

    /// The publish gate: fails if the release must not be published, and takes refused optional datasets out of it.
    async fn check(
        &self,
        session: &mut PgConnection,
        sources: &mut Sources,
        (dataset_date, years): (Day, &Years),
        georef: &Georef,
        found: &Found,
    ) -> Result<()> {
        let Options { run_id, accept_anomalies, ref thresholds, .. } = *self.options;
        let mut optional = Vec::new();
        for (dataset, counts) in sources.optional_counts() {
            optional.push((dataset, counts, gate::optional_figures(session, dataset, run_id).await?));
        }
        let reference = [Dataset::Provinces, Dataset::Departments];
        let candidate = Candidate {
            dataset_date,
            years,
            tally: &found.tally,
            profile: &found.profile,
            georef: reference.map(|dataset| (dataset, georef.counts(dataset))),
            optional,
        };
        let published = Published::read(session).await?;
        let checks = gate::examine(&candidate, published.as_ref(), thresholds);
        gate::record::store(session, run_id, &checks, accept_anomalies, &found.profile).await?;
        let (optional, required): (Vec<Check>, Vec<Check>) =
            checks.into_iter().partition(|check| check.dataset.is_optional());
        if let Some(reason) = gate::refusal(&required, accept_anomalies) {
            runs::record_tally(session, run_id, &found.tally).await?;
            return Err(gate::refused(&reason, &required, run_id));
        }
        for check in required.iter().filter(|check| check.outcome == gate::Outcome::Failed) {
            tracing::warn!(check = check.name, "anomaly accepted: {}", check.message);
        }
        for dataset in Dataset::OPTIONAL {
            let of_dataset = optional.iter().filter(|check| check.dataset == dataset);
            if let Some(reason) = gate::refusal(of_dataset, accept_anomalies) {
                optional::discard(session, dataset, run_id).await?;
                sources.refuse(dataset, &reason);
            }
        }
        Ok(())
    }

    /// What follows the publication: the next spare release, and the end of those that are replaced. What is published stays published
    /// whatever becomes of that.
    async fn finish(&self, session: &mut PgConnection, signals: &mut Signals) {
        let work = async {
            release::prepare_next(session).await?;
            retire::drop_releases(session, self.options.retention, retire::ROUNDS_AFTER).await?;
            counts::forget_others(session).await
        };
        if let Err(failure) = signals.or_interrupted(work).await {
            tracing::warn!(%failure, "the release is published; the next run clears away what it replaced");
        }
    }
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

/// Records the failure, if the database still answers; else the next run does it.
pub(crate) async fn give_up(database_url: &str, run_id: Uuid, session: PgConnection, failure: &Failure) {
    // The session may be in the middle of anything: closing it frees the lock and rolls back.
    drop(session);
    let record = async {
        let mut fresh = database::connect(database_url, run_id).await?;
        runs::fail(&mut fresh, run_id, failure).await
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
