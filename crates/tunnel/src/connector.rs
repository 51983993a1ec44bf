//! Connects to the bastion: discovery, name resolution, TCP, SSH handshake, host key check, authentication. Retries nothing.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Failure, Result};
use russh::client::Config;
use russh::keys::PublicKey;
use russh::{Error, Limits, Preferred, cipher};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::Options;
use crate::authentication::Authentication;
use crate::bastion::{Bastion, Discovery};
use crate::counters::Counters;
use crate::event::{Event, EventSink};
use crate::known_hosts::{ExpectedHostKey, HostKeyStatus, KeyProvenance, KnownHosts, fingerprint};
use crate::quick_ack::quick_ack;
use crate::reconnect::ConnectError;
use crate::session::{ClientHandler, Link, Session};
use crate::window::WindowSizer;

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

/// Returns the short name of a cipher if it is supported.
pub fn parse_cipher(name: &str) -> Result<String, String> {
    let names = CIPHERS.map(|(name, _)| name);
    let supported = names.contains(&name).then(|| name.to_owned());
    supported.ok_or_else(|| format!("`{name}` is not one of {}", names.join(", ")))
}

/// Opens authenticated sessions.
pub(crate) struct Connector {
    discovery: Arc<dyn Discovery>,
    known_hosts: KnownHosts,
    authentication: Authentication,
    ciphers: Vec<cipher::Name>,
    pub(crate) connect_timeout: Duration,
    pub(crate) window_sizer: Arc<WindowSizer>,
    /// Notified when a session dies.
    pub(crate) died: Arc<Notify>,
    counters: Arc<Counters>,
    events: EventSink,
}

impl Connector {
    pub(crate) fn new(options: &Options, counters: Arc<Counters>, events: EventSink) -> Result<Self> {
        let wanted = |name: &str| options.cipher.as_deref().is_none_or(|cipher| cipher == name);
        Ok(Self {
            discovery: Arc::clone(&options.discovery),
            known_hosts: KnownHosts::new(&options.known_hosts, options.host_key.as_deref()),
            authentication: Authentication::new(options.key.as_deref(), options.prompt_passphrase)?,
            ciphers: CIPHERS.into_iter().filter(|(name, _)| wanted(name)).map(|(_, cipher)| cipher).collect(),
            connect_timeout: options.connect_timeout,
            window_sizer: Arc::default(),
            died: Arc::default(),
            counters,
            events,
        })
    }

    /// Makes the first attempt.
    pub(crate) async fn connect(&self) -> Result<Session, ConnectError> {
        self.connect_within(self.connect_timeout, LOGIN_TIMEOUT).await
    }

    /// Makes a later attempt, with shorter limits.
    pub(crate) async fn reconnect(&self) -> Result<Session, ConnectError> {
        self.connect_within(self.connect_timeout.min(RECONNECT_TIMEOUT), RELOGIN_TIMEOUT).await
    }

    async fn connect_within(&self, limit: Duration, login_limit: Duration) -> Result<Session, ConnectError> {
        use ConnectError::{AuthenticationFailed, HostKeyMismatch, Unreachable};

        let bastion = self.discovery.find().await.map_err(Unreachable)?;
        let expected = self.expected_host_key(&bastion).await.map_err(HostKeyMismatch)?;
        let start = Instant::now();
        let stream = connect_tcp(&bastion, limit).await.map_err(Unreachable)?;
        let tcp_handshake = start.elapsed();
        let window = self.window_sizer.reserve(tcp_handshake);

        let config = Config {
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
                cipher: self.ciphers.clone().into(),
                ..Preferred::DEFAULT
            },
            ..Config::default()
        };
        let link = Link::new(Arc::clone(&self.died));
        let handler = ClientHandler { expected: expected.clone(), link: Arc::clone(&link) };
        let stream = BufReader::with_capacity(READ_BUFFER, quick_ack(stream));
        let connected =
            timeout(limit, russh::client::connect_stream(Arc::new(config), stream, handler)).await;
        if let Some((key, HostKeyStatus::Mismatch { wanted })) = link.host_key.get() {
            return Err(HostKeyMismatch(expected.mismatch(wanted, key)));
        }
        let mut handle = match connected {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return Err(Unreachable(handshake_failed(&bastion, error))),
            Err(_) => return Err(Unreachable(handshake_timed_out(&bastion, limit))),
        };
        // Pinned only after the handshake, which proves that the bastion has the private key.
        if let Some((key, HostKeyStatus::New(provenance))) = link.host_key.get() {
            self.pin(&bastion, key, *provenance).map_err(Unreachable)?;
        }
        let login = self.authentication.log_in(&mut handle, &bastion, self.discovery.as_ref());
        match timeout(login_limit, login).await {
            Ok(Ok(())) => {}
            // A connection that is lost during the login is no rejection.
            Ok(Err(failure)) if link.is_connection_lost() => return Err(Unreachable(failure)),
            Ok(Err(failure)) => return Err(AuthenticationFailed(failure)),
            Err(_) => return Err(Unreachable(handshake_timed_out(&bastion, login_limit))),
        }
        let session = Session { handle, bastion, window, link };
        let Ok(Ok(round_trip)) = timeout(limit, session.round_trip(tcp_handshake)).await else {
            return Err(Unreachable(handshake_timed_out(&session.bastion, limit)));
        };
        self.window_sizer.record_round_trip(round_trip);
        self.counters.set_round_trip(round_trip);
        Ok(session)
    }

    /// Returns the host key to expect: the pinned one or, for a bastion without a pin, those that the provider vouches for.
    async fn expected_host_key(&self, bastion: &Bastion) -> Result<ExpectedHostKey> {
        let expected = self.known_hosts.expected(&bastion.identity())?;
        if !expected.is_unknown() {
            return Ok(expected);
        }
        match self.discovery.host_keys(bastion).await {
            Ok(keys) => Ok(expected.with_console_keys(&keys)),
            Err(failure) => {
                (self.events)(Event::ConsoleUnavailable { why: failure.to_string() });
                Ok(expected)
            }
        }
    }

    fn pin(&self, bastion: &Bastion, key: &PublicKey, provenance: KeyProvenance) -> Result<()> {
        let identity = bastion.identity();
        // A concurrent handshake may have pinned it already.
        if self.known_hosts.expected(&identity)?.check(key) == HostKeyStatus::Pinned {
            return Ok(());
        }
        self.known_hosts.pin(&identity, key)?;
        (self.events)(Event::HostKeyPinned { identity, fingerprint: fingerprint(key), provenance });
        Ok(())
    }
}

/// Resolves the bastion's name and connects to the first address that accepts.
async fn connect_tcp(bastion: &Bastion, limit: Duration) -> Result<TcpStream> {
    let address = bastion.address();
    let unresolved = || format!("the bastion's name `{}` does not resolve", bastion.host);
    let lookup = timeout(limit, tokio::net::lookup_host((bastion.host.as_str(), bastion.port))).await;
    let candidates: Vec<_> = lookup
        .context(unresolved)
        .and_then(|found| found.context(unresolved))
        .map_err(|failure| failure.hint("check the name in --bastion and this machine's network"))?
        .collect();
    let mut last = Failure::new(unresolved());
    for candidate in candidates {
        last = match timeout(limit, TcpStream::connect(candidate)).await {
            Ok(Ok(stream)) => {
                stream
                    .set_nodelay(true)
                    .context(|| format!("cannot configure the connection to {address}"))?;
                return Ok(stream);
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                Failure::new(format!("nothing listens on {address}"))
                    .source(error)
                    .hint("check the port in --bastion, and that sshd runs there")
            }
            Ok(Err(error)) => Failure::new(format!("cannot reach the bastion {address}"))
                .source(error)
                .hint("check this machine's network"),
            Err(_) => {
                let limit = limit.as_secs();
                Failure::new(format!("the bastion {address} does not answer within {limit} s")).hint(format!(
                    "check that its security group allows your address on port {}",
                    bastion.port
                ))
            }
        };
    }
    Err(last)
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
