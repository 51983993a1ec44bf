//! The release that a load builds: its id, and the three partitions that hold its provinces, departments and cases.
//!
//! Readers never see a release before the pointer names it, so every step here commits on its own. What a killed load leaves
//! behind is found by its row in `release`, which was never published.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use uuid::Uuid;

use super::georef::Georef;
use crate::clean::RULES_VERSION;
use crate::database::OrSqlFail as _;
use crate::failure::Result;

/// Identifies a release; ascends in the order in which loads began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseId(pub i32);

/// The partitioned tables that every release has a partition of; each is referenced only by those before it.
pub const PARENTS: [&str; 3] = [CASES, "release_department", "release_province"];

/// The first of them.
pub const CASES: &str = "release_case";

impl ReleaseId {
    /// Names the partition that holds the cases of this release.
    pub fn cases(self) -> String {
        self.partition_of(CASES)
    }

    /// Names the partition of `parent` that belongs to this release.
    pub fn partition_of(self, parent: &str) -> String {
        format!("{parent}_{}", self.0)
    }
}

/// Records a new release and fills its reference tables.
pub async fn begin(session: &mut PgConnection, run_id: Uuid, georef: &Georef) -> Result<ReleaseId> {
    const WHAT: &str = "cannot create the reference tables of the new release";
    let id: i32 =
        sqlx::query_scalar("INSERT INTO release (run_id, rules_version) VALUES ($1, $2) RETURNING release_id")
            .bind(run_id)
            .bind(RULES_VERSION)
            .fetch_one(&mut *session)
            .await
            .or_sql_fail("cannot record the new release")?;
    let statements = format!(
        "CREATE TABLE public.release_province_{id} (LIKE public.release_province INCLUDING COMMENTS,
             PRIMARY KEY (province_id), CHECK (release_id = {id}));
         CREATE TABLE public.release_department_{id} (LIKE public.release_department INCLUDING COMMENTS,
             PRIMARY KEY (department_id), CHECK (release_id = {id}),
             FOREIGN KEY (province_id) REFERENCES public.release_province_{id});"
    );
    let mut transaction = session.begin().await.or_sql_fail(WHAT)?;
    transaction.execute(AssertSqlSafe(statements)).await.or_sql_fail(WHAT)?;
    georef.insert(&mut transaction, ReleaseId(id)).await?;
    transaction.commit().await.or_sql_fail(WHAT)?;
    Ok(ReleaseId(id))
}

/// Attaches the filled tables. Their CHECK constraints imply the partition bounds, so that no row is read, and the locks that this
/// takes on the parents let every reader and writer pass.
pub async fn attach(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    const WHAT: &str = "cannot attach the new release";
    let statements = PARENTS.map(|parent| {
        let (partition, id) = (release.partition_of(parent), release.0);
        format!("ALTER TABLE public.{parent} ATTACH PARTITION public.{partition} FOR VALUES IN ({id});")
    });
    session.execute(AssertSqlSafe(statements.concat())).await.or_sql_fail(WHAT)?;
    wait_for_earlier_plans(session).await.or_sql_fail(WHAT)
}

/// The longest wait for statements that were planned before the attachment. A statement takes its snapshot microseconds after its
/// plan; one that is still active after this time has long had it.
const EARLIER_PLANS_TIMEOUT: Duration = Duration::from_secs(1);

/// Waits for statements that may have been planned without the new partition and have not yet taken the snapshot that they run with.
/// Without this, such a statement could see the new pointer and miss the rows behind it.
async fn wait_for_earlier_plans(session: &mut PgConnection) -> sqlx::Result<()> {
    let attached_at: DateTime<Utc> =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *session).await?;
    let begun = Instant::now();
    loop {
        // State and start of another role's statement may be hidden: such a session counts as active.
        let active: bool = sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM pg_locks JOIN pg_stat_activity AS session USING (pid)
                 WHERE locktype = 'relation'
                   AND relation IN ('public.release_case'::regclass, 'public.release_department'::regclass, 'public.release_province'::regclass)
                   AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND coalesce(session.state, 'active') IN ('active', 'fastpath function call')
                   AND coalesce(session.query_start, '-infinity') <= $1
                   AND pid <> pg_backend_pid())",
        )
        .bind(attached_at)
        .fetch_one(&mut *session)
        .await?;
        if !active || begun.elapsed() > EARLIER_PLANS_TIMEOUT {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Adds the foreign keys without checking the rows, which the cleaning rules have checked against the same tables.
pub async fn add_foreign_keys(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let table = release.cases();
    let keys = FOREIGN_KEYS.map(|(column, referenced)| {
        let referenced = release.partition_of(referenced);
        format!("ADD CONSTRAINT {table}_{column}_fkey FOREIGN KEY ({column}) REFERENCES public.{referenced} NOT VALID")
    });
    let statement = format!("ALTER TABLE public.{table} {}", keys.join(", "));
    session
        .execute(AssertSqlSafe(statement))
        .await
        .or_sql_fail("cannot add the foreign keys of the new release")
        .map(drop)
}

/// Validates the foreign keys, which reads every row once. Readers and writers are not affected.
pub async fn validate_foreign_keys(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let table = release.cases();
    for (column, _) in FOREIGN_KEYS {
        let statement = format!("ALTER TABLE public.{table} VALIDATE CONSTRAINT {table}_{column}_fkey");
        session
            .execute(AssertSqlSafe(statement))
            .await
            .or_sql_fail("cannot validate the foreign keys of the published release")?;
    }
    Ok(())
}

/// Columns of the cases and the tables that they reference.
const FOREIGN_KEYS: [(&str, &str); 3] = [
    ("registration_province_id", "release_province"),
    ("residence_province_id", "release_province"),
    ("residence_department_id", "release_department"),
];
