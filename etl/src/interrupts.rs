//! What ends a run early: SIGINT, SIGTERM, and its time limit.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::panics;
use common::failure::{Exit, Failure, Result};

/// Receives signals from its creation on, also between two operations. A run creates one and keeps it: without it a signal is lost, because
/// the handlers of the operating system are replaced already.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    time_limit: Option<TimeLimit>,
}

#[derive(Debug, Clone, Copy)]
struct TimeLimit {
    length: Duration,
    ends_at: Instant,
}

impl Interrupts {
    /// Listens for signals; the time limit begins now.
    pub fn listen(time_limit: Option<Duration>) -> Self {
        Self {
            interrupt: listen(SignalKind::interrupt()),
            terminate: listen(SignalKind::terminate()),
            // A limit beyond the range of the clock is none.
            time_limit: time_limit
                .and_then(|length| Some(TimeLimit { length, ends_at: Instant::now().checked_add(length)? })),
        }
    }

    /// Runs `work` to its end, or drops it when a signal arrives or the time limit ends. A panic is a failure.
    pub async fn or_interrupted<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            failure = self.interrupted() => Err(failure),
            result = AssertUnwindSafe(work).catch_unwind() => result.unwrap_or_else(|_| Err(panics::failure())),
        }
    }

    async fn interrupted(&mut self) -> Failure {
        let (what, exit) = tokio::select! {
            () = received(&mut self.interrupt) => ("Ctrl-C".to_owned(), Exit::Interrupted),
            () = received(&mut self.terminate) => ("SIGTERM".to_owned(), Exit::Child(143)),
            length = ended(self.time_limit) => {
                (format!("its time limit of {}", humantime::format_duration(length)), Exit::Timeout)
            }
        };
        let hint = match exit {
            Exit::Timeout => {
                "the published release is untouched; run again, or raise --time-limit (TIME_LIMIT)"
            }
            _ => "the published release is untouched; run again",
        };
        Failure::new(format!("the run was stopped by {what}")).hint(hint).exit_code(exit)
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

/// Waits for the end of the time limit; returns its length.
async fn ended(time_limit: Option<TimeLimit>) -> Duration {
    match time_limit {
        Some(TimeLimit { length, ends_at }) => {
            tokio::time::sleep_until(ends_at).await;
            length
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_limit_counts_from_the_start_and_ends_work_with_124() {
        let mut interrupts = Interrupts::listen(Some(Duration::from_mins(90)));
        let first = async {
            tokio::time::sleep(Duration::from_mins(80)).await;
            Ok(())
        };
        interrupts.or_interrupted(first).await.unwrap();
        let second = async {
            tokio::time::sleep(Duration::from_mins(11)).await;
            Ok(())
        };
        let failure = interrupts.or_interrupted(second).await.unwrap_err();
        assert_eq!(failure.to_string(), "the run was stopped by its time limit of 1h 30m");
        assert_eq!(failure.exit(), Exit::Timeout);
    }

    #[tokio::test]
    async fn panic_is_a_failure() {
        let work = async { if true { panic!("a bug") } else { Ok(()) } };
        let failure = Interrupts::listen(None).or_interrupted(work).await.unwrap_err();
        assert_eq!(failure.to_string(), "the run panicked");
    }
}
