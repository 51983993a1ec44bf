//! Starts the services of a target and migrates its database.

use std::sync::Arc;

use common::failure::Result;

use super::follow::Following;
use logs::LogLine;
use target::{Job, JobKind, Progress, Services, Target};

/// Creates or starts the services and applies pending migrations.
pub async fn up(
    services: &dyn Services,
    target: &Target,
    progress: Arc<dyn Progress>,
    show: &mut (dyn FnMut(&LogLine) + Send),
) -> Result<()> {
    services.up(Arc::clone(&progress)).await?;
    migrate(target, progress.as_ref(), show).await
}

/// Applies pending migrations.
pub async fn migrate(
    target: &Target,
    progress: &dyn Progress,
    show: &mut (dyn FnMut(&LogLine) + Send),
) -> Result<()> {
    progress.step("applying pending migrations");
    // Concurrent migrations wait for each other in the database.
    let job = Job { allow_concurrent: true, ..Job::new(JobKind::Migrate) };
    Following::start(target, &job).await?.to_end(target, show).await
}
