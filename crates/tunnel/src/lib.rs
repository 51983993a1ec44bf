//! A database tunnel: local ports that lead through the bastion, and stay open while the bastion comes and goes.
//!
//! Every local connection has an SSH session of its own, because one connection that nobody reads stops all others on the
//! same session. A few sessions are kept warm, so that a new connection does not wait for a handshake; where the bastion is
//! far away, one of them is held open to each target, so that it does not wait for the target either. Where the bastion is comes from
//! a [`Discovery`]; everything else is the same for all of them.
//!
//! Only this module names the SSH library. It prints nothing: what happens is told as [`Event`]s.

mod authentication;
pub mod bastion;
mod batch;
mod connector;
pub mod counters;
mod door;
pub mod event;
mod forward;
pub mod forwarding;
mod held;
mod listener;
mod memory;
mod opening;
mod pool;
mod ready_file;
mod reconnect;
mod rush;
mod session;
mod socket;
mod stay;
mod trouble;
mod trust;
mod window;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Failure, Result};
use tokio::task::JoinSet;

use self::bastion::Discovery;
use self::connector::Connector;
pub use self::connector::{CIPHERS, cipher};
use self::counters::Counters;
use self::event::{Event, Ready, Tell};
use self::forwarding::Forwarding;
use self::pool::Pool;
use self::ready_file::ReadyFile;

/// The file of pinned host keys: beside the settings, and not among a target's data. Deleting those must not make us forget
/// whom we trust.
pub fn pins(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new("/")).join("host_keys")
}

/// What to open.
pub struct Options {
    /// Where the bastion is.
    pub discovery: Arc<dyn Discovery>,
    /// What leads where.
    pub forwardings: Vec<Forwarding>,
    /// The local address on which to listen.
    pub bind: IpAddr,
    /// The user's own key, where one was named.
    pub key: Option<PathBuf>,
    /// Whether a passphrase may be asked for on the terminal.
    pub may_ask: bool,
    /// The file of pinned host keys.
    pub pins: PathBuf,
    /// The fingerprint that the bastion's host key must have, where the user knows it.
    pub host_key: Option<String>,
    /// The cipher's short name, where a certain one is wanted.
    pub cipher: Option<String>,
    /// How long one attempt to connect, or to open a forwarding, may take.
    pub connect_limit: Duration,
    /// Written when everything is ready, removed at the end.
    pub ready_file: Option<PathBuf>,
}

/// An open tunnel. Dropping it closes every connection, session and listener.
pub struct Tunnel {
    ready: Ready,
    counters: Arc<Counters>,
    tasks: JoinSet<Failure>,
    _ready_file: Option<ReadyFile>,
}

impl Tunnel {
    /// Listens on every port, connects once, and only then serves. Where any of it fails, nothing is left behind.
    pub async fn open(options: Options, tell: Tell) -> Result<Self> {
        memory::keep();
        let mut listeners = Vec::new();
        for forwarding in &options.forwardings {
            listeners.push(listener::bind(options.bind, forwarding).await?);
        }
        let counters = Arc::new(Counters::default());
        let connector = Connector::new(&options, Arc::clone(&counters), Arc::clone(&tell))?;
        let first = connector.connect().await.map_err(|trouble| trouble.failure)?;
        connector.shorten();
        let ready = Ready::new(first.bastion(), listeners.iter().map(listener::Listener::local));
        let ready_file = options.ready_file.map(|path| ReadyFile::write(path, &ready)).transpose()?;

        let pool = Pool::new(connector, first, Arc::clone(&counters), Arc::clone(&tell));
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&pool).keep());
        for listener in listeners {
            tasks.spawn(listener.serve(Arc::clone(&pool)));
        }
        tell(Event::Ready(ready.clone()));
        Ok(Self { ready, counters, tasks, _ready_file: ready_file })
    }

    /// What leads where.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// What has passed so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Waits for what ends the tunnel; nothing but a failure does.
    pub async fn ended(&mut self) -> Failure {
        match self.tasks.join_next().await {
            Some(Ok(failure)) => failure,
            Some(Err(error)) => Failure::new("the tunnel broke").source(error),
            None => Failure::new("the tunnel has ended"),
        }
    }
}
