//! Opens a channel to a target, on a session that serves nothing else.

use std::net::SocketAddr;

use bytes::Bytes;
use bytes_utils::SegmentedBuf;
use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure, Error};
use tokio::time::timeout;

use crate::forwarding::Endpoint;
use crate::pool::Pool;
use crate::session::Session;

/// Sessions to try: an idle session may have died unnoticed.
const MAX_SESSIONS: usize = 4;

/// An open channel and its session.
pub(crate) struct TargetChannel {
    pub(crate) session: Session,
    pub(crate) channel: Channel<Msg>,
    /// What the target has sent already.
    pub(crate) prelude: SegmentedBuf<Bytes>,
}

/// Why a channel could not be opened.
pub(crate) enum OpenError {
    /// The tunnel is closing.
    Closing,
    Failed {
        why: String,
        hint: &'static str,
    },
}

/// Opens a channel for a connection that comes from `origin`.
pub(crate) async fn open(
    target: &Endpoint,
    origin: SocketAddr,
    pool: &Pool,
) -> Result<TargetChannel, OpenError> {
    let failed = |why: String, hint| Err(OpenError::Failed { why, hint });
    let (port, origin_port) = (u32::from(target.port), u32::from(origin.port()));
    for _ in 0..MAX_SESSIONS {
        let session = pool.sessions.acquire().await.ok_or(OpenError::Closing)?;
        let origin = origin.ip().to_string();
        let opening = session.handle.channel_open_direct_tcpip(&target.host, port, origin, origin_port);
        match timeout(pool.connector.connect_timeout, opening).await {
            Ok(Ok(channel)) => {
                return Ok(TargetChannel { session, channel, prelude: SegmentedBuf::new() });
            }
            Ok(Err(Error::ChannelOpenFailure(reason))) => {
                pool.sessions.release(session);
                return Err(rejected(&reason));
            }
            Ok(Err(_)) if !session.is_alive() => pool.sessions.mark_lost(),
            Ok(Err(error)) => return failed(error.to_string(), "try again, and report this error"),
            Err(_) => {
                let limit = pool.connector.connect_timeout.as_secs();
                return failed(
                    format!("the bastion got no answer from it within {limit} s"),
                    "check that the database's security group allows the bastion",
                );
            }
        }
    }
    failed(format!("{MAX_SESSIONS} sessions died one after the other"), "check the bastion's sshd log")
}

fn rejected(reason: &ChannelOpenFailure) -> OpenError {
    let (why, hint) = match reason {
        ChannelOpenFailure::ConnectFailed => (
            "the bastion cannot connect to it".to_owned(),
            "check that its name resolves on the bastion, that the port is right, and that the database runs",
        ),
        ChannelOpenFailure::AdministrativelyProhibited => (
            "the bastion does not allow it".to_owned(),
            "set AllowTcpForwarding yes in its sshd_config, and include this target in PermitOpen",
        ),
        other => (format!("the bastion rejected it: {other:?}"), "check the bastion's sshd log"),
    };
    OpenError::Failed { why, hint }
}
