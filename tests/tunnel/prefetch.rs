//! Prefetched channels, as the target sees them: it numbers its connections.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::{Sshd, Tunnel, WAIT_LIMIT, delay_proxy, server, until};

/// Starts a target that reports the number of each connection, and then serves it.
fn numbered(serve: impl Fn(u8, TcpStream) + Clone + Send + 'static) -> (SocketAddr, Receiver<u8>) {
    let (sender, accepted) = channel();
    let count = Arc::new(AtomicU8::new(0));
    let address = server(move |stream| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        // An error means that the test no longer waits for it.
        _ = sender.send(number);
        serve(number, stream);
    });
    (address, accepted)
}

/// Puts a round trip of 20 ms in front of the server.
fn distant_bastion(sshd: Sshd) -> Sshd {
    let proxy = delay_proxy(sshd.address().into(), Duration::from_millis(10));
    sshd.by_way_of(proxy)
}

/// Answers each byte with the number of the connection.
fn answer_number(number: u8, mut stream: TcpStream) {
    while stream.read_exact(&mut [0]).is_ok() && stream.write_all(&[number]).is_ok() {}
}

/// Returns the number of the connection.
fn ask(stream: &mut TcpStream) -> u8 {
    let mut number = [0];
    stream.write_all(b"?").unwrap();
    stream.read_exact(&mut number).unwrap();
    number[0]
}

#[test]
fn connection_takes_prefetched_channel_and_next_is_opened() {
    let sshd = distant_bastion(Sshd::start());
    let (target, accepted) = numbered(answer_number);
    let tunnel = Tunnel::to(&sshd, target);
    let mut streams = Vec::new();
    for number in 1..6 {
        assert_eq!(accepted.recv_timeout(WAIT_LIMIT), Ok(number), "opened before the connection");
        let mut stream = tunnel.connect();
        assert_eq!(ask(&mut stream), number);
        streams.push(stream);
    }
}

#[test]
fn prefetch_opens_one_channel_per_target() {
    let sshd = distant_bastion(Sshd::start());
    let targets: Vec<_> = (0..4).map(|_| numbered(answer_number)).collect();
    let words: Vec<_> =
        targets.iter().flat_map(|(target, _)| ["-L".to_owned(), format!("0:{target}")]).collect();
    let tunnel = Tunnel::with(&sshd, &words.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, (_, accepted)) in targets.iter().enumerate() {
        assert_eq!(accepted.recv_timeout(WAIT_LIMIT), Ok(1));
        assert_eq!(ask(&mut tunnel.connect_to(number)), 1);
    }
}

#[test]
fn prefetched_channel_keeps_greeting_of_target() {
    let sshd = distant_bastion(Sshd::start());
    let (sender, greeted) = channel();
    let (target, _accepted) = numbered(move |number, mut stream| {
        stream.write_all(b"welcome").unwrap();
        sender.send(()).unwrap();
        answer_number(number, stream);
    });
    let tunnel = Tunnel::to(&sshd, target);
    for number in 1..3 {
        greeted.recv_timeout(WAIT_LIMIT).unwrap();
        let mut stream = tunnel.connect();
        let mut welcome = [0; 7];
        stream.read_exact(&mut welcome).unwrap();
        assert_eq!(&welcome, b"welcome");
        assert_eq!(ask(&mut stream), number);
    }
}

#[test]
fn prefetched_channel_closed_by_target_is_not_used() {
    let sshd = distant_bastion(Sshd::with("LogLevel DEBUG1"));
    let (target, accepted) = numbered(|number, stream| {
        if number > 1 {
            answer_number(number, stream);
        }
    });
    let tunnel = Tunnel::to(&sshd, target);
    assert_eq!(accepted.recv_timeout(WAIT_LIMIT), Ok(1));
    until("both ends know that it is closed", || sshd.log().contains("free: direct-tcpip"));
    assert_ne!(ask(&mut tunnel.connect()), 1);
}

#[test]
fn prefetched_channel_of_lost_bastion_is_not_used() {
    let mut sshd = distant_bastion(Sshd::start());
    let (target, accepted) = numbered(answer_number);
    let mut tunnel = Tunnel::to(&sshd, target);
    assert_eq!(accepted.recv_timeout(WAIT_LIMIT), Ok(1));
    sshd.kill();
    tunnel.event("lost");
    sshd.restart();
    assert_ne!(ask(&mut tunnel.connect()), 1);
}

#[test]
fn prefetch_on_short_path_opens_nothing() {
    let sshd = Sshd::with("LogLevel DEBUG1");
    let (target, _accepted) = numbered(answer_number);
    let tunnel = Tunnel::to(&sshd, target);
    // A channel opened ahead would take a number of its own.
    for number in 1..4 {
        assert_eq!(ask(&mut tunnel.connect()), number);
    }
    let log = sshd.log();
    assert_eq!(log.matches("originator 127.0.0.1 port ").count(), 3, "{log}");
    assert!(!log.contains("originator 127.0.0.1 port 0"), "{log}");
}
