//! What the server does now: sessions, progress, sizes, replication, connections.
//!
//! Read with a statement limit of its own. A role that may only read sees its own queries, and who blocks whom.

use common::failure::{Context as _, Failure, Result};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use super::cluster::{self, ClusterNode};
use super::{answered, cannot_read, code, rows};

const ACTIVITY: &str = "the activity of the server";

/// Limits of the session that reads, so that it waits for no lock and burdens no server.
const LIMITS: &str = "SET statement_timeout = '5s'; SET lock_timeout = '1s'";

/// Tables that are listed, the largest first.
const MAX_TABLES: usize = 20;

/// SQLSTATE: the lock was not granted within the limit.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// SQLSTATE: the role may not do this.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// A session of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatabaseSession {
    pub pid: i32,
    /// Distinguishes it from a later session with the same pid; microseconds since the epoch, 0 if the server hides it.
    pub began_at: i64,
    pub user: Option<String>,
    pub database: Option<String>,
    pub application: Option<String>,
    /// `active`, `idle`, `idle in transaction`, …
    pub state: Option<String>,
    /// What it waits for, as `Lock: transactionid`.
    pub wait: Option<String>,
    /// Milliseconds since its query, or its state, began.
    pub age: i64,
    pub query: Option<String>,
    /// The sessions that hold what it waits for.
    pub blocked_by: Vec<i32>,
}

/// A command whose progress the server reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CommandProgress {
    pub pid: i32,
    /// Such as `COPY` or `CREATE INDEX`.
    pub command: String,
    pub table: Option<String>,
    pub phase: Option<String>,
    /// Done and total, in the unit of the command; a total of zero is unknown.
    pub done: i64,
    pub total: i64,
}

/// A table, or the tables of a release that can be dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Relation {
    pub name: String,
    /// Bytes, with indexes.
    pub size: i64,
    /// Whether it belongs to a release that is replaced and that the retention will drop.
    pub is_replaced: bool,
}

/// A snapshot of the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Activity {
    pub sessions: Vec<DatabaseSession>,
    pub progress: Vec<CommandProgress>,
    /// The largest tables; `None` if a table is locked.
    pub tables: Option<Vec<Relation>>,
    /// The nodes of a Citus cluster; none without Citus.
    pub nodes: Vec<ClusterNode>,
    /// Standbys with their lag in bytes.
    pub standbys: Vec<(String, Option<i64>)>,
    /// Seconds that this server, a standby, is behind.
    pub behind: Option<f64>,
    pub connections: i64,
    pub max_connections: i64,
    /// Transactions since the statistics began.
    pub transactions: i64,
    /// Blocks that were found in memory, of 1000.
    pub cache_hits: i64,
}

/// Reads everything.
pub async fn read(connection: &mut PgConnection) -> Result<Activity> {
    const STANDBYS: &str = "
        SELECT coalesce(application_name, '?') AS name,
               pg_wal_lsn_diff(sent_lsn, replay_lsn)::bigint AS lag
        FROM pg_stat_replication ORDER BY 1";
    const SERVER: &str = "
        SELECT (SELECT count(*) FROM pg_stat_activity
                WHERE backend_type = 'client backend'
                      OR backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL) AS connections,
               current_setting('max_connections')::bigint AS max_connections,
               CASE WHEN pg_is_in_recovery()
                    THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 END AS behind,
               coalesce(xact_commit + xact_rollback, 0) AS transactions,
               coalesce(1000 * blks_hit / nullif(blks_hit + blks_read, 0), 1000) AS cache_hits
        FROM pg_stat_database WHERE datname = current_database()";
    answered(sqlx::raw_sql(LIMITS).execute(&mut *connection)).await.map_err(cannot_read(ACTIVITY))?;
    let sessions = sessions(connection).await?;
    let progress = progress(connection).await?;
    let tables = tables(connection).await?;
    let nodes = cluster::nodes(connection).await?;
    let standbys = rows(connection, ACTIVITY, sqlx::query(STANDBYS), |row| {
        Ok((row.try_get("name")?, row.try_get("lag")?))
    });
    let standbys = standbys.await?;
    let server = rows(connection, ACTIVITY, sqlx::query(SERVER), |row: &PgRow| {
        Ok(Activity {
            connections: row.try_get("connections")?,
            max_connections: row.try_get("max_connections")?,
            behind: row.try_get("behind")?,
            transactions: row.try_get("transactions")?,
            cache_hits: row.try_get("cache_hits")?,
            ..Activity::default()
        })
    });
    let server = server.await?.pop().unwrap_or_default();
    Ok(Activity { sessions, progress, tables, nodes, standbys, ..server })
}

/// The sessions of all clients but this one: those that wait or work longest first. Of sessions of other roles, the server may hide all but
/// user, database, application and blockers.
async fn sessions(connection: &mut PgConnection) -> Result<Vec<DatabaseSession>> {
    const SQL: &str = "
        SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint AS began_at,
               usename::text AS username, datname::text AS database, application_name AS application, state,
               wait_event_type || ': ' || wait_event AS wait,
               (extract(epoch FROM clock_timestamp() - CASE WHEN state = 'active' THEN query_start ELSE state_change END)
                * 1000)::bigint AS age,
               left(query, 4000) AS query, pg_blocking_pids(pid) AS blocked_by
        FROM pg_stat_activity
        WHERE (backend_type = 'client backend'
               OR backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL)
              AND pid <> pg_backend_pid()
        ORDER BY cardinality(pg_blocking_pids(pid)) > 0 DESC, state = 'active' DESC NULLS LAST,
                 state LIKE 'idle in%' DESC NULLS LAST, age DESC NULLS LAST, pid";
    let session = |row: &PgRow| {
        Ok(DatabaseSession {
            pid: row.try_get("pid")?,
            began_at: row.try_get::<Option<i64>, _>("began_at")?.unwrap_or_default(),
            user: row.try_get("username")?,
            database: row.try_get("database")?,
            application: row.try_get("application")?,
            state: row.try_get("state")?,
            wait: row.try_get("wait")?,
            age: row.try_get::<Option<i64>, _>("age")?.unwrap_or_default(),
            query: row.try_get("query")?,
            blocked_by: row.try_get("blocked_by")?,
        })
    };
    rows(connection, ACTIVITY, sqlx::query(SQL), session).await
}

/// The progress of commands. Of those of other roles, a role that may only read sees the kind alone.
async fn progress(connection: &mut PgConnection) -> Result<Vec<CommandProgress>> {
    const SQL: &str = "
        SELECT pid, coalesce(command || ' ' || coalesce(type, ''), 'COPY') AS command, relid::regclass::text AS relation,
               NULL AS phase, CASE WHEN bytes_total > 0 THEN bytes_processed ELSE tuples_processed END AS done,
               bytes_total AS total
        FROM pg_stat_progress_copy
        UNION ALL
        SELECT pid, coalesce(command, 'CREATE INDEX'), relid::regclass::text, phase,
               CASE WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END,
               CASE WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END
        FROM pg_stat_progress_create_index
        UNION ALL
        SELECT pid, 'VACUUM', relid::regclass::text, phase, heap_blks_scanned, heap_blks_total
        FROM pg_stat_progress_vacuum
        UNION ALL
        SELECT pid, 'ANALYZE', relid::regclass::text, phase, sample_blks_scanned, sample_blks_total
        FROM pg_stat_progress_analyze
        ORDER BY 1";
    let progress = |row: &PgRow| {
        Ok(CommandProgress {
            pid: row.try_get("pid")?,
            command: row.try_get::<String, _>("command")?.trim().to_owned(),
            table: row.try_get("relation")?,
            phase: row.try_get("phase")?,
            done: row.try_get::<Option<i64>, _>("done")?.unwrap_or_default(),
            total: row.try_get::<Option<i64>, _>("total")?.unwrap_or_default(),
        })
    };
    rows(connection, ACTIVITY, sqlx::query(SQL), progress).await
}

/// The largest tables, or `None` if one is locked: the size of a table that is being changed cannot be read. Those of a release have its
/// number in their name. Distributed ones have the size of their shards.
async fn tables(connection: &mut PgConnection) -> Result<Option<Vec<Relation>>> {
    const SQL: &str = "
        SELECT relname::text AS name, pg_total_relation_size(oid) AS size
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')";
    const REPLACED: &str =
        "SELECT release_id::text FROM release WHERE replaced_at IS NOT NULL AND dropped_at IS NULL";
    let sizes: Vec<(String, i64)> = match answered(sqlx::query_as(SQL).fetch_all(&mut *connection)).await {
        Err(error) if code(&error).as_deref() == Some(LOCK_NOT_AVAILABLE) => return Ok(None),
        sizes => sizes.map_err(cannot_read(ACTIVITY))?,
    };
    // Other pipelines have no releases.
    let replaced: sqlx::Result<Vec<String>> =
        answered(sqlx::query_scalar(REPLACED).fetch_all(&mut *connection)).await;
    let replaced = replaced.unwrap_or_default();
    let shards = cluster::table_sizes(connection).await?;
    let relation = |(name, size): (String, i64)| Relation {
        size: size + shards.get(&name).copied().unwrap_or_default(),
        is_replaced: release_of(&name).is_some_and(|id| replaced.iter().any(|replaced| replaced == id)),
        name,
    };
    let mut tables: Vec<_> = sizes.into_iter().map(relation).collect();
    tables.sort_by(|one, other| other.size.cmp(&one.size).then_with(|| one.name.cmp(&other.name)));
    tables.truncate(MAX_TABLES);
    Ok(Some(tables))
}

/// Returns the number of the release in the name of a table, `release_case_7`.
fn release_of(name: &str) -> Option<&str> {
    let (what, id) = name.strip_prefix("release_")?.rsplit_once('_')?;
    what.chars().all(|c| c.is_ascii_lowercase()).then_some(id)
}

/// Cancels the query of a session, or ends the session. Does nothing if the session has ended since it was read.
pub async fn end(connection: &mut PgConnection, pid: i32, began_at: i64, terminate: bool) -> Result<()> {
    let sql = if terminate {
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid = $1 AND ($2 = 0 OR coalesce((extract(epoch FROM backend_start) * 1000000)::bigint = $2, true))"
    } else {
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE pid = $1 AND ($2 = 0 OR coalesce((extract(epoch FROM backend_start) * 1000000)::bigint = $2, true))"
    };
    answered(sqlx::raw_sql(LIMITS).execute(&mut *connection)).await.map_err(cannot_read(ACTIVITY))?;
    let done: Option<bool> =
        match answered(sqlx::query_scalar(sql).bind(pid).bind(began_at).fetch_optional(connection)).await {
            Err(error) if code(&error).as_deref() == Some(INSUFFICIENT_PRIVILEGE) => {
                return Err(Failure::new(format!("cannot signal session {pid}"))
                    .source("the role may not end sessions of other roles")
                    .hint("log in as the administrator, or as a member of pg_signal_backend"));
            }
            done => done.context(|| format!("cannot signal session {pid}"))?,
        };
    match done {
        Some(true) => Ok(()),
        _ => Err(Failure::new(format!("session {pid} has ended")).hint("press r to refresh")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_is_in_names_of_its_tables_alone() {
        assert_eq!(release_of("release_case_7"), Some("7"));
        assert_eq!(release_of("release_weekly_case_7"), None);
        assert_eq!((release_of("release"), release_of("covid_case")), (None, None));
    }
}
