//! The table in which a load grows out of sight: of the same shape as `covid_case`, filled by one binary COPY.

use sqlx::postgres::{PgConnection, PgCopyIn};
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use crate::clean::case::COPY_COLUMNS;
use crate::clean::encoding::{COPY_HEADER, COPY_TRAILER};
use crate::database::OrSqlFail as _;
use crate::failure::Result;

/// The table's name while it grows.
pub const STAGING: &str = "covid_case_staging";

const WHAT: &str = "cannot fill the staging table";

/// A COPY that is under way, in the transaction that created its table. Dropped unfinished, nothing of it remains.
pub struct Staging<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
}

impl<'a> Staging<'a> {
    /// Creates the table and opens the COPY. `FREEZE` needs both in one transaction; what it buys is that a reader whose snapshot
    /// is older than the load sees the rows all the same once the table is published. The rows reach the disk while the keys are
    /// made; it is the publication that waits for them.
    pub async fn begin(session: &'a mut PgConnection) -> Result<Self> {
        session
            .execute(AssertSqlSafe(format!(
                "BEGIN; SET LOCAL synchronous_commit = off;
                 CREATE TABLE public.{STAGING} (LIKE public.covid_case INCLUDING COMMENTS)"
            )))
            .await
            .or_sql_fail("cannot create the staging table")?;
        let statement = format!("COPY public.{STAGING} ({COPY_COLUMNS}) FROM STDIN (FORMAT binary, FREEZE)");
        let mut copy = session.copy_in_raw(&statement).await.or_sql_fail("cannot fill the staging table")?;
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

    /// Ends the COPY; the transaction is still open. Gives the number of rows that the table has.
    pub async fn finish(mut self) -> Result<u64> {
        self.copy.send(COPY_TRAILER).await.or_sql_fail(WHAT)?;
        self.copy.finish().await.or_sql_fail(WHAT)
    }
}

/// Makes the filled table permanent, though nobody looks at it yet.
pub async fn commit(session: &mut PgConnection) -> Result<()> {
    session.execute("COMMIT").await.or_sql_fail("cannot keep the staging table").map(drop)
}

/// Adds the primary key. PostgreSQL builds it on several cores.
pub async fn add_primary_key(session: &mut PgConnection, run_id: Uuid) -> Result<()> {
    // The publication waits for the disk, and with it all that was written before.
    let settings = "SET maintenance_work_mem = '128MB'; SET synchronous_commit = off".to_owned();
    let key = constraint(run_id, "pkey", "PRIMARY KEY (case_id)");
    execute(session, [settings, key]).await
}

/// Adds the foreign keys, which PostgreSQL checks on one core, and statistics.
pub async fn add_foreign_keys(session: &mut PgConnection, run_id: Uuid) -> Result<()> {
    let key = |column: &str, name: &str, table: &str| {
        let rule = format!("FOREIGN KEY ({column}) REFERENCES public.{table}");
        constraint(run_id, &format!("{name}_fkey"), &rule)
    };
    let statements = [
        key("registration_province_id", "registration_province", "province"),
        key("residence_province_id", "residence_province", "province"),
        key("residence_department_id", "residence_department", "department"),
        // 9,000 rows tell the planner all about columns with a few hundred values.
        "SET default_statistics_target = 30".to_owned(),
        format!("ANALYZE public.{STAGING}"),
        "RESET default_statistics_target; RESET maintenance_work_mem; RESET synchronous_commit".to_owned(),
    ];
    execute(session, statements).await
}

/// Adds a constraint. It is named after its run, because those of the published table still have their names.
fn constraint(run_id: Uuid, name: &str, rule: &str) -> String {
    let run = &run_id.simple().to_string()[..12];
    format!("ALTER TABLE public.{STAGING} ADD CONSTRAINT covid_case_{name}_{run} {rule}")
}

async fn execute(session: &mut PgConnection, statements: impl IntoIterator<Item = String>) -> Result<()> {
    for statement in statements {
        let done = session.execute(AssertSqlSafe(statement)).await;
        done.or_sql_fail("cannot add the keys of the staging table")?;
    }
    Ok(())
}
