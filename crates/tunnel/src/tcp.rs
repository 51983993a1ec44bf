//! The TCP connection to the bastion: every address of its name, raced (RFC 8305), or a proxy.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::bastion::Bastion;
use crate::proxy::Proxy;
use crate::reconnect::ConnectError;

/// How long an address may take before the next one is tried, too (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// An address and why it cannot be connected to.
type FailedAddress = (SocketAddr, std::io::Error);

/// Connects before the deadline, `limit` after the start.
pub(crate) async fn connect(
    bastion: &Bastion,
    proxy: Option<&Proxy>,
    deadline: Instant,
    limit: Duration,
) -> Result<TcpStream, ConnectError> {
    let stream = match proxy.filter(|proxy| proxy.is_for(&bastion.host)) {
        Some(proxy) => {
            let connected = timeout_at(deadline, proxy.connect(&bastion.host, bastion.port)).await;
            let connected =
                connected.unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs())));
            connected.map_err(|why| {
                let what =
                    format!("cannot reach the bastion {} through the proxy {proxy}", bastion.address());
                let hint = "check ALL_PROXY, and NO_PROXY if the bastion is reached without it";
                ConnectError::Unreachable(Failure::new(what).source(why).hint(hint))
            })?
        }
        None => direct(bastion, deadline, limit).await?,
    };
    let what = || format!("cannot configure the connection to {}", bastion.address());
    stream.set_nodelay(true).context(what).map_err(ConnectError::Unreachable)?;
    Ok(stream)
}

async fn direct(bastion: &Bastion, deadline: Instant, limit: Duration) -> Result<TcpStream, ConnectError> {
    let unresolved = || format!("the bastion's name `{}` does not resolve", bastion.host);
    let lookup = timeout_at(deadline, tokio::net::lookup_host((bastion.host.as_str(), bastion.port))).await;
    let found = lookup
        .context(unresolved)
        .and_then(|found| found.context(unresolved))
        .map_err(|failure| failure.hint("check the name in --bastion and this machine's network"))
        .map_err(ConnectError::Unreachable)?;
    let addresses = interleaved(found.collect());
    let mut failed = Vec::new();
    match timeout_at(deadline, race(&addresses, &mut failed)).await {
        Ok(Some(stream)) => Ok(stream),
        Ok(None) => Err(ConnectError::Unreachable(unreachable(bastion, &failed, &[], limit))),
        Err(_) => {
            let is_open = |address: &&SocketAddr| !failed.iter().any(|(failed, _)| failed == *address);
            let silent: Vec<_> = addresses.iter().filter(is_open).copied().collect();
            Err(ConnectError::Silent(unreachable(bastion, &failed, &silent, limit)))
        }
    }
}

/// Alternates between the families, beginning with the one that the resolver prefers.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let prefers_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let number = addresses.len();
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == prefers_ipv6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    (0..number).flat_map(|_| [first.next(), second.next()]).flatten().collect()
}

/// Starts with the first address, and goes on to the next if one fails or is slow. Returns the first connection; the others are abandoned.
async fn race(addresses: &[SocketAddr], failed: &mut Vec<FailedAddress>) -> Option<TcpStream> {
    let mut waiting = addresses.iter().copied();
    let mut attempts = JoinSet::new();
    let mut start = true;
    loop {
        if start && let Some(address) = waiting.next() {
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        let has_more = waiting.len() > 0;
        start = tokio::select! {
            Some(finished) = attempts.join_next() => {
                match finished {
                    Ok((_, Ok(stream))) => return Some(stream),
                    Ok((address, Err(error))) => failed.push((address, error)),
                    Err(_) => {}
                }
                true
            }
            () = sleep(ATTEMPT_DELAY), if has_more => true,
            else => return None,
        };
    }
}

/// Returns the error if no address could be connected to; `silent` ones did not answer in time.
fn unreachable(
    bastion: &Bastion,
    failed: &[FailedAddress],
    silent: &[SocketAddr],
    limit: Duration,
) -> Failure {
    let (address, port, seconds) = (bastion.address(), bastion.port, limit.as_secs());
    let is_refused = |(_, error): &FailedAddress| error.kind() == ErrorKind::ConnectionRefused;
    let all_refused = silent.is_empty() && failed.iter().all(is_refused);
    let hint = if all_refused {
        "check the port in --bastion, and that sshd runs there".to_owned()
    } else if failed.is_empty() {
        format!("check that its security group allows your address on port {port}")
    } else {
        "check this machine's network".to_owned()
    };
    let single = failed.len() + silent.len() == 1;
    let failure = match failed {
        [] if single => Failure::new(format!("the bastion {address} does not answer within {seconds} s")),
        [(_, error)] if single && all_refused => {
            Failure::new(format!("nothing listens on {address}")).source(error.to_string())
        }
        [(_, error)] if single => {
            Failure::new(format!("cannot reach the bastion {address}")).source(error.to_string())
        }
        _ => {
            let failed = failed.iter().map(|(address, error)| format!("{address} ({error})"));
            let silent = silent.iter().map(|address| format!("{address} (no answer within {seconds} s)"));
            let tried: Vec<_> = failed.chain(silent).collect();
            Failure::new(format!("cannot reach the bastion {address}; tried {}", tried.join(", ")))
        }
    };
    failure.hint(hint)
}

#[cfg(all(test, not(shuttle)))]
#[expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn interleaved_alternates_and_keeps_preferred_family_first() {
        let mixed = addresses(&["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1", "2.2.2.2:1"]);
        assert_eq!(
            interleaved(mixed),
            addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"])
        );
        assert_eq!(interleaved(addresses(&["1.1.1.1:1"])), addresses(&["1.1.1.1:1"]));
    }

    #[tokio::test]
    async fn race_passes_over_refused_address_and_fails_if_all_are() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut failed = Vec::new();
        let open = listener.local_addr().unwrap();
        let stream = race(&[closed, open], &mut failed).await.unwrap();
        assert_eq!((stream.peer_addr().unwrap(), failed.len()), (open, 1));
        assert!(race(&[closed, closed], &mut failed).await.is_none());
        assert_eq!(failed.len(), 3);
        assert!(race(&[], &mut failed).await.is_none());
    }

    #[test]
    fn unreachable_names_every_address() {
        let bastion: Bastion = "me@b.example".parse().unwrap();
        let refused = || std::io::Error::from(ErrorKind::ConnectionRefused);
        let [first, second] = addresses(&["[2001:db8::1]:22", "192.0.2.1:22"])[..] else {
            panic!("two addresses")
        };
        let text = |failed: &[FailedAddress], silent: &[SocketAddr]| {
            format!("{:?}", unreachable(&bastion, failed, silent, Duration::from_secs(10)))
        };
        assert!(text(&[(first, refused())], &[]).contains("nothing listens on b.example:22"));
        assert!(text(&[], &[first]).contains("does not answer within 10 s"));
        let both = text(&[(first, refused())], &[second]);
        for words in ["[2001:db8::1]:22 (", "192.0.2.1:22 (no answer within 10 s)"] {
            assert!(both.contains(words), "{both}");
        }
    }
}
