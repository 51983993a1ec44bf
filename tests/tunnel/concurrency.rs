//! Many connections: at the same time, one after the other, and beside stalled ones.

use std::io::{Read as _, Write as _};

use crate::support::{Pattern, Sshd, Tunnel, check_pattern, echo, server, until, write_pattern};

#[test]
fn two_hundred_concurrent_connections_receive_their_own_bytes() {
    let sshd = Sshd::start();
    let tunnel = Tunnel::to(&sshd, echo());
    let mut streams: Vec<_> = (0..200).map(|_| tunnel.connect()).collect();
    for (number, stream) in (0..).zip(&mut streams) {
        write_pattern(stream, Pattern::new(number), 64 << 10);
    }
    for (number, stream) in (0..).zip(&mut streams) {
        check_pattern(stream, Pattern::new(number), 64 << 10);
    }
}

/// Memory that 800 connections may leave to the allocator: far less than one buffer each.
const MAX_GROWTH: u64 = 8 << 20;

#[test]
fn thousand_sequential_connections_leak_neither_memory_nor_descriptors() {
    let sshd = Sshd::start();
    let tunnel = Tunnel::to(&sshd, echo());
    let once = || {
        let mut stream = tunnel.connect();
        stream.write_all(b"ping").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"ping");
    };
    for _ in 0..200 {
        once();
    }
    // Every permanent buffer is allocated by now.
    let before = tunnel.resident();
    for _ in 0..800 {
        once();
    }
    // Idle sessions and the runtime's descriptors remain.
    until("all descriptors but a few are closed", || tunnel.descriptors() < 20);
    let after = tunnel.resident();
    assert!(after < before + MAX_GROWTH, "memory grew from {before} to {after} bytes");
}

#[test]
fn stalled_connections_do_not_block_another() {
    let sshd = Sshd::start();
    let flood = server(|mut stream| while stream.write_all(&[7; 8 << 10]).is_ok() {});
    let tunnel = Tunnel::with(&sshd, &["-L", &format!("0:{flood}"), "-L", &format!("0:{}", echo())]);
    let mut unread: Vec<_> = (0..3).map(|_| tunnel.connect()).collect();
    for stream in &mut unread {
        // Data flows, and is not read from here on.
        stream.read_exact(&mut [0]).unwrap();
    }
    let mut stream = tunnel.connect_to(1);
    let mut sender = stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || write_pattern(&mut sender, Pattern::new(1), 16 << 20));
    check_pattern(&mut stream, Pattern::new(1), 16 << 20);
    writer.join().unwrap();
    drop(unread);
}
