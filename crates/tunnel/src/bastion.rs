//! The bastion, and how its address is found.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use common::failure::Result;

use crate::console_keys::ConsoleKeys;
use crate::forwarding::{host_and_port, split_host};

const DEFAULT_SSH_PORT: u16 = 22;

/// The login and address of a bastion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bastion {
    /// The user to log in as.
    pub user: String,
    /// A host name or an IP address.
    pub host: String,
    /// The SSH port.
    pub port: u16,
    /// The EC2 instance id, if known. The host key is pinned for it rather than for the address.
    pub instance: Option<String>,
}

impl Bastion {
    /// Returns the name that the host key is pinned for: the instance id, or `host:port`.
    pub fn identity(&self) -> String {
        self.instance.clone().unwrap_or_else(|| self.address())
    }

    /// Returns `host:port`.
    pub fn address(&self) -> String {
        host_and_port(&self.host, self.port)
    }
}

impl fmt::Display for Bastion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.address())
    }
}

impl FromStr for Bastion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not USER@HOST or USER@HOST:PORT");
        let (user, address) = text.rsplit_once('@').ok_or_else(invalid)?;
        let (host, port) = split_host(address).ok_or_else(invalid)?;
        let port = port.unwrap_or(DEFAULT_SSH_PORT);
        if user.is_empty() || user.contains(|c: char| c.is_control() || c.is_whitespace()) || port == 0 {
            return Err(invalid());
        }
        Ok(Self { user: user.to_owned(), host, port, instance: None })
    }
}

/// Finds the bastion, and does for it what the cloud provider can do.
#[async_trait]
pub trait Discovery: Send + Sync {
    /// Returns the bastion's present address. Called before every attempt to connect, so that a replaced bastion is found.
    async fn find(&self) -> Result<Bastion>;

    /// Returns the host keys that the provider vouches for; empty if it knows none.
    async fn host_keys(&self, _: &Bastion) -> Result<ConsoleKeys> {
        Ok(ConsoleKeys::default())
    }

    /// Returns why a bastion may not answer this machine and what to do about it, if the provider knows.
    async fn explain_silence(&self, _: &Bastion) -> Option<String> {
        None
    }

    /// Authorizes a public key for a short time (EC2 Instance Connect). Returns whether the provider can do so.
    async fn send_public_key(&self, _: &Bastion, _public_key: &str) -> Result<bool> {
        Ok(false)
    }
}

/// A bastion with a fixed address.
#[async_trait]
impl Discovery for Bastion {
    async fn find(&self) -> Result<Self> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bastion_is_parsed_with_default_port_and_rejects_malformed_text() {
        let bastion: Bastion = "ec2-user@bastion.example".parse().unwrap();
        assert_eq!(bastion.to_string(), "ec2-user@bastion.example:22");
        assert_eq!(bastion.identity(), "bastion.example:22");
        let instance = Bastion { instance: Some("i-0abc".into()), ..bastion };
        assert_eq!(instance.identity(), "i-0abc");
        assert_eq!("a@b@[::1]:2222".parse::<Bastion>().unwrap().to_string(), "a@b@[::1]:2222");
        for invalid in ["", "host", "@host", "user@", "user@host:x", "user@host:0", "a b@host"] {
            assert!(invalid.parse::<Bastion>().unwrap_err().contains("USER@HOST"), "{invalid}");
        }
    }
}
