//! The database session of a run: it holds the lock of the load, and the run is on record.

use std::time::Duration;

use common::failure::{Failure, Result};

use crate::database::{Database, Session};
use crate::load::lock;
use crate::{migrate, pooling, runs};

/// How long recording a failure may take.
const RECORD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the result of a COMMIT is asked for. A failover of RDS takes one or two minutes.
const COMMIT_TIMEOUT: Duration = Duration::from_mins(4);

const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Connects, applies pending migrations, takes the lock and records the run.
pub(crate) async fn begin(database: &Database, kind: runs::RunKind) -> Result<Session> {
    let run_id = database.run_id();
    pooling::refuse_transaction_mode(database.url(), run_id).await?;
    let mut session = database.connect().await?;
    migrate::refuse_read_only(&mut session).await?;
    migrate::migrate(&mut session).await?;
    lock::take(&mut session).await?;
    runs::mark_stale_failed(&mut session, kind).await?;
    runs::begin(&mut session, run_id, kind).await?;
    Ok(session)
}

/// Returns the result of a run. A failure is recorded, if the database still answers; otherwise the next run does it.
///
/// `committing` is the result that the run has once its last COMMIT is done, `None` before that COMMIT is sent. An error in between does not
/// say whether the transaction is committed, so the database is asked.
pub(crate) async fn settle<T>(
    database: &Database,
    session: Session,
    result: Result<T>,
    committing: Option<T>,
) -> Result<T> {
    let failure = match result {
        Ok(value) => return Ok(value),
        Err(failure) => failure,
    };
    // The session may be inside a statement: closing it releases the lock and rolls back.
    drop(session);
    let timeout = if committing.is_some() { COMMIT_TIMEOUT } else { RECORD_TIMEOUT };
    let record = async {
        loop {
            let recorded = async {
                let mut fresh = database.connect().await?;
                runs::fail(&mut fresh, database.run_id(), &failure).await
            };
            match recorded.await {
                Ok(succeeded) => return succeeded,
                Err(error) if committing.is_some() => {
                    tracing::warn!(%error, "the connection was lost during COMMIT; PostgreSQL is asked again for its result");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "the failure could not be recorded; the next run records it");
                    return false;
                }
            }
        }
    };
    match (tokio::time::timeout(timeout, record).await, committing) {
        (Ok(true), Some(value)) => {
            tracing::warn!(%failure, "the connection was lost during COMMIT, but the transaction is committed");
            Ok(value)
        }
        (Ok(_), _) => Err(failure),
        (Err(_), None) => {
            tracing::warn!("recording the failure timed out; the next run records it");
            Err(failure)
        }
        (Err(_), Some(_)) => Err(Failure::new(format!(
            "it is not known whether the run has published: the connection was lost during COMMIT, and PostgreSQL has not answered for \
             {} seconds",
            COMMIT_TIMEOUT.as_secs()
        ))
        .source(failure)
        .hint("when PostgreSQL answers again, `covidctl releases` shows what is published")),
    }
}
