//! The advisory lock of loads, which PostgreSQL releases when the session ends.

use sqlx::postgres::PgConnection;

use crate::database::{self, DbContext as _, execute};
use common::failure::{Failure, Result};

/// "Covid19" in ASCII. Any number would do, but it must not change.
const KEY: i64 = 0x0043_6F76_6964_3139;

/// Takes the lock for the rest of the session; waits up to ten seconds, then names the run that holds it.
pub async fn take(session: &mut PgConnection) -> Result<()> {
    execute(session, "SET lock_timeout = '10s'", "cannot set a time limit").await?;
    let taken = sqlx::query("SELECT pg_advisory_lock($1)").bind(KEY).execute(&mut *session).await;
    if let Err(error) = taken {
        if database::code(&error).as_deref() != Some("55P03") {
            return Err(error).db_context("cannot take the lock of the load");
        }
        let holder = holder(session).await?.unwrap_or_else(|| "another session".to_owned());
        return Err(Failure::new(format!("another load is under way: {holder}"))
            .hint("wait until it ends, or stop it: `covidctl runs` shows it"));
    }
    execute(session, "SET lock_timeout = 0", "cannot lift a time limit").await
}

/// Releases the lock, once for each time that this session has taken it.
pub async fn release(session: &mut PgConnection) -> Result<()> {
    let unlock = sqlx::query("SELECT pg_advisory_unlock($1)").bind(KEY);
    execute(session, unlock, "cannot release the lock of the load").await
}

/// Returns the run, or else the session, that holds the lock.
async fn holder(session: &mut PgConnection) -> Result<Option<String>> {
    let name: Option<String> = sqlx::query_scalar(
        "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND objsubid = 1
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (classid::bigint << 32) | objid::bigint = $1",
    )
    .bind(KEY)
    .fetch_optional(session)
    .await
    .db_context("cannot look up who holds the lock")?;
    Ok(name.map(|name| match name.strip_prefix(database::APPLICATION) {
        Some(run) => format!("run {run}"),
        None => name,
    }))
}
