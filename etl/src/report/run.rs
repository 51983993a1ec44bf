//! One run of `etl report`: connects, keeps the ledger where this login may, and writes the report.
//!
//! It reads only. On a read replica, or as the reader role, there is no row in `pipeline_run`; the record in the store says it all the same.

use sqlx::postgres::PgConnection;

use super::{Options, Written, write};
use crate::database::DbContext as _;
use crate::signals::Signals;
use crate::store::Store;
use crate::{database, migrate, runs};
use common::failure::{Failure, Result};

/// Writes a report of what is published now.
pub async fn run(options: &Options, database_url: &str, reports: &Store) -> Result<Written> {
    let mut session = database::connect(database_url, options.run_id).await?;
    let writes = may_write(&mut session).await?;
    if writes {
        migrate::migrate(&mut session).await?;
        runs::mark_stale_failed(&mut session, runs::RunKind::Report).await?;
        runs::begin(&mut session, options.run_id, runs::RunKind::Report).await?;
    } else if migrate::schema_state(&mut session).await?.pending > 0 {
        return Err(Failure::new("the schema is not up to date, and this login may not change it")
            .hint("run `etl migrate` with a login that may write"));
    }
    let result = Signals::listen().or_interrupted(write(options, &mut session, reports)).await;
    if writes {
        let recorded = match &result {
            Ok(_) => runs::finish(&mut session, options.run_id, "succeeded").await,
            Err(failure) => runs::fail(&mut session, options.run_id, failure).await,
        };
        if let Err(error) = recorded {
            tracing::warn!(%error, "the end of the run could not be recorded");
        }
    }
    if let Ok(written) = &result {
        tracing::info!(
            folder = reports.url_of(&written.folder.as_str().into()),
            files = written.files.len(),
            latest = written.latest,
            "report written"
        );
    }
    result
}

/// Whether this login can record a run here: not on a replica, and only with the right to write.
async fn may_write(session: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT NOT pg_is_in_recovery()
            AND coalesce(has_table_privilege(to_regclass('public.pipeline_run'), 'INSERT'),
                         has_schema_privilege('public', 'CREATE'))",
    )
    .fetch_one(session)
    .await
    .db_context("cannot ask what this login may do")
}
