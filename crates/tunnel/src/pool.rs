//! Sessions: those that are ready, those that somebody waits for, and the one task that makes them.
//!
//! The task alone decides when to connect and when to give up. Connections only ask for a session and wait, however long the
//! bastion is away; one that gives up waiting is passed over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::failure::Failure;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::connector::Connector;
use super::counters::Counters;
use super::event::{Event, Tell};
use super::reconnect::{Health, Verdict};
use super::session::Session;
use super::trouble::Trouble;

/// So many sessions wait for connections to come, those that are held open to a target included.
const SPARES: usize = 3;

/// However many of them are held, so many are free to lead anywhere.
const FREE: usize = 1;

/// A spare that is missing is replaced after this long: most connections are over by then, and have given their session back. A
/// handshake takes sshd as long as 20 MiB of a transfer do.
const LEISURE: Duration = Duration::from_secs(5);

/// The last free one is replaced after this long, on a long path: where connections follow each other, the session of the one before
/// is about to come back. On a short path it can wait like the others: made beside a transfer, it costs more than it saves. What
/// somebody waits for is made at once.
const BREATH: Duration = Duration::from_millis(100);

/// So many handshakes at once: sshd begins to drop them at ten (`MaxStartups`).
const HANDSHAKES: usize = 4;

/// The sessions of one tunnel.
pub(super) struct Pool {
    connector: Connector,
    state: Mutex<State>,
    /// Told when a session was taken, given back, or asked for.
    changed: Notify,
    pub(super) counters: Arc<Counters>,
    tell: Tell,
}

/// Counts a session as one of the spares although it is not among them, as long as this lives.
pub(super) struct Place(Arc<Pool>);

/// How many sessions are missing, each time with those before.
#[derive(Debug, PartialEq)]
struct Lack {
    /// Those that somebody waits for.
    waited_for: usize,
    /// And a free one.
    free: usize,
    /// And all spares.
    spares: usize,
}

/// How long something that is missing can wait.
struct Patience {
    length: Duration,
    /// When it ends; `None` where nothing is missing.
    end: Option<Instant>,
}

#[derive(Default)]
struct State {
    ready: Vec<Session>,
    waiting: VecDeque<oneshot::Sender<Session>>,
    /// So many spares are held elsewhere, or about to be.
    held: usize,
    /// Sessions have died that nobody had let go of.
    died: bool,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        first: Session,
        counters: Arc<Counters>,
        tell: Tell,
    ) -> Arc<Self> {
        let state = Mutex::new(State::default());
        let pool = Arc::new(Self { connector, state, changed: Notify::new(), counters, tell });
        pool.give(first);
        pool
    }

    /// How long opening something may take.
    pub(super) fn limit(&self) -> Duration {
        self.connector.limit()
    }

    /// Whether the bastion is so near that nothing needs to be done ahead of time.
    pub(super) fn is_near(&self) -> bool {
        self.connector.sizing.is_short()
    }

    /// Tells what could not be done for one connection.
    pub(super) fn tell(&self, event: Event) {
        (self.tell)(event);
    }

    /// A session, now or when there is one again. `None` when there will never be one.
    pub(super) async fn take(&self) -> Option<Session> {
        let waiter = {
            let mut state = self.state();
            state.purge();
            if let Some(session) = state.ready.pop() {
                self.changed.notify_one();
                return Some(session);
            }
            let (sender, waiter) = oneshot::channel();
            state.waiting.push_back(sender);
            waiter
        };
        self.changed.notify_one();
        waiter.await.ok()
    }

    /// A session that can serve another connection: for whoever waits longest, or to keep.
    pub(super) fn give(&self, session: Session) {
        let mut state = self.state();
        state.purge();
        if !session.is_alive() {
            state.died = true;
        } else if let Some(session) = state.hand_over(session)
            && state.ready.len() < state.spares()
            && !session.window.is_too_small()
        {
            state.ready.push(session);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A place for a spare that is held elsewhere.
    pub(super) fn place(self: &Arc<Self>) -> Place {
        self.state().held += 1;
        Place(Arc::clone(self))
    }

    /// A session died while it served.
    pub(super) fn lost(&self) {
        self.state().died = true;
        self.changed.notify_one();
    }

    /// Keeps enough sessions ready for ever; returns when it must give up.
    pub(super) async fn keep(self: Arc<Self>) -> Failure {
        let mut health = Health::default();
        let mut attempts: JoinSet<Result<Session, Trouble>> = JoinSet::new();
        let mut pause = Duration::ZERO;
        let mut outage = false;
        let [mut breath, mut leisure] = [BREATH, LEISURE].map(Patience::new);
        loop {
            let (lack, died) = self.state().inspect();
            outage |= died;
            let calm = !outage && self.is_near();
            let soon = if calm { lack.waited_for } else { lack.free };
            let (hurried, rested) =
                (breath.is_over(soon > lack.waited_for), leisure.is_over(lack.spares > soon));
            let missing = match (rested, hurried) {
                (true, _) => lack.spares,
                (false, true) => soon,
                (false, false) => lack.waited_for,
            };
            let limit = if health.is_down() { 1 } else { HANDSHAKES };
            while pause.is_zero() && attempts.len() < missing.min(limit) {
                let pool = Arc::clone(&self);
                attempts.spawn(async move { pool.connector.connect().await });
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.connector.died.notified() => {}
                () = breath.ends(), if missing < soon => {}
                () = leisure.ends(), if missing < lack.spares => {}
                () = tokio::time::sleep(pause), if !pause.is_zero() => pause = Duration::ZERO,
                Some(outcome) = attempts.join_next() => match outcome {
                    Ok(Ok(session)) => {
                        pause = Duration::ZERO;
                        if health.succeeded() {
                            (self.tell)(Event::Back { bastion: session.bastion().to_string() });
                        }
                        if std::mem::take(&mut outage) {
                            self.counters.reconnected();
                        }
                        self.give(session);
                    }
                    Ok(Err(trouble)) => {
                        outage = true;
                        // Those that began at the same time would only say the same.
                        attempts.shutdown().await;
                        match health.failed(trouble) {
                            Verdict::Pause { length, first, why } => {
                                pause = length;
                                if first {
                                    self.connector.sizing.forget();
                                    (self.tell)(Event::Lost { why });
                                }
                            }
                            Verdict::GiveUp(failure) => return failure,
                        }
                    }
                    Err(error) => return Failure::new("a handshake broke").source(error),
                },
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Patience {
    fn new(length: Duration) -> Self {
        Self { length, end: None }
    }

    /// Whether it has lasted long enough. It begins anew where nothing is missing.
    fn is_over(&mut self, missing: bool) -> bool {
        let now = Instant::now();
        self.end = missing.then(|| self.end.unwrap_or(now + self.length));
        self.end.is_some_and(|end| end <= now)
    }

    /// Returns when it is over, or never.
    async fn ends(&self) {
        match self.end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}

impl Place {
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().held -= 1;
        self.0.changed.notify_one();
    }
}

impl State {
    /// How many sessions wait here for connections to come.
    fn spares(&self) -> usize {
        SPARES.saturating_sub(self.held).max(FREE)
    }

    /// Forgets sessions that have died, and waiters that have gone.
    fn purge(&mut self) {
        let before = self.ready.len();
        self.ready.retain(Session::is_alive);
        self.died |= self.ready.len() < before;
        self.waiting.retain(|waiter| !waiter.is_closed());
    }

    /// What is missing, and whether some have died since it was asked last.
    fn inspect(&mut self) -> (Lack, bool) {
        self.purge();
        let lacking = |more: usize| (self.waiting.len() + more).saturating_sub(self.ready.len());
        let lack = Lack { waited_for: lacking(0), free: lacking(FREE), spares: lacking(self.spares()) };
        (lack, std::mem::take(&mut self.died))
    }

    /// Gives it to the first who still waits; returns it where there is nobody.
    fn hand_over(&mut self, mut session: Session) -> Option<Session> {
        while let Some(waiter) = self.waiting.pop_front() {
            match waiter.send(session) {
                Ok(()) => return None,
                Err(back) => session = back,
            }
        }
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_is_held_is_one_of_the_spares_but_not_the_last() {
        let spares = (0..6).map(|held| State { held, ..State::default() }.spares());
        assert_eq!(spares.collect::<Vec<_>>(), [3, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn what_somebody_waits_for_is_missing_before_any_spare() {
        let mut state = State::default();
        assert_eq!(state.inspect().0, Lack { waited_for: 0, free: 1, spares: 3 });
        let (sender, waiter) = oneshot::channel();
        state.waiting.push_back(sender);
        assert_eq!(state.inspect().0, Lack { waited_for: 1, free: 2, spares: 4 });
        drop(waiter);
        assert_eq!(
            state.inspect().0,
            Lack { waited_for: 0, free: 1, spares: 3 },
            "who has gone wants nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_when_something_began_to_be_missing() {
        let mut patience = Patience::new(LEISURE);
        tokio::time::advance(LEISURE * 2).await;
        assert!(!patience.is_over(true));
        tokio::time::advance(LEISURE / 2).await;
        assert!(!patience.is_over(true));
        patience.ends().await;
        assert!(patience.is_over(true));
        assert!(!patience.is_over(false));
        assert!(!patience.is_over(true), "it begins anew");
    }
}
