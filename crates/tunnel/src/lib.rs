//! Forwards local ports through an SSH bastion, and reconnects when the bastion goes away.
//!
//! Every local connection has an SSH session of its own: the SSH library stops reading a session while one of its channels is not
//! read, which would stall every other connection on it. A pool keeps idle sessions, so that a new connection does not wait for a
//! handshake; on a long path, one of them has a prefetched channel to each target. A [`Discovery`] finds the bastion.
//!
//! This crate prints nothing: it reports [`Event`]s. No type of the SSH library is part of its API.

#![warn(missing_docs)]

mod authentication;
mod bastion;
mod candidates;
mod connector;
mod console;
mod console_keys;
mod counters;
mod event;
mod forwarding;
mod instance_connect;
mod key_file;
mod known_hosts;
mod listener;
mod open_channel;
mod openssh_known_hosts;
mod outage;
mod pem;
mod pool;
mod postgres_tls;
mod prefetch;
mod private_key;
mod proxy;
mod quick_ack;
mod reconnect;
mod second_factor;
mod service;
mod session;
mod sessions;
mod signer;
mod ssh_config;
mod sync;
mod tcp;
mod terminal;
mod trust;
mod unix_socket;
mod warm_channel;
mod window;

#[cfg(all(test, shuttle))]
mod model_tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use tokio::task::JoinSet;

pub use self::authentication::{AgentSocket, Identity};
pub use self::bastion::{Bastion, Discovery};
use self::connector::Connector;
pub use self::connector::parse_cipher;
pub use self::console_keys::ConsoleKeys;
pub use self::counters::{Counters, Snapshot};
pub use self::event::{Event, EventSink, LocalForwarding, Ready, quoted};
pub use self::forwarding::{Endpoint, Forwarding};
pub use self::known_hosts::{KeyProvenance, count_pins};
use self::listener::Listener;
use self::pool::Pool;
use self::postgres_tls::PostgresTls;
pub use self::proxy::Proxy;
use self::reconnect::ConnectError;
pub use self::service::{ControlSocket, EndedTunnel, RunningTunnel, Service, ServiceStatus, StopRequest};
pub use self::ssh_config::{SshHost, SshRoute};
pub use self::trust::Trust;
pub use self::unix_socket::UnixSocket;
use self::unix_socket::UnixSocketPath;

/// Returns the file of pinned host keys, which stands beside the settings: deleting a target's data must not delete the pins.
pub fn known_hosts_file(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new("/")).join("host_keys")
}

/// The settings of a tunnel.
pub struct Options {
    /// Finds the bastion.
    pub discovery: Arc<dyn Discovery>,
    /// The local ports and their targets.
    pub forwardings: Vec<Forwarding>,
    /// The local address to listen on.
    pub bind: IpAddr,
    /// The keys to log in with.
    pub identity: Identity,
    /// Whether to ask on the terminal: for passphrases, for second factors, and about unknown host keys.
    pub prompt: bool,
    /// The file of pinned host keys.
    pub known_hosts: PathBuf,
    /// Files in the format of OpenSSH's `known_hosts` to read beside those of ssh itself.
    pub known_hosts_files: Vec<PathBuf>,
    /// What is trusted beside the host keys that are pinned or that OpenSSH knows.
    pub trust: Trust,
    /// The fingerprint (`SHA256:…`) that the bastion's host key must have.
    pub host_key: Option<String>,
    /// The only cipher to offer, as [`parse_cipher`] accepts it.
    pub cipher: Option<String>,
    /// Hosts to jump through on the way to the bastion, the nearest first.
    pub jumps: Vec<SshRoute>,
    /// A proxy on the way to the bastion, or to the first host to jump through.
    pub proxy: Option<Proxy>,
    /// Limits each attempt to connect (name, TCP and key exchange together) and each request to open a channel.
    pub connect_timeout: Duration,
    /// A file that exists while connections are served.
    pub ready_file: Option<PathBuf>,
    /// Unix sockets in addition to the local ports.
    pub unix_sockets: Option<UnixSockets>,
}

/// Unix sockets in front of the local ports to databases (not to those of the web), for programs that use libpq. Each has the port of its target in its name, or the local port if
/// several targets have the same.
pub struct UnixSockets {
    /// The folder, which only its owner may enter. It is created if it is missing.
    pub folder: PathBuf,
    /// The CA bundle that certificates of the databases are verified against, with their host names. `None`: connections are not encrypted
    /// behind the bastion, because libpq does not encrypt on a Unix socket.
    pub ca_bundle: Option<PathBuf>,
}

/// An open tunnel. Dropping it closes every connection, session and listener.
pub struct Tunnel {
    ready: Ready,
    counters: Arc<Counters>,
    tasks: JoinSet<Failure>,
    _sockets: Vec<UnixSocket>,
    _ready_file: Option<ReadyFile>,
}

impl Tunnel {
    /// Listens on every local port, connects to the bastion, and then serves connections. If a step fails, every port is released.
    pub async fn open(options: Options, events: EventSink) -> Result<Self> {
        let mut listeners = Vec::new();
        for forwarding in &options.forwardings {
            listeners.push(Listener::bind(options.bind, forwarding).await?);
        }
        let mut forwardings: Vec<_> = listeners.iter().map(Listener::forwarding).collect();
        let sockets = match &options.unix_sockets {
            Some(sockets) => sockets.listen(&mut forwardings)?,
            None => Vec::new(),
        };
        let counters = Arc::new(Counters::default());
        let connector = Connector::new(&options, Arc::clone(&counters), Arc::clone(&events))?;
        let first = connector.connect().await.map_err(ConnectError::into_failure)?;
        let ready = Ready { bastion: first.bastion.to_string(), forwardings };
        let ready_file = options.ready_file.map(|path| ReadyFile::write(path, &ready)).transpose()?;

        let pool = Pool::new(connector, first, Arc::clone(&counters), Arc::clone(&events));
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&pool).maintain());
        for listener in listeners {
            tasks.spawn(listener.serve(Arc::clone(&pool)));
        }
        events(Event::Ready(ready.clone()));
        Ok(Self { ready, counters, tasks, _sockets: sockets, _ready_file: ready_file })
    }

    /// Returns the bastion and the local ports.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns the counters, which are updated while the tunnel is open.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Waits until the tunnel fails for good, such as by a changed host key, and returns why.
    pub async fn ended(&mut self) -> Failure {
        match self.tasks.join_next().await {
            Some(Ok(failure)) => failure,
            Some(Err(error)) => Failure::new("a task of the tunnel panicked").source(error),
            None => Failure::new("the tunnel is closed"),
        }
    }
}

impl UnixSockets {
    /// Listens in front of every local port, and adds the sockets to the forwardings.
    fn listen(&self, forwardings: &mut [LocalForwarding]) -> Result<Vec<UnixSocket>> {
        let databases = forwardings.iter().filter(|forwarding| !forwarding.is_web());
        let mut ports: Vec<u16> = databases.map(|forwarding| forwarding.port).collect();
        ports.sort_unstable();
        let is_distinct = ports.windows(2).all(|pair| pair[0] != pair[1]);
        let mut sockets = Vec::new();
        for forwarding in forwardings.iter_mut().filter(|forwarding| !forwarding.is_web()) {
            let port = if is_distinct { forwarding.port } else { forwarding.local.port() };
            let tls = match &self.ca_bundle {
                Some(ca_bundle) => Some(PostgresTls::new(ca_bundle, &forwarding.host)?),
                None => None,
            };
            let socket = UnixSocketPath::prepare(&self.folder, port)?.listen(forwarding.address(), tls)?;
            forwarding.socket = Some(socket.path().to_path_buf());
            sockets.push(socket);
        }
        Ok(sockets)
    }
}

/// The file of `--ready-file`; removed when dropped.
struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Writes the event `ready` as JSON, atomically: scripts that wait for the file never read half of it.
    fn write(path: PathBuf, ready: &Ready) -> Result<Self> {
        let what = || format!("cannot write the ready file `{}`", path.display());
        let event = serde_json::to_string(&Event::Ready(ready.clone())).context(what)?;
        common::atomic_file::write(&path, format!("{event}\n").as_bytes()).context(what)?;
        Ok(Self(path))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // The file may have been removed already.
        drop(std::fs::remove_file(&self.0));
    }
}
