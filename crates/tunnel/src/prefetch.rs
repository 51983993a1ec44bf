//! Prefetches a channel to each target (`warm_channel`), so that a new connection waits for one round trip instead of two.
//!
//! One channel is opened when the tunnel starts, and another after each connection. It is closed if no connection takes it for a while,
//! because it occupies a connection of the target; the next connection then opens its own and starts prefetching again. An error of prefetching goes to a connection that waits for it, and is otherwise dropped.

use std::pin::pin;
use std::time::Duration;

use crate::sync::{Instant, mpsc, oneshot, select, sleep_until};

/// How long a channel is kept after the last connection. PostgreSQL closes a connection without a login after a minute
/// (`authentication_timeout`).
const MAX_IDLE_TIME: Duration = Duration::from_secs(30);

/// Concurrent callers of `acquire`, which are served in FIFO order.
const QUEUE_SIZE: usize = 16;

/// A value that can be prefetched.
pub(crate) trait Prefetched {
    /// Returns when the value has become useless.
    fn invalidated(&mut self) -> impl Future<Output = ()> + Send;

    /// Releases the value unused.
    fn close(self) -> impl Future<Output = ()> + Send;
}

type Waiter<P, E> = oneshot::Sender<Result<P, E>>;

/// Hands out prefetched values while [`run`] runs.
pub(crate) struct Prefetcher<P, E>(mpsc::Sender<Waiter<P, E>>);

impl<P, E> Prefetcher<P, E> {
    pub(crate) fn new() -> (Self, Requests<P, E>) {
        let (sender, queue) = mpsc::channel(QUEUE_SIZE);
        (Self(sender), Requests { queue, expires_at: Instant::now() + MAX_IDLE_TIME })
    }

    /// Returns the prefetched value, or the one that is being opened. `None` if there is neither: the caller must open its own.
    pub(crate) async fn acquire(&self) -> Option<Result<P, E>> {
        let (waiter, prefetched) = oneshot::channel();
        self.0.send(waiter).await.ok()?;
        prefetched.await.ok()
    }
}

/// The callers of `acquire`.
pub(crate) struct Requests<P, E> {
    queue: mpsc::Receiver<Waiter<P, E>>,
    /// When a prefetched value is closed unless there is another caller.
    expires_at: Instant,
}

impl<P: Prefetched, E> Requests<P, E> {
    /// Returns the next caller; `None` if the prefetcher is dropped.
    async fn next(&mut self) -> Option<Waiter<P, E>> {
        let waiter = self.queue.recv().await;
        self.expires_at = Instant::now() + MAX_IDLE_TIME;
        waiter
    }

    /// Opens one value and hands it out. Returns whether a caller took it.
    async fn serve(&mut self, opening: impl Future<Output = Result<P, E>>) -> bool {
        let mut opening = pin!(opening);
        // The first caller waits, which is quicker than to begin now; later ones get `None`.
        let mut waiter = None;
        let opened = loop {
            select! {
                biased;
                opened = &mut opening => break opened,
                Some(next) = self.next() => waiter = waiter.or(Some(next)),
            }
        };
        let mut prefetched = match opened {
            Ok(prefetched) => prefetched,
            Err(error) => {
                drop(waiter.map(|waiter| waiter.send(Err(error))));
                return false;
            }
        };
        loop {
            if let Some(waiter) = waiter {
                match waiter.send(Ok(prefetched)) {
                    // The caller has gone.
                    Err(Ok(returned)) => prefetched = returned,
                    _ => return true,
                }
            }
            let expires_at = self.expires_at;
            select! {
                biased;
                () = prefetched.invalidated() => break,
                next @ Some(_) = self.next() => waiter = next,
                () = sleep_until(expires_at) => break,
            }
        }
        prefetched.close().await;
        false
    }
}

/// Prefetches one value at a time until the prefetcher is dropped. `open` returns `None` if prefetching does not pay off.
pub(crate) async fn run<P: Prefetched, E, F>(mut requests: Requests<P, E>, open: impl Fn() -> Option<F>)
where
    F: Future<Output = Result<P, E>>,
{
    loop {
        let taken = match open() {
            Some(opening) => requests.serve(opening).await,
            None => false,
        };
        // The next caller gets `None` and starts prefetching again.
        if !taken && requests.next().await.is_none() {
            return;
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

    use tokio::sync::Notify;
    use tokio::time::{sleep, timeout};

    use super::*;

    const OPEN_TIME: Duration = Duration::from_secs(1);

    #[derive(Default)]
    struct Counts {
        opened: AtomicU32,
        closes: AtomicU32,
        fail: AtomicBool,
        disabled: AtomicBool,
        invalidate: Notify,
    }

    struct Value(u32, Arc<Counts>);

    impl Prefetched for Value {
        async fn invalidated(&mut self) {
            self.1.invalidate.notified().await;
        }

        async fn close(self) {
            self.1.closes.fetch_add(1, SeqCst);
        }
    }

    /// Starts a prefetcher of numbered values.
    fn start() -> (Prefetcher<Value, u32>, Arc<Counts>) {
        let (prefetcher, requests) = Prefetcher::new();
        let counts = Arc::new(Counts::default());
        let open = {
            let counts = Arc::clone(&counts);
            move || {
                let counts = Arc::clone(&counts);
                (!counts.disabled.load(SeqCst)).then_some(async move {
                    let number = counts.opened.fetch_add(1, SeqCst) + 1;
                    sleep(OPEN_TIME).await;
                    if counts.fail.load(SeqCst) { Err(number) } else { Ok(Value(number, counts)) }
                })
            }
        };
        tokio::spawn(run(requests, open));
        (prefetcher, counts)
    }

    /// Returns the number of the value, or of the attempt that failed.
    async fn acquire(prefetcher: &Prefetcher<Value, u32>) -> Option<Result<u32, u32>> {
        Some(prefetcher.acquire().await?.map(|value| value.0))
    }

    #[tokio::test(start_paused = true)]
    async fn acquire_prefetched_value_returns_at_once_and_opens_next() {
        let (prefetcher, counts) = start();
        for number in 1..4 {
            sleep(OPEN_TIME * 2).await;
            let acquired = timeout(OPEN_TIME / 10, acquire(&prefetcher)).await;
            assert_eq!(acquired, Ok(Some(Ok(number))));
        }
        assert_eq!(counts.closes.load(SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn acquire_while_opening_waits_and_second_caller_gets_none() {
        let (prefetcher, _) = start();
        let (first, second) =
            tokio::join!(acquire(&prefetcher), timeout(OPEN_TIME / 10, acquire(&prefetcher)));
        assert_eq!((first, second), (Some(Ok(1)), Ok(None)));
        assert_eq!(acquire(&prefetcher).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn value_without_caller_is_closed_and_reopened_after_next_caller() {
        let (prefetcher, counts) = start();
        sleep(MAX_IDLE_TIME / 2).await;
        assert_eq!((counts.opened.load(SeqCst), counts.closes.load(SeqCst)), (1, 0));
        sleep(MAX_IDLE_TIME * 9).await;
        assert_eq!((counts.opened.load(SeqCst), counts.closes.load(SeqCst)), (1, 1));
        assert_eq!(acquire(&prefetcher).await, None);
        assert_eq!(acquire(&prefetcher).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn each_caller_extends_idle_time() {
        let (prefetcher, counts) = start();
        for number in 1..9 {
            sleep(MAX_IDLE_TIME / 2).await;
            assert_eq!(acquire(&prefetcher).await, Some(Ok(number)));
        }
        assert_eq!(counts.closes.load(SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn invalidated_value_is_closed_and_not_handed_out() {
        let (prefetcher, counts) = start();
        sleep(OPEN_TIME * 2).await;
        counts.invalidate.notify_one();
        assert_eq!(acquire(&prefetcher).await, None);
        assert_eq!(counts.closes.load(SeqCst), 1);
        assert_eq!(acquire(&prefetcher).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn open_error_goes_to_waiting_caller_only() {
        let (prefetcher, counts) = start();
        counts.fail.store(true, SeqCst);
        assert_eq!(acquire(&prefetcher).await, Some(Err(1)));
        sleep(MAX_IDLE_TIME).await;
        assert_eq!(counts.opened.load(SeqCst), 1);
        counts.fail.store(false, SeqCst);
        assert_eq!(acquire(&prefetcher).await, None);
        assert_eq!(acquire(&prefetcher).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn acquire_while_prefetching_is_disabled_gets_none_at_once() {
        let (prefetcher, counts) = start();
        assert_eq!(acquire(&prefetcher).await, Some(Ok(1)));
        counts.disabled.store(true, SeqCst);
        assert_eq!(acquire(&prefetcher).await, Some(Ok(2)), "it was open already");
        for _ in 0..3 {
            assert_eq!(timeout(OPEN_TIME / 10, acquire(&prefetcher)).await, Ok(None));
            sleep(OPEN_TIME * 2).await;
        }
        assert_eq!(counts.opened.load(SeqCst), 2);
        counts.disabled.store(false, SeqCst);
        assert_eq!(acquire(&prefetcher).await, None);
        assert_eq!(acquire(&prefetcher).await, Some(Ok(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn value_of_caller_that_has_gone_goes_to_next() {
        let (prefetcher, _) = start();
        assert!(timeout(OPEN_TIME / 2, acquire(&prefetcher)).await.is_err());
        sleep(OPEN_TIME).await;
        assert_eq!(acquire(&prefetcher).await, Some(Ok(1)));
    }
}
