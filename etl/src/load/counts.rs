//! Writes the aggregates of a load, so that reports need not read the cases.
//!
//! Their rows carry the id of the run, and readers select those of the published run: publishing makes them visible with the cases.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::copy::BinaryCopy;
use super::indicators;
use crate::aggregates::reference_days::MAX_DELAY;
use crate::aggregates::{CaseAggregates, Rows, doses};
use crate::database::{Database, Session, execute};
use common::failure::Result;

/// The tables whose rows carry the id of their run: aggregates and optional datasets.
const TABLES: [&str; 6] =
    ["case_count", "place_count", "delay_count", "contradiction_count", "test_count", "vaccination_count"];

const WHAT: &str = "cannot write the counts of the cases";

/// Writes aggregates in a session and transaction of its own, so that a failed load leaves none.
pub struct AggregateWriter {
    session: Session,
    run_id: Uuid,
}

impl AggregateWriter {
    pub async fn begin(database: &Database, run_id: Uuid) -> Result<Self> {
        let mut session = database.connect().await?;
        // The publication flushes the log. A few thousand rows are enough for the statistics.
        let settings = "SET default_statistics_target = 30; BEGIN; SET LOCAL synchronous_commit = off";
        execute(&mut session, settings, WHAT).await?;
        Ok(Self { session, run_id })
    }

    /// Writes and empties the aggregates.
    pub async fn write(&mut self, counts: &mut CaseAggregates) -> Result<()> {
        for rows in counts.take(self.run_id) {
            self.copy(rows).await?;
        }
        Ok(())
    }

    /// Writes the rest and the estimates, and commits.
    pub async fn finish(mut self, mut counts: CaseAggregates) -> Result<()> {
        self.write(&mut counts).await?;
        self.copy(counts.contradictions(self.run_id)).await?;
        indicators::write(&mut self.session, self.run_id, counts.take_reference_days()).await?;
        let end = "COMMIT; ANALYZE public.case_count; ANALYZE public.place_count; ANALYZE public.delay_count;
                   ANALYZE public.daily_estimate";
        execute(&mut self.session, end, WHAT).await
    }

    async fn copy(&mut self, Rows { table, columns, pieces }: Rows<'_>) -> Result<()> {
        let columns = format!("run_id, {columns}");
        let mut copy =
            BinaryCopy::begin(&mut self.session, &format!("public.{table}"), &columns, WHAT).await?;
        for piece in pieces {
            copy.send(&piece).await?;
        }
        copy.finish().await.map(drop)
    }
}

/// Deletes the rows of runs that no kept release shows, except the load that the published one is compared with. The rejected rows of the
/// latest failed load stay, too, because they may say why it failed. Of the estimates by day, those that later releases can change stay for every
/// release that was published and not rolled back.
pub async fn delete_unused(session: &mut PgConnection) -> Result<()> {
    let others = "run_id NOT IN (
                 SELECT run_id FROM public.release WHERE dropped_at IS NULL AND publication IS NOT NULL
                 UNION ALL SELECT run_id FROM public.release_dataset
                 UNION ALL SELECT run_id FROM public.previous_load() AS run_id WHERE run_id IS NOT NULL)";
    let rejected = format!(
        "DELETE FROM public.rejected_row WHERE {others} AND run_id IS DISTINCT FROM (
             SELECT run_id FROM public.pipeline_run WHERE kind = 'etl' AND status = 'failed' ORDER BY started_at DESC LIMIT 1);"
    );
    let daily = format!(
        "DELETE FROM public.{} WHERE {others} AND (day <= as_of - {MAX_DELAY} OR run_id NOT IN (
             SELECT run_id FROM public.release WHERE publication IS NOT NULL AND NOT rolled_back AND run_id IS NOT NULL));",
        indicators::DAILY
    );
    let doses = doses::TABLES.iter().map(|(table, _)| table);
    let tables = TABLES.iter().chain(doses).chain(&indicators::TABLES);
    let statements: Vec<String> = tables
        .map(|table| format!("DELETE FROM public.{table} WHERE {others};"))
        .chain([daily, rejected])
        .collect();
    execute(session, AssertSqlSafe(statements.concat()), "cannot delete the rows of older runs").await
}
