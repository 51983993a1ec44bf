//! Starts the server and waits until it takes connections.
//!
//! Its settings stand on its command line, so that a cluster can be moved and an upgrade of this program changes them. They
//! suit a machine that loads much and crashes seldom; nothing in them gives up durability.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use common::failure::{Context as _, Exit, Failure, Result};

use super::cluster::{self, surround};
use super::identity::Identity;
use super::postmaster::{self, Server};
use super::programs::Programs;
use super::{PACE, PATIENCE};
use crate::local::files::Folders;

/// Beside the address and the port.
const SETTINGS: [&str; 13] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=60",
    "shared_buffers=256MB",
    "work_mem=16MB",
    "maintenance_work_mem=256MB",
    // A COPY into a table of the same transaction needs no log of its own then. No replica hangs on this server.
    "wal_level=minimal",
    "max_wal_senders=0",
    // A load of a gigabyte should not be interrupted by checkpoints.
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    // The reports' queries take milliseconds; compiling them takes longer.
    "jit=off",
    // The log is what standard error says, in a file of ours.
    "logging_collector=off",
    "log_line_prefix=%m [%p] ",
];

/// Why one attempt failed.
enum Refused {
    /// Somebody took the port meanwhile.
    PortTaken,
    /// Processes of a server that was killed are still there; they end by themselves.
    RemainsAlive,
    Other(Failure),
}

/// Starts it, at the same port as last time where that is free, and returns the port.
pub(super) fn start(
    folders: &Folders,
    programs: &Programs,
    identity: &Identity,
    last: Option<u16>,
) -> Result<u16> {
    let log = folders.server_log();
    // The previous log stays for one more start: it may tell why the server crashed.
    match std::fs::rename(&log, log.with_extension("log.1")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::new(format!("cannot rename `{}`", log.display())).source(error));
        }
        _ => {}
    }
    let began = Instant::now();
    let mut wished = last;
    loop {
        let port = free_port(wished)?;
        match attempt(folders, programs, identity, port) {
            Ok(()) => return Ok(port),
            Err(Refused::PortTaken) => wished = None,
            Err(Refused::RemainsAlive) if began.elapsed() < PATIENCE => std::thread::sleep(PACE * 10),
            Err(Refused::RemainsAlive) => {
                return Err(Failure::new("processes of a PostgreSQL that was killed do not end")
                    .hint(format!("look into `{}`", log.display()))
                    .exit_code(Exit::NotStarted));
            }
            Err(Refused::Other(failure)) => return Err(failure),
        }
    }
}

fn attempt(folders: &Folders, programs: &Programs, identity: &Identity, port: u16) -> Result<(), Refused> {
    let cluster = cluster::folder(folders);
    let log = folders.server_log();
    let child = launch(&cluster, &log, programs, identity, port).map_err(Refused::Other)?;
    wait_ready(child, &cluster, identity, &log)
}

fn launch(cluster: &Path, log: &Path, programs: &Programs, identity: &Identity, port: u16) -> Result<Child> {
    // What a killed server left behind is removed; the caller has made sure that it is gone.
    let left = postmaster::pid_file(cluster);
    if left.exists() {
        std::fs::remove_file(&left).context(|| format!("cannot delete `{}`", left.display()))?;
    }
    let output = File::options()
        .create(true)
        .append(true)
        .open(log)
        .context(|| format!("cannot open `{}`", log.display()))?;
    let errors = output.try_clone().context(|| format!("cannot open `{}`", log.display()))?;
    let program = programs.program("postgres");
    let mut server = Command::new(&program);
    server.arg("-D").arg(cluster).args(["-c", &format!("port={port}")]);
    for setting in SETTINGS {
        server.args(["-c", setting]);
    }
    // In a process group of its own, so that Ctrl-C reaches us alone and we decide.
    server.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
    surround(&mut server, cluster, identity);
    server
        .spawn()
        .context(|| format!("cannot start `{}`", program.display()))
        .map_err(|failure| failure.exit_code(Exit::NotStarted))
}

fn wait_ready(mut child: Child, cluster: &Path, identity: &Identity, log: &PathBuf) -> Result<(), Refused> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Err(why(log)),
        }
        match postmaster::look(cluster, identity.uid()) {
            Ok(Server::Ready { process, .. }) if process.pid == child.id().cast_signed() => return Ok(()),
            Ok(_) => {}
            Err(failure) => return Err(Refused::Other(failure)),
        }
        if began.elapsed() >= PATIENCE {
            let failure = Failure::new("PostgreSQL does not become ready");
            let hint = format!("look into `{}`", log.display());
            return Err(Refused::Other(failure.hint(hint).exit_code(Exit::NotStarted)));
        }
        std::thread::sleep(PACE);
    }
}

/// Understands the log of a server that has just ended.
fn why(log: &PathBuf) -> Refused {
    let text = std::fs::read(log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    // Several attempts may have written into it; the last word counts.
    let fatal = text.lines().rfind(|line| line.contains("FATAL:")).unwrap_or_default();
    if fatal.contains("could not create any TCP/IP sockets") {
        return Refused::PortTaken;
    }
    if fatal.contains("pre-existing shared memory block") {
        return Refused::RemainsAlive;
    }
    let said = fatal.split_once("FATAL:").map_or_else(
        || text.lines().last().unwrap_or("it ended without a word").to_owned(),
        |(_, said)| said.trim().to_owned(),
    );
    let hint = format!("look into `{}`", log.display());
    Refused::Other(
        Failure::new("PostgreSQL does not start").source(said).hint(hint).exit_code(Exit::NotStarted),
    )
}

/// The wished port where it is free, else any free one.
fn free_port(wished: Option<u16>) -> Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|socket| socket.local_addr());
    wished
        .map_or_else(|| bind(0), |port| bind(port).or_else(|_| bind(0)))
        .map(|address| address.port())
        .context(|| "there is no free port on 127.0.0.1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(log: &str) -> Refused {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), log).unwrap();
        why(&file.path().to_owned())
    }

    #[test]
    fn the_log_of_a_server_that_ended_is_understood() {
        assert!(matches!(
            understood("LOG:  could not bind\nFATAL:  could not create any TCP/IP sockets\nLOG:  shut down"),
            Refused::PortTaken
        ));
        assert!(matches!(
            understood(
                "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use\nHINT:  Terminate"
            ),
            Refused::RemainsAlive
        ));
        let Refused::Other(failure) = understood("FATAL:  data directory \"x\" has invalid permissions")
        else {
            panic!("that is neither of the two")
        };
        assert_eq!(
            failure.to_string(),
            "PostgreSQL does not start: data directory \"x\" has invalid permissions"
        );
        assert_eq!(failure.exit().code(), 125);
    }

    #[test]
    fn a_taken_port_is_not_chosen() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(Some(port)).unwrap(), port);
        drop(taken);
        assert_eq!(free_port(Some(port)).unwrap(), port);
    }
}
