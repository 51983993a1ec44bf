//! The moment in which a release replaces another: the pointer and the run's record change in one transaction of a few milliseconds.
//!
//! No reader is waited for and none is held up: the transaction writes rows that readers only read.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use super::release::ReleaseId;
use crate::database::DbContext as _;
use crate::dataset::Dataset;
use crate::runs;
use crate::tally::Tally;
use common::failure::Result;

/// What becomes visible together with the cases of a release.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The release.
    pub release: ReleaseId,
    /// The tally of its run.
    pub tally: &'a Tally,
    /// What became of each dataset.
    pub inclusions: &'a [runs::Inclusion],
    /// Which run's rows the release shows for each optional dataset.
    pub optional: &'a [(Dataset, Uuid)],
}

const WHAT: &str = "cannot publish the new release";

/// Publishes a new release and records its run as succeeded, all or nothing.
pub async fn publish(session: &mut PgConnection, run_id: Uuid, publication: Publication<'_>) -> Result<()> {
    let Publication { release, tally, inclusions, optional } = publication;
    let mut transaction = session.begin().await.db_context(WHAT)?;
    for (dataset, run) in optional {
        sqlx::query("INSERT INTO release_dataset (release_id, dataset, run_id) VALUES ($1, $2, $3)")
            .bind(release.0)
            .bind(dataset.name())
            .bind(run)
            .execute(&mut *transaction)
            .await
            .db_context(WHAT)?;
    }
    point_to(&mut transaction, release).await?;
    runs::record_tally(&mut transaction, run_id, tally).await?;
    runs::record_datasets(&mut transaction, run_id, inclusions).await?;
    runs::finish(&mut transaction, run_id, "succeeded").await?;
    transaction.commit().await.db_context(WHAT)
}

/// Points to a release, within the transaction that records why. The caller holds the lock of the load.
pub async fn point_to(transaction: &mut PgConnection, release: ReleaseId) -> Result<()> {
    // Snapshots that do not see this transaction go on reading the release that it replaces: see `retire`.
    sqlx::query(
        "UPDATE release SET replaced_by = pg_current_xact_id(), replaced_at = clock_timestamp()
         WHERE release_id = (SELECT release_id FROM published_release)",
    )
    .execute(&mut *transaction)
    .await
    .db_context(WHAT)?;
    sqlx::query(
        "UPDATE release SET publication = (SELECT coalesce(max(publication), 0) + 1 FROM release),
                replaced_by = NULL, replaced_at = NULL, rolled_back = false
         WHERE release_id = $1",
    )
    .bind(release.0)
    .execute(&mut *transaction)
    .await
    .db_context(WHAT)?;
    let pointer = sqlx::query(
        "INSERT INTO published_release (release_id) VALUES ($1)
         ON CONFLICT (singleton) DO UPDATE SET release_id = excluded.release_id",
    )
    .bind(release.0);
    transaction.execute(pointer).await.db_context(WHAT).map(drop)
}
