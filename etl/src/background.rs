//! Blocking work beside the runtime's own threads.

use tokio::runtime::Handle;

use common::failure::{Context as _, Result};

/// Runs `work` on a thread for blocking work and waits for it.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce(&Handle) -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || work(&runtime))
        .await
        .context(|| "a worker thread ended before its time".to_owned())?
}
