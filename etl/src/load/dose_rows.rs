//! The doses themselves, for loads that keep them: a partition for each load, which is partitioned by month.
//!
//! A later release whose own file is missing or refused can show the doses of an earlier load. A partition is therefore dropped when no kept
//! release shows it.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::copy::BinaryCopy;
use super::release::{DOSES, ReleaseId};
use crate::clean::doses::COPY_COLUMNS;
use crate::database::{DbContext as _, execute};
use crate::parse::date::Day;
use common::failure::Result;

const WHAT: &str = "cannot keep the doses of the new release";

/// A COPY of doses into the partition of a load, on a session of its own. Dropped unfinished, it leaves no row behind.
pub struct DoseRowWriter<'a>(BinaryCopy<'a>);

impl<'a> DoseRowWriter<'a> {
    /// Creates the partition, with months to that of `last`.
    pub async fn begin(session: &'a mut PgConnection, release: ReleaseId, last: Day) -> Result<Self> {
        let create = sqlx::query("SELECT create_release_doses($1, $2)").bind(release.0);
        execute(session, create.bind(chrono::NaiveDate::from(last)), WHAT).await?;
        // The publication flushes the log.
        execute(session, "SET synchronous_commit = off", WHAT).await?;
        let table = format!("public.{}", release.partition_of(DOSES));
        BinaryCopy::begin(session, &table, COPY_COLUMNS, WHAT).await.map(Self)
    }

    pub async fn send(&mut self, rows: &[u8]) -> Result<()> {
        self.0.send(rows).await
    }

    /// Ends and commits the COPY.
    pub async fn finish(self) -> Result<()> {
        self.0.finish().await.map(drop)
    }
}

/// Collects statistics of the doses of a load.
pub async fn analyze(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let table = release.partition_of(DOSES);
    execute(session, AssertSqlSafe(format!("ANALYZE public.{table}")), WHAT).await
}

/// Returns the partitions that no kept release shows.
pub async fn unneeded(session: &mut PgConnection) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT partition.relname::text
         FROM pg_inherits
         JOIN pg_class AS partition ON partition.oid = inhrelid
         JOIN release ON partition.relname = 'release_dose_' || release_id
         WHERE inhparent = 'public.release_dose'::regclass
           AND NOT EXISTS (
               SELECT FROM release_dataset
               WHERE dataset = 'doses' AND keeps_rows AND release_dataset.run_id = release.run_id)",
    )
    .fetch_all(session)
    .await
    .db_context("cannot look for doses to drop")
}
