//! `etl rollback`: publishes an earlier release that is still kept. Recorded like any run; no row is copied.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::database::{Database, DbContext as _, execute};
use crate::interrupts::Interrupts;
use crate::load::publish;
use crate::load::release::ReleaseId;
use crate::run_session::{begin, settle};
use crate::runs;
use common::failure::{Failure, Result};

#[derive(Debug, Clone)]
pub struct Options {
    pub run_id: Uuid,
    /// A secret.
    pub database_url: String,
    /// The release to publish; by default the newest before the published one.
    pub to: Option<i32>,
}

/// Publishes the earlier release; returns the dataset that is published now.
pub async fn run(options: &Options, interrupts: &mut Interrupts) -> Result<runs::DatasetRecord> {
    let database = Database::new(&options.database_url, options.run_id);
    let watched = database.watched(begin(&database, runs::RunKind::Rollback));
    let mut session = interrupts.or_interrupted(watched).await?;
    let mut committing = None;
    let roll_back = roll_back(options, &mut session, &mut committing);
    let result = interrupts.or_interrupted(database.watched(roll_back)).await;
    settle(&database, session, result, committing).await
}

async fn roll_back(
    options: &Options,
    session: &mut PgConnection,
    committing: &mut Option<runs::DatasetRecord>,
) -> Result<runs::DatasetRecord> {
    const WHAT: &str = "cannot roll back";
    let published: i32 = sqlx::query_scalar("SELECT release_id FROM published_release")
        .fetch_optional(&mut *session)
        .await
        .db_context(WHAT)?
        .ok_or_else(|| Failure::new("no release is published").hint("load a dataset: `covidctl run etl`"))?;
    let target = target(session, published, options.to).await?;
    let mut transaction = session.begin().await.db_context(WHAT)?;
    publish::point_to(&mut transaction, ReleaseId(target)).await?;
    // Publishing a newer release again does not mark the older one as rolled back.
    let update = sqlx::query("UPDATE release SET rolled_back = true WHERE release_id = $1 AND $1 > $2");
    execute(&mut transaction, update.bind(published).bind(target), WHAT).await?;
    let dataset = runs::dataset_of_release(&mut transaction, target).await?;
    runs::describe(&mut transaction, options.run_id, &dataset).await?;
    runs::finish(&mut transaction, options.run_id, "succeeded").await?;
    *committing = Some(dataset.clone());
    transaction.commit().await.db_context(WHAT)?;
    tracing::info!(
        from = published,
        to = target,
        dataset_date = %dataset.updated_on,
        years = dataset.years,
        "rolled back; the report that is stored still shows the other release: `covidctl run report` writes a new one"
    );
    Ok(dataset)
}

/// Returns the requested release, or the newest before the published one that was not rolled back itself.
async fn target(session: &mut PgConnection, published: i32, wanted: Option<i32>) -> Result<i32> {
    let kept: Vec<(i32, bool)> = sqlx::query_as(
        "SELECT release_id, rolled_back FROM release WHERE publication IS NOT NULL AND dropped_at IS NULL",
    )
    .fetch_all(session)
    .await
    .db_context("cannot list the releases")?;
    let before = kept.iter().filter(|(release, rolled_back)| *release < published && !rolled_back);
    match wanted {
        Some(wanted) if wanted == published => {
            Err(Failure::usage(format!("release {wanted} is published already"))
                .hint("`covidctl releases list` shows the others"))
        }
        Some(wanted) if kept.iter().any(|(release, _)| *release == wanted) => Ok(wanted),
        Some(wanted) => Err(Failure::usage(format!("release {wanted} is not kept"))
            .hint("`covidctl releases list` shows those that are")),
        None => before.map(|(release, _)| *release).max().ok_or_else(|| {
            Failure::new(format!("no release before release {published} is kept"))
                .hint("`covidctl releases list` shows those that are; KEEP_RELEASES sets how many")
        }),
    }
}
