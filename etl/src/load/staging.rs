//! The cases of a new release: one binary COPY into its empty partition, then its unique index and statistics.

use sqlx::postgres::{PgConnection, PgCopyIn};
use sqlx::{AssertSqlSafe, Executor as _};

use super::release::ReleaseId;
use crate::clean::case::COPY_COLUMNS;
use crate::clean::encoding::{COPY_HEADER, COPY_TRAILER};
use crate::database::OrSqlFail as _;
use common::failure::Result;

const WHAT: &str = "cannot copy the cases into the new release";

/// A COPY that is under way, in a transaction of its own. Dropped unfinished, it leaves no row behind.
pub struct Staging<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
}

impl<'a> Staging<'a> {
    /// Opens the COPY. The rows reach the disk while the index is built; it is the publication that waits for them.
    pub async fn begin(session: &'a mut PgConnection, release: ReleaseId) -> Result<Self> {
        session.execute("BEGIN; SET LOCAL synchronous_commit = off").await.or_sql_fail(WHAT)?;
        let statement =
            format!("COPY public.{} ({COPY_COLUMNS}) FROM STDIN (FORMAT binary)", release.cases());
        let mut copy = session.copy_in_raw(&statement).await.or_sql_fail(WHAT)?;
        copy.send(COPY_HEADER).await.or_sql_fail(WHAT)?;
        Ok(Self { copy })
    }

    /// Sends encoded rows.
    pub async fn send(&mut self, rows: &[u8]) -> Result<()> {
        // PostgreSQL reads a message whole: keep them small enough for its buffers.
        for piece in rows.chunks(64 << 10) {
            self.copy.send(piece).await.or_sql_fail(WHAT)?;
        }
        Ok(())
    }

    /// Ends the COPY; the transaction is still open. Returns the number of rows that the table has.
    pub async fn finish(mut self) -> Result<u64> {
        self.copy.send(COPY_TRAILER).await.or_sql_fail(WHAT)?;
        self.copy.finish().await.or_sql_fail(WHAT)
    }
}

/// Commits the filled table.
pub async fn commit(session: &mut PgConnection) -> Result<()> {
    session.execute("COMMIT").await.or_sql_fail("cannot commit the cases of the new release").map(drop)
}

/// Builds the unique index on the case ids. PostgreSQL builds it on several cores, and readers, who hold locks on every partition, are
/// not affected, as they would be by a constraint.
pub async fn add_unique_index(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    const WHAT: &str = "cannot build the unique index of the new release";
    let table = release.cases();
    // The publication waits for the disk, and with it for everything that was written before.
    let settings = "SET maintenance_work_mem = '128MB'; SET synchronous_commit = off";
    session.execute(settings).await.or_sql_fail(WHAT)?;
    let statement = format!("CREATE UNIQUE INDEX {table}_case_id_key ON public.{table} (case_id)");
    session.execute(AssertSqlSafe(statement)).await.or_sql_fail(WHAT).map(drop)
}

/// Collects statistics of the new partition and of `release_case` as a whole, which autovacuum never does.
pub async fn analyze(session: &mut PgConnection) -> Result<()> {
    // 9,000 rows are enough for columns with a few hundred values.
    let statement = "SET default_statistics_target = 30; ANALYZE public.release_case;
         RESET default_statistics_target; RESET maintenance_work_mem; RESET synchronous_commit";
    session.execute(statement).await.or_sql_fail("cannot analyze the new release").map(drop)
}
