//! One authenticated SSH session. It serves one connection at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use russh::client::{DisconnectReason, Handle, Msg};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, Error};
use tokio::sync::Notify;

use super::bastion::Bastion;
use super::forwarding::Target;
use super::trust::{Expectation, Verdict};
use super::window::Window;

/// A session that is logged in. Dropping it ends it.
pub(super) struct Session {
    pub(super) handle: Handle<Guard>,
    pub(super) bastion: Bastion,
    pub(super) window: Window,
    pub(super) link: Arc<Link>,
}

/// What the session's own task and its owner know of each other.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// We let go of it ourselves: its end is nothing to tell.
    retired: AtomicBool,
    /// The connection broke: nobody said goodbye.
    broke: AtomicBool,
    /// Told when the session dies.
    died: Arc<Notify>,
}

/// Judges the host key while the session begins, and notices its end.
pub(super) struct Guard {
    pub(super) expectation: Expectation,
    /// The key that was presented, with its verdict.
    pub(super) presented: Arc<std::sync::OnceLock<(PublicKey, Verdict)>>,
    pub(super) link: Arc<Link>,
}

impl Link {
    pub(super) fn new(died: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { died, ..Self::default() })
    }

    /// Whether the connection broke, and was not ended by the bastion's sshd.
    pub(super) fn broke(&self) -> bool {
        self.broke.load(Ordering::Relaxed)
    }
}

impl Session {
    /// Where it leads.
    pub(super) fn bastion(&self) -> &Bastion {
        &self.bastion
    }

    /// Whether it can still be used.
    pub(super) fn is_alive(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Asks the bastion to connect to the target.
    pub(super) async fn open(
        &self,
        target: &Target,
        from: std::net::SocketAddr,
    ) -> Result<Channel<Msg>, Error> {
        let (host, port) = (target.host.as_str(), u32::from(target.port));
        let origin = from.ip().to_string();
        self.handle.channel_open_direct_tcpip(host, port, origin, u32::from(from.port())).await
    }

    /// Asks for an answer and waits for it.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        self.handle.send_ping().await
    }

    /// Measures how long an answer takes. Other than `expected`, it is asked for a second time: right after the login sshd is still
    /// busy with itself.
    pub(super) async fn round_trip(&self, expected: Duration) -> Result<Duration, Error> {
        let first = self.timed_ping().await?;
        if first <= expected * 2 { Ok(first) } else { Ok(self.timed_ping().await?.min(first)) }
    }

    async fn timed_ping(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        self.ping().await?;
        Ok(start.elapsed())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.retired.store(true, Ordering::Relaxed);
    }
}

impl russh::client::Handler for Guard {
    type Error = Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Error> {
        // Certificates are not asked for, so whoever shows one does not follow the protocol.
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        let verdict = self.expectation.judge(key);
        let right = !matches!(verdict, Verdict::Wrong { .. });
        Ok(self.presented.set((key.clone(), verdict)).is_ok() && right)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        if !self.link.retired.load(Ordering::Relaxed) {
            self.link.died.notify_one();
        }
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => {
                self.link.broke.store(true, Ordering::Relaxed);
                Err(error)
            }
        }
    }
}
