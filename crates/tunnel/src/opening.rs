//! From a connection that somebody wants to a channel that leads to its target, on a session that serves nothing else.

use std::net::SocketAddr;

use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure, Error};
use tokio::time::timeout;

use super::batch::Batch;
use super::forwarding::Target;
use super::pool::Pool;
use super::session::Session;

/// A session that was ready may have died unnoticed; a few others are tried before the connection is given up.
const SESSIONS: usize = 4;

/// A way to the target.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) channel: Channel<Msg>,
    /// What the target has said already.
    pub(super) said: Batch,
}

/// Why a connection could not be served and what to do about it; nothing where the tunnel ends anyway.
pub(super) type Refused = Option<(String, String)>;

/// Opens a channel for a connection that came from there.
pub(super) async fn open(target: &Target, from: SocketAddr, pool: &Pool) -> Result<Opened, Refused> {
    for _ in 0..SESSIONS {
        let session = pool.take().await.ok_or(None)?;
        match timeout(pool.limit(), session.open(target, from)).await {
            Ok(Ok(channel)) => return Ok(Opened { session, channel, said: Batch::default() }),
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
