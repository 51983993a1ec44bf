//! What leads where, as the user writes it: `5432:db.example:5432`, as for `ssh -L`.

use std::fmt;
use std::str::FromStr;

/// A local port and the place to which it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// The local port; 0 is any free one.
    pub port: u16,
    /// Where it leads, as the bastion sees it.
    pub target: Target,
}

/// A host and a port, as the bastion sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&host_and_port(&self.host, self.port))
    }
}

impl FromStr for Forwarding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not LOCAL-PORT:HOST:PORT, such as 5432:db.example:5432");
        let (local, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (host, port) = split_host(rest).ok_or_else(wrong)?;
        let target = Target { host, port: port.filter(|port| *port != 0).ok_or_else(wrong)? };
        Ok(Self { port: local.parse().map_err(|_| wrong())?, target })
    }
}

/// `host:port`, with brackets around an IPv6 address.
pub fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Reads `host`, `host:port`, `[::1]` or `[::1]:port`.
pub(super) fn split_host(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    // What is no name would be handed to the bastion, and shown to the user.
    let named = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:%".contains(c));
    let port = port.map(str::parse).transpose().ok()?;
    named.then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_ssh_reads_it() {
        let read = |text: &str| text.parse::<Forwarding>();
        let target = |host: &str, port| Target { host: host.to_owned(), port };
        assert_eq!(
            read("5432:db.example:5433").unwrap(),
            Forwarding { port: 5432, target: target("db.example", 5433) }
        );
        let v6 = read("0:[fd00::1]:5432").unwrap();
        assert_eq!(v6, Forwarding { port: 0, target: target("fd00::1", 5432) });
        assert_eq!(v6.target.to_string(), "[fd00::1]:5432");
        for wrong in [
            "",
            "5432",
            "db:5432",
            "5432:db",
            "5432:db:0",
            "5432:db:70000",
            "x:db:1",
            "1::2",
            "1:d b:2",
            "1:[a:2",
        ] {
            assert!(read(wrong).unwrap_err().contains("LOCAL-PORT:HOST:PORT"), "{wrong}");
        }
    }
}
