//! Every error has a message and a hint of its own, and leaves no listener behind.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::{Finished, Sshd, Tunnel, echo, refuses, server};

/// Runs a tunnel from `port` that fails.
fn fails(sshd: &Sshd, bastion: &str, port: u16, more: &[&str]) -> Finished {
    let (route, id) = (format!("{port}:127.0.0.1:1"), sshd.file("id"));
    let words = ["tunnel", "-L", &route, "--bastion", bastion, "-i", id.to_str().unwrap()];
    Finished::run(sshd, &[&words[..], more].concat())
}

#[test]
fn unreachable_bastion_fails_with_reason() {
    let sshd = Sshd::start();
    let unused = refuses();
    let port = refuses().port();
    fails(&sshd, &format!("root@{unused}"), port, &[])
        .assert_failed(1, &["nothing listens on", &unused.to_string()]);
    fails(&sshd, "root@bastion.invalid", port, &[]).assert_failed(1, &["`bastion.invalid` does not resolve"]);

    let silent = server(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    fails(&sshd, &format!("root@{silent}"), port, &["--connect-timeout", "1s"])
        .assert_failed(1, &["did not complete the SSH handshake within 1 s"]);
    let other = server(|stream| drop(std::io::Write::write_all(&mut &stream, b"220 mail ready\r\n")));
    fails(&sshd, &format!("root@{other}"), port, &["--connect-timeout", "5s"])
        .assert_failed(1, &["check that this is sshd's port"]);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "something listens on {port}");
}

#[test]
fn taken_local_port_fails_and_others_are_released() {
    let sshd = Sshd::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken, free) = (taken.local_addr().unwrap(), refuses());
    let first = format!("{}:db:5432", free.port());
    fails(&sshd, &sshd.bastion(), taken.port(), &["-L", &first])
        .assert_failed(1, &[&format!("the local port {taken} is in use"), "-L 0:"]);
    assert!(TcpStream::connect(free).is_err());
    assert!(!sshd.log().contains("Accepted"), "ports are bound before the login");
}

#[test]
fn unreachable_target_ends_its_own_connection_only() {
    let sshd = Sshd::start();
    let (unused, echo) = (refuses(), echo());
    let mut tunnel = Tunnel::with(&sshd, &["-L", &format!("0:{unused}"), "-L", &format!("0:{echo}")]);
    for _ in 0..10 {
        let mut refused = tunnel.connect();
        assert!(matches!(refused.read(&mut [0]), Ok(0) | Err(_)));
        let event = tunnel.event("refused");
        assert_eq!(event["target"], unused.to_string());
        assert_eq!(event["why"], "the bastion cannot connect to it");
        assert!(event["hint"].as_str().unwrap().contains("database"));
    }
    let mut served = tunnel.connect_to(1);
    std::io::Write::write_all(&mut served, b"x").unwrap();
    served.read_exact(&mut [0]).unwrap();
}

#[test]
fn bastion_without_forwarding_reports_reason() {
    let sshd = Sshd::with("AllowTcpForwarding no");
    let mut tunnel = Tunnel::to(&sshd, echo());
    drop(tunnel.connect());
    assert_eq!(tunnel.event("refused")["why"], "the bastion does not allow it");
}

#[test]
fn invalid_arguments_are_usage_errors() {
    let sshd = Sshd::start();
    let address: SocketAddr = refuses();
    for words in [
        &["tunnel"][..],
        &["tunnel", "-L", "5432:db:5432"],
        &["tunnel", "-L", "5432", "--bastion", "a@b"],
        &["tunnel", "-L", "5432:db:5432", "--bastion", "@b"],
        &["tunnel", "-L", "5432:db:5432", "--bastion", "a@b", "--cipher", "rot13"],
        &["tunnel", "-L", "1:db:1", "-L", "2:db:2", "--bastion", "a@b", "--local-port", "3"],
        &["tunnel", "exec", "-L", "5432:db:5432", "--bastion", "a@b"],
    ] {
        let finished = Finished::run(&sshd, words);
        assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{words:?}: {finished:?}");
    }
    assert!(TcpStream::connect(address).is_err());
}
