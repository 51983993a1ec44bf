//! The idle sessions of a pool and the queue of connections that wait for one.
//!
//! Generic over the session, so that its concurrency can be checked without SSH (`model_tests`). A waiter that has gone is skipped.

use std::collections::VecDeque;
use std::ops::DerefMut;
use std::sync::{Arc, PoisonError};

use crate::sync::{Mutex, Notify, oneshot};

/// Idle sessions to keep, those with a prefetched channel included.
const MAX_IDLE: usize = 3;

/// Idle sessions to keep without a prefetched channel.
const MIN_IDLE: usize = 1;

/// A session that serves one connection after another.
pub(crate) trait Reusable {
    /// Returns whether it can serve another connection.
    fn is_alive(&self) -> bool;

    /// Returns whether to keep it while no connection waits.
    fn is_worth_keeping(&self) -> bool;
}

pub(crate) struct Sessions<S> {
    state: Mutex<State<S>>,
    /// Notified when a session is acquired, released or waited for.
    changed: Notify,
}

struct State<S> {
    idle: Vec<S>,
    waiters: VecDeque<oneshot::Sender<S>>,
    /// Sessions with a prefetched channel, which count as idle.
    prefetched: usize,
    /// Whether sessions have died since the last [`State::inspect`].
    died: bool,
}

/// The missing sessions at three levels of urgency, each including the one before.
#[derive(Debug, PartialEq)]
pub(crate) struct Deficit {
    /// Sessions that connections wait for.
    pub(crate) waiters: usize,
    pub(crate) min_idle: usize,
    pub(crate) max_idle: usize,
}

/// A session with a prefetched channel, which counts as idle until this is dropped.
pub(crate) struct PrefetchSlot<S>(Arc<Sessions<S>>);

impl<S: Reusable> Sessions<S> {
    pub(crate) fn new() -> Arc<Self> {
        let state = State { idle: Vec::new(), waiters: VecDeque::new(), prefetched: 0, died: false };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
    }

    /// Returns an idle session, or waits for one. `None` if the tunnel is closing.
    pub(crate) async fn acquire(&self) -> Option<S> {
        let waiter = {
            let mut state = self.state();
            state.purge();
            if let Some(session) = state.idle.pop() {
                drop(state);
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
    pub(crate) fn release(&self, session: S) {
        let mut state = self.state();
        state.purge();
        if !session.is_alive() {
            state.died = true;
        } else if let Some(session) = state.give_to_waiter(session)
            && state.idle.len() < state.idle_limit()
            && session.is_worth_keeping()
        {
            state.idle.push(session);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Counts a session that is about to be prefetched as idle.
    pub(crate) fn reserve_prefetch_slot(self: &Arc<Self>) -> PrefetchSlot<S> {
        self.state().prefetched += 1;
        PrefetchSlot(Arc::clone(self))
    }

    /// Reports a session that died while it was in use.
    pub(crate) fn mark_lost(&self) {
        self.state().died = true;
        self.changed.notify_one();
    }

    /// Returns the deficit, and whether sessions have died since the last call.
    pub(crate) fn inspect(&self) -> (Deficit, bool) {
        self.state().inspect()
    }

    /// Waits until the deficit may have changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl<S> Sessions<S> {
    fn state(&self) -> impl DerefMut<Target = State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Drop for PrefetchSlot<S> {
    fn drop(&mut self) {
        self.0.state().prefetched -= 1;
        self.0.changed.notify_one();
    }
}

impl<S: Reusable> State<S> {
    /// Returns how many idle sessions without a prefetched channel to keep.
    fn idle_limit(&self) -> usize {
        MAX_IDLE.saturating_sub(self.prefetched).max(MIN_IDLE)
    }

    /// Removes dead sessions and waiters that have gone.
    fn purge(&mut self) {
        let before = self.idle.len();
        self.idle.retain(S::is_alive);
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
    fn give_to_waiter(&mut self, mut session: S) -> Option<S> {
        while let Some(waiter) = self.waiters.pop_front() {
            match waiter.send(session) {
                Ok(()) => return None,
                Err(returned) => session = returned,
            }
        }
        Some(session)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    struct AnySession;

    impl Reusable for AnySession {
        fn is_alive(&self) -> bool {
            true
        }

        fn is_worth_keeping(&self) -> bool {
            true
        }
    }

    #[test]
    fn idle_limit_counts_prefetched_sessions_but_keeps_one_idle() {
        let sessions = Sessions::<AnySession>::new();
        let limits = (0..6).map(|prefetched| {
            sessions.state().prefetched = prefetched;
            sessions.state().idle_limit()
        });
        assert_eq!(limits.collect::<Vec<_>>(), [3, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn deficit_counts_waiters_until_they_are_gone() {
        let sessions = Sessions::<AnySession>::new();
        assert_eq!(sessions.inspect().0, Deficit { waiters: 0, min_idle: 1, max_idle: 3 });
        let (sender, waiter) = oneshot::channel();
        sessions.state().waiters.push_back(sender);
        assert_eq!(sessions.inspect().0, Deficit { waiters: 1, min_idle: 2, max_idle: 4 });
        drop(waiter);
        assert_eq!(sessions.inspect().0, Deficit { waiters: 0, min_idle: 1, max_idle: 3 });
    }
}
