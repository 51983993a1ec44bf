//! From nothing to a session that is logged in: find, resolve, connect, shake hands, judge the host key, authenticate.
//!
//! Each step that fails has its own sentence. Nothing here tries twice.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use common::failure::{Context as _, Failure, Result};
use russh::client::{Config, Handle};
use russh::{Error, Limits, Preferred, cipher as ciphers};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::authentication::Authentication;
use super::bastion::{Bastion, Discovery};
use super::counters::Counters;
use super::event::{Event, Tell};
use super::session::{Guard, Link, Session};
use super::socket::Socket;
use super::trouble::Trouble;
use super::trust::{Expectation, Trust, Verdict, Voucher, fingerprint};
use super::window::Sizing;
use super::{Options, trust};

/// Without an answer for this long, the other side is asked for one …
const KEEPALIVE: Duration = Duration::from_secs(3);

/// … and so many questions without an answer mean that it is dead.
const UNANSWERED: usize = 3;

/// While the bastion is away, one attempt must not take the time in which it could be back.
const ATTEMPT: Duration = Duration::from_secs(4);

/// Somebody may have to type a passphrase, or confirm to the agent; sshd itself gives no more time (`LoginGraceTime`).
const LOGIN: Duration = Duration::from_mins(2);

/// Nobody types a second time.
const LOGIN_AGAIN: Duration = Duration::from_secs(15);

/// The largest packet that we take: as large as the library lets it be, because each one costs as much as the next.
const PACKET: u32 = 65_535;

/// The library reads each packet's head and body on their own; without a buffer below it each costs a call to the kernel. Four
/// times as much was not faster.
const READ_AHEAD: usize = 64 << 10;

/// Packets that wait for a slow reader: 1 MiB at most. More would only be more memory.
const WAITING_PACKETS: usize = 16;

/// Keys are changed after so many bytes each way, and after an hour. The library does so after 1 GiB, which a dump through a distant
/// bastion notices; with blocks of 16 bytes 64 GiB are allowed (RFC 4344, section 3.2). For chacha20-poly1305, whose blocks are
/// smaller, sshd asks sooner by itself.
const BYTES_PER_KEY: usize = 16 << 30;

/// The ciphers' short names, the fastest first.
pub const CIPHERS: [&str; 4] = ["aes256-gcm", "aes128-gcm", "chacha20-poly1305", "aes256-ctr"];

/// Makes sessions.
pub(super) struct Connector {
    discovery: Arc<dyn Discovery>,
    trust: Trust,
    authentication: Authentication,
    ciphers: Vec<ciphers::Name>,
    limit: Duration,
    /// Whether attempts are short, because it has worked before.
    short: AtomicBool,
    pub(super) sizing: Arc<Sizing>,
    pub(super) died: Arc<Notify>,
    counters: Arc<Counters>,
    tell: Tell,
}

/// The cipher with that short name.
pub fn cipher(name: &str) -> Result<String, String> {
    let known = CIPHERS.contains(&name).then(|| name.to_owned());
    known.ok_or_else(|| format!("`{name}` is none of {}", CIPHERS.join(", ")))
}

impl Connector {
    pub(super) fn new(options: &Options, counters: Arc<Counters>, tell: Tell) -> Result<Self> {
        let all =
            [ciphers::AES_256_GCM, ciphers::AES_128_GCM, ciphers::CHACHA20_POLY1305, ciphers::AES_256_CTR];
        let wanted = |(name, _): &(&str, ciphers::Name)| options.cipher.as_deref().is_none_or(|c| c == *name);
        Ok(Self {
            discovery: Arc::clone(&options.discovery),
            trust: Trust::new(&options.pins, options.host_key.as_deref()),
            authentication: Authentication::new(options.key.as_deref(), options.may_ask)?,
            ciphers: CIPHERS.into_iter().zip(all).filter(wanted).map(|(_, cipher)| cipher).collect(),
            limit: options.connect_limit,
            short: AtomicBool::new(false),
            sizing: Arc::default(),
            died: Arc::default(),
            counters,
            tell,
        })
    }

    /// From now on an attempt is given up early.
    pub(super) fn shorten(&self) {
        self.short.store(true, Ordering::Relaxed);
    }

    /// How long opening something may take.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// One attempt.
    pub(super) async fn connect(&self) -> Result<Session, Trouble> {
        let bastion = self.discovery.find().await.map_err(Trouble::unreachable)?;
        let expectation = self.expect(&bastion).await.map_err(Trouble::wrong_host_key)?;
        let limit = if self.short.load(Ordering::Relaxed) { self.limit.min(ATTEMPT) } else { self.limit };
        let start = Instant::now();
        let stream = reach(&bastion, limit).await.map_err(Trouble::unreachable)?;
        let handshake = start.elapsed();
        let window = self.sizing.reserve(handshake);
        let stream = BufReader::with_capacity(READ_AHEAD, Socket::new(stream));

        let config = Config {
            window_size: window.size(),
            maximum_packet_size: PACKET,
            channel_buffer_size: WAITING_PACKETS,
            limits: Limits {
                rekey_write_limit: BYTES_PER_KEY,
                rekey_read_limit: BYTES_PER_KEY,
                ..Limits::default()
            },
            keepalive_interval: Some(KEEPALIVE),
            keepalive_max: UNANSWERED,
            nodelay: true,
            preferred: Preferred {
                key: expectation.preferred_keys(),
                cipher: self.ciphers.clone().into(),
                ..Preferred::DEFAULT
            },
            ..Config::default()
        };
        let presented = Arc::new(OnceLock::new());
        let link = Link::new(Arc::clone(&self.died));
        let guard = Guard {
            expectation: expectation.clone(),
            presented: Arc::clone(&presented),
            link: Arc::clone(&link),
        };
        let shaken = timeout(limit, russh::client::connect_stream(Arc::new(config), stream, guard)).await;
        if let Some((key, Verdict::Wrong { expected })) = presented.get() {
            return Err(Trouble::wrong_host_key(expectation.refusal(expected, key)));
        }
        let mut handle = match shaken {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return Err(Trouble::unreachable(no_handshake(&bastion, error))),
            Err(_) => return Err(Trouble::unreachable(silent(&bastion, limit))),
        };
        // Only now has the bastion proved that the key is its own.
        if let Some((key, Verdict::New(voucher))) = presented.get() {
            self.pin(&bastion, key, *voucher).map_err(Trouble::unreachable)?;
        }
        self.log_in(&mut handle, &bastion, &link).await?;
        let session = Session { handle, bastion, window, link };
        let round_trip = timeout(limit, session.round_trip(handshake)).await;
        let Ok(Ok(round_trip)) = round_trip else {
            return Err(Trouble::unreachable(silent(&session.bastion, limit)));
        };
        self.sizing.measured(round_trip);
        self.counters.measured(round_trip);
        Ok(session)
    }

    /// What the bastion's key must be. A bastion that is not known yet is asked for by its owner's means.
    async fn expect(&self, bastion: &Bastion) -> Result<Expectation> {
        let expectation = self.trust.expect(&bastion.identity())?;
        if !expectation.is_open() {
            return Ok(expectation);
        }
        match self.discovery.host_keys(bastion).await {
            Ok(keys) => Ok(expectation.with_printed(&keys)),
            Err(failure) => {
                (self.tell)(Event::NoVoucher { why: failure.to_string() });
                Ok(expectation)
            }
        }
    }

    async fn log_in(
        &self,
        handle: &mut Handle<Guard>,
        bastion: &Bastion,
        link: &Link,
    ) -> Result<(), Trouble> {
        let limit = if self.short.load(Ordering::Relaxed) { LOGIN_AGAIN } else { LOGIN };
        let Ok(done) =
            timeout(limit, self.authentication.log_in(handle, bastion, self.discovery.as_ref())).await
        else {
            return Err(Trouble::unreachable(silent(bastion, limit)));
        };
        done.map_err(|failure| {
            // A bastion that dies while we log in has refused nobody.
            if link.broke() { Trouble::unreachable(failure) } else { Trouble::not_logged_in(failure) }
        })
    }

    fn pin(&self, bastion: &Bastion, key: &russh::keys::PublicKey, voucher: Voucher) -> Result<()> {
        let identity = bastion.identity();
        // Of several handshakes at once only the first one has something to pin.
        if self.trust.expect(&identity)?.judge(key) == trust::Verdict::Known {
            return Ok(());
        }
        self.trust.pin(&identity, key)?;
        (self.tell)(Event::HostKeyPinned { identity, fingerprint: fingerprint(key), voucher });
        Ok(())
    }
}

/// Resolves the name and connects to the first address that answers.
async fn reach(bastion: &Bastion, limit: Duration) -> Result<TcpStream> {
    let place = bastion.place();
    let lookup = timeout(limit, tokio::net::lookup_host((bastion.host.as_str(), bastion.port))).await;
    let unresolved = || format!("the bastion's name `{}` does not resolve", bastion.host);
    let addresses: Vec<_> = lookup
        .context(unresolved)
        .and_then(|found| found.context(unresolved))
        .map_err(|failure| failure.hint("check its spelling in --bastion, and this machine's network"))?
        .collect();
    let mut last = Failure::new(unresolved());
    for address in addresses {
        last = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Without it small packets wait for each other. It cannot fail on a connected socket.
                stream.set_nodelay(true).context(|| format!("cannot set up the connection to {place}"))?;
                return Ok(stream);
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                Failure::new(format!("nothing listens on {place}"))
                    .source(error)
                    .hint("check the port in --bastion, and that sshd runs there")
            }
            Ok(Err(error)) => Failure::new(format!("cannot reach the bastion {place}"))
                .source(error)
                .hint("check this machine's network"),
            Err(_) => Failure::new(format!(
                "the bastion {place} does not answer within {} s",
                limit.as_secs()
            ))
            .hint(format!(
                "a firewall drops what we send: does its security group let your address in on port {}?",
                bastion.port
            )),
        };
    }
    Err(last)
}

fn silent(bastion: &Bastion, limit: Duration) -> Failure {
    Failure::new(format!(
        "something listens on {} but did not complete the SSH handshake within {} s",
        bastion.place(),
        limit.as_secs()
    ))
    .hint("is this really sshd's port, and is the machine overloaded?")
}

fn no_handshake(bastion: &Bastion, error: Error) -> Failure {
    let place = bastion.place();
    match error {
        Error::Disconnect | Error::HUP | Error::IO(_) => Failure::new(format!(
            "{place} closed the connection during the SSH handshake"
        ))
        .source(error)
        .hint("is this really sshd's port? sshd also does this when too many log in at once (MaxStartups)"),
        Error::NoCommonAlgo { .. } => {
            Failure::new(format!("{place} and covidctl have no algorithm in common"))
                .source(error)
                .hint("leave out --cipher, or update the bastion's OpenSSH")
        }
        error => Failure::new(format!("the SSH handshake with {place} failed"))
            .source(error)
            .hint("is this really sshd's port?"),
    }
}
