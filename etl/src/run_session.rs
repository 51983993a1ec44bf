//! The database session of a run: it holds the lock of the load, and the run is on record.

use std::time::Duration;

use common::failure::{Failure, Result};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::load::lock;
use crate::{database, migrate, runs};

/// How long recording a failure may take.
const RECORD_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects, applies pending migrations, takes the lock and records the run.
pub(crate) async fn begin(database_url: &str, run_id: Uuid, kind: runs::RunKind) -> Result<PgConnection> {
    let mut session = database::connect(database_url, run_id).await?;
    migrate::refuse_read_only(&mut session).await?;
    migrate::migrate(&mut session).await?;
    lock::take(&mut session).await?;
    runs::mark_stale_failed(&mut session, kind).await?;
    runs::begin(&mut session, run_id, kind).await?;
    Ok(session)
}

/// Records the failure of a run if the database still answers; otherwise the next run does it.
pub(crate) async fn record_failure(
    database_url: &str,
    run_id: Uuid,
    session: PgConnection,
    failure: &Failure,
) {
    // The session may be inside a statement: closing it releases the lock and rolls back.
    drop(session);
    let record = async {
        let mut fresh = database::connect(database_url, run_id).await?;
        runs::fail(&mut fresh, run_id, failure).await
    };
    match tokio::time::timeout(RECORD_TIMEOUT, record).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the failure could not be recorded; the next run records it");
        }
        Err(_) => tracing::warn!("recording the failure timed out; the next run records it"),
    }
}
