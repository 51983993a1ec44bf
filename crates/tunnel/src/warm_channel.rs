//! Channels to the targets of a tunnel, opened before a connection needs them.
//!
//! On a short path nothing is prefetched.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf as _;
use russh::ChannelMsg;
use tokio::time::{sleep, timeout};

use crate::forwarding::Endpoint;
use crate::open_channel::{self, OpenError, TargetChannel};
use crate::pool::Pool;
use crate::prefetch::{self, Prefetched, Prefetcher};
use crate::session::Session;
use crate::sessions::PrefetchSlot;

/// The interval of keepalives on the session of a prefetched channel: a connection must not get a dead one.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);

/// Limits the reply to a keepalive, and the wait for a channel to close.
const REPLY_TIMEOUT: Duration = Duration::from_secs(1);

/// The origin to send to the bastion, as there is no connection yet. sshd only logs it.
const ORIGIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Bytes from the target to buffer; it can send more only once a connection reads.
const MAX_PRELUDE: usize = 64 << 10;

/// A prefetched channel.
pub(crate) struct WarmChannel {
    channel: TargetChannel,
    slot: PrefetchSlot<Session>,
    pool: Arc<Pool>,
}

pub(crate) type ChannelPrefetcher = Prefetcher<WarmChannel, OpenError>;

/// Returns a prefetcher of channels to the target, and the future that has to run meanwhile.
pub(crate) fn channels(
    target: Endpoint,
    pool: Arc<Pool>,
) -> (ChannelPrefetcher, impl Future<Output = ()> + Send) {
    let (prefetcher, requests) = Prefetcher::new();
    let open = move || {
        let (target, pool) = (target.clone(), Arc::clone(&pool));
        (!pool.is_short_path()).then_some(async move {
            let slot = pool.sessions.reserve_prefetch_slot();
            let channel = open_channel::open(&target, ORIGIN, &pool).await?;
            Ok(WarmChannel { channel, slot, pool })
        })
    };
    (prefetcher, prefetch::run(requests, open))
}

impl WarmChannel {
    pub(crate) fn into_inner(self) -> TargetChannel {
        self.channel
    }
}

impl Prefetched for WarmChannel {
    async fn invalidated(&mut self) {
        let TargetChannel { session, channel, prelude } = &mut self.channel;
        let closed = async {
            while prelude.remaining() < MAX_PRELUDE {
                match channel.wait().await {
                    Some(ChannelMsg::Data { data }) => prelude.push(data),
                    Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return,
                    Some(_) => {}
                }
            }
            std::future::pending::<()>().await;
        };
        let unanswered = async {
            loop {
                sleep(KEEPALIVE_INTERVAL).await;
                if !matches!(timeout(REPLY_TIMEOUT, session.ping()).await, Ok(Ok(_))) {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = closed => {}
            () = unanswered => {}
        }
    }

    async fn close(self) {
        let Self { channel: TargetChannel { session, mut channel, .. }, slot, pool } = self;
        // Not with `close`, after which the library does not report that the bastion has closed the channel, too.
        let closed = timeout(REPLY_TIMEOUT, async {
            drop(channel.eof().await);
            while !matches!(channel.wait().await, Some(ChannelMsg::Close) | None) {}
        });
        let is_closed = closed.await.is_ok();
        drop(slot);
        if is_closed || !session.is_alive() {
            pool.sessions.release(session);
        }
    }
}
