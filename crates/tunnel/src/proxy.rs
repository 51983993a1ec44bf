//! A proxy on the way to the bastion: SOCKS5 (RFC 1928) or HTTP `CONNECT` (RFC 9110, section 9.3.6).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use crate::forwarding::{host_and_port, split_host};

/// Far more than the answer of any proxy.
const MAX_ANSWER: usize = 16 << 10;

/// A proxy, as in `ALL_PROXY`, with the hosts that are reached without it, as in `NO_PROXY`.
#[derive(Clone)]
pub struct Proxy {
    is_socks: bool,
    host: String,
    port: u16,
    /// Name and password: a secret.
    login: Option<(String, String)>,
    exceptions: Vec<String>,
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "the proxy is not socks5://HOST:PORT or http://HOST:PORT".to_owned();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (is_socks, default_port) = match scheme.to_lowercase().as_str() {
            "socks5" | "socks5h" | "socks" => (true, 1080),
            "http" => (false, 80),
            _ => return Err(invalid()),
        };
        let rest = rest.trim_end_matches('/');
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login.split_once(':').unwrap_or((login, ""))), address),
            None => (None, rest),
        };
        let login = login.map(|(name, password)| (name.to_owned(), password.to_owned()));
        let (host, port) = split_host(address).ok_or_else(invalid)?;
        Ok(Self { is_socks, host, port: port.unwrap_or(default_port), login, exceptions: Vec::new() })
    }
}

/// Without the login.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_socks { "socks5" } else { "http" };
        write!(f, "{scheme}://{}", host_and_port(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Proxy {
    /// Leaves out the hosts of a list such as `localhost,.example.org,10.0.0.1`; `*` leaves out all.
    #[must_use]
    pub fn except(mut self, hosts: &str) -> Self {
        let hosts = hosts.split(',').map(|host| host.trim().trim_start_matches('.').to_lowercase());
        self.exceptions.extend(hosts.filter(|host| !host.is_empty()));
        self
    }

    /// Returns whether connections to the host go through the proxy.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        !self.exceptions.iter().any(|exception| {
            *exception == "*"
                || host == *exception
                || host.strip_suffix(exception.as_str()).is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// Connects; the proxy resolves the name. The error is a clause.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let proxy = (self.host.as_str(), self.port);
        if self.is_socks {
            let stream = match &self.login {
                None => Socks5Stream::connect(proxy, (host, port)).await,
                Some((name, password)) => {
                    Socks5Stream::connect_with_password(proxy, (host, port), name, password).await
                }
            };
            return stream.map(Socks5Stream::into_inner).map_err(|error| error.to_string());
        }
        let mut stream = TcpStream::connect(proxy).await.map_err(|error| error.to_string())?;
        let target = host_and_port(host, port);
        let login = self.login.as_ref().map(|(name, password)| {
            format!("Proxy-Authorization: Basic {}\r\n", BASE64.encode(format!("{name}:{password}")))
        });
        let request =
            format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", login.unwrap_or_default());
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let status = read_status(&mut stream).await?;
        let is_success = status.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
        if is_success { Ok(stream) } else { Err(format!("it answers `{status}`")) }
    }
}

/// Reads the answer and returns its first line. Byte by byte: what follows belongs to SSH.
async fn read_status(stream: &mut TcpStream) -> Result<String, String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == MAX_ANSWER {
            return Err("its answer has no end".to_owned());
        }
        answer.push(stream.read_u8().await.map_err(|error| error.to_string())?);
    }
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_is_parsed_and_its_login_is_not_shown() {
        for (text, shown) in [
            ("socks5://10.0.0.1", "socks5://10.0.0.1:1080"),
            ("socks5h://me:se@cret@proxy:9", "socks5://proxy:9"),
            ("http://proxy:3128/", "http://proxy:3128"),
            ("proxy:3128", "http://proxy:3128"),
            ("socks5://[::1]:9", "socks5://[::1]:9"),
        ] {
            let proxy: Proxy = text.parse().unwrap();
            assert_eq!((proxy.to_string(), format!("{proxy:?}")), (shown.to_owned(), shown.to_owned()));
        }
        for invalid in ["ftp://proxy", "http://", "socks5://a:b:c"] {
            assert!(invalid.parse::<Proxy>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn exceptions_are_hosts_and_domains() {
        let proxy: Proxy = "proxy:1".parse().unwrap();
        let proxy = proxy.except("localhost, .example.org,10.0.0.1");
        assert!(!proxy.is_for("LOCALHOST") && !proxy.is_for("a.example.org") && !proxy.is_for("10.0.0.1"));
        assert!(proxy.is_for("notexample.org") && proxy.is_for("10.0.0.11"));
        assert!(!proxy.except("*").is_for("anything"));
    }
}
