//! One local connection: a session, a channel to the target, and bytes both ways until both sides have had enough.
//!
//! An end of stream is passed on as one, and the other direction goes on. Anything harder (a reset, a channel that closes, a
//! session that dies) ends both directions at once: the SSH library would let a write to a dead channel wait for ever.

use std::net::SocketAddr;

use bytes::{Buf as _, BytesMut};
use futures_util::FutureExt as _;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::batch::Batch;
use super::counters::Counters;
use super::event::Event;
use super::forwarding::Target;
use super::held::{Entrance, Held};
use super::opening::{self, Opened};
use super::pool::Pool;
use super::session::Session;

/// What is read from the local side at once.
const CHUNK: usize = 128 << 10;

/// What is written to the local side at once, where so much has arrived.
const BATCH: usize = 512 << 10;

/// How a connection ended.
#[derive(Clone, Copy)]
enum End {
    /// Both sides said that they had finished, and the channel is closed: the session can serve again.
    Clean,
    /// The local side broke off.
    Local,
    /// The target or the session broke off.
    Remote,
}

/// Serves one connection to its end.
pub(super) async fn serve(
    mut local: TcpStream,
    from: SocketAddr,
    target: &Target,
    entrance: &Entrance,
    pool: &Pool,
) {
    let open = pool.counters.opened();
    // Without it a small answer would wait for the next one.
    drop(local.set_nodelay(true));
    let opened = match entrance.enter().await {
        Some(held) => held.map(Held::hand_over),
        None => opening::open(target, from, pool).await,
    };
    match opened {
        Ok(Opened { session, channel, said }) => {
            let end = copy(&mut local, channel, said, &pool.counters).await;
            finish(end, &local, session, pool);
        }
        Err(refused) => {
            drop(local.set_zero_linger());
            if let Some((why, hint)) = refused {
                pool.tell(Event::Refused { target: target.to_string(), why, hint });
            }
        }
    }
    drop(open);
}

fn finish(end: End, local: &TcpStream, session: Session, pool: &Pool) {
    match end {
        End::Clean => pool.give(session),
        End::Local => {}
        End::Remote => {
            // The program must not take what it has got for the whole.
            drop(local.set_zero_linger());
            if !session.is_alive() {
                pool.lost();
            }
        }
    }
}

/// Copies both ways, after what was said already, until both have ended or one has broken.
async fn copy(local: &mut TcpStream, channel: Channel<Msg>, said: Batch, counters: &Counters) -> End {
    let (from_local, to_local) = local.split();
    let (mut from_target, to_target) = channel.split();
    let end = tokio::select! {
        // What has arrived is delivered before anything else is noticed.
        biased;
        end = down(&mut from_target, to_local, said, counters) => end,
        end = up(from_local, &to_target, counters) => end,
    };
    if matches!(end, End::Local) {
        // The session goes next, and the channel with it.
        drop(to_target.close().await);
    }
    end
}

/// From the target, until its channel is closed.
async fn down(
    from: &mut ChannelReadHalf,
    mut to: WriteHalf<'_>,
    mut batch: Batch,
    counters: &Counters,
) -> End {
    let mut ended = false;
    loop {
        // What has arrived already is written in one go.
        let mut waiting = from.wait().now_or_never();
        while let Some(Some(ChannelMsg::Data { data })) = waiting {
            batch.push(data);
            waiting = if batch.remaining() < BATCH { from.wait().now_or_never() } else { None };
        }
        let length = batch.remaining();
        if to.write_all_buf(&mut batch).await.is_err() {
            return End::Local;
        }
        counters.received(length);
        let next = match waiting {
            Some(message) => message,
            None => from.wait().await,
        };
        match next {
            Some(ChannelMsg::Data { data }) => batch.push(data),
            Some(ChannelMsg::Eof) => {
                ended = true;
                if to.shutdown().await.is_err() {
                    return End::Local;
                }
            }
            Some(ChannelMsg::Close) if ended => return End::Clean,
            Some(ChannelMsg::Close) | None => return End::Remote,
            Some(_) => {}
        }
    }
}

/// To the target. Its end is passed on and then says nothing more: the channel's end is the connection's.
async fn up(mut from: ReadHalf<'_>, to: &ChannelWriteHalf<Msg>, counters: &Counters) -> End {
    let mut chunk = BytesMut::new();
    loop {
        chunk.reserve(CHUNK);
        match from.read_buf(&mut chunk).await {
            Ok(0) => break,
            Ok(length) => {
                if to.data_bytes(chunk.split().freeze()).await.is_err() {
                    return std::future::pending().await;
                }
                counters.sent(length);
            }
            Err(_) => return End::Local,
        }
    }
    // Where this fails the session is dead, and the other direction says so.
    drop(to.eof().await);
    std::future::pending().await
}
