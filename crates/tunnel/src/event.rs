//! The events of a tunnel: sentences for people and, as JSON, data for programs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;

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
    /// Connections are served.
    Ready(Ready),
    /// The bastion does not answer any more. The local ports stay open, and new connections wait.
    Lost {
        /// The error of the last attempt to connect.
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
#[derive(Debug, Clone, Serialize)]
pub struct LocalForwarding {
    /// The address that the tunnel listens on.
    pub local: SocketAddr,
    /// The target's host name, which TLS certificates are verified against.
    pub host: String,
    /// The target's port.
    pub port: u16,
    /// A libpq connection string that goes through the tunnel and verifies certificates against `host`.
    pub connection: String,
}

impl Event {
    /// Returns whether this is [`Event::Ready`].
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

impl LocalForwarding {
    pub(crate) fn new(local: SocketAddr, target: &Endpoint) -> Self {
        let connection = format!("host={} hostaddr={} port={}", target.host, local.ip(), local.port());
        Self { local, host: target.host.clone(), port: target.port, connection }
    }

    /// Returns a URL if the target's port is a common one of the web, otherwise a `psql` command.
    pub fn usage(&self) -> String {
        match self.port {
            80 | 3000 | 8080 => format!("http://{}", self.local),
            443 => format!("https://{}", self.local),
            _ => format!("psql \"{}\"", self.connection),
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for forwarding in &self.forwardings {
            let target = host_and_port(&forwarding.host, forwarding.port);
            writeln!(f, "{} forwards to {target}    {}", forwarding.local, forwarding.usage())?;
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
                    KeyProvenance::FirstUse => "trusted on first use and pinned",
                };
                write!(f, "host key of {identity} is {fingerprint}: {provenance}")
            }
            Self::ConsoleUnavailable { why } => {
                write!(f, "cannot read the host keys on the instance's console: {why}")
            }
            Self::Ready(ready) => ready.fmt(f),
            Self::Lost { why } => write!(f, "lost the bastion, reconnecting; new connections wait: {why}"),
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
    }
}
