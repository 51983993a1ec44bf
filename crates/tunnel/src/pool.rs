//! The pool of a tunnel's sessions, and the task that opens new ones.
//!
//! That task alone decides when to connect and when to give up. A connection waits for a session as long as the bastion is away.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use common::failure::Failure;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::connector::Connector;
use crate::counters::Counters;
use crate::event::{Event, EventSink};
use crate::outage::OutageReports;
use crate::reconnect::{ConnectError, RetryDecision, RetryState};
use crate::session::Session;
use crate::sessions::{Reusable, Sessions};

/// The delay before an idle session is replaced: most connections end sooner and release theirs, and a handshake takes as much of sshd's
/// time as 20 MiB of a transfer.
const REFILL_DELAY: Duration = Duration::from_secs(5);

/// The delay before the last idle session is replaced on a long path. It covers connections that follow each other. On a short path
/// [`REFILL_DELAY`] applies: a handshake is quick there, and slows a transfer that runs at the same time down.
const FAST_REFILL_DELAY: Duration = Duration::from_millis(100);

/// sshd starts to drop connections at ten unauthenticated ones (`MaxStartups`).
const MAX_CONCURRENT_HANDSHAKES: usize = 4;

/// The sessions of one tunnel.
pub(crate) struct Pool {
    pub(crate) connector: Connector,
    pub(crate) sessions: Arc<Sessions<Session>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) events: EventSink,
}

/// The delay after which a deficit is filled, counted from its beginning.
struct RefillTimer {
    delay: Duration,
    /// `None` while there is no deficit.
    due: Option<Instant>,
}

impl Reusable for Session {
    fn is_alive(&self) -> bool {
        Self::is_alive(self)
    }

    fn is_worth_keeping(&self) -> bool {
        !self.window.is_too_small()
    }
}

impl Pool {
    pub(crate) fn new(
        connector: Connector,
        first: Session,
        counters: Arc<Counters>,
        events: EventSink,
    ) -> Arc<Self> {
        let sessions = Sessions::new();
        sessions.release(first);
        Arc::new(Self { connector, sessions, counters, events })
    }

    /// Returns whether the bastion is too near for prefetching to pay off.
    pub(crate) fn is_short_path(&self) -> bool {
        self.connector.window_sizer.is_short_path()
    }

    /// Opens sessions as they are missing. Returns only if reconnecting is hopeless.
    pub(crate) async fn maintain(self: Arc<Self>) -> Failure {
        let mut retries = RetryState::default();
        let mut outages = OutageReports::default();
        let mut attempts: JoinSet<Result<Session, ConnectError>> = JoinSet::new();
        let mut backoff = Duration::ZERO;
        let mut outage = false;
        let [mut fast_refill, mut refill] = [FAST_REFILL_DELAY, REFILL_DELAY].map(RefillTimer::new);
        loop {
            let (mut deficit, died) = self.sessions.inspect();
            outage |= died;
            let is_interactive = self.connector.is_interactive();
            if is_interactive {
                // A person is asked only for a session that a connection waits for.
                (deficit.min_idle, deficit.max_idle) = (deficit.waiters, deficit.waiters);
            }
            let is_calm = !outage && self.is_short_path();
            let urgent = if is_calm { deficit.waiters } else { deficit.min_idle };
            let fast_due = fast_refill.is_due(urgent > deficit.waiters);
            let due = refill.is_due(deficit.max_idle > urgent);
            let missing = if due {
                deficit.max_idle
            } else if fast_due {
                urgent
            } else {
                deficit.waiters
            };
            let limit = if retries.is_down() || is_interactive { 1 } else { MAX_CONCURRENT_HANDSHAKES };
            while backoff.is_zero() && attempts.len() < missing.min(limit) {
                let pool = Arc::clone(&self);
                attempts.spawn(async move { pool.connector.reconnect().await });
            }
            tokio::select! {
                () = self.sessions.changed() => {}
                () = self.connector.died.notified() => {}
                () = fast_refill.wait(), if missing < urgent => {}
                () = refill.wait(), if missing < deficit.max_idle => {}
                () = tokio::time::sleep(backoff), if !backoff.is_zero() => backoff = Duration::ZERO,
                Some(attempt) = attempts.join_next() => match attempt {
                    Ok(Ok(session)) => {
                        backoff = Duration::ZERO;
                        retries.on_success();
                        if outages.is_over() {
                            (self.events)(Event::Back { bastion: session.bastion.to_string() });
                        }
                        if std::mem::take(&mut outage) {
                            self.counters.reconnects.fetch_add(1, Relaxed);
                        }
                        self.sessions.release(session);
                    }
                    Ok(Err(error)) => {
                        outage = true;
                        // Concurrent attempts would fail in the same way.
                        attempts.shutdown().await;
                        match retries.on_failure(error) {
                            RetryDecision::Retry { delay, why } => {
                                backoff = common::backoff::jittered(delay);
                                let is_serving = self.connector.live.load(Relaxed) > 0;
                                let event = outages.on_failure(is_serving, why, Instant::now());
                                if matches!(event, Some(Event::Lost { .. })) {
                                    self.connector.window_sizer.reset_round_trip();
                                }
                                if let Some(event) = event {
                                    (self.events)(event);
                                }
                            }
                            RetryDecision::GiveUp(failure) => return failure,
                        }
                    }
                    Err(error) => return Failure::new("a handshake panicked").source(error),
                },
            }
        }
    }
}

impl RefillTimer {
    fn new(delay: Duration) -> Self {
        Self { delay, due: None }
    }

    /// Starts at the beginning of a deficit and stops at its end. Returns whether the delay is over.
    fn is_due(&mut self, deficit: bool) -> bool {
        let now = Instant::now();
        self.due = deficit.then(|| self.due.unwrap_or(now + self.delay));
        self.due.is_some_and(|due| due <= now)
    }

    /// Returns when the delay is over; never without a deficit.
    async fn wait(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refill_timer_counts_from_beginning_of_each_deficit() {
        let mut timer = RefillTimer::new(REFILL_DELAY);
        tokio::time::advance(REFILL_DELAY * 2).await;
        assert!(!timer.is_due(true));
        tokio::time::advance(REFILL_DELAY / 2).await;
        assert!(!timer.is_due(true));
        timer.wait().await;
        assert!(timer.is_due(true));
        assert!(!timer.is_due(false));
        assert!(!timer.is_due(true), "a new deficit starts the delay again");
    }
}
