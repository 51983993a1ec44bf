//! A way to the target that is open before anybody comes, where the bastion is far away. Seen from the target, which numbers its
//! connections.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::{PATIENCE, Sshd, Tunnel, distant, server, until};

/// A target that says the number of each connection as soon as it has come, and serves it as told.
fn numbered(serve: impl Fn(u8, TcpStream) + Clone + Send + 'static) -> (SocketAddr, Receiver<u8>) {
    let (sender, came) = channel();
    let count = Arc::new(AtomicU8::new(0));
    let address = server(move |stream| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        // The test may have seen enough.
        _ = sender.send(number);
        serve(number, stream);
    });
    (address, came)
}

/// A round trip to it takes 20 ms.
fn far_away(sshd: Sshd) -> Sshd {
    let way = distant(sshd.address().into(), Duration::from_millis(10));
    sshd.by_way_of(way)
}

/// Answers each question with the connection's number.
fn say_it(number: u8, mut stream: TcpStream) {
    while stream.read_exact(&mut [0]).is_ok() && stream.write_all(&[number]).is_ok() {}
}

/// Asks for the number of the connection at the other end.
fn ask(stream: &mut TcpStream) -> u8 {
    let mut number = [0];
    stream.write_all(b"?").unwrap();
    stream.read_exact(&mut number).unwrap();
    number[0]
}

#[test]
fn who_comes_finds_it_open_and_another_is_opened_for_the_next() {
    let sshd = far_away(Sshd::start());
    let (target, came) = numbered(say_it);
    let tunnel = Tunnel::to(&sshd, target);
    let mut streams = Vec::new();
    for number in 1..6 {
        assert_eq!(came.recv_timeout(PATIENCE), Ok(number), "before anybody has asked for it");
        let mut stream = tunnel.connect();
        assert_eq!(ask(&mut stream), number);
        streams.push(stream);
    }
}

#[test]
fn each_target_has_its_own() {
    let sshd = far_away(Sshd::start());
    let targets: Vec<_> = (0..4).map(|_| numbered(say_it)).collect();
    let words: Vec<_> =
        targets.iter().flat_map(|(target, _)| ["-L".to_owned(), format!("0:{target}")]).collect();
    let tunnel = Tunnel::with(&sshd, &words.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, (_, came)) in targets.iter().enumerate() {
        assert_eq!(came.recv_timeout(PATIENCE), Ok(1));
        assert_eq!(ask(&mut tunnel.connect_to(number)), 1);
    }
}

#[test]
fn what_the_target_says_first_is_not_lost() {
    let sshd = far_away(Sshd::start());
    let (sender, said) = channel();
    let (target, _came) = numbered(move |number, mut stream| {
        stream.write_all(b"welcome").unwrap();
        sender.send(()).unwrap();
        say_it(number, stream);
    });
    let tunnel = Tunnel::to(&sshd, target);
    for number in 1..3 {
        said.recv_timeout(PATIENCE).unwrap();
        let mut stream = tunnel.connect();
        let mut welcome = [0; 7];
        stream.read_exact(&mut welcome).unwrap();
        assert_eq!(&welcome, b"welcome");
        assert_eq!(ask(&mut stream), number);
    }
}

#[test]
fn one_that_the_target_has_ended_is_given_to_nobody() {
    let sshd = far_away(Sshd::with("LogLevel DEBUG1"));
    let (target, came) = numbered(|number, stream| {
        if number > 1 {
            say_it(number, stream);
        }
    });
    let tunnel = Tunnel::to(&sshd, target);
    assert_eq!(came.recv_timeout(PATIENCE), Ok(1));
    until("both ends know that it is closed", || sshd.log().contains("free: direct-tcpip"));
    assert_ne!(ask(&mut tunnel.connect()), 1);
}

#[test]
fn one_through_a_bastion_that_is_gone_is_given_to_nobody() {
    let mut sshd = far_away(Sshd::start());
    let (target, came) = numbered(say_it);
    let mut tunnel = Tunnel::to(&sshd, target);
    assert_eq!(came.recv_timeout(PATIENCE), Ok(1));
    sshd.kill();
    tunnel.event("lost");
    sshd.restart();
    assert_ne!(ask(&mut tunnel.connect()), 1);
}

#[test]
fn where_the_bastion_is_near_nothing_is_opened_ahead() {
    let sshd = Sshd::with("LogLevel DEBUG1");
    let (target, _came) = numbered(say_it);
    let tunnel = Tunnel::to(&sshd, target);
    // The second would have to wait for what was opened after the first.
    for number in 1..4 {
        assert_eq!(ask(&mut tunnel.connect()), number);
    }
    let log = sshd.log();
    assert_eq!(log.matches("originator 127.0.0.1 port ").count(), 3, "{log}");
    assert!(!log.contains("originator 127.0.0.1 port 0"), "{log}");
}
