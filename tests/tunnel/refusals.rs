//! Whatever can go wrong has a sentence and a hint of its own, and leaves nothing listening.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::{Said, Sshd, Tunnel, echo, refuses, server};

/// Opens a tunnel from `port` that cannot work.
fn fails(sshd: &Sshd, bastion: &str, port: u16, more: &[&str]) -> Said {
    let (route, id) = (format!("{port}:127.0.0.1:1"), sshd.file("id"));
    let words = ["tunnel", "-L", &route, "--bastion", bastion, "-i", id.to_str().unwrap()];
    Said::by(sshd, &[&words[..], more].concat())
}

#[test]
fn a_bastion_that_cannot_be_reached() {
    let sshd = Sshd::start();
    let nobody = refuses();
    let port = refuses().port();
    fails(&sshd, &format!("root@{nobody}"), port, &[])
        .failed(1, &["nothing listens on", &nobody.to_string()]);
    fails(&sshd, "root@bastion.invalid", port, &[]).failed(1, &["`bastion.invalid` does not resolve"]);

    let silent = server(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    fails(&sshd, &format!("root@{silent}"), port, &["--connect-timeout", "1s"])
        .failed(1, &["did not complete the SSH handshake within 1 s"]);
    let stranger = server(|stream| drop(std::io::Write::write_all(&mut &stream, b"220 mail ready\r\n")));
    fails(&sshd, &format!("root@{stranger}"), port, &["--connect-timeout", "5s"])
        .failed(1, &["is this really sshd's port?"]);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "something listens on {port}");
}

#[test]
fn a_port_that_is_taken_is_named_and_the_others_are_given_back() {
    let sshd = Sshd::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken, free) = (taken.local_addr().unwrap(), refuses());
    let first = format!("{}:db:5432", free.port());
    fails(&sshd, &sshd.bastion(), taken.port(), &["-L", &first])
        .failed(1, &[&format!("the local port {taken} is in use"), "-L 0:"]);
    assert!(TcpStream::connect(free).is_err());
    assert!(!sshd.log().contains("Accepted"), "nobody had to log in for that");
}

#[test]
fn a_target_that_refuses_ends_its_own_connection_only() {
    let sshd = Sshd::start();
    let (nobody, echo) = (refuses(), echo());
    let mut tunnel = Tunnel::with(&sshd, &["-L", &format!("0:{nobody}"), "-L", &format!("0:{echo}")]);
    for _ in 0..10 {
        let mut refused = tunnel.connect();
        assert!(matches!(refused.read(&mut [0]), Ok(0) | Err(_)));
        let event = tunnel.event("refused");
        assert_eq!(event["target"], nobody.to_string());
        assert_eq!(event["why"], "the bastion cannot connect to it");
        assert!(event["hint"].as_str().unwrap().contains("database"));
    }
    let mut served = tunnel.connect_to(1);
    std::io::Write::write_all(&mut served, b"x").unwrap();
    served.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_bastion_that_forwards_nothing_says_so() {
    let sshd = Sshd::with("AllowTcpForwarding no");
    let mut tunnel = Tunnel::to(&sshd, echo());
    drop(tunnel.connect());
    assert_eq!(tunnel.event("refused")["why"], "the bastion does not allow it");
}

#[test]
fn words_that_make_no_sense_are_usage_errors() {
    let sshd = Sshd::start();
    let address: SocketAddr = refuses();
    for words in [
        &["tunnel"][..],
        &["tunnel", "-L", "5432:db:5432"],
        &["tunnel", "-L", "5432", "--bastion", "a@b"],
        &["tunnel", "-L", "5432:db:5432", "--bastion", "b"],
        &["tunnel", "-L", "5432:db:5432", "--bastion", "a@b", "--cipher", "rot13"],
        &["tunnel", "-L", "1:db:1", "-L", "2:db:2", "--bastion", "a@b", "--local-port", "3"],
        &["tunnel", "exec", "-L", "5432:db:5432", "--bastion", "a@b"],
    ] {
        let said = Said::by(&sshd, words);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{words:?}: {said:?}");
    }
    assert!(TcpStream::connect(address).is_err());
}
