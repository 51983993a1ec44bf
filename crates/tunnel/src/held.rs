//! A channel that is open to its target before anybody asks for it: a new connection then waits for one round trip, not two. On a
//! short path that is nothing that anybody notices, and there is none.
//!
//! Its session is one of the pool's spares, with a channel in it. Nothing is ever sent through it, and what the target says of
//! its own accord is kept for whoever gets it. A target that ends it, or a bastion that does not answer, spoils it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf as _;
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::time::{sleep, timeout};

use super::batch::Batch;
use super::door::{self, Door, Hold};
use super::forwarding::Target;
use super::opening::{self, Opened, Refused};
use super::pool::{Place, Pool};
use super::session::Session;

/// So often the bastion is asked whether it is still there, because nobody must be handed a way that leads nowhere …
const CHECK: Duration = Duration::from_secs(1);

/// … and so quickly it must answer.
const ANSWER: Duration = Duration::from_secs(1);

/// Where it says that it comes from: nobody has come yet. sshd writes it to its log and does nothing else with it.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A target that says more than this unasked has to wait until somebody listens.
const GREETING: usize = 64 << 10;

/// A way to a target, held open.
pub(super) struct Held {
    opened: Opened,
    place: Place,
}

/// Where connections to one target find a way that is open.
pub(super) type Entrance = Door<Held, Refused>;

/// An entrance to the target, and what keeps it open for as long as it is run.
pub(super) fn entrance(target: Target, pool: Arc<Pool>) -> (Entrance, impl Future<Output = ()> + Send) {
    let (door, visitors) = door::door();
    let open = move || {
        let (target, pool) = (target.clone(), Arc::clone(&pool));
        (!pool.is_near()).then_some(async move {
            let place = pool.place();
            let opened = opening::open(&target, NOBODY, place.pool()).await?;
            Ok(Held { opened, place })
        })
    };
    (door, door::keep(visitors, open))
}

impl Held {
    /// For the one who has come.
    pub(super) fn hand_over(self) -> Opened {
        self.opened
    }
}

impl Hold for Held {
    async fn spoiled(&mut self) {
        let Opened { session, channel, said } = &mut self.opened;
        tokio::select! {
            biased;
            () = ended(channel, said) => {}
            () = unanswered(session) => {}
        }
    }

    async fn let_go(self) {
        let Self { opened: Opened { session, mut channel, .. }, place } = self;
        // Not closed from this side: the library would not tell when the bastion has done so, too.
        let closed = timeout(ANSWER, async {
            drop(channel.eof().await);
            while !matches!(channel.wait().await, Some(ChannelMsg::Close) | None) {}
        });
        let is_over = closed.await.is_ok();
        let pool = Arc::clone(place.pool());
        drop(place);
        if is_over || !session.is_alive() {
            pool.give(session);
        }
    }
}

/// Listens to a greeting until the target ends it all.
async fn ended(channel: &mut Channel<Msg>, said: &mut Batch) {
    while said.remaining() < GREETING {
        match channel.wait().await {
            Some(ChannelMsg::Data { data }) => said.push(data),
            Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return,
            Some(_) => {}
        }
    }
    std::future::pending::<()>().await;
}

/// Asks the bastion until it does not answer.
async fn unanswered(session: &Session) {
    loop {
        sleep(CHECK).await;
        if !matches!(timeout(ANSWER, session.ping()).await, Ok(Ok(()))) {
            return;
        }
    }
}
