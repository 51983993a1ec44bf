//! The release that a load fills: its id, and the three partitions that hold its provinces, departments and cases, with their index,
//! keys and statistics.
//!
//! Readers do not see a release before the pointer names it, so every step here commits on its own. What a killed load leaves
//! behind is found by its row in `release`, which was never published.

use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::citus;
use crate::clean::RULES_VERSION;
use crate::database::{DbContext as _, execute};
use common::failure::Result;

/// Identifies a release; ascends in the order in which loads began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseId(pub i32);

/// The partitioned tables that every release has a partition of; each is referenced only by those before it.
pub const PARENTS: [&str; 3] = [CASES, "release_department", "release_province"];

const CASES: &str = "release_case";

/// The partitioned table of which only releases whose load keeps the doses have a partition.
pub const DOSES: &str = "release_dose";

impl ReleaseId {
    /// Returns the partition of the cases.
    pub fn cases(self) -> String {
        self.partition_of(CASES)
    }

    pub fn partition_of(self, parent: &str) -> String {
        format!("{parent}_{}", self.0)
    }
}

/// Spare releases between two loads. A transaction that stays open while as many releases are published sees each of them.
pub const SPARES: i64 = 2;

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
    .fetch_one(session)
    .await
    .db_context("cannot take a release for this load")?;
    Ok(ReleaseId(id))
}

/// Creates releases until there are `wanted` spare ones.
pub async fn create_spares(session: &mut PgConnection, wanted: i64) -> Result<()> {
    let create = sqlx::query(
        "SELECT create_release() FROM generate_series(1, $1 - (
             SELECT count(*) FROM release WHERE run_id IS NULL AND dropped_at IS NULL))",
    );
    execute(session, create.bind(wanted), "cannot create the tables of a new release").await
}

/// The longest wait for transactions that do not know the partitions of a release. After it, their next statement fails in
/// `current_release()`.
const STALE_PLANS_TIMEOUT: Duration = Duration::from_secs(30);

/// Waits for transactions that have read the parent tables before the partitions of this release were attached: they hold no lock on
/// the partitions, their plans do not know them, and PostgreSQL tells them only when they take a new lock. A transaction that is
/// idle with a snapshot (repeatable read) is not waited for, because it goes on seeing the pointer of its snapshot.
pub async fn wait_for_stale_plans(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let begun = Instant::now();
    let [cases, departments, provinces] = PARENTS;
    let parents = [cases, departments, provinces, DOSES];
    loop {
        // The state of another role's session may be hidden: it is waited for.
        let stale: bool = sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM unnest($1::text[], $2::text[]) AS name (parent, partition)
                 JOIN pg_locks AS lock ON lock.relation = to_regclass('public.' || parent)
                 JOIN pg_stat_activity AS session USING (pid)
                 WHERE lock.locktype = 'relation' AND pid <> pg_backend_pid() AND to_regclass('public.' || partition) IS NOT NULL
                   AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND NOT (session.state = 'idle in transaction' AND session.backend_xmin IS NOT NULL)
                   AND NOT EXISTS (
                       SELECT FROM pg_locks AS known
                       WHERE known.pid = lock.pid AND known.relation = to_regclass('public.' || partition)))",
        )
        .bind(parents.map(str::to_owned).to_vec())
        .bind(parents.map(|parent| release.partition_of(parent)).to_vec())
        .fetch_one(&mut *session)
        .await
        .db_context("cannot look for readers that do not know the new release")?;
        if !stale || begun.elapsed() > STALE_PLANS_TIMEOUT {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Adds to a filled release what it needs before it is published: index, keys and statistics.
pub async fn complete(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    add_unique_index(session, release).await?;
    if citus::is_distributed(session).await? {
        citus::analyze(session, &release.cases()).await?;
    } else {
        add_foreign_keys(session, release).await?;
        analyze(session).await?;
    }
    let reset = "RESET maintenance_work_mem; RESET synchronous_commit";
    execute(session, reset, "cannot reset the settings of the session").await
}

/// Builds the unique index on the case ids. PostgreSQL builds it on several cores, and it does not affect readers, which hold locks on every
/// partition, as a constraint would.
async fn add_unique_index(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    const WHAT: &str = "cannot build the unique index of the new release";
    let table = release.cases();
    // The publication waits for the disk, and with it for everything that was written before.
    execute(session, "SET maintenance_work_mem = '128MB'; SET synchronous_commit = off", WHAT).await?;
    let statement = format!("CREATE UNIQUE INDEX {table}_case_id_key ON public.{table} (case_id)");
    execute(session, AssertSqlSafe(statement), WHAT).await
}

/// Collects statistics of the new partition and of `release_case` as a whole, which autovacuum never does.
async fn analyze(session: &mut PgConnection) -> Result<()> {
    // 9,000 rows are enough for columns with a few hundred values.
    let statements =
        "SET default_statistics_target = 30; ANALYZE public.release_case; RESET default_statistics_target";
    execute(session, statements, "cannot analyze the new release").await
}

/// Adds the foreign keys as `NOT VALID`: the cleaning rules have checked each row against the same tables, and to check them again would take
/// PostgreSQL a fifth of the whole load.
async fn add_foreign_keys(session: &mut PgConnection, release: ReleaseId) -> Result<()> {
    let table = release.cases();
    let keys = FOREIGN_KEYS.map(|(column, referenced)| {
        let referenced = release.partition_of(referenced);
        format!("ADD CONSTRAINT {table}_{column}_fkey FOREIGN KEY ({column}) REFERENCES public.{referenced} NOT VALID")
    });
    let statement = AssertSqlSafe(format!("ALTER TABLE public.{table} {}", keys.join(", ")));
    execute(session, statement, "cannot add the foreign keys of the new release").await
}

/// Columns of the cases and the tables that they reference.
const FOREIGN_KEYS: [(&str, &str); 3] = [
    ("registration_province_id", "release_province"),
    ("residence_province_id", "release_province"),
    ("residence_department_id", "release_department"),
];
