//! The pool of idle sessions, the queue of connections that wait for one, and the task that opens new ones.
//!
//! That task alone decides when to connect and when to give up. A connection waits for a session as long as the bastion is away; a waiter
//! that has gone is skipped.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::failure::Failure;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::connector::Connector;
use crate::counters::Counters;
use crate::event::{Event, EventSink};
use crate::reconnect::{ConnectError, RetryDecision, RetryState};
use crate::session::Session;

/// Idle sessions to keep, those with a prefetched channel included.
const MAX_IDLE: usize = 3;

/// Idle sessions to keep without a prefetched channel.
const MIN_IDLE: usize = 1;

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
    state: Mutex<PoolState>,
    /// Notified when a session is acquired, released or waited for.
    changed: Notify,
    pub(crate) counters: Arc<Counters>,
    pub(crate) events: EventSink,
}

#[derive(Default)]
struct PoolState {
    idle: Vec<Session>,
    waiters: VecDeque<oneshot::Sender<Session>>,
    /// Sessions with a prefetched channel, which count as idle.
    prefetched: usize,
    /// Whether sessions have died since the last [`PoolState::inspect`].
    died: bool,
}

/// The missing sessions at three levels of urgency, each including the one before.
#[derive(Debug, PartialEq)]
struct Deficit {
    /// Sessions that connections wait for.
    waiters: usize,
    min_idle: usize,
    max_idle: usize,
}

/// A session with a prefetched channel, which counts as idle until this is dropped.
pub(crate) struct PrefetchSlot(Arc<Pool>);

/// The delay after which a deficit is filled, counted from its beginning.
struct RefillTimer {
    delay: Duration,
    /// `None` while there is no deficit.
    due: Option<Instant>,
}

impl Pool {
    pub(crate) fn new(
        connector: Connector,
        first: Session,
        counters: Arc<Counters>,
        events: EventSink,
    ) -> Arc<Self> {
        let (state, changed) = (Mutex::default(), Notify::new());
        let pool = Arc::new(Self { connector, state, changed, counters, events });
        pool.release(first);
        pool
    }

    /// Returns whether the bastion is too near for prefetching to pay off.
    pub(crate) fn is_short_path(&self) -> bool {
        self.connector.window_sizer.is_short_path()
    }

    /// Returns an idle session, or waits for one. `None` if the tunnel is closing.
    pub(crate) async fn acquire(&self) -> Option<Session> {
        let waiter = {
            let mut state = self.state();
            state.purge();
            if let Some(session) = state.idle.pop() {
                self.changed.notify_one();
                return Some(session);
            }
            let (sender, waiter) = oneshot::channel();
            state.waiters.push_back(sender);
            waiter
        };
        self.changed.notify_one();
        waiter.await.ok()
    }

    /// Takes back a session that can serve another connection: it goes to the first waiter, or becomes idle.
    pub(crate) fn release(&self, session: Session) {
        let mut state = self.state();
        state.purge();
        if !session.is_alive() {
            state.died = true;
        } else if let Some(session) = state.give_to_waiter(session)
            && state.idle.len() < state.idle_limit()
            && !session.window.is_too_small()
        {
            state.idle.push(session);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Counts a session that is about to be prefetched as idle.
    pub(crate) fn reserve_prefetch_slot(self: &Arc<Self>) -> PrefetchSlot {
        self.state().prefetched += 1;
        PrefetchSlot(Arc::clone(self))
    }

    /// Reports a session that died while it was in use.
    pub(crate) fn mark_lost(&self) {
        self.state().died = true;
        self.changed.notify_one();
    }

    /// Opens sessions as they are missing. Returns only if reconnecting is hopeless.
    pub(crate) async fn maintain(self: Arc<Self>) -> Failure {
        let mut retries = RetryState::default();
        let mut attempts: JoinSet<Result<Session, ConnectError>> = JoinSet::new();
        let mut backoff = Duration::ZERO;
        let mut outage = false;
        let [mut fast_refill, mut refill] = [FAST_REFILL_DELAY, REFILL_DELAY].map(RefillTimer::new);
        loop {
            let (deficit, died) = self.state().inspect();
            outage |= died;
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
            let limit = if retries.is_down() { 1 } else { MAX_CONCURRENT_HANDSHAKES };
            while backoff.is_zero() && attempts.len() < missing.min(limit) {
                let pool = Arc::clone(&self);
                attempts.spawn(async move { pool.connector.reconnect().await });
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.connector.died.notified() => {}
                () = fast_refill.wait(), if missing < urgent => {}
                () = refill.wait(), if missing < deficit.max_idle => {}
                () = tokio::time::sleep(backoff), if !backoff.is_zero() => backoff = Duration::ZERO,
                Some(attempt) = attempts.join_next() => match attempt {
                    Ok(Ok(session)) => {
                        backoff = Duration::ZERO;
                        if retries.on_success() {
                            (self.events)(Event::Back { bastion: session.bastion.to_string() });
                        }
                        if std::mem::take(&mut outage) {
                            self.counters.reconnects.fetch_add(1, Relaxed);
                        }
                        self.release(session);
                    }
                    Ok(Err(error)) => {
                        outage = true;
                        // Concurrent attempts would fail in the same way.
                        attempts.shutdown().await;
                        match retries.on_failure(error) {
                            RetryDecision::Retry { delay, first, why } => {
                                backoff = delay;
                                if first {
                                    self.connector.window_sizer.reset_round_trip();
                                    (self.events)(Event::Lost { why });
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

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PrefetchSlot {
    fn drop(&mut self) {
        self.0.state().prefetched -= 1;
        self.0.changed.notify_one();
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

impl PoolState {
    /// Returns how many idle sessions without a prefetched channel to keep.
    fn idle_limit(&self) -> usize {
        MAX_IDLE.saturating_sub(self.prefetched).max(MIN_IDLE)
    }

    /// Removes dead sessions and waiters that have gone.
    fn purge(&mut self) {
        let before = self.idle.len();
        self.idle.retain(Session::is_alive);
        self.died |= self.idle.len() < before;
        self.waiters.retain(|waiter| !waiter.is_closed());
    }

    /// Returns the deficit, and whether sessions have died since the last call.
    fn inspect(&mut self) -> (Deficit, bool) {
        self.purge();
        let missing = |idle: usize| (self.waiters.len() + idle).saturating_sub(self.idle.len());
        let deficit = Deficit {
            waiters: missing(0),
            min_idle: missing(MIN_IDLE),
            max_idle: missing(self.idle_limit()),
        };
        (deficit, std::mem::take(&mut self.died))
    }

    /// Gives the session to the first waiter that has not gone, or returns it.
    fn give_to_waiter(&mut self, mut session: Session) -> Option<Session> {
        while let Some(waiter) = self.waiters.pop_front() {
            match waiter.send(session) {
                Ok(()) => return None,
                Err(returned) => session = returned,
            }
        }
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pool_idle_limit_counts_prefetched_sessions_but_keeps_one_idle() {
        let limits = (0..6).map(|prefetched| PoolState { prefetched, ..PoolState::default() }.idle_limit());
        assert_eq!(limits.collect::<Vec<_>>(), [3, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn pool_deficit_counts_waiters_until_they_are_gone() {
        let mut state = PoolState::default();
        assert_eq!(state.inspect().0, Deficit { waiters: 0, min_idle: 1, max_idle: 3 });
        let (sender, waiter) = oneshot::channel();
        state.waiters.push_back(sender);
        assert_eq!(state.inspect().0, Deficit { waiters: 1, min_idle: 2, max_idle: 4 });
        drop(waiter);
        assert_eq!(state.inspect().0, Deficit { waiters: 0, min_idle: 1, max_idle: 3 });
    }

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
