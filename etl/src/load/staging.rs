//! Commit, unique index and statistics of a filled release.

use common::failure::Result;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::release::ReleaseId;
use crate::database::DbContext as _;

/// Commits the filled table.
pub async fn commit(session: &mut PgConnection) -> Result<()> {
    session.execute("COMMIT").await.db_context("cannot commit the cases of the new release").map(drop)
}

/// Builds the unique index on the case ids. PostgreSQL builds it on several cores, and readers, who hold locks on every partition, are
/// not affected, as they would be by a constraint.
pub async fn add_unique_index(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    const WHAT: &str = "cannot build the unique index of the new release";
    let table = release.cases();
    // The publication waits for the disk, and with it for everything that was written before.
    let settings = "SET maintenance_work_mem = '128MB'; SET synchronous_commit = off";
    session.execute(settings).await.db_context(WHAT)?;
    let statement = format!("CREATE UNIQUE INDEX {table}_case_id_key ON public.{table} (case_id)");
    session.execute(AssertSqlSafe(statement)).await.db_context(WHAT).map(drop)
}

/// Collects statistics of the new partition and of `release_case` as a whole, which autovacuum never does.
pub async fn analyze(session: &mut PgConnection) -> Result<()> {
    // 9,000 rows are enough for columns with a few hundred values.
    let statement = "SET default_statistics_target = 30; ANALYZE public.release_case;
         RESET default_statistics_target; RESET maintenance_work_mem; RESET synchronous_commit";
    session.execute(statement).await.db_context("cannot analyze the new release").map(drop)
}
