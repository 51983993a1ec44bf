//! The counts of a load, written beside its cases, so that questions need not read the cases: a few hundred lines for each day
//! instead of some ten thousand.
//!
//! The counts belong to their run. Readers ask for those of the published run, so that the publication makes them visible together
//! with the cases. What is counted is for [`Counts`] to say.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use crate::clean::encoding::{COPY_HEADER, COPY_TRAILER};
use crate::count::{Counts, Rows};
use crate::database::{self, OrSqlFail as _};
use common::failure::Result;

/// The tables whose rows belong to a run and are no cases: the counts, and the optional datasets.
const TABLES: [&str; 6] =
    ["case_count", "place_count", "delay_count", "contradiction_count", "test_count", "vaccination_count"];

const WHAT: &str = "cannot write the counts of the cases";

/// Writes counts, in a session and a transaction of its own: nothing remains of a load that fails.
pub struct Writer {
    session: PgConnection,
    run_id: Uuid,
}

impl Writer {
    /// Opens the session.
    pub async fn begin(database_url: &str, run_id: Uuid) -> Result<Self> {
        let mut session = database::connect(database_url, run_id).await?;
        // The publication waits for the disk, and with it all that was written before. For the statistics, some thousand rows will do.
        let settings = "SET default_statistics_target = 30; BEGIN; SET LOCAL synchronous_commit = off";
        session.execute(settings).await.or_sql_fail(WHAT)?;
        Ok(Self { session, run_id })
    }

    /// Writes what was counted so far, which is then counted no more.
    pub async fn write(&mut self, counts: &mut Counts) -> Result<()> {
        for rows in counts.take(self.run_id) {
            self.copy(rows).await?;
        }
        Ok(())
    }

    /// Writes the rest.
    pub async fn finish(mut self, mut counts: Counts) -> Result<()> {
        self.write(&mut counts).await?;
        self.copy(counts.contradictions(self.run_id)).await?;
        let end = "COMMIT; ANALYZE public.case_count; ANALYZE public.place_count; ANALYZE public.delay_count";
        self.session.execute(end).await.or_sql_fail(WHAT).map(drop)
    }

    async fn copy(&mut self, Rows { table, columns, pieces }: Rows<'_>) -> Result<()> {
        let statement = format!("COPY public.{table} (run_id, {columns}) FROM STDIN (FORMAT binary)");
        let mut copy = self.session.copy_in_raw(&statement).await.or_sql_fail(WHAT)?;
        copy.send(COPY_HEADER).await.or_sql_fail(WHAT)?;
        for piece in pieces {
            copy.send(piece).await.or_sql_fail(WHAT)?;
        }
        copy.send(COPY_TRAILER).await.or_sql_fail(WHAT)?;
        copy.finish().await.or_sql_fail(WHAT).map(drop)
    }
}

/// Forgets the rows of every run that no kept release shows, but for the load that the published one is compared with.
pub async fn forget_others(session: &mut PgConnection) -> Result<()> {
    let others = "run_id NOT IN (
                 SELECT run_id FROM public.release WHERE dropped_at IS NULL AND publication IS NOT NULL
                 UNION ALL SELECT run_id FROM public.release_dataset
                 UNION ALL SELECT run_id FROM public.previous_load() AS run_id WHERE run_id IS NOT NULL)";
    let statements: Vec<String> =
        TABLES.iter().map(|table| format!("DELETE FROM public.{table} WHERE {others};")).collect();
    session
        .execute(AssertSqlSafe(statements.concat()))
        .await
        .or_sql_fail("cannot forget the counts of older runs")
        .map(drop)
}
