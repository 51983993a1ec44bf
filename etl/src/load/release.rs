//! The release that a load fills: its id, and the three partitions that hold its provinces, departments and cases.
//!
//! Readers never see a release before the pointer names it, so every step here commits on its own. What a killed load leaves
//! behind is found by its row in `release`, which was never published.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use crate::clean::RULES_VERSION;
use crate::database::DbContext as _;
use common::failure::Result;

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

/// How many spare releases there are between two loads. A transaction that stays open while as many releases are published sees
/// each of them.
const SPARES: i64 = 2;

/// Takes a spare release for a load.
pub async fn begin(session: &mut PgConnection, run_id: Uuid) -> Result<ReleaseId> {
    create_spares(session, 1).await?;
    let id: i32 = sqlx::query_scalar(
        "UPDATE release SET run_id = $1, rules_version = $2
         WHERE release_id = (SELECT min(release_id) FROM release WHERE run_id IS NULL AND dropped_at IS NULL)
         RETURNING release_id",
    )
    .bind(run_id)
    .bind(RULES_VERSION)
    .fetch_one(&mut *session)
    .await
    .db_context("cannot take a release for this load")?;
    Ok(ReleaseId(id))
}

/// Creates the spare releases for the next loads.
pub async fn prepare_next(session: &mut PgConnection) -> Result<()> {
    create_spares(session, SPARES).await
}

async fn create_spares(session: &mut PgConnection, wanted: i64) -> Result<()> {
    sqlx::query(
        "SELECT create_release() FROM generate_series(1, $1 - (
             SELECT count(*) FROM release WHERE run_id IS NULL AND dropped_at IS NULL))",
    )
    .bind(wanted)
    .execute(session)
    .await
    .db_context("cannot create the tables of a new release")
    .map(drop)
}

/// The longest wait for transactions that do not know the partitions of a release. After it, their next statement fails in
/// `current_release()`.
const STALE_PLANS_TIMEOUT: Duration = Duration::from_secs(30);

/// Waits for transactions that have read the parent tables before the partitions of this release were attached: they hold no lock on
/// the partitions, their plans do not know them, and PostgreSQL tells them only when they take a new lock. A transaction that is
/// idle with a snapshot (repeatable read) is not waited for, because it goes on seeing the pointer of its snapshot.
pub async fn wait_for_stale_plans(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let begun = Instant::now();
    loop {
        // The state of another role's session may be hidden: it is waited for.
        let stale: bool = sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM unnest($1::text[], $2::text[]) AS name (parent, partition)
                 JOIN pg_locks AS lock ON lock.relation = to_regclass('public.' || parent)
                 JOIN pg_stat_activity AS session USING (pid)
                 WHERE lock.locktype = 'relation' AND pid <> pg_backend_pid()
                   AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND NOT (session.state = 'idle in transaction' AND session.backend_xmin IS NOT NULL)
                   AND NOT EXISTS (
                       SELECT FROM pg_locks AS known
                       WHERE known.pid = lock.pid AND known.relation = to_regclass('public.' || partition)))",
        )
        .bind(PARENTS.map(str::to_owned).to_vec())
        .bind(PARENTS.map(|parent| release.partition_of(parent)).to_vec())
        .fetch_one(&mut *session)
        .await
        .db_context("cannot look for readers that do not know the new release")?;
        if !stale || begun.elapsed() > STALE_PLANS_TIMEOUT {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Adds the foreign keys as `NOT VALID`: the cleaning rules have checked each row against the same tables, and to check them again would take
/// PostgreSQL a fifth of the whole load.
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
        .db_context("cannot add the foreign keys of the new release")
        .map(drop)
}

/// Columns of the cases and the tables that they reference.
const FOREIGN_KEYS: [(&str, &str); 3] = [
    ("registration_province_id", "release_province"),
    ("residence_province_id", "release_province"),
    ("residence_department_id", "release_department"),
];
