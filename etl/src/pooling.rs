//! Refuses connection poolers in transaction mode: `PgBouncer`, RDS Proxy.
//!
//! There a session has another server process in each transaction, so that the lock of the load, settings and roles are lost or reach other
//! clients.

use sqlx::postgres::PgConnection;
use sqlx::{Executor as _, Row as _};
use uuid::Uuid;

use crate::database::{self, DbContext as _, POOLER_HINT};
use common::failure::{Failure, Result};

/// Fails if sessions at `url` do not keep their server process.
pub(crate) async fn refuse_transaction_mode(url: &str, run_id: Uuid) -> Result<()> {
    let mut first = database::connect_plain(url, run_id).await?;
    let mut second = database::connect_plain(url, run_id).await?;
    let before = process_id(&mut first).await?;
    // In transaction mode, the open transaction gets the process that the first session has just used.
    second.execute(sqlx::raw_sql("BEGIN")).await.db_context(WHAT)?;
    let other = process_id(&mut second).await?;
    let after = process_id(&mut first).await?;
    if before != after || before == other {
        return Err(
            Failure::new("DATABASE_URL leads to a connection pooler in transaction mode").hint(POOLER_HINT)
        );
    }
    Ok(())
}

const WHAT: &str = "cannot find out whether PostgreSQL is behind a connection pooler";

/// Returns the process id of the server. The simple protocol needs no prepared statement, which poolers handle differently.
async fn process_id(session: &mut PgConnection) -> Result<i32> {
    let row = session.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()")).await.db_context(WHAT)?;
    row.try_get(0).db_context(WHAT)
}
