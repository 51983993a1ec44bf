//! The ledger of runs: one row in `pipeline_run` for each, from the moment it begins, and its tally in `run_issue`.
//!
//! A run that dies cannot say so; the next one, which holds the lock, says it for it.

use chrono::NaiveDate;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::clean::RULES_VERSION;
use crate::database::{self, OrSqlFail as _};
use crate::dataset;
use crate::tally::{Counts, Tally};
use common::failure::{Failure, Result};

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Loads the dataset.
    Etl,
    /// Writes the report.
    Report,
    /// Publishes an earlier release again.
    Rollback,
    /// Fetches the datasets; it knows no database and has a record in the store only.
    Download,
}

impl Kind {
    /// The word in `pipeline_run.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Etl => "etl",
            Self::Report => "report",
            Self::Rollback => "rollback",
            Self::Download => "download",
        }
    }
}

/// Writes the row of a run that begins.
pub async fn begin(session: &mut PgConnection, run_id: Uuid, kind: Kind) -> Result<()> {
    sqlx::query("INSERT INTO pipeline_run (run_id, kind, status) VALUES ($1, $2, 'running')")
        .bind(run_id)
        .bind(kind.name())
        .execute(session)
        .await
        .or_sql_fail("cannot record the run")
        .map(drop)
        .map_err(|failure| match failure.hint_text() {
            Some(_) => failure,
            None => failure.hint("give every run an id of its own, or leave RUN_ID unset"),
        })
}

/// Marks runs as failed that were killed before they could do so: their sessions are gone, or, for loads and rollbacks, the caller
/// holds the lock that they would have to hold.
pub async fn bury_dead(session: &mut PgConnection, kind: Kind) -> Result<u64> {
    sqlx::query(
        "UPDATE pipeline_run SET status = 'failed', finished_at = now(),
                error = 'it ended without saying why (killed, or its host went away)'
         WHERE status = 'running' AND (
             $1 IN ('etl', 'rollback') AND kind IN ('etl', 'rollback')
             OR kind = $1 AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $2 || run_id))",
    )
    .bind(kind.name())
    .bind(database::APPLICATION)
    .execute(session)
    .await
    .or_sql_fail("cannot close the records of dead runs")
    .map(|done| done.rows_affected())
}

/// Marks the run as failed, with the sentence that the user was shown. One that has published stays succeeded: the answer to its
/// COMMIT may have been lost on the way.
pub async fn fail(session: &mut PgConnection, run_id: Uuid, failure: &Failure) -> Result<()> {
    sqlx::query(
        "UPDATE pipeline_run SET status = 'failed', finished_at = clock_timestamp(), error = $2
         WHERE run_id = $1 AND status = 'running'",
    )
    .bind(run_id)
    .bind(failure.to_string().replace('\0', ""))
    .execute(session)
    .await
    .or_sql_fail("cannot record that the run failed")
    .map(drop)
}

/// Marks the run as ended well, or as skipped.
pub async fn finish(session: &mut PgConnection, run_id: Uuid, status: &str) -> Result<()> {
    sqlx::query("UPDATE pipeline_run SET status = $2, finished_at = clock_timestamp() WHERE run_id = $1")
        .bind(run_id)
        .bind(status)
        .execute(session)
        .await
        .or_sql_fail("cannot record that the run ended")
        .map(drop)
}

/// Which dataset a run is about.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// `ultima_actualizacion`.
    pub updated_on: NaiveDate,
    /// The line list's file.
    pub source_name: String,
    /// Its bytes.
    pub source_size: i64,
    /// On S3.
    pub source_etag: Option<String>,
    /// In a folder.
    pub source_sha256: Option<String>,
    /// One digest of all files, once it is known.
    pub fingerprint: Option<String>,
    /// `all` or the years.
    pub years: String,
}

/// Notes the dataset as soon as it is known.
pub async fn describe(session: &mut PgConnection, run_id: Uuid, dataset: &Dataset) -> Result<()> {
    sqlx::query(
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
    .bind(&dataset.years)
    .execute(session)
    .await
    .or_sql_fail("cannot record the dataset")
    .map(drop)
}

/// Whether a dataset of this size and these years may be what is published, or what a rollback replaced: a reason to make checksums.
pub async fn may_be_loaded(session: &mut PgConnection, dataset: &Dataset) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM release JOIN pipeline_run USING (run_id)
             WHERE source_size = $1 AND (rolled_back OR years = $2 AND release_id = (SELECT release_id FROM published_release)))",
    )
    .bind(dataset.source_size)
    .bind(&dataset.years)
    .fetch_one(session)
    .await
    .or_sql_fail(CANNOT_COMPARE)
}

/// The run that published these files and years, if its release is published and the cleaning rules are the same. A release that lacks
/// a refused dataset is another one if anomalies are accepted.
pub async fn published_alike(
    session: &mut PgConnection,
    dataset: &Dataset,
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
    .or_sql_fail(CANNOT_COMPARE)
}

/// The run that published these files last, if a rollback has replaced its release.
pub async fn rolled_back_alike(session: &mut PgConnection, dataset: &Dataset) -> Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT run_id FROM (
             SELECT run_id, rolled_back FROM release JOIN pipeline_run USING (run_id)
             WHERE publication IS NOT NULL AND source_fingerprint = $1 ORDER BY publication DESC LIMIT 1
         ) AS latest WHERE rolled_back",
    )
    .bind(&dataset.fingerprint)
    .fetch_optional(session)
    .await
    .or_sql_fail(CANNOT_COMPARE)
}

const CANNOT_COMPARE: &str = "cannot compare the dataset with those that were loaded";

/// The dataset that a release was built from.
pub async fn dataset_of_release(session: &mut PgConnection, release: i32) -> Result<Dataset> {
    let row = sqlx::query(
        "SELECT dataset_updated_on, source_name, source_size, source_etag, source_sha256, source_fingerprint, years
         FROM release JOIN pipeline_run USING (run_id) WHERE release_id = $1",
    )
    .bind(release)
    .fetch_one(session)
    .await;
    row.and_then(|row| {
        Ok(Dataset {
            updated_on: row.try_get(0)?,
            source_name: row.try_get(1)?,
            source_size: row.try_get(2)?,
            source_etag: row.try_get(3)?,
            source_sha256: row.try_get(4)?,
            fingerprint: row.try_get(5)?,
            years: row.try_get(6)?,
        })
    })
    .or_sql_fail("cannot read the dataset of the release")
}

/// What became of one dataset, as `run_dataset` has it.
#[derive(Debug, Clone)]
pub struct Inclusion {
    /// Which one.
    pub dataset: dataset::Dataset,
    /// `loaded`, `missing`, `unreadable` or `refused`.
    pub status: &'static str,
    /// The name and the bytes of its file.
    pub source: Option<(String, u64)>,
    /// What became of its rows.
    pub counts: Option<Counts>,
    /// Why it was left out.
    pub error: Option<String>,
}

/// Writes what became of each dataset, within the transaction that publishes them.
pub async fn record_datasets(
    session: &mut PgConnection,
    run_id: Uuid,
    inclusions: &[Inclusion],
) -> Result<()> {
    let number = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    for inclusion in inclusions {
        let rows = |of: fn(Counts) -> u64| inclusion.counts.map(|counts| number(of(counts)));
        let (name, size) = inclusion.source.clone().unzip();
        sqlx::query(
            "INSERT INTO run_dataset (run_id, dataset, status, source_name, source_size, rows_read, rows_filtered, rows_loaded,
                    rows_rejected, rows_repaired, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(run_id)
        .bind(inclusion.dataset.name())
        .bind(inclusion.status)
        .bind(name)
        .bind(size.map(number))
        .bind(rows(|counts| counts.read))
        .bind(rows(|counts| counts.filtered))
        .bind(rows(|counts| counts.loaded))
        .bind(rows(|counts| counts.rejected))
        .bind(rows(|counts| counts.repaired))
        .bind(inclusion.error.as_ref().map(|error| error.replace('\0', "")))
        .execute(&mut *session)
        .await
        .or_sql_fail("cannot record what became of a dataset")?;
    }
    Ok(())
}

/// Writes the counts, within the transaction that publishes what they count.
pub async fn record_tally(session: &mut PgConnection, run_id: Uuid, tally: &Tally) -> Result<()> {
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    sqlx::query(
        "UPDATE pipeline_run SET rows_read = $2, rows_filtered = $3, rows_loaded = $4, rows_repaired = $5, rows_rejected = $6
         WHERE run_id = $1",
    )
    .bind(run_id)
    .bind(count(tally.read))
    .bind(count(tally.filtered))
    .bind(count(tally.loaded))
    .bind(count(tally.repaired()))
    .bind(count(tally.rejected()))
    .execute(&mut *session)
    .await
    .or_sql_fail("cannot record the counts")?;
    for (dataset, kind, reason, rows) in tally.issues() {
        sqlx::query(
            "INSERT INTO run_issue (run_id, dataset, kind, reason, rows) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(run_id)
        .bind(dataset.name())
        .bind(kind.name())
        .bind(reason)
        .bind(count(rows))
        .execute(&mut *session)
        .await
        .or_sql_fail("cannot record the tally")?;
    }
    Ok(())
}
