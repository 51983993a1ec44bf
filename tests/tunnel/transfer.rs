//! Transfers: every byte arrives in both directions, with every cipher, and while keys are exchanged.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use crate::support::{Pattern, Sshd, Tunnel, check_pattern, echo, server, write_pattern};

const MEBIBYTE: usize = 1 << 20;

/// Sends bytes to an echo and reads them back at the same time.
#[track_caller]
fn round_trip(tunnel: &Tunnel, length: usize) {
    let mut stream = tunnel.connect();
    let mut sender = stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        write_pattern(&mut sender, Pattern::new(7), length);
        sender.shutdown(Shutdown::Write).unwrap();
    });
    check_pattern(&mut stream, Pattern::new(7), length);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "more came back than was sent");
    writer.join().unwrap();
}

#[test]
fn transfer_64_mebibytes_both_ways_arrives_unchanged() {
    let sshd = Sshd::start();
    let tunnel = Tunnel::to(&sshd, echo());
    round_trip(&tunnel, 64 * MEBIBYTE);
}

#[test]
fn transfer_with_each_cipher_arrives_unchanged() {
    let sshd = Sshd::start();
    let target = format!("0:{}", echo());
    for cipher in ["aes256-gcm", "aes128-gcm", "chacha20-poly1305", "aes256-ctr"] {
        let tunnel = Tunnel::with(&sshd, &["-L", &target, "--cipher", cipher]);
        round_trip(&tunnel, MEBIBYTE);
    }
}

#[test]
fn transfer_during_key_exchanges_arrives_unchanged() {
    let sshd = Sshd::with("RekeyLimit 8M\nLogLevel DEBUG1");
    let tunnel = Tunnel::to(&sshd, echo());
    round_trip(&tunnel, 1024 * MEBIBYTE);
    let rekeyed = sshd
        .log()
        .matches("rekeying in progress")
        .count()
        .max(sshd.log().matches("SSH2_MSG_NEWKEYS received").count());
    assert!(rekeyed > 20, "sshd exchanged keys only {rekeyed} times");
}

#[test]
fn client_that_shuts_down_writing_still_receives_reply() {
    let sshd = Sshd::start();
    let target = server(|mut stream| {
        let mut question = Vec::new();
        stream.read_to_end(&mut question).unwrap();
        assert_eq!(question, b"question");
        write_pattern(&mut stream, Pattern::new(3), 4 * MEBIBYTE);
    });
    let tunnel = Tunnel::to(&sshd, target);
    let mut stream = tunnel.connect();
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    check_pattern(&mut stream, Pattern::new(3), 4 * MEBIBYTE);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn server_that_shuts_down_writing_still_receives_rest() {
    let sshd = Sshd::start();
    let (sender, received_all) = std::sync::mpsc::channel();
    let target = server(move |mut stream| {
        stream.write_all(b"bye").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        check_pattern(&mut stream, Pattern::new(4), 4 * MEBIBYTE);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        sender.send(()).unwrap();
    });
    let tunnel = Tunnel::to(&sshd, target);
    let mut stream = tunnel.connect();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"bye");
    write_pattern(&mut stream, Pattern::new(4), 4 * MEBIBYTE);
    stream.shutdown(Shutdown::Write).unwrap();
    received_all.recv_timeout(crate::support::WAIT_LIMIT).unwrap();
}

#[test]
fn client_reset_closes_connection_of_server() {
    let sshd = Sshd::start();
    let (sender, closed) = std::sync::mpsc::channel();
    let target = server(move |mut stream| {
        // Writes until the connection is closed.
        while stream.write_all(&[0; 4096]).is_ok() {}
        sender.send(()).unwrap();
    });
    let tunnel = Tunnel::to(&sshd, target);
    let mut stream = tunnel.connect();
    stream.read_exact(&mut [0]).unwrap();
    drop(stream);
    closed.recv_timeout(crate::support::WAIT_LIMIT).unwrap();
}
