//! Blocking work on a thread of its own.

use tokio::runtime::Handle;

use common::failure::{Context as _, Result};

/// Runs `work` on a thread for blocking work and waits for its result.
pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce(&Handle) -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || work(&runtime))
        .await
        .context(|| "a worker thread panicked".to_owned())?
}
