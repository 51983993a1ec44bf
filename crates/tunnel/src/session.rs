//! An authenticated SSH session, which serves one connection at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use russh::Error;
use russh::client::{DisconnectReason, Handle};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use tokio::sync::Notify;

use crate::bastion::Bastion;
use crate::known_hosts::{ExpectedHostKey, HostKeyStatus};
use crate::window::Window;

/// An authenticated session. Dropping it closes it.
pub(crate) struct Session {
    pub(crate) handle: Handle<ClientHandler>,
    pub(crate) bastion: Bastion,
    pub(crate) window: Window,
    pub(crate) link: Arc<Link>,
    /// The sessions that this one goes through.
    pub(crate) jumps: Vec<Self>,
}

/// What a session shares with the library's task that runs it.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The key that the bastion presented.
    pub(crate) host_key: OnceLock<(PublicKey, HostKeyStatus)>,
    /// The session was dropped, so that its end is no failure.
    closed: AtomicBool,
    /// The connection ended without a disconnect message from sshd.
    connection_lost: AtomicBool,
    /// Notified when a session ends that was not dropped.
    died: Arc<Notify>,
    /// The number of sessions that are logged in.
    pub(crate) live: Arc<AtomicUsize>,
}

/// The callbacks of the SSH library.
pub(crate) struct ClientHandler {
    pub(crate) expected: ExpectedHostKey,
    pub(crate) link: Arc<Link>,
}

impl Link {
    pub(crate) fn new(died: Arc<Notify>, live: Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { died, live, ..Self::default() })
    }

    pub(crate) fn is_connection_lost(&self) -> bool {
        self.connection_lost.load(Relaxed)
    }
}

impl Session {
    pub(crate) fn is_alive(&self) -> bool {
        !self.handle.is_closed() && self.jumps.iter().all(Self::is_alive)
    }

    /// Sends a keepalive and returns the time until the reply.
    pub(crate) async fn ping(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        self.handle.send_ping().await?;
        Ok(start.elapsed())
    }

    /// Measures the round trip. If it is much longer than `expected`, measures again: right after a login sshd is still busy.
    pub(crate) async fn round_trip(&self, expected: Duration) -> Result<Duration, Error> {
        let first = self.ping().await?;
        if first <= expected * 2 { Ok(first) } else { Ok(self.ping().await?.min(first)) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.live.fetch_sub(1, Relaxed);
        self.link.closed.store(true, Relaxed);
    }
}

impl russh::client::Handler for ClientHandler {
    type Error = Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Error> {
        let (key, status) = match presented {
            PublicKeyOrCertificate::PublicKey { key, .. } => (key.clone(), self.expected.check(key)),
            PublicKeyOrCertificate::Certificate(certificate) => {
                (presented.public_key(), self.expected.check_certificate(certificate))
            }
        };
        let accepted = matches!(status, HostKeyStatus::Known | HostKeyStatus::New(_));
        Ok(self.link.host_key.set((key, status)).is_ok() && accepted)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        if !self.link.closed.load(Relaxed) {
            self.link.died.notify_one();
        }
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => {
                self.link.connection_lost.store(true, Relaxed);
                Err(error)
            }
        }
    }
}
