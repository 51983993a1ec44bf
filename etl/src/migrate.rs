//! Migrations of the schema, and the three roles.
//!
//! Migrations are embedded SQL files, applied in order and never edited. Roles belong to the server, not to a database, so they are no
//! migration: they are created if the login may create them.

use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::database::{self, DbContext as _, OWNER, execute};
use crate::reader_locks::gave_up_waiting;
use crate::{citus, reader_locks};
use common::failure::{Context as _, Failure, Result};

/// Version, description and text of every migration, in order.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "schema", include_str!("../../migrations/0001_schema.sql")),
    (2, "counts", include_str!("../../migrations/0002_counts.sql")),
    (3, "tests and vaccinations", include_str!("../../migrations/0003_tests_and_vaccinations.sql")),
    (4, "counts in parts", include_str!("../../migrations/0004_counts_in_parts.sql")),
    (5, "releases", include_str!("../../migrations/0005_releases.sql")),
    (6, "estimates", include_str!("../../migrations/0006_estimates.sql")),
    (7, "doses and incidence", include_str!("../../migrations/0007_doses_and_incidence.sql")),
];

/// The roles, privileges and limits: a condition, and the statement that makes it true.
const ROLES: &[(&str, &str)] = &[
    ("EXISTS (SELECT FROM pg_roles WHERE rolname = 'covid19_owner')", "CREATE ROLE covid19_owner NOLOGIN"),
    (
        "EXISTS (SELECT FROM pg_roles WHERE rolname = 'covid19_writer')",
        "CREATE ROLE covid19_writer LOGIN NOINHERIT",
    ),
    ("EXISTS (SELECT FROM pg_roles WHERE rolname = 'covid19_reader')", "CREATE ROLE covid19_reader LOGIN"),
    ("pg_has_role('covid19_writer', 'covid19_owner', 'MEMBER')", "GRANT covid19_owner TO covid19_writer"),
    // Since version 16 the creator of a role is its member without the right to SET ROLE.
    (
        "pg_has_role(session_user, 'covid19_owner', \
         CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)",
        "GRANT covid19_owner TO SESSION_USER",
    ),
    (
        "has_schema_privilege('covid19_owner', 'public', 'CREATE')",
        "GRANT CREATE ON SCHEMA public TO covid19_owner",
    ),
    (
        "has_schema_privilege('covid19_owner', 'public', 'USAGE')",
        "GRANT USAGE ON SCHEMA public TO covid19_owner",
    ),
    (
        "has_schema_privilege('covid19_reader', 'public', 'USAGE')",
        "GRANT USAGE ON SCHEMA public TO covid19_reader",
    ),
    (
        "EXISTS (SELECT FROM pg_default_acl WHERE defaclrole = 'covid19_owner'::regrole \
         AND defaclnamespace = 'public'::regnamespace AND defaclacl::text LIKE '%covid19_reader=r/%')",
        "ALTER DEFAULT PRIVILEGES FOR ROLE covid19_owner IN SCHEMA public GRANT SELECT ON TABLES TO covid19_reader",
    ),
    // A forgotten transaction keeps replaced releases from being dropped.
    (
        "EXISTS (SELECT FROM pg_db_role_setting WHERE setrole = 'covid19_reader'::regrole AND setdatabase = 0 \
         AND setconfig::text LIKE '%idle_in_transaction_session_timeout=%')",
        "ALTER ROLE covid19_reader SET idle_in_transaction_session_timeout = '10min'",
    ),
];

/// The schema of a database compared with the migrations of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// Newest applied version; 0 for none.
    pub applied: i64,
    /// Number of pending migrations.
    pub pending: usize,
}

/// Returns the state of the schema.
///
/// # Errors
/// If the schema is newer than this program.
pub async fn schema_state(session: &mut PgConnection) -> Result<SchemaState> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('public._sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *session)
        .await
        .db_context("cannot read the schema's version")?;
    let applied: Vec<i64> = if exists {
        sqlx::query_scalar("SELECT version FROM public._sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(session)
            .await
            .db_context("cannot read the schema's version")?
    } else {
        Vec::new()
    };
    let known: BTreeSet<i64> = MIGRATIONS.iter().map(|migration| migration.0).collect();
    if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
        let newest = known.last().copied().unwrap_or_default();
        let what = format!("the schema has version {unknown}, newer than this program (version {newest})");
        return Err(Failure::new(what).hint("use the release that migrated it"));
    }
    let newest = applied.last().copied().unwrap_or_default();
    Ok(SchemaState { applied: newest, pending: known.len() - applied.len() })
}

/// Applies pending migrations; returns their number. On the coordinator of a Citus cluster, it distributes the cases.
pub async fn migrate(session: &mut PgConnection) -> Result<usize> {
    citus::refuse_worker(session).await?;
    let applied = apply(session).await?;
    citus::distribute(session).await?;
    Ok(applied)
}

async fn apply(session: &mut PgConnection) -> Result<usize> {
    let before = schema_state(session).await?;
    if before.pending == 0 {
        return Ok(0);
    }
    // Citus would create each function on the workers, too; they are called on the coordinator alone. A migration that changes a distributed
    // table switches the setting on for that statement. Without Citus it has no effect.
    execute(session, "SET citus.enable_ddl_propagation = off", "cannot set up the session").await?;
    ensure_roles(session).await?;
    database::become_owner(session).await?;
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    let attempt = async || migrator.run(&mut *session).await;
    reader_locks::retry(attempt, is_busy).await.map_err(|error| {
        let hint = if is_busy(&error) {
            "readers lock a table that must change: end the longest transaction in pg_stat_activity, then run again"
        } else {
            "run `etl migrate` as the owner of the database or an administrator"
        };
        Failure::new("cannot migrate the schema").source(error).hint(hint)
    })?;
    execute(session, "RESET citus.enable_ddl_propagation", "cannot set up the session").await?;
    Ok(before.pending)
}

/// Returns whether a migration timed out waiting for a lock.
fn is_busy(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => gave_up_waiting(error),
        _ => false,
    }
}

/// Creates missing roles and privileges, as far as this login may.
async fn ensure_roles(session: &mut PgConnection) -> Result<()> {
    execute(session, "RESET ROLE", "cannot reset the role").await?;
    for (done, statement) in ROLES {
        // A condition fails if it names a role that could not be created; then the statement fails, too.
        let condition = sqlx::query_scalar::<_, bool>(AssertSqlSafe(format!("SELECT {done}")));
        if condition.fetch_one(&mut *session).await.unwrap_or(false) {
            continue;
        }
        if let Err(error) = session.execute(*statement).await {
            match database::code(&error).as_deref() {
                // Another session created it at the same time.
                Some("42710" | "23505" | "XX000") => {}
                Some("42501" | "42704" | "0LP01") => {
                    tracing::info!(role = OWNER, "this login cannot create roles; continuing without them");
                    return Ok(());
                }
                _ => return Err(error).context(|| format!("cannot set up the roles: `{statement}`")),
            }
        }
    }
    Ok(())
}

/// Returns an error on a read replica.
pub async fn refuse_read_only(session: &mut PgConnection) -> Result<()> {
    let replica: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()")
        .fetch_one(&mut *session)
        .await
        .db_context("cannot query pg_is_in_recovery()")?;
    if replica {
        return Err(Failure::new("this server is a read replica").hint("point DATABASE_URL at the master"));
    }
    Ok(())
}
