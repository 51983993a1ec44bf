//! SIGINT, SIGTERM and SIGHUP.

use common::failure::{Context as _, Exit, Failure, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives signals from its creation on, also those that arrive between two waits.
///
/// A command that handles signals creates one and keeps it to its end: without it a signal is lost, because the handlers of the operating
/// system are replaced already.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Installs the handlers.
    pub fn listen() -> Result<Self> {
        let listen = |kind| {
            let failed = || "cannot install signal handlers".to_owned();
            signal(kind).context(failed).map_err(|failure: Failure| failure.exit_code(Exit::NotStarted))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal and returns it as an error with its exit code.
    pub async fn next(&mut self) -> Failure {
        // As a shell reports them: 128 + signal number.
        let exit = tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Child(143),
            _ = self.hangup.recv() => Exit::Child(129),
        };
        Failure::new("interrupted").exit_code(exit)
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{Signal, raise};

    use super::*;

    #[tokio::test]
    async fn signal_between_two_waits_is_not_lost() {
        let mut signals = Signals::listen().unwrap();
        raise(Signal::SIGHUP).unwrap();
        assert_eq!(signals.next().await.exit(), Exit::Child(129));
    }
}
