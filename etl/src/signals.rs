//! SIGINT and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

use common::failure::{Exit, Failure, Result};

/// Receives signals from its creation on, also between two operations. A run creates one and keeps it: without it a signal is lost, because
/// the handlers of the operating system are replaced already.
#[derive(Debug)]
pub struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Signals {
    pub fn listen() -> Self {
        Self { interrupt: listen(SignalKind::interrupt()), terminate: listen(SignalKind::terminate()) }
    }

    /// Runs `work` to its end, or drops it when a signal arrives.
    pub async fn or_interrupted<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            failure = self.interrupted() => Err(failure),
            result = work => result,
        }
    }

    async fn interrupted(&mut self) -> Failure {
        let (name, exit) = tokio::select! {
            () = received(&mut self.interrupt) => ("Ctrl-C", Exit::Interrupted),
            () = received(&mut self.terminate) => ("SIGTERM", Exit::Child(143)),
        };
        Failure::new(format!("the run was stopped by {name}"))
            .hint("the published release is untouched; run again")
            .exit_code(exit)
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::warn!(%error, "cannot install signal handler")).ok()
}

async fn received(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}
