//! The publication: the pointer and the run's record change in one transaction of a few milliseconds.
//!
//! It neither waits for readers nor blocks them: it writes rows that readers only read.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Postgres, Transaction};
use uuid::Uuid;

use super::release::ReleaseId;
use crate::database::{DbContext as _, execute};
use crate::dataset::Dataset;
use crate::runs;
use crate::tally::Tally;
use common::failure::Result;

const WHAT: &str = "cannot publish the new release";

/// Prepares the transaction that publishes a new release and records its run as succeeded, all or nothing. `optional` names the run whose
/// rows the release shows for each optional dataset; `keeps_doses` says whether this run has kept the rows of its doses.
pub async fn prepare<'a>(
    session: &'a mut PgConnection,
    run_id: Uuid,
    release: ReleaseId,
    tally: &Tally,
    inclusions: &[runs::Inclusion],
    optional: &[(Dataset, Uuid)],
    keeps_doses: bool,
) -> Result<Transaction<'a, Postgres>> {
    let mut transaction = session.begin().await.db_context(WHAT)?;
    for (dataset, run) in optional {
        let keeps_rows = *dataset == Dataset::Doses && *run == run_id && keeps_doses;
        let insert = sqlx::query(
            "INSERT INTO release_dataset (release_id, dataset, run_id, keeps_rows)
             VALUES ($1, $2, $3, $4 OR EXISTS (SELECT FROM release_dataset WHERE dataset = $2 AND run_id = $3 AND keeps_rows))",
        );
        let insert = insert.bind(release.0).bind(dataset.name()).bind(run).bind(keeps_rows);
        execute(&mut transaction, insert, WHAT).await?;
    }
    point_to(&mut transaction, release).await?;
    runs::record_tally(&mut transaction, run_id, tally).await?;
    runs::record_datasets(&mut transaction, run_id, inclusions).await?;
    runs::finish(&mut transaction, run_id, "succeeded").await?;
    Ok(transaction)
}

/// Publishes. An error does not say whether the release is published.
pub async fn commit(publication: Transaction<'_, Postgres>) -> Result<()> {
    publication.commit().await.db_context(WHAT)
}

/// Points to a release, within the transaction that records why. The caller holds the lock of the load.
pub async fn point_to(transaction: &mut PgConnection, release: ReleaseId) -> Result<()> {
    // Snapshots that do not see this transaction go on reading the release that it replaces: see `retire`.
    let replaced = "UPDATE release SET replaced_by = pg_current_xact_id(), replaced_at = clock_timestamp()
         WHERE release_id = (SELECT release_id FROM published_release)";
    execute(transaction, replaced, WHAT).await?;
    let published =
        "UPDATE release SET publication = (SELECT coalesce(max(publication), 0) + 1 FROM release),
                replaced_by = NULL, replaced_at = NULL, rolled_back = false
         WHERE release_id = $1";
    execute(transaction, sqlx::query(published).bind(release.0), WHAT).await?;
    let pointer = "INSERT INTO published_release (release_id) VALUES ($1)
         ON CONFLICT (singleton) DO UPDATE SET release_id = excluded.release_id";
    execute(transaction, sqlx::query(pointer).bind(release.0), WHAT).await
}
