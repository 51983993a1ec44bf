//! Drops releases: those that a killed load left unfinished, and published ones that were replaced and are no longer kept.
//!
//! A snapshot that is older than the replacement still reads the replaced release. It is therefore dropped only when no snapshot can
//! need it, or when it was replaced longer ago than the time limit; a snapshot older still gets an error (`current_release()`).
//!
//! Dropping a table with foreign keys locks the referenced tables, too, and a reader that joins them may hold one and wait for the
//! other. Therefore the keys are dropped first, one by one, and no step holds one of the readers' tables while it waits for another.
//! Readers queue behind a waiting step, so each step times out soon; the next run drops what could not be dropped.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::dose_rows;
use super::release::{PARENTS, ReleaseId};
use crate::database::DbContext as _;
use crate::reader_locks::gave_up_waiting;
use common::env;
use common::failure::Result;

/// Attempts to drop releases after a publication: some fifteen seconds.
pub const ROUNDS_AFTER: u32 = 15;

/// Attempts before a load, which should begin soon.
pub const ROUNDS_BEFORE: u32 = 3;

/// Which releases stay, and for how long: flags of `etl run`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Retention {
    /// Number of earlier releases to keep for a rollback
    // The latest published first; the published one is not counted.
    #[arg(long, env = env::KEEP_RELEASES, value_name = "N", default_value_t = 1)]
    pub keep_releases: u32,

    /// Time to keep a replaced release for its readers, such as `24h` or `30min`
    #[arg(long, env = env::RETIRE_AFTER, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub retire_after: Duration,
}

/// Drops releases that are not needed. The caller holds the lock of the load and has no load in progress.
pub async fn drop_releases(session: &mut PgConnection, retention: Retention, rounds: u32) -> Result<()> {
    let mut lock_timeout = LockTimeout::new(session).await?;
    let mut in_use = Vec::new();
    for round in 0..rounds {
        if round > 0 {
            lock_timeout.pause().await;
        }
        let mut is_locked = false;
        in_use.clear();
        for (release, is_free) in unneeded(session, retention).await? {
            if !is_free {
                in_use.push(release);
                continue;
            }
            match drop_release(session, release, lock_timeout).await {
                Ok(()) => {}
                Err(error) if gave_up_waiting(&error) => {
                    is_locked = true;
                    in_use.push(release);
                }
                Err(error) => return Err(error).db_context(&format!("cannot drop release {}", release.0)),
            }
        }
        // A lock comes free between two statements of a reader; a snapshot lasts as long as its transaction.
        if in_use.is_empty() || !is_locked && round + 1 >= ROUNDS_BEFORE {
            break;
        }
    }
    drop_doses(session, lock_timeout).await?;
    for release in in_use {
        tracing::info!(
            release = release.0,
            "a reader still uses this replaced release; the next run drops it"
        );
    }
    Ok(())
}

/// Returns the releases of loads that ended before they published, and the replaced ones beyond those to keep; and whether no snapshot can
/// need them or they were replaced too long ago.
///
/// A snapshot needs a release if the transaction that replaced it counts as running in that snapshot: its xmin is not above that
/// transaction's id. Sessions and standbys with feedback show their xmin. A standby without feedback does not and may need any release, so
/// releases are not listed before the time limit.
async fn unneeded(session: &mut PgConnection, retention: Retention) -> Result<Vec<(ReleaseId, bool)>> {
    let releases: Vec<(i32, bool)> = sqlx::query_as(
        "WITH horizon AS (
             SELECT max(age(xmin)) AS age
             FROM (
                 SELECT backend_xmin FROM pg_stat_activity
                 WHERE pid <> pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker'
                   AND (datid IS NULL OR datid = (SELECT oid FROM pg_database WHERE datname = current_database()))
                 UNION ALL SELECT xmin FROM pg_replication_slots
                 UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
             ) AS holder (xmin)
             WHERE xmin IS NOT NULL
         ),
         hidden AS (
             SELECT EXISTS (SELECT FROM pg_stat_replication WHERE backend_xmin IS NULL AND state IS DISTINCT FROM 'backup') AS standby
         ),
         replaced AS (
             SELECT release_id, replaced_by, replaced_at < clock_timestamp() - make_interval(secs => $2) AS long_ago,
                    row_number() OVER (ORDER BY publication DESC) AS place
             FROM release
             WHERE publication IS NOT NULL AND dropped_at IS NULL
               AND release_id IS DISTINCT FROM (SELECT release_id FROM published_release)
         )
         SELECT release_id, long_ago OR coalesce(horizon.age < age(replaced_by::xid), true)
         FROM replaced, horizon, hidden
         WHERE place > $1 AND (long_ago OR NOT hidden.standby)
         UNION ALL
         SELECT release_id, true FROM release
         WHERE run_id IS NOT NULL AND publication IS NULL AND dropped_at IS NULL
         ORDER BY release_id",
    )
    .bind(i64::from(retention.keep_releases))
    .bind(retention.retire_after.as_secs_f64())
    .fetch_all(session)
    .await
    .db_context("cannot look for releases to drop")?;
    Ok(releases.into_iter().map(|(release, is_free)| (ReleaseId(release), is_free)).collect())
}

/// Drops a release in several steps, which are not undone if a later one times out. The table of the cases is dropped first; then
/// `current_release()` reports the release as dropped.
async fn drop_release(
    session: &mut PgConnection,
    release: ReleaseId,
    lock_timeout: LockTimeout,
) -> sqlx::Result<()> {
    let partitions = PARENTS.map(|parent| release.partition_of(parent));
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
         WHERE conrelid IN (SELECT to_regclass('public.' || name) FROM unnest($1) AS name) AND contype = 'f' ORDER BY conname",
    )
    .bind(partitions.to_vec())
    .fetch_all(&mut *session)
    .await?;
    let tables = partitions.iter().map(|partition| format!("DROP TABLE IF EXISTS public.{partition}"));
    for step in keys.into_iter().chain(tables) {
        within(lock_timeout, session, step).await?;
    }
    sqlx::query(
        "WITH forgotten AS (DELETE FROM release_dataset WHERE release_id = $1)
         UPDATE release SET dropped_at = clock_timestamp() WHERE release_id = $1",
    )
    .bind(release.0)
    .execute(session)
    .await
    .map(drop)
}

/// Drops the doses that no kept release shows; those that readers lock are left to the next run.
async fn drop_doses(session: &mut PgConnection, lock_timeout: LockTimeout) -> Result<()> {
    for partition in dose_rows::unneeded(session).await? {
        match within(lock_timeout, session, format!("DROP TABLE public.{partition}")).await {
            Err(error) if !gave_up_waiting(&error) => {
                return Err(error).db_context("cannot drop the doses of a release");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Executes a statement in a transaction of its own.
async fn within(
    lock_timeout: LockTimeout,
    session: &mut PgConnection,
    statement: String,
) -> sqlx::Result<()> {
    let mut transaction = session.begin().await?;
    let set_timeout = format!("SET LOCAL lock_timeout = {}", lock_timeout.now.as_millis().max(1));
    // Citus passes the time limit on to its nodes. Without Citus the setting has no effect.
    transaction.execute("SET LOCAL citus.propagate_set_commands = 'local'").await?;
    transaction.execute(AssertSqlSafe(set_timeout)).await?;
    transaction.execute(AssertSqlSafe(statement)).await?;
    transaction.commit().await
}

/// Limits how long a statement waits for a lock that readers hold.
///
/// It starts too short for a person to notice. Readers that overlap all the time never leave such a gap, so it grows with every failed
/// attempt, and so does the pause between attempts.
#[derive(Debug, Clone, Copy)]
struct LockTimeout {
    now: Duration,
    most: Duration,
}

impl LockTimeout {
    /// Stays below PostgreSQL's `deadlock_timeout`: if reader and run wait for each other, the run gives way.
    async fn new(session: &mut PgConnection) -> Result<Self> {
        let milliseconds: i64 = sqlx::query_scalar(
            "SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval * 1000)::bigint",
        )
        .fetch_one(session)
        .await
        .db_context("cannot read `deadlock_timeout`")?;
        let most = Duration::from_millis((milliseconds / 2).clamp(1, 500).unsigned_abs());
        Ok(Self { now: most.min(Duration::from_millis(100)), most })
    }

    /// Pauses after a failed attempt, for twice as long as readers were blocked.
    async fn pause(&mut self) {
        tokio::time::sleep(self.now * 2).await;
        self.now = (self.now * 5 / 4).min(self.most);
    }
}
