//! Recognizes files that were loaded before.

use common::failure::Result;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::clean::years::Period;
use crate::context::Options;
use crate::runs;
use crate::sources::Sources;
use crate::store::Store;

/// Returns the run that loaded exactly these files, if its release is published, or if a rollback has replaced it since.
///
/// Checksums are computed only if the size of the line list does not answer the question.
pub(crate) async fn find(
    session: &mut PgConnection,
    options: &Options,
    store: &Store,
    sources: &mut Sources,
    period: &Period,
) -> Result<Option<Uuid>> {
    let dataset = sources.describe(period);
    if options.force || !runs::may_be_loaded(session, &dataset).await? {
        return Ok(None);
    }
    sources.identify(store).await;
    let dataset = sources.describe(period);
    runs::describe(session, options.run_id, &dataset).await?;
    if let Some(load) = runs::published_alike(session, &dataset, options.accept_anomalies).await? {
        tracing::info!(published_by = %load, "this dataset is already loaded; nothing to do (--force loads it again)");
        return Ok(Some(load));
    }
    let rolled_back = runs::rolled_back_alike(session, &dataset).await?;
    if let Some(load) = rolled_back {
        tracing::warn!(
            loaded_by = %load,
            "this dataset was published and rolled back; it is not loaded again until its files change (--force loads it)"
        );
    }
    Ok(rolled_back)
}
