//! A run from top to bottom: find the files, parse and clean them, load them, check them, publish them. Everything becomes visible, or
//! nothing. Each step has a file of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::failure::Result;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cases::{self, LoadStats};
use crate::clean::CaseRules;
use crate::clean::years::{Period, Years};
use crate::context::LoadContext;
pub use crate::context::Options;
use crate::database::Database;
use crate::interrupts::Interrupts;
use crate::load::georef::Georef;
use crate::load::rejects::Rejects;
use crate::load::{counts, disk, publish, release, retire};
use crate::phases::{PhaseName, Phases};
use crate::sources::Sources;
use crate::store::Store;
use crate::tally::{IssueKind, Tally};
use crate::{dataset_date, optional_datasets, publish_gate, run_session, runs};

/// The result of a successful run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new release is published.
    Published(Tally),
    /// Nothing was loaded, because this run loaded the same files before.
    Skipped(Uuid),
}

/// What is known about a run while it goes on, however it ends.
#[derive(Debug, Default)]
pub struct RunProgress {
    /// Set as soon as the dataset is known.
    pub dataset: Option<runs::DatasetRecord>,
    pub phases: Phases,
}

/// Loads the datasets of `store`.
pub async fn run(
    options: &Options,
    store: &Store,
    interrupts: &mut Interrupts,
    progress: &mut RunProgress,
) -> Result<Outcome> {
    progress.phases.begin(PhaseName::Wait);
    let database = Database::new(&options.database_url, options.run_id);
    let watched = database.watched(run_session::begin(&database, runs::RunKind::Etl));
    let mut session = interrupts.or_interrupted(watched).await?;
    let mut committing = None;
    let load = load(options, store, &database, &mut session, progress, &mut committing);
    let result = interrupts.or_interrupted(database.watched(load)).await;
    if let Ok(Outcome::Published(_)) = result {
        progress.phases.begin(PhaseName::CleanUp);
        let clean_up = database.watched(clean_up(options, &mut session));
        if let Err(failure) = interrupts.or_interrupted(clean_up).await {
            tracing::warn!(%failure, "the release is published; the next run drops what it replaced");
        }
    }
    run_session::settle(&database, session, result, committing.map(Outcome::Published)).await
}

async fn load(
    options: &Options,
    store: &Store,
    database: &Database,
    session: &mut PgConnection,
    progress: &mut RunProgress,
    committing: &mut Option<Tally>,
) -> Result<Outcome> {
    let (run_id, started) = (options.run_id, Instant::now());
    progress.phases.begin(PhaseName::Extract);
    retire::drop_releases(session, options.retention, retire::ROUNDS_BEFORE).await?;
    counts::delete_unused(session).await?;

    let mut sources = Sources::find(store).await?;
    let (columns, dataset_date) = dataset_date::find(store, &sources.cases).await?;
    let period = Period { years: Years::new(&options.years, dataset_date), dataset_date };
    let dataset = sources.describe(&period);
    runs::describe(session, run_id, &dataset).await?;
    let (source, bytes) = (&sources.cases.url, sources.cases.size);
    tracing::info!(source, bytes, dataset_date = %dataset_date, years = %period.years.name, "run started");
    progress.dataset = Some(dataset);
    if let Some(load) = already_loaded(session, options, store, &mut sources, &period).await? {
        runs::finish(session, run_id, "skipped").await?;
        return Ok(Outcome::Skipped(load));
    }

    let georef = sources.read_georef(store).await?;
    disk::require_room(session, sources.cases.size).await?;
    let release = release::begin(session, run_id).await?;
    georef.insert(session, release).await?;
    let rules = Arc::new(CaseRules { columns, period, geography: georef.geography() });
    let context = LoadContext { options, database, store, rules, release };
    progress.phases.begin(PhaseName::Load);
    let mut stats = LoadStats::begin(database, run_id).await?;
    fill_tables(&context, &mut sources, &georef, session, &mut stats).await?;
    progress.phases.begin(PhaseName::Check);
    publish_gate::check(&context, session, &mut sources, &georef, &stats).await?;

    tracing::info!(
        rows = stats.tally.loaded,
        seconds = seconds(started.elapsed()),
        "rows loaded, building the index"
    );
    progress.phases.begin(PhaseName::Keys);
    let tally = stats.tally.clone();
    let finish = async { tokio::try_join!(release::complete(session, release), stats.finish()) };
    let (finished, ()) = tokio::join!(finish, sources.identify(store));
    finished?;
    runs::describe(session, run_id, &sources.describe(&context.rules.period)).await?;
    let inclusions = sources.inclusions(&georef, &tally);
    let optional = sources.optional_loads(session, run_id).await?;
    progress.phases.begin(PhaseName::Publish);
    release::wait_for_stale_plans(session, release).await?;
    let publication =
        publish::prepare(session, run_id, release, &tally, &inclusions, &optional, options.dose_rows).await?;
    *committing = Some(tally.clone());
    publish::commit(publication).await?;
    let counts = tally.cases();
    tracing::info!(
        release = release.0,
        read = counts.read,
        filtered = counts.filtered,
        loaded = counts.loaded,
        rejected = counts.rejected,
        repaired = counts.repaired,
        seconds = seconds(started.elapsed()),
        "run succeeded"
    );
    Ok(Outcome::Published(tally))
}

/// Returns the run that loaded exactly these files, if its release is published, or if a rollback has replaced it since.
///
/// Checksums are computed only if the size of the line list does not answer the question.
async fn already_loaded(
    session: &mut PgConnection,
    options: &Options,
    store: &Store,
    sources: &mut Sources,
    period: &Period,
) -> Result<Option<Uuid>> {
    let dataset = sources.describe(period);
    if options.force || !runs::may_be_loaded(session, &dataset).await? {
        return Ok(None);
    }
    sources.identify(store).await;
    let dataset = sources.describe(period);
    runs::describe(session, options.run_id, &dataset).await?;
    if let Some(load) = runs::published_alike(session, &dataset, options.accept_anomalies).await? {
        tracing::info!(published_by = %load, "this dataset is already loaded; nothing to do (--force loads it again)");
        return Ok(Some(load));
    }
    Ok(runs::rolled_back_alike(session, &dataset).await?.inspect(|load| {
        tracing::warn!(
            loaded_by = %load,
            "this dataset was published and rolled back; it is not loaded again until its files change (--force loads it)"
        );
    }))
}

/// Fills the tables of the release and of the optional datasets, and keeps rejected rows.
async fn fill_tables(
    context: &LoadContext<'_>,
    sources: &mut Sources,
    georef: &Georef,
    session: &mut PgConnection,
    stats: &mut LoadStats,
) -> Result<()> {
    let run_id = context.options.run_id;
    let mut rejects_conn = context.database.connect().await?;
    let mut rejects = Rejects::begin(&mut rejects_conn, run_id).await?;
    for reject in &georef.rejects {
        stats.tally.count(reject.dataset, IssueKind::Rejected, reject.reason, 1);
        rejects.add(reject.dataset, reject.line, reject.reason, &reject.raw).await?;
    }
    cases::load(context, &sources.cases, session, &mut rejects, stats).await?;
    for optional in &mut sources.optional {
        let Some(source) = &optional.source else { continue };
        let tally = &mut stats.tally;
        let loaded = optional_datasets::load(context, source, session, &mut rejects, tally).await?;
        optional.note(loaded);
    }
    rejects.finish().await?;
    Rejects::forget(&mut rejects_conn, run_id, &sources.left_out()).await
}

/// Prepares the next spare release and drops replaced ones. The release stays published even if this fails.
async fn clean_up(options: &Options, session: &mut PgConnection) -> Result<()> {
    release::create_spares(session, release::SPARES).await?;
    retire::drop_releases(session, options.retention, retire::ROUNDS_AFTER).await?;
    counts::delete_unused(session).await
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
