//! Brings a target up as a whole: its parts, and then the tables.

use std::sync::Arc;

use common::failure::Result;

use super::follow::Following;
use super::log_line::LogLine;
use crate::backend::{Backend, Job, Kind, Progress};

/// Creates or starts everything and applies pending migrations.
pub async fn up(
    backend: &dyn Backend,
    progress: Arc<dyn Progress>,
    show: &mut (dyn FnMut(&LogLine) + Send),
) -> Result<()> {
    backend.up(Arc::clone(&progress)).await?;
    migrate(backend, progress.as_ref(), show).await
}

/// Applies pending migrations.
pub async fn migrate(
    backend: &dyn Backend,
    progress: &dyn Progress,
    show: &mut (dyn FnMut(&LogLine) + Send),
) -> Result<()> {
    progress.step("applying pending migrations");
    // Two at once wait for each other in the database.
    let job = Job { allow_concurrent: true, ..Job::new(Kind::Migrate) };
    Following::start(backend, &job).await?.to_end(backend, show).await
}
