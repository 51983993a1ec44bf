//! The table of a new release's cases: created and filled by one binary COPY, out of sight, and given its primary key.

use sqlx::postgres::{PgConnection, PgCopyIn};
use sqlx::{AssertSqlSafe, Executor as _};

use super::release::ReleaseId;
use crate::clean::case::COPY_COLUMNS;
use crate::clean::encoding::{COPY_HEADER, COPY_TRAILER};
use crate::database::OrSqlFail as _;
use crate::failure::Result;

const WHAT: &str = "cannot copy the cases into the new release";

/// A COPY that is under way, in the transaction that created its table. Dropped unfinished, it leaves nothing behind.
pub struct Staging<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
}

impl<'a> Staging<'a> {
    /// Creates the table and opens the COPY. `FREEZE` needs both in one transaction; it spares PostgreSQL a later rewrite of every
    /// page. The rows reach the disk while the keys are made; it is the publication that waits for them.
    pub async fn begin(session: &'a mut PgConnection, release: ReleaseId) -> Result<Self> {
        let (table, id) = (release.cases(), release.0);
        session
            .execute(AssertSqlSafe(format!(
                "BEGIN; SET LOCAL synchronous_commit = off;
                 CREATE TABLE public.{table} (LIKE public.release_case INCLUDING COMMENTS, CHECK (release_id = {id}));
                 ALTER TABLE public.{table} ALTER COLUMN release_id SET DEFAULT {id}"
            )))
            .await
            .or_sql_fail("cannot create the table of the new release")?;
        let statement = format!("COPY public.{table} ({COPY_COLUMNS}) FROM STDIN (FORMAT binary, FREEZE)");
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

/// Adds the primary key. PostgreSQL builds it on several cores.
pub async fn add_primary_key(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let table = release.cases();
    // The publication waits for the disk, and with it for everything that was written before.
    let statement = format!(
        "SET maintenance_work_mem = '128MB'; SET synchronous_commit = off;
         ALTER TABLE public.{table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (case_id)"
    );
    session
        .execute(AssertSqlSafe(statement))
        .await
        .or_sql_fail("cannot add the primary key of the new release")
        .map(drop)
}

/// Collects statistics of the new partition and of `release_case` as a whole, which autovacuum never does.
pub async fn analyze(session: &mut PgConnection) -> Result<()> {
    // 9,000 rows are enough for columns with a few hundred values.
    let statement = "SET default_statistics_target = 30; ANALYZE public.release_case;
         RESET default_statistics_target; RESET maintenance_work_mem; RESET synchronous_commit";
    session.execute(statement).await.or_sql_fail("cannot analyze the new release").map(drop)
}
