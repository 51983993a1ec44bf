//! A local port and the connections that it accepts. Each connection is forwarded over a channel and session of its own.
//!
//! An end of stream is forwarded, and the other direction continues. A reset, a closed channel or a dead session ends both directions at
//! once: the SSH library never completes a write to a dead channel.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use bytes_utils::SegmentedBuf;
use common::failure::{Context as _, Failure, Result};
use futures_util::FutureExt as _;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::event::{Event, LocalForwarding};
use crate::forwarding::{Endpoint, Forwarding, host_and_port};
use crate::open_channel::{self, OpenError, TargetChannel};
use crate::pool::Pool;
use crate::warm_channel::{self, ChannelPrefetcher, WarmChannel};

/// Connections of one port at the same time; further ones wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 1024;

/// The delay after a failed `accept`, such as one without a free file descriptor.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Bytes to read from the local connection at once.
const READ_SIZE: usize = 128 << 10;

/// Bytes to collect, if they have arrived already, for one write to the local connection.
const MAX_WRITE_SIZE: usize = 512 << 10;

/// A bound local port.
pub(crate) struct Listener {
    socket: TcpListener,
    local: SocketAddr,
    target: Endpoint,
}

impl Listener {
    pub(crate) async fn bind(address: IpAddr, forwarding: &Forwarding) -> Result<Self> {
        let local = host_and_port(&address.to_string(), forwarding.port);
        let socket = TcpListener::bind((address, forwarding.port)).await.map_err(|error| {
            let failure = if error.kind() == ErrorKind::AddrInUse {
                Failure::new(format!("the local port {local} is in use by another program"))
            } else {
                Failure::new(format!("cannot listen on {local}")).source(error)
            };
            failure.hint(format!("use another port, or any free one: -L 0:{}", forwarding.target))
        })?;
        let local = socket.local_addr().context(|| format!("cannot listen on {local}"))?;
        Ok(Self { socket, local, target: forwarding.target.clone() })
    }

    pub(crate) fn forwarding(&self) -> LocalForwarding {
        LocalForwarding::new(self.local, &self.target)
    }

    /// Accepts and forwards connections. Returns only if it cannot go on.
    pub(crate) async fn serve(self, pool: Arc<Pool>) -> Failure {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        // Dropped with this task, which closes every connection.
        let mut connections = JoinSet::new();
        let (prefetcher, prefetching) = warm_channel::channels(self.target.clone(), Arc::clone(&pool));
        let prefetcher = Arc::new(prefetcher);
        connections.spawn(prefetching);
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return Failure::new("the tunnel is closed");
            };
            match self.socket.accept().await {
                Ok((stream, origin)) => {
                    let (pool, prefetcher) = (Arc::clone(&pool), Arc::clone(&prefetcher));
                    let target = self.target.clone();
                    connections.spawn(async move {
                        forward(stream, origin, &target, &prefetcher, &pool).await;
                        drop(permit);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy)]
enum ConnectionEnd {
    /// Both sides sent an end of stream and the channel is closed: the session can be reused.
    Clean,
    LocalBroken,
    RemoteBroken,
}

/// Forwards one connection until it ends.
async fn forward(
    mut local: TcpStream,
    origin: SocketAddr,
    target: &Endpoint,
    prefetcher: &ChannelPrefetcher,
    pool: &Pool,
) {
    let _open = pool.counters.add_connection();
    // An error means that the connection is broken, which the first read reports.
    drop(local.set_nodelay(true));
    let opened = match prefetcher.acquire().await {
        Some(channel) => channel.map(WarmChannel::into_inner),
        None => open_channel::open(target, origin, pool).await,
    };
    match opened {
        Ok(TargetChannel { session, channel, prelude }) => {
            match copy(&mut local, channel, prelude, pool).await {
                ConnectionEnd::Clean => return pool.sessions.release(session),
                ConnectionEnd::LocalBroken => return,
                ConnectionEnd::RemoteBroken if session.is_alive() => {}
                ConnectionEnd::RemoteBroken => pool.sessions.mark_lost(),
            }
        }
        Err(OpenError::Failed { why, hint }) => {
            (pool.events)(Event::Refused { target: target.to_string(), why, hint: hint.to_owned() });
        }
        Err(OpenError::Closing) => {}
    }
    // A reset instead of an end of stream: the client must not take what it received for everything.
    drop(local.set_zero_linger());
}

/// Copies in both directions, beginning with the prelude, until both have ended or one has broken.
async fn copy(
    local: &mut TcpStream,
    channel: Channel<Msg>,
    prelude: SegmentedBuf<Bytes>,
    pool: &Pool,
) -> ConnectionEnd {
    let (from_local, to_local) = local.split();
    let (mut from_target, to_target) = channel.split();
    let end = tokio::select! {
        // What has arrived is delivered before a broken connection is noticed.
        biased;
        end = copy_to_local(&mut from_target, to_local, prelude, pool) => end,
        () = copy_to_target(from_local, &to_target, pool) => ConnectionEnd::LocalBroken,
    };
    if matches!(end, ConnectionEnd::LocalBroken) {
        drop(to_target.close().await);
    }
    end
}

/// Copies from the target until its channel is closed.
async fn copy_to_local(
    from: &mut ChannelReadHalf,
    mut to: WriteHalf<'_>,
    mut pending: SegmentedBuf<Bytes>,
    pool: &Pool,
) -> ConnectionEnd {
    let mut ended = false;
    loop {
        // Packets that have arrived are written with one system call.
        let mut next = from.wait().now_or_never();
        while let Some(Some(ChannelMsg::Data { data })) = next {
            pending.push(data);
            next = if pending.remaining() < MAX_WRITE_SIZE { from.wait().now_or_never() } else { None };
        }
        let length = pending.remaining();
        if to.write_all_buf(&mut pending).await.is_err() {
            return ConnectionEnd::LocalBroken;
        }
        pool.counters.received.fetch_add(length as u64, Relaxed);
        let next = match next {
            Some(message) => message,
            None => from.wait().await,
        };
        match next {
            Some(ChannelMsg::Data { data }) => pending.push(data),
            Some(ChannelMsg::Eof) => {
                ended = true;
                if to.shutdown().await.is_err() {
                    return ConnectionEnd::LocalBroken;
                }
            }
            Some(ChannelMsg::Close) if ended => return ConnectionEnd::Clean,
            Some(ChannelMsg::Close) | None => return ConnectionEnd::RemoteBroken,
            Some(_) => {}
        }
    }
}

/// Copies to the target and forwards the end of the stream. Returns only if the local connection breaks: the end of the channel is noticed
/// by the other direction.
async fn copy_to_target(mut from: ReadHalf<'_>, to: &ChannelWriteHalf<Msg>, pool: &Pool) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        match from.read_buf(&mut buffer).await {
            Ok(0) => {
                drop(to.eof().await);
                break;
            }
            Ok(length) => {
                if to.data_bytes(buffer.split().freeze()).await.is_err() {
                    break;
                }
                pool.counters.sent.fetch_add(length as u64, Relaxed);
            }
            Err(_) => return,
        }
    }
    std::future::pending::<()>().await;
}
