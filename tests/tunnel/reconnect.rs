//! Reconnecting: the bastion goes away and comes back, changed or not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use nix::sys::signal::Signal;

use crate::support::{Sshd, Tunnel, echo};

/// Asserts that an echo answers.
#[track_caller]
fn ping(stream: &mut TcpStream) {
    stream.write_all(b"ping").unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ping");
}

/// Asserts that the connection is closed or reset.
#[track_caller]
fn assert_closed(stream: &mut TcpStream) {
    match stream.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => panic!("the connection is still open"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
}

#[test]
fn connection_during_outage_waits_and_is_served() {
    let mut sshd = Sshd::start();
    let mut tunnel = Tunnel::to(&sshd, echo());
    let mut open = tunnel.connect();
    ping(&mut open);
    sshd.kill();
    assert_closed(&mut open);
    tunnel.event("lost");
    let mut waiting = tunnel.connect();
    waiting.write_all(b"ping").unwrap();
    sshd.restart();
    let mut answer = [0; 4];
    waiting.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ping");
    tunnel.event("back");
}

#[test]
fn silent_bastion_is_detected_and_replaced() {
    let sshd = Sshd::start();
    let tunnel = Tunnel::to(&sshd, echo());
    let mut open = tunnel.connect();
    ping(&mut open);
    // Like a machine without network: nothing is closed and nothing answers.
    sshd.signal_sessions(Signal::SIGSTOP);
    assert_closed(&mut open);
    ping(&mut tunnel.connect());
    sshd.signal_sessions(Signal::SIGKILL);
}

#[test]
fn changed_host_key_after_outage_ends_tunnel() {
    let mut sshd = Sshd::start();
    let mut tunnel = Tunnel::to(&sshd, echo());
    let local = tunnel.local();
    let before = sshd.fingerprint();
    sshd.kill();
    tunnel.event("lost");
    sshd.change_host_key();
    sshd.restart();
    tunnel.wait().assert_failed(1, &[&before, &sshd.fingerprint()]);
    assert!(TcpStream::connect(local).is_err(), "something still listens on {local}");
}

#[test]
fn two_rejected_logins_end_tunnel() {
    let mut sshd = Sshd::start();
    let tunnel = Tunnel::to(&sshd, echo());
    sshd.kill();
    std::fs::write(sshd.file("authorized_keys"), "").unwrap();
    sshd.restart();
    tunnel.wait().assert_failed(4, &["rejected every key", "does not accept this key"]);
    assert_eq!(sshd.log().matches("Failed publickey").count(), 2, "{}", sshd.log());
}
