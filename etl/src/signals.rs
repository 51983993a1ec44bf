//! Being told to end: Ctrl-C at a terminal, SIGTERM from whoever runs the container.

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Exit, Failure, Result};

/// Does the work, unless it is told to end before it is done; then the work is dropped where it stands.
pub async fn or_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        result = work => result,
        failure = interrupted() => Err(failure),
    }
}

/// Waits for the wish that the run ends; never returns otherwise.
async fn interrupted() -> Failure {
    let (name, exit) = tokio::select! {
        () = arrival(SignalKind::interrupt()) => ("Ctrl-C", Exit::Interrupted),
        () = arrival(SignalKind::terminate()) => ("SIGTERM", Exit::Child(143)),
    };
    Failure::new(format!("the run was stopped by {name}"))
        .hint("what is published is untouched; run again")
        .exiting(exit)
}

async fn arrival(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(error) => {
            tracing::warn!(%error, "this signal cannot be listened for");
            std::future::pending::<()>().await;
        }
    }
}
