//! The signals that ask this program to end: Ctrl-C, `kill` and a closed terminal.
//!
//! It only waits. What a signal means is decided by whoever waits: most commands are dropped, `run` detaches.

use common::failure::{Context as _, Exit, Failure, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears every signal from the moment it exists, also while nobody waits for one.
///
/// A command that handles signals makes one of these, once, and keeps it to its end: between two of them a signal would
/// be lost, because the first one has already taken the system's own handling away.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn listen() -> Result<Self> {
        let listen = |kind| {
            let failed = || "cannot listen for signals".to_owned();
            signal(kind).context(failed).map_err(|failure: Failure| failure.exit_code(Exit::NotStarted))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Returns when a signal has arrived that was not returned yet.
    pub async fn next(&mut self) -> Failure {
        // The codes are the shell's for these signals.
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
    async fn a_signal_that_comes_while_nobody_waits_is_not_lost() {
        let mut signals = Signals::listen().unwrap();
        raise(Signal::SIGHUP).unwrap();
        assert_eq!(signals.next().await.exit(), Exit::Child(129));
    }
}
