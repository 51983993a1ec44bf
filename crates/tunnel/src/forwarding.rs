//! Forwardings as the user types them: `5432:db.example:5432`, as for `ssh -L`.

use std::fmt;
use std::str::FromStr;

/// A local port and the endpoint that it forwards to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// The local port; 0 takes any free one.
    pub port: u16,
    /// The target behind the bastion.
    pub target: Endpoint,
}

/// A host and a port, as the bastion resolves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&host_and_port(&self.host, self.port))
    }
}

impl FromStr for Forwarding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not LOCAL-PORT:HOST:PORT, such as 5432:db.example:5432");
        let (local, rest) = text.split_once(':').ok_or_else(invalid)?;
        let (host, port) = split_host(rest).ok_or_else(invalid)?;
        let target = Endpoint { host, port: port.filter(|port| *port != 0).ok_or_else(invalid)? };
        Ok(Self { port: local.parse().map_err(|_| invalid())?, target })
    }
}

/// Returns `host:port`, with brackets around an IPv6 address.
pub(crate) fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Splits `host`, `host:port`, `[::1]` or `[::1]:port`. The host goes to the bastion and to the terminal: only the characters of
/// names and addresses are accepted.
pub(crate) fn split_host(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let valid = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:%".contains(c));
    let port = port.map(str::parse).transpose().ok()?;
    valid.then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_is_parsed_as_by_ssh_and_rejects_malformed_text() {
        let target = |host: &str, port| Endpoint { host: host.to_owned(), port };
        let forwarding: Forwarding = "5432:db.example:5433".parse().unwrap();
        assert_eq!(forwarding, Forwarding { port: 5432, target: target("db.example", 5433) });
        let v6: Forwarding = "0:[fd00::1]:5432".parse().unwrap();
        assert_eq!(v6, Forwarding { port: 0, target: target("fd00::1", 5432) });
        assert_eq!(v6.target.to_string(), "[fd00::1]:5432");
        for invalid in [
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
            assert!(invalid.parse::<Forwarding>().unwrap_err().contains("LOCAL-PORT:HOST:PORT"), "{invalid}");
        }
    }
}
