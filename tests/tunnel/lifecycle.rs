//! The life of a tunnel: the ready file, `tunnel exec`, and nothing that stays behind.

use std::io::Read as _;
use std::net::TcpStream;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{Finished, Sshd, Tunnel, covidctl, echo, refuses, until};

#[test]
fn ready_file_exists_while_tunnel_is_open() {
    let sshd = Sshd::start();
    let file = sshd.file("ready.json");
    let echo = echo();
    let tunnel = Tunnel::with(&sshd, &["-L", &format!("0:{echo}"), "--ready-file", file.to_str().unwrap()]);
    let local = tunnel.local();
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(ready["event"], "ready");
    assert_eq!(ready["bastion"], sshd.bastion());
    let connection = format!("host=127.0.0.1 hostaddr=127.0.0.1 port={}", local.port());
    assert_eq!(ready["forwardings"][0]["connection"], connection);
    assert!(TcpStream::connect(local).is_ok());

    let finished = tunnel.interrupt();
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    assert!(!file.exists());
    assert!(TcpStream::connect(local).is_err(), "something still listens on {local}");
}

#[test]
fn rejected_login_writes_no_ready_file() {
    let sshd = Sshd::start();
    std::fs::write(sshd.file("authorized_keys"), "").unwrap();
    let (file, id) = (sshd.file("ready.json"), sshd.file("id"));
    let (bastion, port) = (sshd.bastion(), refuses().port());
    let (route, file_name) = (format!("{port}:127.0.0.1:1"), file.to_str().unwrap());
    let words = [
        "tunnel",
        "-L",
        &route,
        "--bastion",
        &bastion,
        "-i",
        id.to_str().unwrap(),
        "--ready-file",
        file_name,
    ];
    Finished::run(&sshd, &words).assert_failed(4, &["rejected every key"]);
    assert!(!file.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn local_port_replaces_port_of_single_forwarding() {
    let sshd = Sshd::start();
    let port = refuses().port();
    let tunnel = Tunnel::with(&sshd, &["-L", "1:db.example:5432", "--local-port", &port.to_string()]);
    assert_eq!(tunnel.local().port(), port);
}

/// Returns `tunnel exec` of a shell script.
fn exec(sshd: &Sshd, target: &str, script: &str) -> std::process::Command {
    let (bastion, id) = (sshd.bastion(), sshd.file("id"));
    let words = ["tunnel", "exec", "-L", target, "--bastion", &bastion, "-i", id.to_str().unwrap(), "--"];
    covidctl(sshd, &[&words[..], &["bash", "-c", script]].concat())
}

#[test]
fn exec_sets_environment_and_passes_exit_code_on() {
    let sshd = Sshd::start();
    let echo = echo();
    let target = format!("0:localhost:{}", echo.port());
    let script = "exec 3<>/dev/tcp/$PGHOSTADDR/$PGPORT; echo hello >&3; read -r answer <&3; \
                  echo $answer $PGHOST $PGPORT; exit 7";
    let finished = Finished::of(&mut exec(&sshd, &target, script));
    assert_eq!(finished.code, Some(7), "{finished:?}");
    let words: Vec<&str> = finished.out.split_whitespace().collect();
    assert_eq!(words[..2], ["hello", "localhost"], "{finished:?}");
    let port: u16 = words[2].parse().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "something still listens on {port}");

    assert_eq!(Finished::of(&mut exec(&sshd, &target, "true")).code, Some(0));
    assert_eq!(Finished::of(&mut exec(&sshd, &target, "kill -9 $$")).code, Some(137));
}

#[test]
fn exec_of_missing_program_exits_with_125() {
    let sshd = Sshd::start();
    let (bastion, id) = (sshd.bastion(), sshd.file("id"));
    let words = ["tunnel", "exec", "-L", "0:127.0.0.1:1", "--bastion", &bastion, "-i", id.to_str().unwrap()];
    Finished::run(&sshd, &[&words[..], &["--", "/no/such/program"]].concat())
        .assert_failed(125, &["cannot start `/no/such/program`"]);
}

#[test]
fn exec_forwards_signal_and_passes_exit_code_on() {
    let sshd = Sshd::start();
    let script = "trap 'exit 33' TERM; echo started; while :; do read -t 1 -r _ <> <(:); done";
    let mut program = exec(&sshd, "0:127.0.0.1:1", script).stdout(Stdio::piped()).spawn().unwrap();
    let mut finished = [0; 7];
    program.stdout.as_mut().unwrap().read_exact(&mut finished).unwrap();
    assert_eq!(&finished, b"started");
    kill(Pid::from_raw(i32::try_from(program.id()).unwrap()), Signal::SIGTERM).unwrap();
    let mut code = None;
    until("the command has ended", || {
        code = program.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(33));
}
