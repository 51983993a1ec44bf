//! The schema's migrations and the three roles.
//!
//! Migrations are plain SQL files, embedded, applied in order and never edited. The roles are no migration, because they belong
//! to the server and not to one database: they are created where the login may do so, and done without elsewhere.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::database::{self, OWNER, OrSqlFail as _};
use crate::load::retire::gave_up_waiting;
use common::failure::{Context as _, Failure, Result};

/// Version, description and text of every migration, in order.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "schema", include_str!("../../migrations/0001_schema.sql")),
    (2, "counts", include_str!("../../migrations/0002_counts.sql")),
    (3, "tests and vaccinations", include_str!("../../migrations/0003_tests_and_vaccinations.sql")),
    (4, "counts in parts", include_str!("../../migrations/0004_counts_in_parts.sql")),
    (5, "releases", include_str!("../../migrations/0005_releases.sql")),
];

/// What a login needs besides the schema; each statement stands alone, is repeatable, and belongs to one condition that is
/// true once it has been done.
const ROLES: &[(&str, &str)] = &[
    ("EXISTS (SELECT FROM pg_roles WHERE rolname = 'covid19_owner')", "CREATE ROLE covid19_owner NOLOGIN"),
    (
        "EXISTS (SELECT FROM pg_roles WHERE rolname = 'covid19_writer')",
        "CREATE ROLE covid19_writer LOGIN NOINHERIT",
    ),
    ("EXISTS (SELECT FROM pg_roles WHERE rolname = 'covid19_reader')", "CREATE ROLE covid19_reader LOGIN"),
    ("pg_has_role('covid19_writer', 'covid19_owner', 'MEMBER')", "GRANT covid19_owner TO covid19_writer"),
    // From version 16 on, who has created a role is its member, and still may not become it.
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
];

/// What a database's schema is, compared with what this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The newest version that is applied; 0 for none.
    pub applied: i64,
    /// How many are missing.
    pub pending: usize,
}

/// Compares without changing anything. Fails where the schema is newer than this program.
pub async fn state(session: &mut PgConnection) -> Result<State> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('public._sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *session)
        .await
        .or_sql_fail("cannot read the schema's version")?;
    let applied: Vec<i64> = if exists {
        sqlx::query_scalar("SELECT version FROM public._sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(session)
            .await
            .or_sql_fail("cannot read the schema's version")?
    } else {
        Vec::new()
    };
    let known: BTreeSet<i64> = MIGRATIONS.iter().map(|migration| migration.0).collect();
    if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
        let newest = known.last().copied().unwrap_or_default();
        return Err(Failure::new(format!(
            "the database's schema has version {unknown}, this program knows versions up to {newest}"
        ))
        .hint("use the newer release that made it"));
    }
    let newest = applied.last().copied().unwrap_or_default();
    Ok(State { applied: newest, pending: known.len() - applied.len() })
}

/// Applies what is missing; gives the number of migrations that were applied.
pub async fn migrate(session: &mut PgConnection) -> Result<usize> {
    let before = state(session).await?;
    if before.pending == 0 {
        return Ok(0);
    }
    // A Citus cluster would create each function on its workers, too, by the name of the owner, who cannot log in there. They are
    // called on the coordinator alone. Without Citus this is a setting that nobody reads.
    let coordinator_only = "SET citus.enable_ddl_propagation = off";
    session.execute(coordinator_only).await.or_sql_fail("cannot set up the session")?;
    ensure_roles(session).await?;
    database::become_owner(session).await?;
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    let begun = Instant::now();
    loop {
        let error = match migrator.run(&mut *session).await {
            Ok(()) => return Ok(before.pending),
            Err(error) => error,
        };
        let busy = is_busy(&error);
        if !busy || begun.elapsed() > LONGEST_WAIT_FOR_READERS {
            let failure = Failure::new("cannot bring the schema up to date").source(error);
            return Err(failure.hint(if busy {
                "readers hold a table that must change: end the longest transaction in pg_stat_activity, then try again"
            } else {
                "run `etl migrate` as the database's owner or an administrator"
            }));
        }
        tokio::time::sleep(PAUSE_FOR_READERS).await;
    }
}

/// How long a migration tries to get a lock that readers hold.
const LONGEST_WAIT_FOR_READERS: Duration = Duration::from_mins(2);

/// How long readers are left alone between two attempts.
const PAUSE_FOR_READERS: Duration = Duration::from_secs(2);

/// Whether a migration timed out waiting for a lock.
fn is_busy(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => gave_up_waiting(error),
        _ => false,
    }
}

/// Creates the roles and rights that are missing, as far as this login may.
async fn ensure_roles(session: &mut PgConnection) -> Result<()> {
    session.execute("RESET ROLE").await.or_sql_fail("cannot leave the owner's role")?;
    for (done, statement) in ROLES {
        // A condition fails where it names a role that could not be created: then there is nothing to grant either.
        let condition = sqlx::query_scalar::<_, bool>(AssertSqlSafe(format!("SELECT {done}")));
        if condition.fetch_one(&mut *session).await.unwrap_or(false) {
            continue;
        }
        if let Err(error) = session.execute(*statement).await {
            match database::code(&error).as_deref() {
                // Someone else made it at the same moment.
                Some("42710" | "23505" | "XX000") => {}
                Some("42501" | "42704" | "0LP01") => {
                    tracing::info!(role = OWNER, "this login may not set up the roles; working without them");
                    return Ok(());
                }
                _ => return Err(error).context(|| format!("cannot set up the roles: `{statement}`")),
            }
        }
    }
    Ok(())
}

/// A replica takes no load: this is said before anything else is tried.
pub async fn refuse_read_only(session: &mut PgConnection) -> Result<()> {
    let replica: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()")
        .fetch_one(&mut *session)
        .await
        .or_sql_fail("cannot ask whether this is a replica")?;
    if replica {
        return Err(Failure::new("this is a read replica; nothing can be loaded here")
            .hint("point DATABASE_URL at the master"));
    }
    Ok(())
}
