//! The sessions of a pool and the prefetcher under shuttle, which tries many orders of their steps: `cargo xtask model`.
//!
//! A lost wake-up is found as a deadlock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use shuttle_tokio as tokio;
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::prefetch::{self, Prefetched, Prefetcher};
use crate::sessions::{Reusable, Sessions};

/// Orders that are tried.
const ITERATIONS: usize = 20_000;

/// Counts itself while it exists.
struct Session {
    alive: AtomicBool,
    existing: Arc<AtomicUsize>,
}

impl Session {
    fn open(existing: &Arc<AtomicUsize>) -> Self {
        existing.fetch_add(1, SeqCst);
        Self { alive: AtomicBool::new(true), existing: Arc::clone(existing) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.existing.fetch_sub(1, SeqCst);
    }
}

impl Reusable for Session {
    fn is_alive(&self) -> bool {
        self.alive.load(SeqCst)
    }

    fn is_worth_keeping(&self) -> bool {
        true
    }
}

/// Opens the sessions that connections wait for, as the pool's task does at once; it opens idle ones later.
async fn maintain(sessions: Arc<Sessions<Session>>, existing: Arc<AtomicUsize>, done: Arc<Notify>) {
    loop {
        while sessions.inspect().0.waiters > 0 {
            yield_now().await;
            sessions.release(Session::open(&existing));
        }
        tokio::select! {
            () = sessions.changed() => {}
            () = done.notified() => return,
        }
    }
}

#[test]
fn every_connection_gets_a_session_and_none_is_lost() {
    shuttle::check_random(
        || {
            shuttle::future::block_on(async {
                let (sessions, existing, done) = (Sessions::new(), Arc::default(), Arc::new(Notify::new()));
                let maintainer =
                    tokio::spawn(maintain(Arc::clone(&sessions), Arc::clone(&existing), Arc::clone(&done)));
                let connection = |number: usize| {
                    let sessions = Arc::clone(&sessions);
                    async move {
                        let slot = (number == 0).then(|| sessions.reserve_prefetch_slot());
                        let session: Session = sessions.acquire().await.expect("the tunnel is open");
                        yield_now().await;
                        drop(slot);
                        match number {
                            // Dies while it is in use.
                            1 => sessions.mark_lost(),
                            2 => {
                                session.alive.store(false, SeqCst);
                                sessions.release(session);
                            }
                            _ => sessions.release(session),
                        }
                    }
                };
                let connections: Vec<_> = (0..4).map(|number| tokio::spawn(connection(number))).collect();
                // One gives up at any moment.
                let impatient = tokio::spawn({
                    let sessions = Arc::clone(&sessions);
                    async move {
                        tokio::select! {
                            session = sessions.acquire() => drop(session),
                            () = yield_now() => {}
                        }
                    }
                });
                for connection in connections {
                    connection.await.expect("no panic");
                }
                impatient.await.expect("no panic");
                done.notify_one();
                maintainer.await.expect("no panic");
                drop(sessions);
                assert_eq!(existing.load(SeqCst), 0, "sessions that were not closed");
            });
        },
        ITERATIONS,
    );
}

/// A prefetched value that counts itself while it exists.
struct Value {
    session: Session,
    closed: Arc<AtomicUsize>,
}

impl Prefetched for Value {
    async fn invalidated(&mut self) {
        std::future::pending().await
    }

    async fn close(self) {
        yield_now().await;
        self.closed.fetch_add(1, SeqCst);
    }
}

#[test]
fn every_prefetched_value_is_taken_or_closed() {
    shuttle::check_random(
        || {
            shuttle::future::block_on(async {
                let (prefetcher, requests) = Prefetcher::<Value, ()>::new();
                let prefetcher = Arc::new(prefetcher);
                let (existing, closed, opened) =
                    (Arc::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
                let open = {
                    let (existing, closed, opened) =
                        (Arc::clone(&existing), Arc::clone(&closed), Arc::clone(&opened));
                    move || {
                        let (existing, closed, opened) =
                            (Arc::clone(&existing), Arc::clone(&closed), Arc::clone(&opened));
                        Some(async move {
                            yield_now().await;
                            // Every third attempt fails.
                            if opened.fetch_add(1, SeqCst) % 3 == 2 {
                                return Err(());
                            }
                            Ok(Value { session: Session::open(&existing), closed })
                        })
                    }
                };
                let running = tokio::spawn(prefetch::run(requests, open));
                let callers: Vec<_> = (0..3)
                    .map(|number| {
                        let prefetcher = Arc::clone(&prefetcher);
                        tokio::spawn(async move {
                            let acquired = if number == 0 {
                                // Gives up at any moment.
                                tokio::select! {
                                    acquired = prefetcher.acquire() => acquired,
                                    () = yield_now() => None,
                                }
                            } else {
                                prefetcher.acquire().await
                            };
                            usize::from(matches!(acquired, Some(Ok(Value { session: Session { .. }, .. }))))
                        })
                    })
                    .collect();
                let mut taken = 0;
                for caller in callers {
                    taken += caller.await.expect("no panic");
                }
                assert!(taken <= 3);
                // The last value stays until its time is over, or ends with the task.
                drop(prefetcher);
                running.abort();
                drop(running.await);
                assert_eq!(existing.load(SeqCst), 0, "values that were neither taken nor closed");
            });
        },
        ITERATIONS,
    );
}
