//! The moment in which new data replace old: two renames and the run's record, in one transaction of a few milliseconds.
//!
//! The renames need the old table for an instant without readers. A reader with a long transaction is waited for, but in short
//! attempts, because whoever comes after a waiting lock waits too.

use std::error::Error as _;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use uuid::Uuid;

use super::georef::Georef;
use super::retire::{Patience, RETIRED, is_busy};
use super::staging::STAGING;
use crate::database::OrSqlFail as _;
use crate::failure::{Failure, Result};
use crate::runs;
use crate::tally::Tally;

/// How long readers are waited for in all.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// How long readers are held up at most, where they leave no shorter gap between them.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(2);

/// What is published beside the staging table.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The names of provinces and departments.
    pub georef: &'a Georef,
    /// The tally.
    pub tally: &'a Tally,
    /// What became of each dataset.
    pub inclusions: &'a [runs::Inclusion],
}

/// Publishes the staging table, the names in `province` and `department`, and the run's record, all or nothing.
pub async fn publish(session: &mut PgConnection, run_id: Uuid, publication: Publication<'_>) -> Result<()> {
    let at_once = Patience::new(session).await?;
    let mut patience = at_once.up_to(LONGEST_ATTEMPT);
    let begun = Instant::now();
    let mut said = false;
    loop {
        let failure = match attempt(session, run_id, publication, (patience, at_once)).await {
            Err(failure) if gave_way(&failure) => failure,
            done => return done,
        };
        if begun.elapsed() > LONGEST_WAIT {
            return Err(failure.hint(format!(
                "the published tables were in use for {} minutes without a pause: end the longest transaction in pg_stat_activity, \
                 then run again; what is published is untouched",
                LONGEST_WAIT.as_secs() / 60
            )));
        }
        if !said && begun.elapsed() > Duration::from_secs(2) {
            tracing::warn!(
                "everything is loaded; waiting for a reader's transaction to end before it is published"
            );
            said = true;
        }
        patience.pause().await;
    }
}

/// Whether somebody else's lock was in the way, on the table itself or, rarely, on a name that is to be changed.
fn gave_way(failure: &Failure) -> bool {
    failure.source().and_then(|cause| cause.downcast_ref()).is_some_and(is_busy)
}

async fn attempt(
    session: &mut PgConnection,
    run_id: Uuid,
    Publication { georef, tally, inclusions }: Publication<'_>,
    (patience, at_once): (Patience, Patience),
) -> Result<()> {
    const WHAT: &str = "cannot publish the new table";
    let mut transaction = session.begin().await.or_sql_fail(WHAT)?;
    let retired = format!("{RETIRED}{}", &run_id.simple().to_string()[..12]);
    transaction.execute(AssertSqlSafe(patience.limit())).await.or_sql_fail(WHAT)?;
    // First of all, so that nothing is held while readers are waited for.
    transaction.execute("LOCK TABLE public.covid_case IN ACCESS EXCLUSIVE MODE").await.or_sql_fail(WHAT)?;
    // From here on readers are held up, and somebody may wait for the other's lock.
    transaction.execute(AssertSqlSafe(at_once.limit())).await.or_sql_fail(WHAT)?;
    let renames = format!(
        "ALTER TABLE public.covid_case RENAME TO {retired}; ALTER TABLE public.{STAGING} RENAME TO covid_case;
         COMMENT ON TABLE public.covid_case IS 'One row per notified case of the wanted years, from Covid19Casos.'"
    );
    transaction.execute(AssertSqlSafe(renames)).await.or_sql_fail(WHAT)?;
    georef.publish_names(&mut transaction).await?;
    runs::record_tally(&mut transaction, run_id, tally).await?;
    runs::record_datasets(&mut transaction, run_id, inclusions).await?;
    runs::finish(&mut transaction, run_id, "succeeded").await?;
    transaction.commit().await.or_sql_fail(WHAT)
}
