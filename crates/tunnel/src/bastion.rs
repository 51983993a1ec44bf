//! The machine in the middle: who and where it is, and how it is found.
//!
//! A tunnel asks its [`Discovery`] again before every attempt to connect, so that a bastion that was replaced is found at its
//! new address. Finding it in an Auto Scaling group is another implementation of the same trait.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use common::failure::Result;
use serde::Serialize;

use super::forwarding::{host_and_port, split_host};

/// Where SSH listens unless somebody says otherwise.
const SSH_PORT: u16 = 22;

/// A bastion, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bastion {
    /// Who logs in.
    pub user: String,
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The machine's own id. Its host key is pinned by it; by host and port where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Bastion {
    /// What the host key is pinned by.
    pub fn identity(&self) -> String {
        self.instance.clone().unwrap_or_else(|| self.place())
    }

    /// `host:port`.
    pub fn place(&self) -> String {
        host_and_port(&self.host, self.port)
    }
}

impl fmt::Display for Bastion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.place())
    }
}

impl FromStr for Bastion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not USER@HOST or USER@HOST:PORT");
        let (user, place) = text.rsplit_once('@').ok_or_else(wrong)?;
        let (host, port) = split_host(place).ok_or_else(wrong)?;
        let port = port.unwrap_or(SSH_PORT);
        if user.is_empty() || user.contains(|c: char| c.is_control() || c.is_whitespace()) || port == 0 {
            return Err(wrong());
        }
        Ok(Self { user: user.to_owned(), host, port, instance: None })
    }
}

/// A way to find the bastion.
#[async_trait]
pub trait Discovery: Send + Sync {
    /// Where it is now. Asked again before every attempt to connect.
    async fn find(&self) -> Result<Bastion>;

    /// The host keys that somebody vouches for who knows the machine: `algorithm key` each; none where nobody does.
    async fn host_keys(&self, _: &Bastion) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Asks the bastion to let this public key in for a moment; whether there is anybody to ask.
    async fn introduce(&self, _: &Bastion, _public_key: &str) -> Result<bool> {
        Ok(false)
    }
}

/// A bastion that the user named is where the user says.
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
    fn a_user_and_a_place() {
        let bastion: Bastion = "ec2-user@bastion.example".parse().unwrap();
        assert_eq!(bastion.to_string(), "ec2-user@bastion.example:22");
        assert_eq!(bastion.identity(), "bastion.example:22");
        let named = Bastion { instance: Some("i-0abc".into()), ..bastion };
        assert_eq!(named.identity(), "i-0abc");
        assert_eq!("a@b@[::1]:2222".parse::<Bastion>().unwrap().to_string(), "a@b@[::1]:2222");
        for wrong in ["", "host", "@host", "user@", "user@host:x", "user@host:0", "a b@host"] {
            assert!(wrong.parse::<Bastion>().unwrap_err().contains("USER@HOST"), "{wrong}");
        }
    }
}
