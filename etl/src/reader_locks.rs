//! Changes of tables that readers use: each attempt waits briefly for their locks, so that other readers do not queue behind it for long.

use std::time::{Duration, Instant};

use crate::database;

/// How long a change is attempted.
const TIMEOUT: Duration = Duration::from_mins(2);

const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Repeats a change until it succeeds, fails for another reason than a lock of readers, or two minutes have passed. Each attempt sets a
/// `lock_timeout` of its own.
pub(crate) async fn retry<T, E>(
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
    is_locked: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match attempt().await {
            Err(error) if is_locked(&error) && begun.elapsed() <= TIMEOUT => {
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            done => return done,
        }
    }
}

/// Returns whether a statement timed out waiting for a lock, or was canceled to resolve a deadlock.
pub(crate) fn gave_up_waiting(error: &sqlx::Error) -> bool {
    matches!(database::code(error).as_deref(), Some("55P03" | "40P01"))
}
