//! A door: something that takes time to open is held open before anybody comes, so that whoever comes does not wait for it.
//!
//! One is opened when the tunnel begins, and again after each who came. Where nobody comes it is let go after a while: what is
//! behind it may be scarce, as a database's connections are. A door that is not worth holding, that cannot be opened, or that does not
//! stay open, is nothing to talk about; it is tried again when the next one comes. What is held is not this module's business.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// So long after the last one came, or the tunnel began, it is held. PostgreSQL ends a connection that has not said who it is
/// after a minute (`authentication_timeout`).
const HOLD: Duration = Duration::from_secs(30);

/// Who come at the same time find their turn here.
const QUEUE: usize = 16;

/// What can be held.
pub(super) trait Hold {
    /// Returns when it is of no use any more.
    fn spoiled(&mut self) -> impl Future<Output = ()> + Send;

    /// Gives it up without a word.
    fn let_go(self) -> impl Future<Output = ()> + Send;
}

/// Somebody who comes, and waits for what is held or for why it could not be opened.
type Visitor<H, E> = oneshot::Sender<Result<H, E>>;

/// Where one comes.
pub(super) struct Door<H, E>(mpsc::Sender<Visitor<H, E>>);

/// Who have come.
pub(super) struct Visitors<H, E> {
    queue: mpsc::Receiver<Visitor<H, E>>,
    /// How long it is worth waiting for the next.
    until: Instant,
}

/// A door, and who come to it. It leads nowhere until [`keep`] runs.
pub(super) fn door<H, E>() -> (Door<H, E>, Visitors<H, E>) {
    let (sender, queue) = mpsc::channel(QUEUE);
    (Door(sender), Visitors { queue, until: Instant::now() + HOLD })
}

impl<H, E> Door<H, E> {
    /// What is held, or about to be. `None` where there is nothing: one then opens it for oneself.
    pub(super) async fn enter(&self) -> Option<Result<H, E>> {
        let (visitor, held) = oneshot::channel();
        self.0.send(visitor).await.ok()?;
        held.await.ok()
    }
}

impl<H, E> Visitors<H, E> {
    /// `None` when nobody can come any more.
    async fn next(&mut self) -> Option<Visitor<H, E>> {
        let visitor = self.queue.recv().await;
        self.until = Instant::now() + HOLD;
        visitor
    }
}

/// Holds one open for as long as there is a [`Door`], whenever `open` finds that it is worth it.
pub(super) async fn keep<H: Hold, E, F>(mut visitors: Visitors<H, E>, open: impl Fn() -> Option<F>)
where
    F: Future<Output = Result<H, E>>,
{
    loop {
        let mut taken = false;
        if let Some(opening) = open() {
            match opened(opening, &mut visitors).await {
                (Ok(held), first) => taken = hold(held, first, &mut visitors).await,
                // Where nobody waits, nobody is told.
                (Err(why), first) => drop(first.map(|visitor| visitor.send(Err(why)))),
            }
        }
        // Who comes now finds nothing, and is the reason to open it again.
        if !taken && visitors.next().await.is_none() {
            return;
        }
    }
}

/// Opens it. The first who comes meanwhile waits, because that is quicker than to begin now; any other is sent away.
async fn opened<H, E>(
    opening: impl Future<Output = Result<H, E>>,
    visitors: &mut Visitors<H, E>,
) -> (Result<H, E>, Option<Visitor<H, E>>) {
    let mut opening = pin!(opening);
    let mut first = None;
    loop {
        tokio::select! {
            biased;
            outcome = &mut opening => return (outcome, first),
            Some(visitor) = visitors.next() => first = first.or(Some(visitor)),
        }
    }
}

/// Holds it until somebody takes it, which is what it returns, or it is let go.
async fn hold<H: Hold, E>(
    mut held: H,
    mut visitor: Option<Visitor<H, E>>,
    visitors: &mut Visitors<H, E>,
) -> bool {
    loop {
        if let Some(visitor) = visitor {
            match visitor.send(Ok(held)) {
                // One who has gone meanwhile gives it back.
                Err(Ok(back)) => held = back,
                _ => return true,
            }
        }
        let until = visitors.until;
        tokio::select! {
            biased;
            () = held.spoiled() => break,
            next @ Some(_) = visitors.next() => visitor = next,
            () = sleep_until(until) => break,
        }
    }
    held.let_go().await;
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

    use tokio::sync::Notify;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// How long opening takes here.
    const OPENING: Duration = Duration::from_secs(1);

    /// What happens behind the door.
    #[derive(Default)]
    struct Behind {
        opened: AtomicU32,
        let_go: AtomicU32,
        closed: AtomicBool,
        worthless: AtomicBool,
        spoil: Notify,
    }

    struct Held(u32, Arc<Behind>);

    impl Hold for Held {
        async fn spoiled(&mut self) {
            self.1.spoil.notified().await;
        }

        async fn let_go(self) {
            self.1.let_go.fetch_add(1, SeqCst);
        }
    }

    /// A door that is kept, and what is behind it. Whatever was opened is numbered.
    fn kept() -> (Door<Held, u32>, Arc<Behind>) {
        let (door, visitors) = door();
        let behind = Arc::new(Behind::default());
        let open = {
            let behind = Arc::clone(&behind);
            move || {
                let behind = Arc::clone(&behind);
                (!behind.worthless.load(SeqCst)).then_some(async move {
                    let number = behind.opened.fetch_add(1, SeqCst) + 1;
                    sleep(OPENING).await;
                    if behind.closed.load(SeqCst) { Err(number) } else { Ok(Held(number, behind)) }
                })
            }
        };
        tokio::spawn(keep(visitors, open));
        (door, behind)
    }

    /// The number of what is handed out, or of the attempt that failed.
    async fn enter(door: &Door<Held, u32>) -> Option<Result<u32, u32>> {
        Some(door.enter().await?.map(|held| held.0))
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_does_not_wait_and_another_is_opened() {
        let (door, behind) = kept();
        for number in 1..4 {
            sleep(OPENING * 2).await;
            let at_once = timeout(OPENING / 10, enter(&door)).await;
            assert_eq!(at_once, Ok(Some(Ok(number))));
        }
        assert_eq!(behind.let_go.load(SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_who_comes_too_early_waits_and_the_second_is_sent_away() {
        let (door, _) = kept();
        let (first, second) = tokio::join!(enter(&door), timeout(OPENING / 10, enter(&door)));
        assert_eq!((first, second), (Some(Ok(1)), Ok(None)));
        assert_eq!(enter(&door).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_comes_it_is_let_go_until_somebody_does() {
        let (door, behind) = kept();
        sleep(HOLD / 2).await;
        assert_eq!((behind.opened.load(SeqCst), behind.let_go.load(SeqCst)), (1, 0));
        sleep(HOLD * 9).await;
        assert_eq!((behind.opened.load(SeqCst), behind.let_go.load(SeqCst)), (1, 1));
        assert_eq!(enter(&door).await, None);
        assert_eq!(enter(&door).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn each_who_comes_makes_it_stay_longer() {
        let (door, behind) = kept();
        for number in 1..9 {
            sleep(HOLD / 2).await;
            assert_eq!(enter(&door).await, Some(Ok(number)));
        }
        assert_eq!(behind.let_go.load(SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_spoiled_is_not_handed_out() {
        let (door, behind) = kept();
        sleep(OPENING * 2).await;
        behind.spoil.notify_one();
        assert_eq!(enter(&door).await, None);
        assert_eq!(behind.let_go.load(SeqCst), 1);
        assert_eq!(enter(&door).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn why_it_cannot_be_opened_is_told_to_who_waits_and_to_nobody_else() {
        let (door, behind) = kept();
        behind.closed.store(true, SeqCst);
        assert_eq!(enter(&door).await, Some(Err(1)));
        sleep(HOLD).await;
        assert_eq!(behind.opened.load(SeqCst), 1);
        behind.closed.store(false, SeqCst);
        assert_eq!(enter(&door).await, None);
        assert_eq!(enter(&door).await, Some(Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn where_it_is_not_worth_it_nobody_waits_and_nothing_is_opened() {
        let (door, behind) = kept();
        assert_eq!(enter(&door).await, Some(Ok(1)));
        behind.worthless.store(true, SeqCst);
        assert_eq!(enter(&door).await, Some(Ok(2)), "it was open already");
        for _ in 0..3 {
            assert_eq!(timeout(OPENING / 10, enter(&door)).await, Ok(None));
            sleep(OPENING * 2).await;
        }
        assert_eq!(behind.opened.load(SeqCst), 2);
        behind.worthless.store(false, SeqCst);
        assert_eq!(enter(&door).await, None);
        assert_eq!(enter(&door).await, Some(Ok(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_does_not_wait_leaves_it_to_the_next() {
        let (door, _) = kept();
        assert!(timeout(OPENING / 2, enter(&door)).await.is_err());
        sleep(OPENING).await;
        assert_eq!(enter(&door).await, Some(Ok(1)));
    }
}
