//! Tunnels in the background: start, list, stop, health.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{Finished, Sshd, echo, refuses, until};

/// A user whose tunnels in the background are stopped at the end.
struct User(Sshd);

impl User {
    fn new() -> Self {
        let sshd = Sshd::start();
        std::fs::copy(sshd.file("id"), sshd.file(".ssh/id_ed25519")).unwrap();
        Self(sshd)
    }

    fn run(&self, words: &[&str]) -> Finished {
        Finished::run(&self.0, words)
    }

    /// Starts a tunnel to an echo and returns its local address.
    #[track_caller]
    fn start(&self, target: SocketAddr, more: &[&str]) -> SocketAddr {
        let (bastion, route) = (self.0.bastion(), format!("0:{target}"));
        let words = ["-o", "json", "tunnel", "start", "-L", &route, "--bastion", &bastion];
        let started = self.run(&[&words[..], more].concat());
        assert_eq!(started.code, Some(0), "{started:?}");
        let ready: Value = serde_json::from_str(&started.out).unwrap();
        ready["forwardings"][0]["local"].as_str().unwrap().parse().unwrap()
    }

    fn list(&self) -> Vec<Value> {
        serde_json::from_str(&self.run(&["-o", "json", "tunnel", "list"]).out).unwrap()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.run(&["tunnel", "stop"]);
    }
}

#[track_caller]
fn assert_echoes(local: SocketAddr) {
    let mut stream = TcpStream::connect(local).unwrap();
    stream.write_all(b"ping").unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ping");
}

/// Returns whether a process has ended. Another program may have taken its port since, and its parent may not have looked at its end yet.
fn has_ended(pid: &Value) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    output.stdout.is_empty() || output.stdout.starts_with(b"Z")
}

#[test]
fn started_tunnel_is_listed_found_again_and_stopped() {
    let user = User::new();
    let (first, second) = (echo(), echo());
    let local = user.start(first, &[]);
    assert_echoes(local);
    let folder = std::fs::metadata(user.0.file("covidctl/tunnels")).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert_eq!(user.start(first, &[]), local, "a second start finds the first tunnel");
    let other = user.start(second, &[]);
    let list = user.list();
    assert_eq!(list.len(), 2, "{list:?}");
    assert_eq!(
        (&list[0]["connected"], &list[0]["bastion"]),
        (&Value::from(true), &Value::from(user.0.bastion()))
    );
    assert!(user.run(&["tunnel", "list"]).out.contains(&local.to_string()));

    user.run(&["tunnel", "stop", "1"]).assert_failed(2, &["no tunnel in the background is named `1`"]);
    assert_eq!(user.run(&["tunnel", "stop", &local.port().to_string()]).code, Some(0));
    let pid_of = |local: SocketAddr| {
        let is_at = |tunnel: &&Value| tunnel["forwardings"][0]["local"] == local.to_string();
        &list.iter().find(is_at).unwrap()["pid"]
    };
    until("the process of the first one has ended", || has_ended(pid_of(local)));
    assert_echoes(other);
    assert_eq!(user.run(&["tunnel", "stop"]).code, Some(0));
    until("the process of the second one has ended", || has_ended(pid_of(other)));
    assert!(user.list().is_empty());
}

#[test]
fn tunnel_survives_hang_up_of_its_terminal_and_a_killed_one_is_forgotten() {
    let user = User::new();
    let local = user.start(echo(), &[]);
    let pid = || Pid::from_raw(i32::try_from(user.list()[0]["pid"].as_i64().unwrap()).unwrap());
    kill(pid(), Signal::SIGHUP).unwrap();
    assert_echoes(local);
    let killed = pid();
    kill(killed, Signal::SIGKILL).unwrap();
    until("the killed one has ended", || has_ended(&killed.as_raw().into()));
    assert!(user.list().is_empty());
    assert_eq!(user.run(&["tunnel", "stop"]).code, Some(0), "there is nothing to stop");
}

#[test]
fn failure_before_and_after_the_start_is_reported() {
    let mut user = User::new();
    let (bastion, unused) = (user.0.bastion(), refuses());
    let refused = format!("{}@{unused}", Sshd::user());
    let words = ["tunnel", "start", "-L", "0:127.0.0.1:1", "--bastion", &refused];
    user.run(&words).assert_failed(1, &["nothing listens on"]);
    assert!(user.list().is_empty());

    let local = user.start(echo(), &[]);
    user.0.kill();
    user.0.change_host_key();
    user.0.restart();
    until("the tunnel has ended", || TcpStream::connect(local).is_err());
    let list = user.run(&["tunnel", "list"]);
    assert!(list.err.contains("ended: ") && list.err.contains("host key mismatch"), "{bastion}: {list:?}");
    assert!(!user.run(&["tunnel", "list"]).err.contains("ended: "), "it is reported once");
}

/// Asks the health server, and returns the status and the text.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn health_follows_bastion() {
    let mut user = User::new();
    let health = refuses();
    let local = user.start(echo(), &["--health", &health.to_string()]);
    assert_echoes(local);
    for path in ["/startup", "/readiness", "/liveness"] {
        assert_eq!(get(health, path).0, 200, "{path}");
    }
    let (status, metrics) = get(health, "/metrics");
    assert_eq!(status, 200);
    for line in [
        "covidctl_tunnel_sent_bytes_total 4",
        "covidctl_tunnel_connected 1",
        "covidctl_tunnel_connections_total 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert_eq!((get(health, "/nothing").0, get(health, "/startup?x").0), (404, 200));
    user.0.kill();
    until("the bastion is missed", || get(health, "/readiness").0 == 503);
    assert_eq!(get(health, "/liveness").0, 200);
    user.0.restart();
    until("the bastion is back", || get(health, "/readiness").0 == 200);
}
