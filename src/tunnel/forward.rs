//! One local connection: a session, a channel to the target, and bytes both ways until both sides have had enough.
//!
//! An end of stream is passed on as one, and the other direction goes on. Anything harder (a reset, a channel that closes, a
//! session that dies) ends both directions at once: the SSH library would let a write to a dead channel wait for ever.

use std::net::SocketAddr;

use bytes::{Buf as _, BytesMut};
use futures_util::FutureExt as _;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::batch::Batch;
use super::counters::Counters;
use super::event::Event;
use super::forwarding::Target;
use super::pool::Pool;
use super::session::Session;

/// What is read from the local side at once.
const CHUNK: usize = 128 << 10;

/// What is written to the local side at once, where so much has arrived.
const BATCH: usize = 512 << 10;

/// A session that was ready may have died unnoticed; a few others are tried before the connection is given up.
const SESSIONS: usize = 4;

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
pub(super) async fn serve(mut local: TcpStream, from: SocketAddr, target: &Target, pool: &Pool) {
    let open = pool.counters.opened();
    // Without it a small answer would wait for the next one.
    drop(local.set_nodelay(true));
    match session_with_channel(from, target, pool).await {
        Ok((session, channel)) => {
            let end = copy(&mut local, channel, &pool.counters).await;
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

/// Why a connection could not be served and what to do about it; nothing where the tunnel ends anyway.
type Refused = Option<(String, String)>;

async fn session_with_channel(
    from: SocketAddr,
    target: &Target,
    pool: &Pool,
) -> Result<(Session, Channel<Msg>), Refused> {
    for _ in 0..SESSIONS {
        let session = pool.take().await.ok_or(None)?;
        match timeout(pool.limit(), session.open(target, from)).await {
            Ok(Ok(channel)) => return Ok((session, channel)),
            Ok(Err(Error::ChannelOpenFailure(reason))) => {
                pool.give(session);
                return Err(Some(refusal(&reason)));
            }
            Ok(Err(_)) if !session.is_alive() => pool.lost(),
            Ok(Err(error)) => {
                return Err(Some((error.to_string(), "this should not happen; try again".to_owned())));
            }
            Err(_) => {
                let limit = pool.limit().as_secs();
                return Err(Some((
                    format!("the bastion got no answer from it within {limit} s"),
                    "a firewall between the two drops it: does the database's security group let the bastion in?"
                        .to_owned(),
                )));
            }
        }
    }
    Err(Some(("session after session broke".to_owned(), "look at the bastion's sshd log".to_owned())))
}

fn refusal(reason: &ChannelOpenFailure) -> (String, String) {
    let (why, hint) = match reason {
        ChannelOpenFailure::ConnectFailed => (
            "the bastion cannot connect to it".to_owned(),
            "does the name resolve there, is the port right, and does the database run?",
        ),
        ChannelOpenFailure::AdministrativelyProhibited => (
            "the bastion does not allow it".to_owned(),
            "its sshd_config needs AllowTcpForwarding yes, and PermitOpen must include this target",
        ),
        other => (format!("the bastion refused: {other:?}"), "look at the bastion's sshd log"),
    };
    (why, hint.to_owned())
}

/// Copies both ways until both have ended, or one has broken.
async fn copy(local: &mut TcpStream, channel: Channel<Msg>, counters: &Counters) -> End {
    let (from_local, to_local) = local.split();
    let (mut from_target, to_target) = channel.split();
    let end = tokio::select! {
        // What has arrived is delivered before anything else is noticed.
        biased;
        end = down(&mut from_target, to_local, counters) => end,
        end = up(from_local, &to_target, counters) => end,
    };
    if matches!(end, End::Local) {
        // The session goes next, and the channel with it.
        drop(to_target.close().await);
    }
    end
}

/// From the target, until its channel is closed.
async fn down(from: &mut ChannelReadHalf, mut to: WriteHalf<'_>, counters: &Counters) -> End {
    let (mut batch, mut ended) = (Batch::default(), false);
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
