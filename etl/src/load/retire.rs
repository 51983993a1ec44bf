//! Drops tables that nobody needs any more: what a dead run left behind, and what a publication replaced.
//!
//! Dropping a table with foreign keys locks `province` and `department` too, both at once, and a reader that joins them may come
//! from the other side. So the keys go first, one by one: no step ever holds one of the readers' tables while it waits for another.
//! Still a reader waits behind a waiting step, so each gives up soon; what could not be dropped now is dropped by the next run.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::staging::STAGING;
use crate::database::{self, OrSqlFail as _};
use crate::failure::{Failure, Result};

/// Replaced tables are called `covid_case_retired_…` until they are dropped.
pub const RETIRED: &str = "covid_case_retired_";

/// What a run does at most to drop tables that somebody else may use: some fifteen seconds.
pub const LAST_ROUNDS: u32 = 15;

/// The same before a load: a moment.
pub const FIRST_ROUNDS: u32 = 3;

/// The same for the table that the load itself needs: some minutes.
const NEEDED_ROUNDS: u32 = 120;

/// How long one statement may wait for a lock that readers could be in the way of.
///
/// It begins with what no person would notice. Readers that overlap each other all the time never leave such a gap, so it grows
/// with every vain attempt, and with it the pause in which readers are left alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    now: Duration,
    most: Duration,
}

impl Patience {
    /// Stays below PostgreSQL's `deadlock_timeout`: where reader and run wait for each other, it is the run that gives way.
    pub(super) async fn new(session: &mut PgConnection) -> Result<Self> {
        let milliseconds: i64 = sqlx::query_scalar(
            "SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval * 1000)::bigint",
        )
        .fetch_one(session)
        .await
        .or_sql_fail("cannot read `deadlock_timeout`")?;
        let most = Duration::from_millis((milliseconds / 2).clamp(1, 500).unsigned_abs());
        Ok(Self { now: most.min(Duration::from_millis(100)), most })
    }

    /// May grow up to this, for an attempt that holds nothing while it waits.
    pub(super) const fn up_to(self, most: Duration) -> Self {
        Self { now: self.now, most }
    }

    /// The statement that limits a transaction's waiting.
    pub(super) fn limit(self) -> String {
        format!("SET LOCAL lock_timeout = {}", self.now.as_millis().max(1))
    }

    /// After a vain attempt: leaves readers alone for twice the time for which they were held up.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.now * 2).await;
        self.now = (self.now * 5 / 4).min(self.most);
    }
}

/// Drops left-over tables. Those that a reader still uses stay for the next time, except the staging table, which this run needs.
pub async fn drop_leftovers(session: &mut PgConnection, rounds: u32) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND (relname = $1 OR starts_with(relname::text, $2)) ORDER BY relname",
    )
    .bind(STAGING)
    .bind(RETIRED)
    .fetch_all(&mut *session)
    .await
    .or_sql_fail("cannot look for left-over tables")?;
    let (needed, retired) = tables.into_iter().partition(|table| table == STAGING);
    if !drop_patiently(session, needed, NEEDED_ROUNDS).await?.is_empty() {
        return Err(Failure::new(format!(
            "cannot drop `{STAGING}`, which a killed run left behind: it is in use"
        ))
        .hint("end the session that reads it, then run again"));
    }
    for table in drop_patiently(session, retired, rounds).await? {
        tracing::info!(table, "a reader still uses the replaced table; the next run drops it");
    }
    Ok(())
}

/// Tries each table once a round; gives those that readers were always in the way of.
async fn drop_patiently(
    session: &mut PgConnection,
    mut tables: Vec<String>,
    rounds: u32,
) -> Result<Vec<String>> {
    let mut patience = Patience::new(session).await?;
    for round in 0..rounds {
        if tables.is_empty() {
            break;
        }
        if round > 0 {
            patience.pause().await;
        }
        let mut busy = Vec::new();
        for table in tables {
            match drop_table(session, &table, patience).await {
                Ok(()) => {}
                Err(error) if is_busy(&error) => busy.push(table),
                Err(error) => return Err(error).or_sql_fail(&format!("cannot drop `{table}`")),
            }
        }
        tables = busy;
    }
    Ok(tables)
}

/// Drops a table in several steps, each of which stays done if a later one has to give up.
async fn drop_table(session: &mut PgConnection, table: &str, patience: Patience) -> sqlx::Result<()> {
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = to_regclass($1) AND contype = 'f' ORDER BY conname",
    )
    .bind(format!("public.{table}"))
    .fetch_all(&mut *session)
    .await?;
    let keys = keys.iter().map(|key| format!("ALTER TABLE public.{table} DROP CONSTRAINT {key}"));
    for step in keys.chain([format!("DROP TABLE IF EXISTS public.{table}")]) {
        let mut transaction = session.begin().await?;
        transaction.execute(AssertSqlSafe(patience.limit())).await?;
        transaction.execute(AssertSqlSafe(step)).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// Whether a statement gave up waiting for a lock (or was, against all odds, chosen to end a deadlock).
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(database::code(error).as_deref(), Some("55P03" | "40P01"))
}
