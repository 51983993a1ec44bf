//! `--unix-socket`: psql through a socket, sshd and a real PostgreSQL.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};

use crate::support::{Certificate, Finished, Sshd, Tunnel, assert_no_connection, covidctl, until};
use crate::target::Target;

/// A local target, whose PostgreSQL has a certificate for `localhost`.
struct Server {
    target: Target,
    certificate: Certificate,
    port: String,
}

impl Server {
    fn start() -> Self {
        let target = Target::new();
        target.ok(&["up"]);
        let certificate = Certificate::of("localhost");
        certificate.install(|query| target.sql(query));
        let port = target.sql("SHOW port");
        Self { target, certificate, port }
    }

    fn authority(&self) -> String {
        self.certificate.authority().to_str().unwrap().to_owned()
    }

    /// Connects through the socket in a folder and returns the value of a query.
    fn query(&self, folder: &Path, query: &str) -> Finished {
        let login = std::fs::read_to_string(self.target.data().join("pgpass")).unwrap();
        let fields: Vec<&str> = login.trim().split(':').collect();
        let mut psql = Command::new("psql");
        psql.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("PGPASSWORD", fields[4]);
        // The usual default of libpq: it takes the server's offer of channel binding into account.
        psql.arg("-h").arg(folder).args(["-p", &self.port, "-U", fields[3], "-d", "covid19", "-XAtc", query]);
        Finished::of(&mut psql)
    }
}

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

fn socket_of(folder: &Path, server: &Server) -> PathBuf {
    folder.join(format!(".s.PGSQL.{}", server.port))
}

#[test]
fn psql_connects_through_socket_with_verified_certificate() {
    let (server, sshd) = (Server::start(), Sshd::start());
    let folder = sshd.file("sockets");
    let words = |host: &str, more: &[&str]| {
        let route = format!("0:{host}:{}", server.port);
        let words = ["--unix-socket", folder.to_str().unwrap(), "-L", &route];
        [&words[..], more].concat().iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let open = |host: &str, more: &[&str]| {
        let words = words(host, more);
        Tunnel::with(&sshd, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let authority = server.authority();
    let verified = open("localhost", &["--ssl-root-cert", &authority]);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let encrypted = server.query(&folder, IS_ENCRYPTED);
    assert_eq!((encrypted.code, encrypted.out.trim()), (Some(0), "t"), "{encrypted:?}");
    let rows = server.query(&folder, "SELECT count(*) FROM generate_series(1, 300000)");
    assert_eq!(rows.out.trim(), "300000", "{rows:?}");
    verified.interrupt();
    assert!(!socket_of(&folder, &server).exists(), "it is removed at the end");

    // The certificate is not for this name.
    let other = open("127.0.0.1", &["--ssl-root-cert", &authority]);
    let refused = server.query(&folder, "SELECT 7");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("no verified TLS connection to 127.0.0.1: "), "{refused:?}");
    drop(other);

    // The authority is another one. Its socket replaces the one of the killed tunnel.
    assert!(socket_of(&folder, &server).exists(), "a killed tunnel leaves it");
    let strange = Certificate::of("localhost");
    let _stranger = open("localhost", &["--ssl-root-cert", strange.authority().to_str().unwrap()]);
    let refused = server.query(&folder, "SELECT 7");
    assert!(refused.code == Some(2) && refused.err.contains("invalid peer certificate"), "{refused:?}");
}

#[test]
fn socket_without_authority_is_plain_and_announced() {
    let (server, sshd) = (Server::start(), Sshd::start());
    let folder = sshd.file("sockets with blank");
    let route = format!("0:localhost:{}", server.port);
    let words = ["-L", &route, "--unix-socket", folder.to_str().unwrap(), "--bastion", &sshd.bastion()];
    std::fs::copy(sshd.file("id"), sshd.file(".ssh/id_ed25519")).unwrap();
    let started = Finished::run(&sshd, &[&["tunnel", "start"], &words[..]].concat());
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(started.err.contains("not encrypted behind the bastion"), "{started:?}");
    let connection = format!("psql \"host='{}' port={}\"", folder.display(), server.port);
    assert!(started.out.contains(&connection), "{started:?}");
    let plain = server.query(&folder, IS_ENCRYPTED);
    assert_eq!((plain.code, plain.out.trim()), (Some(0), "f"), "{plain:?}");
    let list = Finished::run(&sshd, &["tunnel", "list"]);
    assert!(list.out.contains(socket_of(&folder, &server).to_str().unwrap()), "{list:?}");

    // Another tunnel cannot take it away.
    let id = sshd.file("id");
    let words = [&["tunnel", "exec", "-i", id.to_str().unwrap()], &words[..], &["--", "true"]].concat();
    Finished::run(&sshd, &words).assert_failed(1, &["another program listens on"]);
    assert_eq!(Finished::run(&sshd, &["tunnel", "stop"]).code, Some(0));
    assert!(!socket_of(&folder, &server).exists());
}

#[test]
fn folder_that_others_can_enter_is_usage_error_before_connecting() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let sshd = Sshd::start().by_way_of(port.local_addr().unwrap());
    let folder = sshd.file("open");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    let words = ["tunnel", "-L", "0:localhost:1", "--bastion", &sshd.bastion(), "--unix-socket"];
    let refused = Finished::of(covidctl(&sshd, &words).arg(&folder));
    refused.assert_failed(2, &["other users can enter the folder", "(mode 0755)", "chmod 700 '"]);
    assert_no_connection(&port);
}

#[test]
fn socket_of_killed_tunnel_in_background_is_replaced() {
    let sshd = Sshd::start();
    std::fs::copy(sshd.file("id"), sshd.file(".ssh/id_ed25519")).unwrap();
    let folder = sshd.file("sockets");
    let bastion = sshd.bastion();
    let words = ["-o", "json", "tunnel", "start", "-L", "0:localhost:5432", "--bastion", &bastion];
    let words = [&words[..], &["--unix-socket", folder.to_str().unwrap()]].concat();
    for round in 0..2 {
        let started = Finished::run(&sshd, &words);
        assert_eq!(started.code, Some(0), "{round}: {started:?}");
        let list = Finished::run(&sshd, &["-o", "json", "tunnel", "list"]).out;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let socket = list[0]["forwardings"][0]["socket"].as_str().unwrap();
        assert_eq!(Path::new(socket), folder.join(".s.PGSQL.5432"));
        let pid = i32::try_from(list[0]["pid"].as_i64().unwrap()).unwrap();
        kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        until("nothing answers", || std::os::unix::net::UnixStream::connect(socket).is_err());
        assert!(Path::new(socket).exists());
    }
}
