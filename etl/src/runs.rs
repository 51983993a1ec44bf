//! Runs in the database: `pipeline_run`, `run_issue` and `run_dataset`.
//!
//! A killed run cannot record its end; the next one, which holds the lock, does.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::clean::RULES_VERSION;
use crate::database::{self, DbContext as _, execute};
use crate::dataset::Dataset;
use crate::named_enum::named_enum;
use crate::tally::{RowCounts, Tally};
use common::failure::{Failure, Result};

named_enum! {
    /// The name is the value of `pipeline_run.kind`.
    pub enum RunKind {
        Etl = "etl",
        Report = "report",
        Rollback = "rollback",
        /// Has a record in storage alone.
        Download = "download",
    }
}

pub async fn begin(session: &mut PgConnection, run_id: Uuid, kind: RunKind) -> Result<()> {
    let insert = sqlx::query("INSERT INTO pipeline_run (run_id, kind, status) VALUES ($1, $2, 'running')");
    let begun = execute(session, insert.bind(run_id).bind(kind.name()), "cannot record the run").await;
    begun.map_err(|failure| match failure.hint_text() {
        Some(_) => failure,
        None => failure.hint("use a new RUN_ID for every run, or leave it unset"),
    })
}

/// Marks killed runs as failed: their sessions are gone, or, for loads and rollbacks, the caller holds the lock that they would hold.
pub async fn mark_stale_failed(session: &mut PgConnection, kind: RunKind) -> Result<()> {
    let update = sqlx::query(
        "UPDATE pipeline_run SET status = 'failed', finished_at = now(),
                error = 'killed, or its host stopped'
         WHERE status = 'running' AND (
             $1 IN ('etl', 'rollback') AND kind IN ('etl', 'rollback')
             OR kind = $1 AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $2 || run_id))",
    )
    .bind(kind.name())
    .bind(database::APPLICATION);
    execute(session, update, "cannot mark killed runs as failed").await
}

/// Marks the run as failed with its message, unless it has succeeded: the answer to its COMMIT may have been lost. Returns whether it has.
///
/// The row is locked by a transaction that has not ended yet, so the answer is final.
pub async fn fail(session: &mut PgConnection, run_id: Uuid, failure: &Failure) -> Result<bool> {
    const WHAT: &str = "cannot record that the run failed";
    let update = sqlx::query(
        "UPDATE pipeline_run SET status = 'failed', finished_at = clock_timestamp(), error = $2
         WHERE run_id = $1 AND status = 'running'",
    )
    .bind(run_id)
    .bind(failure.to_string().replace('\0', ""));
    execute(session, update, WHAT).await?;
    let succeeded = sqlx::query_scalar("SELECT status = 'succeeded' FROM pipeline_run WHERE run_id = $1");
    succeeded.bind(run_id).fetch_one(session).await.db_context(WHAT)
}

/// Records the end of a run: `succeeded` or `skipped`.
pub async fn finish(session: &mut PgConnection, run_id: Uuid, status: &str) -> Result<()> {
    let update =
        sqlx::query("UPDATE pipeline_run SET status = $2, finished_at = clock_timestamp() WHERE run_id = $1");
    execute(session, update.bind(run_id).bind(status), "cannot record that the run ended").await
}

/// The dataset of a run, in the database and, without checksums, in its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// `ultima_actualizacion`.
    pub updated_on: NaiveDate,
    /// File name of the line list.
    pub source_name: String,
    /// Bytes of the line list.
    pub source_size: i64,
    /// Of objects on S3.
    #[serde(skip)]
    pub source_etag: Option<String>,
    /// Of local files.
    #[serde(skip)]
    pub source_sha256: Option<String>,
    /// Digest of all files, once known.
    #[serde(skip)]
    pub fingerprint: Option<String>,
    /// `all`, or the years.
    pub years: String,
}

pub async fn describe(session: &mut PgConnection, run_id: Uuid, dataset: &DatasetRecord) -> Result<()> {
    let update = sqlx::query(
        "UPDATE pipeline_run SET dataset_updated_on = $2, source_name = $3, source_size = $4, source_etag = $5, source_sha256 = $6,
                source_fingerprint = $7, years = $8 WHERE run_id = $1",
    )
    .bind(run_id)
    .bind(dataset.updated_on)
    .bind(&dataset.source_name)
    .bind(dataset.source_size)
    .bind(&dataset.source_etag)
    .bind(&dataset.source_sha256)
    .bind(&dataset.fingerprint)
    .bind(&dataset.years);
    execute(session, update, "cannot record the dataset").await
}

/// Returns whether a dataset of this size and these years may be the published one, or one that a rollback replaced, so that checksums are
/// needed.
pub async fn may_be_loaded(session: &mut PgConnection, dataset: &DatasetRecord) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM release JOIN pipeline_run USING (run_id)
             WHERE source_size = $1 AND (rolled_back OR years = $2 AND release_id = (SELECT release_id FROM published_release)))",
    )
    .bind(dataset.source_size)
    .bind(&dataset.years)
    .fetch_one(session)
    .await
    .db_context(CANNOT_COMPARE)
}

/// Returns the run that loaded these files and years by the same rules, if its release is published. With anomalies accepted, a release that
/// lacks a refused dataset counts as another one.
pub async fn published_alike(
    session: &mut PgConnection,
    dataset: &DatasetRecord,
    accept_anomalies: bool,
) -> Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT run_id FROM release JOIN pipeline_run USING (run_id)
         WHERE release_id = (SELECT release_id FROM published_release)
           AND source_fingerprint = $1 AND years = $2 AND rules_version = $3
           AND NOT ($4 AND EXISTS (SELECT FROM run_dataset WHERE run_dataset.run_id = release.run_id AND run_dataset.status = 'refused'))",
    )
    .bind(&dataset.fingerprint)
    .bind(&dataset.years)
    .bind(RULES_VERSION)
    .bind(accept_anomalies)
    .fetch_optional(session)
    .await
    .db_context(CANNOT_COMPARE)
}

/// Returns the run that published these files last, if a rollback has replaced its release.
pub async fn rolled_back_alike(session: &mut PgConnection, dataset: &DatasetRecord) -> Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT run_id FROM (
             SELECT run_id, rolled_back FROM release JOIN pipeline_run USING (run_id)
             WHERE publication IS NOT NULL AND source_fingerprint = $1 ORDER BY publication DESC LIMIT 1
         ) AS latest WHERE rolled_back",
    )
    .bind(&dataset.fingerprint)
    .fetch_optional(session)
    .await
    .db_context(CANNOT_COMPARE)
}

const CANNOT_COMPARE: &str = "cannot compare the dataset with those that were loaded";

/// Returns the dataset of a release.
pub async fn dataset_of_release(session: &mut PgConnection, release: i32) -> Result<DatasetRecord> {
    let (updated_on, source_name, source_size, source_etag, source_sha256, fingerprint, years) = sqlx::query_as(
        "SELECT dataset_updated_on, source_name, source_size, source_etag, source_sha256, source_fingerprint, years
         FROM release JOIN pipeline_run USING (run_id) WHERE release_id = $1",
    )
    .bind(release)
    .fetch_one(session)
    .await
    .db_context("cannot read the dataset of the release")?;
    Ok(DatasetRecord { updated_on, source_name, source_size, source_etag, source_sha256, fingerprint, years })
}

/// The result of a dataset in a run: a row of `run_dataset`.
#[derive(Debug, Clone)]
pub struct Inclusion {
    pub dataset: Dataset,
    /// `loaded`, `missing`, `unreadable` or `refused`.
    pub status: &'static str,
    /// Name and bytes of its file.
    pub source: Option<(String, u64)>,
    pub counts: Option<RowCounts>,
    pub error: Option<String>,
}

/// Records the result of each dataset, inside the publishing transaction.
pub async fn record_datasets(
    session: &mut PgConnection,
    run_id: Uuid,
    inclusions: &[Inclusion],
) -> Result<()> {
    for inclusion in inclusions {
        let rows = |of: fn(RowCounts) -> u64| inclusion.counts.map(|counts| bigint(of(counts)));
        let (name, size) = inclusion.source.clone().unzip();
        let insert = sqlx::query(
            "INSERT INTO run_dataset (run_id, dataset, status, source_name, source_size, rows_read, rows_filtered, rows_loaded,
                    rows_rejected, rows_repaired, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(run_id)
        .bind(inclusion.dataset.name())
        .bind(inclusion.status)
        .bind(name)
        .bind(size.map(bigint))
        .bind(rows(|counts| counts.read))
        .bind(rows(|counts| counts.filtered))
        .bind(rows(|counts| counts.loaded))
        .bind(rows(|counts| counts.rejected))
        .bind(rows(|counts| counts.repaired))
        .bind(inclusion.error.as_ref().map(|error| error.replace('\0', "")));
        execute(session, insert, "cannot record the datasets").await?;
    }
    Ok(())
}

/// Records the row counts, inside the publishing transaction.
pub async fn record_tally(session: &mut PgConnection, run_id: Uuid, tally: &Tally) -> Result<()> {
    let counts = tally.cases();
    let update = sqlx::query(
        "UPDATE pipeline_run SET rows_read = $2, rows_filtered = $3, rows_loaded = $4, rows_repaired = $5, rows_rejected = $6
         WHERE run_id = $1",
    )
    .bind(run_id)
    .bind(bigint(counts.read))
    .bind(bigint(counts.filtered))
    .bind(bigint(counts.loaded))
    .bind(bigint(counts.repaired))
    .bind(bigint(counts.rejected));
    execute(session, update, "cannot record the counts").await?;
    for (dataset, kind, reason, rows) in tally.issues() {
        let insert = sqlx::query(
            "INSERT INTO run_issue (run_id, dataset, kind, reason, rows) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(run_id)
        .bind(dataset.name())
        .bind(kind.name())
        .bind(reason)
        .bind(bigint(rows));
        execute(session, insert, "cannot record rejects and repairs").await?;
    }
    Ok(())
}

fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
