//! What a tunnel tells while it lives, for people and, as JSON, for programs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;

use super::bastion::Bastion;
use super::forwarding::Target;
use super::trust::Voucher;

/// Where events go.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Something that the user should know.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The host key was not known; it is trusted and pinned now.
    HostKeyPinned {
        /// What it is pinned by.
        identity: String,
        /// `SHA256:…`
        fingerprint: String,
        /// Why it is believed.
        voucher: Voucher,
    },
    /// Nobody could be asked for the host key of a bastion that is not known yet.
    NoVoucher {
        /// Why not.
        why: String,
    },
    /// Connections are served.
    Ready(Ready),
    /// The bastion went away; the listeners stay.
    Lost {
        /// Why the last attempt to connect failed.
        why: String,
    },
    /// The bastion is back.
    Back {
        /// Where it is now.
        bastion: String,
    },
    /// One connection could not be served.
    Refused {
        /// Where it should have led.
        target: String,
        /// What went wrong.
        why: String,
        /// What to do about it.
        hint: String,
    },
}

/// Everything that is needed to use the tunnel.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// Through whom.
    pub bastion: String,
    /// One for each `-L`, in the same order.
    pub forwardings: Vec<Local>,
}

/// A local port that leads to a target.
#[derive(Debug, Clone, Serialize)]
pub struct Local {
    /// The local address and port.
    pub local: SocketAddr,
    /// The target's name; what a certificate is checked against.
    pub host: String,
    /// The target's port.
    pub port: u16,
    /// For PostgreSQL's programs: goes through the tunnel, and checks certificates against the target's own name.
    pub connection: String,
}

impl Event {
    /// Whether it says that connections are served.
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

impl Ready {
    pub(super) fn new(bastion: &Bastion, forwardings: impl Iterator<Item = Local>) -> Self {
        Self { bastion: bastion.to_string(), forwardings: forwardings.collect() }
    }
}

impl Local {
    pub(super) fn new(local: SocketAddr, target: &Target) -> Self {
        let connection = format!("host={} hostaddr={} port={}", target.host, local.ip(), local.port());
        Self { local, host: target.host.clone(), port: target.port, connection }
    }
}

impl Local {
    /// How to go through it: with a browser where the port is one of the web's, else with psql.
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
        for local in &self.forwardings {
            let target = super::forwarding::host_and_port(&local.host, local.port);
            writeln!(f, "{} leads to {target}    {}", local.local, local.usage())?;
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostKeyPinned { identity, fingerprint, voucher: Voucher::User } => {
                write!(f, "the host key of {identity} is {fingerprint}, as you said; it is pinned now")
            }
            Self::HostKeyPinned { identity, fingerprint, voucher: Voucher::Console } => write!(
                f,
                "the host key of {identity} is {fingerprint}, as the machine's console says; it is pinned now"
            ),
            Self::HostKeyPinned { identity, fingerprint, voucher: Voucher::FirstUse } => write!(
                f,
                "the host key of {identity} was not known: trusted on first use and pinned, {fingerprint}"
            ),
            Self::NoVoucher { why } => {
                write!(f, "the machine's console cannot say what its host key is: {why}")
            }
            Self::Ready(ready) => ready.fmt(f),
            Self::Lost { why } => {
                write!(f, "the bastion is away, trying again; new connections wait: {why}")
            }
            Self::Back { bastion } => write!(f, "the bastion is back: {bastion}"),
            Self::Refused { target, why, hint } => {
                write!(f, "a connection to {target} failed: {why}\nhint: {hint}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_to_go_through_depends_on_the_port() {
        let usage = |port| {
            let target = Target { host: "db.example".to_owned(), port };
            Local::new("127.0.0.1:13000".parse().unwrap(), &target).usage()
        };
        assert_eq!(usage(80), "http://127.0.0.1:13000");
        assert_eq!(usage(443), "https://127.0.0.1:13000");
        assert_eq!(usage(5432), "psql \"host=db.example hostaddr=127.0.0.1 port=13000\"");
    }
}
