//! The signals that ask this program to end: Ctrl-C, `kill` and a closed terminal.
//!
//! It only waits. What a signal means is decided by whoever waits: most commands are dropped, `run` detaches.

use etl::failure::{Exit, Failure};
use tokio::signal::unix::{SignalKind, signal};

/// Returns when the first such signal arrives. It listens from the moment of the call, not only once it is waited for.
pub fn interrupted() -> impl Future<Output = Failure> {
    let streams =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = streams else {
            return Failure::new("cannot listen for signals").exiting(Exit::NotStarted);
        };
        // The codes are the shell's for these signals.
        let exit = tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Child(143),
            _ = hangup.recv() => Exit::Child(129),
        };
        Failure::new("interrupted").exiting(exit)
    }
}
