//! Being told to end: Ctrl-C at a terminal, SIGTERM from whoever runs the container.

use tokio::signal::unix::{Signal, SignalKind, signal};

use common::failure::{Exit, Failure, Result};

/// Hears every signal from the moment it exists, also between two pieces of work. Made once for each run: between two of
/// these a signal would be lost, because the first one has already taken the system's own handling away.
#[derive(Debug)]
pub struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Signals {
    /// Begins to listen.
    pub fn listen() -> Self {
        Self { interrupt: listen(SignalKind::interrupt()), terminate: listen(SignalKind::terminate()) }
    }

    /// Does the work, unless it is told to end before it is done; then the work is dropped where it stands.
    pub async fn or_interrupted<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            failure = self.interrupted() => Err(failure),
            result = work => result,
        }
    }

    /// Waits for the wish that the run ends; never returns otherwise.
    async fn interrupted(&mut self) -> Failure {
        let (name, exit) = tokio::select! {
            () = arrival(&mut self.interrupt) => ("Ctrl-C", Exit::Interrupted),
            () = arrival(&mut self.terminate) => ("SIGTERM", Exit::Child(143)),
        };
        Failure::new(format!("the run was stopped by {name}"))
            .hint("what is published is untouched; run again")
            .exit_code(exit)
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::warn!(%error, "this signal cannot be listened for")).ok()
}

async fn arrival(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}
