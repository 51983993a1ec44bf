//! What goes in comes out: in both directions, at both ends, also while the keys change.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use crate::support::{Pattern, Sshd, Tunnel, check_pattern, echo, server, write_pattern};

const MEBIBYTE: usize = 1 << 20;

/// Sends so much to an echo and reads it back at the same time.
fn there_and_back(tunnel: &Tunnel, length: usize) {
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
fn sixty_four_mebibytes_there_and_back() {
    let sshd = Sshd::start();
    let tunnel = Tunnel::to(&sshd, echo());
    there_and_back(&tunnel, 64 * MEBIBYTE);
}

#[test]
fn every_cipher_carries_them() {
    let sshd = Sshd::start();
    let target = format!("0:{}", echo());
    for cipher in ["aes256-gcm", "aes128-gcm", "chacha20-poly1305", "aes256-ctr"] {
        let tunnel = Tunnel::with(&sshd, &["-L", &target, "--cipher", cipher]);
        there_and_back(&tunnel, MEBIBYTE);
    }
}

#[test]
fn keys_that_change_all_the_time_lose_nothing() {
    let sshd = Sshd::with("RekeyLimit 8M\nLogLevel DEBUG1");
    let tunnel = Tunnel::to(&sshd, echo());
    there_and_back(&tunnel, 1024 * MEBIBYTE);
    let rekeyed = sshd
        .log()
        .matches("rekeying in progress")
        .count()
        .max(sshd.log().matches("SSH2_MSG_NEWKEYS received").count());
    assert!(rekeyed > 20, "sshd changed keys only {rekeyed} times");
}

#[test]
fn a_client_that_has_said_everything_still_gets_its_answer() {
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
fn a_server_that_has_said_everything_still_hears_the_rest() {
    let sshd = Sshd::start();
    let (sender, heard) = std::sync::mpsc::channel();
    let target = server(move |mut stream| {
        stream.write_all(b"bye").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        check_pattern(&mut stream, Pattern::new(4), 4 * MEBIBYTE);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        sender.send(()).unwrap();
    });
    let tunnel = Tunnel::to(&sshd, target);
    let mut stream = tunnel.connect();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"bye");
    write_pattern(&mut stream, Pattern::new(4), 4 * MEBIBYTE);
    stream.shutdown(Shutdown::Write).unwrap();
    heard.recv_timeout(crate::support::PATIENCE).unwrap();
}

#[test]
fn a_client_that_breaks_off_is_a_server_that_is_left() {
    let sshd = Sshd::start();
    let (sender, left) = std::sync::mpsc::channel();
    let target = server(move |mut stream| {
        // Writes until nobody is there.
        while stream.write_all(&[0; 4096]).is_ok() {}
        sender.send(()).unwrap();
    });
    let tunnel = Tunnel::to(&sshd, target);
    let mut stream = tunnel.connect();
    stream.read_exact(&mut [0]).unwrap();
    drop(stream);
    left.recv_timeout(crate::support::PATIENCE).unwrap();
}
