//! Connects to the bastion: discovery, TCP, SSH handshake, host key check, authentication. Retries nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::failure::{Failure, Result};
use russh::client::{Config, Handle, Msg, connect_stream};
use russh::keys::PublicKey;
use russh::{ChannelStream, Error, Limits, Preferred, cipher};
use tokio::io::BufReader;
use tokio::sync::Notify;
use tokio::time::{timeout, timeout_at};

use crate::Options;
use crate::authentication::Authentication;
use crate::bastion::{Bastion, Discovery};
use crate::counters::Counters;
use crate::event::EventSink;
use crate::known_hosts::{ExpectedHostKey, HostKeyStatus};
use crate::proxy::Proxy;
use crate::quick_ack::quick_ack;
use crate::reconnect::ConnectError;
use crate::session::{ClientHandler, Link, Session};
use crate::tcp;
use crate::trust::HostKeyPolicy;
use crate::window::{Window, WindowSizer};

/// How long a session may receive nothing before a keepalive is sent.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);

/// Unanswered keepalives after which a session is dead.
const MAX_UNANSWERED_KEEPALIVES: usize = 3;

/// Limits the TCP connection and the SSH handshake of an attempt to reconnect: the bastion may come back before a longer one ends.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Limits the first login, which may wait for a passphrase or for a confirmation of the agent; sshd's own limit (`LoginGraceTime`).
const LOGIN_TIMEOUT: Duration = Duration::from_mins(2);

/// Limits later logins, which never prompt.
const RELOGIN_TIMEOUT: Duration = Duration::from_secs(15);

/// The library's maximum. Each packet costs about the same, so larger is better.
const MAX_PACKET_SIZE: u32 = 65_535;

/// The library reads the header and the body of each packet separately, which would be two system calls.
const READ_BUFFER: usize = 64 << 10;

/// Packets buffered for a slow reader: at most 1 MiB.
const CHANNEL_BUFFER_PACKETS: usize = 16;

/// Bytes in each direction after which the keys change. The library's default of 1 GiB slows a dump over a long path down; RFC 4344,
/// section 3.2, allows 64 GiB for ciphers with blocks of 16 bytes. For chacha20-poly1305 sshd starts the exchange earlier.
const REKEY_BYTES: usize = 16 << 30;

/// The supported ciphers by their short names, fastest first.
const CIPHERS: [(&str, cipher::Name); 4] = [
    ("aes256-gcm", cipher::AES_256_GCM),
    ("aes128-gcm", cipher::AES_128_GCM),
    ("chacha20-poly1305", cipher::CHACHA20_POLY1305),
    ("aes256-ctr", cipher::AES_256_CTR),
];

/// Returns the short name of a supported cipher, of which OpenSSH's is a longer form: `aes256-gcm@openssh.com`.
pub fn parse_cipher(name: &str) -> Result<String, String> {
    let names = CIPHERS.map(|(name, _)| name);
    let short = name.strip_suffix("@openssh.com").unwrap_or(name);
    let supported = names.contains(&short).then(|| short.to_owned());
    supported.ok_or_else(|| format!("`{name}` is not one of {}", names.join(", ")))
}

/// A host to log in to.
struct Host {
    discovery: Arc<dyn Discovery>,
    key_policy: HostKeyPolicy,
    authentication: Authentication,
}

/// Opens authenticated sessions.
pub(crate) struct Connector {
    jumps: Vec<Host>,
    bastion: Host,
    proxy: Option<Proxy>,
    ciphers: Vec<cipher::Name>,
    pub(crate) connect_timeout: Duration,
    pub(crate) window_sizer: Arc<WindowSizer>,
    /// Notified when a session dies.
    pub(crate) died: Arc<Notify>,
    /// The number of sessions that are logged in, those of jump hosts included.
    pub(crate) live: Arc<AtomicUsize>,
    counters: Arc<Counters>,
}

impl Connector {
    pub(crate) fn new(options: &Options, counters: Arc<Counters>, events: EventSink) -> Result<Self> {
        let wanted = |name: &str| options.cipher.as_deref().is_none_or(|cipher| cipher == name);
        let mut jumps = Vec::new();
        for jump in &options.jumps {
            jumps.push(Host {
                discovery: Arc::new(jump.bastion.clone()),
                key_policy: HostKeyPolicy::of_jump(options, jump, Arc::clone(&events)),
                authentication: Authentication::new(&jump.identity, options.prompt)?,
            });
        }
        let bastion = Host {
            discovery: Arc::clone(&options.discovery),
            key_policy: HostKeyPolicy::new(options, events),
            authentication: Authentication::new(&options.identity, options.prompt)?,
        };
        Ok(Self {
            jumps,
            bastion,
            proxy: options.proxy.clone(),
            ciphers: CIPHERS.into_iter().filter(|(name, _)| wanted(name)).map(|(_, cipher)| cipher).collect(),
            connect_timeout: options.connect_timeout,
            window_sizer: Arc::default(),
            died: Arc::default(),
            live: Arc::default(),
            counters,
        })
    }

    /// Returns whether a login needs a person at the terminal, so that it must not happen in advance.
    pub(crate) fn is_interactive(&self) -> bool {
        self.jumps.iter().chain([&self.bastion]).any(|host| host.authentication.is_interactive())
    }

    /// Makes the first attempt.
    pub(crate) async fn connect(&self) -> Result<Session, ConnectError> {
        self.connect_within(self.connect_timeout, LOGIN_TIMEOUT, true).await
    }

    /// Makes a later attempt, with shorter limits.
    pub(crate) async fn reconnect(&self) -> Result<Session, ConnectError> {
        let login_limit = if self.is_interactive() { LOGIN_TIMEOUT } else { RELOGIN_TIMEOUT };
        self.connect_within(self.connect_timeout.min(RECONNECT_TIMEOUT), login_limit, false).await
    }

    async fn connect_within(
        &self,
        limit: Duration,
        login_limit: Duration,
        is_first: bool,
    ) -> Result<Session, ConnectError> {
        let mut jumps: Vec<Session> = Vec::new();
        for host in &self.jumps {
            let (session, _) = self.log_in(host, jumps.last(), limit, login_limit, is_first).await?;
            jumps.push(session);
        }
        let (mut session, handshake) =
            self.log_in(&self.bastion, jumps.last(), limit, login_limit, is_first).await?;
        session.jumps = jumps;
        let Ok(Ok(round_trip)) = timeout(limit, session.round_trip(handshake)).await else {
            return Err(ConnectError::Unreachable(handshake_timed_out(&session.bastion, limit)));
        };
        self.window_sizer.record_round_trip(round_trip);
        self.counters.set_round_trip(round_trip);
        self.counters.handshakes.fetch_add(1, Relaxed);
        Ok(session)
    }

    /// Logs in to a host, through the session `way` if there is one. Returns the time of the TCP handshake, too.
    async fn log_in(
        &self,
        host: &Host,
        way: Option<&Session>,
        limit: Duration,
        login_limit: Duration,
        is_first: bool,
    ) -> Result<(Session, Duration), ConnectError> {
        use ConnectError::{AuthenticationFailed, HostKeyRejected, Unreachable};

        let discovery = host.discovery.as_ref();
        let bastion = discovery.find().await.map_err(Unreachable)?;
        let mut expected = host.key_policy.expected(&bastion).map_err(HostKeyRejected)?;
        let Handshake { mut handle, window, link, connected_in } = loop {
            match self.handshake(&bastion, &expected, way, limit).await {
                Err(ConnectError::Silent(failure)) if is_first => {
                    let hint = discovery.explain_silence(&bastion).await;
                    return Err(Unreachable(match hint {
                        Some(hint) => failure.hint(hint),
                        None => failure,
                    }));
                }
                Err(error) => return Err(error),
                Ok(Handshaked::Trusted(handshake)) => break handshake,
                // Deciding takes longer than sshd waits, so that another handshake follows.
                Ok(Handshaked::Unknown(key)) => {
                    let vouched = host.key_policy.vouch(discovery, &bastion, &expected, &key, is_first).await;
                    expected = expected.vouched(key, vouched.map_err(HostKeyRejected)?);
                }
            }
        };
        // Pinned only after the handshake, which proves that the bastion has the private key.
        if let Some((key, HostKeyStatus::New(provenance))) = link.host_key.get() {
            host.key_policy.pin(&bastion, key, *provenance).map_err(Unreachable)?;
        }
        let login = host.authentication.log_in(&mut handle, &bastion, discovery);
        match timeout(login_limit, login).await {
            Ok(Ok(())) => {}
            // A connection that is lost during the login is no rejection.
            Ok(Err(failure)) if link.is_connection_lost() => return Err(Unreachable(failure)),
            Ok(Err(failure)) => return Err(AuthenticationFailed(failure)),
            Err(_) => return Err(Unreachable(login_timed_out(&bastion, login_limit))),
        }
        self.live.fetch_add(1, Relaxed);
        Ok((Session { handle, bastion, window, link, jumps: Vec::new() }, connected_in))
    }

    /// Connects and exchanges keys; `limit` holds for both together.
    async fn handshake(
        &self,
        bastion: &Bastion,
        expected: &ExpectedHostKey,
        way: Option<&Session>,
        limit: Duration,
    ) -> Result<Handshaked, ConnectError> {
        use ConnectError::{HostKeyRejected, Unreachable};

        let start = Instant::now();
        let deadline = tokio::time::Instant::now() + limit;
        let link = Link::new(Arc::clone(&self.died), Arc::clone(&self.live));
        let handler = ClientHandler { expected: expected.clone(), link: Arc::clone(&link) };
        let (connected, window, connected_in) = match way {
            None => {
                let stream = tcp::connect(bastion, self.proxy.as_ref(), deadline, limit).await?;
                let connected_in = start.elapsed();
                let window = self.window_sizer.reserve(connected_in);
                let stream = BufReader::with_capacity(READ_BUFFER, quick_ack(stream));
                let config = self.config(expected, &window);
                (timeout_at(deadline, connect_stream(config, stream, handler)).await, window, connected_in)
            }
            Some(way) => {
                let stream = through(way, bastion, deadline).await.map_err(Unreachable)?;
                let connected_in = start.elapsed();
                let window = self.window_sizer.reserve(connected_in);
                let stream = BufReader::with_capacity(READ_BUFFER, stream);
                let config = self.config(expected, &window);
                (timeout_at(deadline, connect_stream(config, stream, handler)).await, window, connected_in)
            }
        };
        match link.host_key.get() {
            Some((key, HostKeyStatus::Mismatch { wanted })) => {
                return Err(HostKeyRejected(expected.mismatch(wanted, key)));
            }
            Some((key, HostKeyStatus::Unknown)) => return Ok(Handshaked::Unknown(key.clone())),
            _ => {}
        }
        match connected {
            Ok(Ok(handle)) => Ok(Handshaked::Trusted(Handshake { handle, window, link, connected_in })),
            Ok(Err(error)) => Err(Unreachable(handshake_failed(bastion, error))),
            Err(_) => Err(Unreachable(handshake_timed_out(bastion, limit))),
        }
    }

    fn config(&self, expected: &ExpectedHostKey, window: &Window) -> Arc<Config> {
        Arc::new(Config {
            window_size: window.size(),
            maximum_packet_size: MAX_PACKET_SIZE,
            channel_buffer_size: CHANNEL_BUFFER_PACKETS,
            limits: Limits {
                rekey_write_limit: REKEY_BYTES,
                rekey_read_limit: REKEY_BYTES,
                ..Limits::default()
            },
            keepalive_interval: Some(KEEPALIVE_INTERVAL),
            keepalive_max: MAX_UNANSWERED_KEEPALIVES,
            nodelay: true,
            preferred: Preferred {
                key: expected.preferred_algorithms(),
                host_key_certificates: expected.certificate_algorithms(),
                cipher: self.ciphers.clone().into(),
                ..Preferred::DEFAULT
            },
            ..Config::default()
        })
    }
}

/// Opens a connection to the host behind a session.
async fn through(
    way: &Session,
    host: &Bastion,
    deadline: tokio::time::Instant,
) -> Result<ChannelStream<Msg>, Failure> {
    let what = || format!("cannot reach {} through {}", host.address(), way.bastion);
    let opening = way.handle.channel_open_direct_tcpip(&host.host, u32::from(host.port), "127.0.0.1", 0);
    let hint = format!("check that `{}` resolves there, and that its sshd allows TCP forwarding", host.host);
    match timeout_at(deadline, opening).await {
        Ok(Ok(channel)) => Ok(channel.into_stream()),
        Ok(Err(error)) => Err(Failure::new(what()).source(error).hint(hint)),
        Err(_) => Err(Failure::new(what()).source("no answer in time".to_owned()).hint(hint)),
    }
}

/// A connection whose keys are exchanged, before the login.
struct Handshake {
    handle: Handle<ClientHandler>,
    window: Window,
    link: Arc<Link>,
    connected_in: Duration,
}

enum Handshaked {
    Trusted(Handshake),
    /// The host key is not known, and the connection is closed.
    Unknown(PublicKey),
}

fn login_timed_out(bastion: &Bastion, limit: Duration) -> Failure {
    let (address, limit) = (bastion.address(), limit.as_secs());
    Failure::new(format!("the login at {address} took longer than {limit} s")).hint(
        "answer the passphrase, the agent or the second factor sooner; sshd limits it, too (LoginGraceTime)",
    )
}

fn handshake_timed_out(bastion: &Bastion, limit: Duration) -> Failure {
    let (address, limit) = (bastion.address(), limit.as_secs());
    Failure::new(format!("{address} did not complete the SSH handshake within {limit} s"))
        .hint("check that this is sshd's port and that the machine is not overloaded")
}

fn handshake_failed(bastion: &Bastion, error: Error) -> Failure {
    let address = bastion.address();
    let (what, hint) = match error {
        Error::Disconnect | Error::HUP | Error::IO(_) => (
            format!("{address} closed the connection during the SSH handshake"),
            "check that this is sshd's port; sshd also does this if too many logins are under way (MaxStartups)",
        ),
        Error::NoCommonAlgo { .. } => (
            format!("{address} and covidctl have no algorithm in common"),
            "remove --cipher, or update the bastion's OpenSSH",
        ),
        _ => (format!("the SSH handshake with {address} failed"), "check that this is sshd's port"),
    };
    Failure::new(what).source(error).hint(hint)
}
