//! Distributes the cases over the worker nodes of a Citus cluster.
//!
//! The database decides, not a flag: it has the extension `citus` and worker nodes, or not. Only `release_case` is distributed, by
//! `case_id`; its partitions follow it, those of later releases, too. The other tables stay on the coordinator: they are small, and the snapshot
//! of one server chooses the release. The cases have no foreign keys, because a node cannot check them.
//! `docs/decisions/0001-releases.md` has reasons and figures.

use std::time::Instant;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::database::{self, DbContext as _, OWNER, execute};
use crate::load::lock;
use crate::reader_locks::{self, gave_up_waiting};
use common::failure::{Failure, Result};

const WHAT: &str = "cannot distribute the cases over the nodes of Citus";

/// Distributes the cases of a coordinator with worker nodes, if they are not distributed yet. Does nothing without Citus.
pub async fn distribute(session: &mut PgConnection) -> Result<()> {
    if !has_extension(session).await? {
        return Ok(());
    }
    if is_distributed(session).await? {
        return free_local_copy(session).await;
    }
    let nodes: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_catalog.pg_dist_node
         WHERE groupid <> 0 AND noderole = 'primary' AND isactive AND shouldhaveshards",
    )
    .fetch_one(&mut *session)
    .await
    .db_context("cannot read the nodes of Citus")?;
    if nodes == 0 {
        tracing::warn!(
            "the extension `citus` is installed, but no worker node is active: the cases stay on this server; add nodes with \
             `SELECT citus_add_node('host', 5432)`, then run `etl migrate`"
        );
        return Ok(());
    }
    // A load must not find its table distributed half-way.
    lock::take(session).await?;
    let done = async {
        if is_distributed(session).await? || !owner_may_connect(session).await? {
            return Ok(());
        }
        distribute_cases(session, nodes).await?;
        free_local_copy(session).await
    };
    let done = done.await;
    lock::release(session).await?;
    done
}

/// Returns whether the cases are distributed.
pub async fn is_distributed(session: &mut PgConnection) -> Result<bool> {
    if !has_extension(session).await? {
        return Ok(false);
    }
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass('public.release_case'))",
    )
    .fetch_one(session)
    .await
    .db_context("cannot read which tables Citus distributes")
}

/// Collects statistics of a distributed partition on the nodes, with as few rows as on one server. The nodes plan with those of the
/// partition; to collect those of the whole table would read all kept releases once more.
pub async fn analyze(session: &mut PgConnection, partition: &str) -> Result<()> {
    let what = format!("cannot analyze `{partition}` on the nodes of Citus");
    let analyze = async {
        let mut transaction = session.begin().await?;
        transaction.execute("SET LOCAL citus.propagate_set_commands = 'local'").await?;
        transaction.execute("SET LOCAL default_statistics_target = 30").await?;
        transaction.execute(AssertSqlSafe(format!("ANALYZE public.{partition}"))).await?;
        transaction.commit().await
    };
    analyze.await.db_context(&what)
}

/// Returns an error on a worker node.
pub async fn refuse_worker(session: &mut PgConnection) -> Result<()> {
    if !has_extension(session).await? {
        return Ok(());
    }
    // A server without nodes is no coordinator either, for citus_is_coordinator().
    let is_worker: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_local_group WHERE groupid <> 0)")
            .fetch_one(session)
            .await
            .db_context("cannot read which node of Citus this server is")?;
    if !is_worker {
        return Ok(());
    }
    Err(Failure::new("this server is a worker node of a Citus cluster")
        .hint("point DATABASE_URL at the coordinator"))
}

async fn has_extension(session: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')")
        .fetch_one(session)
        .await
        .db_context("cannot list the extensions")
}

/// Lets the owner of the tables log in, because Citus connects to its nodes as the role that runs a statement; returns whether it may.
async fn owner_may_connect(session: &mut PgConnection) -> Result<bool> {
    let may: Option<bool> = sqlx::query_scalar("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1")
        .bind(OWNER)
        .fetch_optional(&mut *session)
        .await
        .db_context("cannot look up the roles")?;
    // Without the role, the login of the session owns the tables.
    if may.unwrap_or(true) {
        return Ok(true);
    }
    execute(session, "RESET ROLE", WHAT).await?;
    let altered = session.execute("ALTER ROLE covid19_owner LOGIN").await;
    database::become_owner(session).await?;
    match altered {
        Ok(_) => Ok(true),
        Err(error) if database::code(&error).as_deref() == Some("42501") => {
            tracing::warn!(
                role = OWNER,
                "the cases stay on the coordinator: the owner of the tables cannot log in on the nodes, and this login cannot change \
                 that; run `etl migrate` as an administrator"
            );
            Ok(false)
        }
        Err(error) => Err(error).db_context(WHAT),
    }
}

async fn distribute_cases(session: &mut PgConnection, nodes: i64) -> Result<()> {
    let begun = Instant::now();
    let attempt = async || distribute_once(&mut *session).await;
    reader_locks::retry(attempt, gave_up_waiting).await.map_err(|error| {
        let hint = if gave_up_waiting(&error) {
            "readers lock the cases: end the longest transaction in pg_stat_activity, then run again"
        } else {
            "let the owner of the tables connect from the coordinator to every node and between nodes (pg_hba.conf); see docs/guides/citus.md"
        };
        Failure::new(WHAT).source(error).hint(hint)
    })?;
    let shards: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_catalog.pg_dist_shard WHERE logicalrelid = 'public.release_case'::regclass",
    )
    .fetch_one(session)
    .await
    .db_context(WHAT)?;
    tracing::info!(
        table = "release_case",
        by = "case_id",
        shards,
        nodes,
        seconds = (begun.elapsed().as_secs_f64() * 100.0).round() / 100.0,
        "the cases are distributed over the nodes of Citus; all other tables stay on the coordinator"
    );
    Ok(())
}

async fn distribute_once(session: &mut PgConnection) -> sqlx::Result<()> {
    // The referenced tables stay on the coordinator, and a node cannot check a key against them.
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
         FROM pg_constraint JOIN pg_inherits ON inhrelid = conrelid
         WHERE inhparent = 'public.release_case'::regclass AND contype = 'f' ORDER BY 1",
    )
    .fetch_all(&mut *session)
    .await?;
    let mut transaction = session.begin().await?;
    transaction.execute("SET LOCAL lock_timeout = '2s'").await?;
    for key in keys {
        transaction.execute(AssertSqlSafe(key)).await?;
    }
    transaction
        .execute("SELECT create_distributed_table('public.release_case', 'case_id', colocate_with => 'none')")
        .await?;
    transaction.commit().await
}

/// Deletes the rows that the coordinator kept when a full table was distributed. It must wait for transactions that may still read them;
/// if they last too long, the next run deletes the rows.
async fn free_local_copy(session: &mut PgConnection) -> Result<()> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum(pg_relation_size(inhrelid)), 0)::bigint FROM pg_inherits WHERE inhparent = 'public.release_case'::regclass",
    )
    .fetch_one(&mut *session)
    .await
    .db_context("cannot ask for the size of the local cases")?;
    if bytes == 0 {
        return Ok(());
    }
    let attempt = async || {
        let mut transaction = session.begin().await?;
        transaction.execute("SET LOCAL lock_timeout = '2s'").await?;
        transaction
            .execute("SELECT truncate_local_data_after_distributing_table('public.release_case')")
            .await?;
        transaction.commit().await
    };
    match reader_locks::retry(attempt, gave_up_waiting).await {
        Ok(()) => tracing::info!(bytes, "the coordinator's copy of the distributed cases is deleted"),
        Err(error) if gave_up_waiting(&error) => {
            tracing::warn!(
                bytes,
                "readers lock the coordinator's copy of the distributed cases; the next run deletes it"
            );
        }
        Err(error) => {
            return Err(error).db_context("cannot delete the coordinator's copy of the distributed cases");
        }
    }
    Ok(())
}
