//! The events of a tunnel: sentences for people and, as JSON, data for programs.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::forwarding::{Endpoint, host_and_port};
use crate::known_hosts::KeyProvenance;

/// Receives the events of a tunnel.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Something that the user should know.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A host key that was not pinned is trusted and pinned now.
    HostKeyPinned {
        /// The instance id or address that it is pinned for.
        identity: String,
        /// `SHA256:…`
        fingerprint: String,
        /// Why the key is trusted.
        #[serde(rename = "voucher")]
        provenance: KeyProvenance,
    },
    /// The host keys of a bastion without a pin could not be read from its console.
    #[serde(rename = "no-voucher")]
    ConsoleUnavailable {
        /// The error.
        why: String,
    },
    /// A new instance has not printed its host keys on its console yet.
    WaitingForConsole {
        /// The instance id.
        identity: String,
        /// The time since the first look.
        seconds: u64,
        /// The limit.
        at_most: u64,
    },
    /// Connections are served.
    Ready(Ready),
    /// The bastion does not answer any more. The local ports stay open, and new connections wait.
    Lost {
        /// The error of the last attempt to connect.
        why: String,
    },
    /// The bastion serves connections, but refuses further sessions. Reported at most once a minute.
    Congested {
        /// The error of the last attempt.
        why: String,
    },
    /// The tunnel has reconnected.
    Back {
        /// The bastion's present address.
        bastion: String,
    },
    /// One connection could not be forwarded.
    Refused {
        /// `host:port`
        target: String,
        /// The error.
        why: String,
        /// What the user can do about it.
        hint: String,
    },
}

/// The bastion and the local ports of an open tunnel.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// `user@host:port`
    pub bastion: String,
    /// One for each forwarding of the options, in the same order.
    pub forwardings: Vec<LocalForwarding>,
}

/// A local address that is forwarded to a target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LocalForwarding {
    /// The address that the tunnel listens on.
    pub local: SocketAddr,
    /// The target's host name, which TLS certificates are verified against.
    pub host: String,
    /// The target's port.
    pub port: u16,
    /// A libpq connection string that goes through the tunnel and verifies certificates against `host`.
    pub connection: String,
    /// The Unix socket that leads to the target, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
}

impl Event {
    /// Returns whether this is [`Event::Ready`].
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

impl LocalForwarding {
    pub(crate) fn new(local: SocketAddr, target: &Endpoint) -> Self {
        let address = reachable(local);
        let connection = format!("host={} hostaddr={} port={}", target.host, address.ip(), address.port());
        Self { local, host: target.host.clone(), port: target.port, connection, socket: None }
    }

    /// Returns an address that this machine can connect to.
    pub fn address(&self) -> SocketAddr {
        reachable(self.local)
    }

    /// Returns the libpq connection string of the Unix socket.
    fn socket_connection(&self) -> Option<String> {
        let socket = self.socket.as_ref()?;
        let port = socket.extension()?.display();
        Some(format!("host={} port={port}", quoted(socket.parent()?.to_str()?)))
    }

    /// Returns whether the target's port is a common one of the web.
    pub(crate) const fn is_web(&self) -> bool {
        matches!(self.port, 80 | 443 | 3000 | 8080)
    }

    /// Returns a URL if the target's port is a common one of the web, otherwise a `psql` command.
    pub fn usage(&self) -> String {
        match self.port {
            80 | 3000 | 8080 => format!("http://{}", reachable(self.local)),
            443 => format!("https://{}", reachable(self.local)),
            _ => format!("psql \"{}\"", self.connection),
        }
    }
}

/// Returns a value of a libpq connection string, quoted if necessary.
pub fn quoted(value: &str) -> String {
    if !value.is_empty() && !value.contains([' ', '\'', '\\']) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Returns an address that this machine can connect to: one that stands for all addresses is none.
fn reachable(local: SocketAddr) -> SocketAddr {
    let ip = match local.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, local.port())
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for forwarding in &self.forwardings {
            let target = host_and_port(&forwarding.host, forwarding.port);
            writeln!(f, "{} forwards to {target}    {}", forwarding.local, forwarding.usage())?;
            if let (Some(socket), Some(connection)) = (&forwarding.socket, forwarding.socket_connection()) {
                writeln!(f, "{} forwards to {target}    psql \"{connection}\"", socket.display())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostKeyPinned { identity, fingerprint, provenance } => {
                let provenance = match provenance {
                    KeyProvenance::User => "matches --host-key, pinned",
                    KeyProvenance::Console => "matches the instance's console, pinned",
                    KeyProvenance::Confirmed => "confirmed on the terminal and pinned",
                    KeyProvenance::FirstUse => "trusted on first use and pinned",
                };
                write!(f, "host key of {identity} is {fingerprint}: {provenance}")
            }
            Self::ConsoleUnavailable { why } => {
                write!(f, "cannot read the host keys on the instance's console: {why}")
            }
            Self::WaitingForConsole { identity, seconds, at_most } => write!(
                f,
                "waiting for the host keys on the console of {identity}: {seconds} s of at most {at_most} s"
            ),
            Self::Ready(ready) => ready.fmt(f),
            Self::Lost { why } => write!(f, "lost the bastion, reconnecting; new connections wait: {why}"),
            Self::Congested { why } => write!(f, "the bastion takes no further session now, retrying: {why}"),
            Self::Back { bastion } => write!(f, "reconnected to the bastion {bastion}"),
            Self::Refused { target, why, hint } => {
                write!(f, "cannot forward a connection to {target}: {why}\nhint: {hint}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_url_for_web_ports_and_psql_otherwise() {
        let usage = |port| {
            let target = Endpoint { host: "db.example".to_owned(), port };
            LocalForwarding::new("127.0.0.1:13000".parse().unwrap(), &target).usage()
        };
        assert_eq!(usage(80), "http://127.0.0.1:13000");
        assert_eq!(usage(443), "https://127.0.0.1:13000");
        assert_eq!(usage(5432), "psql \"host=db.example hostaddr=127.0.0.1 port=13000\"");
        let mut forwarding = LocalForwarding::new(
            "127.0.0.1:1".parse().unwrap(),
            &Endpoint { host: "db".to_owned(), port: 5432 },
        );
        for (socket, connection) in [
            ("/run/me/.s.PGSQL.5432", "host=/run/me port=5432"),
            ("/my 'files'/.s.PGSQL.7", r"host='/my \'files\'' port=7"),
        ] {
            forwarding.socket = Some(socket.into());
            let text = Ready { bastion: String::new(), forwardings: vec![forwarding.clone()] }.to_string();
            assert!(
                text.contains(&format!("{socket} forwards to db:5432    psql \"{connection}\"\n")),
                "{text}"
            );
        }
        let target = Endpoint { host: "db.example".to_owned(), port: 5432 };
        for (bound, address) in [("0.0.0.0:1", "127.0.0.1"), ("[::]:1", "::1"), ("10.0.0.7:1", "10.0.0.7")] {
            let connection = LocalForwarding::new(bound.parse().unwrap(), &target).connection;
            assert_eq!(connection, format!("host=db.example hostaddr={address} port=1"));
        }
    }
}
