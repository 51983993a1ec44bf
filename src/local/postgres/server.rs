//! The PostgreSQL server process: its state, and how it starts.
//!
//! A killed server leaves `postmaster.pid` behind, and its process id may be reused, which PostgreSQL does not detect; [`state_of`]
//! does, and [`start`] removes the stale file. Settings are passed on the command line, so that an upgrade of this program changes them.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use common::failure::{Context as _, Exit, Failure, Result};

use super::cluster::set_environment;
use super::programs::Programs;
use super::server_user::ServerUser;
use crate::local::layout::{Layout, cannot_read, found, ignore_not_found, open_log};
use crate::local::process::Process;

/// Maximum duration of crash recovery or of a shutdown, in which at most a few gigabytes are written.
pub(super) const START_STOP_TIMEOUT: Duration = Duration::from_mins(10);

pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Server settings beside the port. They suit bulk loads, and none gives up durability.
const SETTINGS: [&str; 13] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=60",
    "shared_buffers=256MB",
    "work_mem=16MB",
    "maintenance_work_mem=256MB",
    // COPY into a table created in the same transaction then writes no WAL. There is no replica.
    "wal_level=minimal",
    "max_wal_senders=0",
    // Fewer checkpoints during a load of a gigabyte.
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    // The reports' queries take milliseconds; compiling them takes longer.
    "jit=off",
    // Standard error is redirected to the log file.
    "logging_collector=off",
    "log_line_prefix=%m [%p] ",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum ServerState {
    Stopped,
    Crashed,
    /// Starting, recovering or stopping.
    Busy(Process),
    /// Accepting connections.
    Ready {
        process: Process,
        port: u16,
        since: DateTime<Utc>,
    },
}

fn pid_file(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// Returns the state of a cluster's server without changing it. `uid` is the user that runs the server.
pub(super) fn state_of(cluster: &Path, uid: u32) -> Result<ServerState> {
    let file = pid_file(cluster);
    let text = found(std::fs::read_to_string(&file)).context(cannot_read(&file));
    let text = text.map_err(|failure| failure.hint("run covidctl as the user that ran `covidctl up`"))?;
    let Some(text) = text else { return Ok(ServerState::Stopped) };
    let state = parse_pid_file(&text, cluster, uid);
    let process = match &state {
        ServerState::Busy(process) | ServerState::Ready { process, .. } => process,
        ServerState::Stopped | ServerState::Crashed => return Ok(state),
    };
    Ok(if process.is_alive() { state } else { ServerState::Crashed })
}

/// Parses the lines: process id, data folder, start time, port, socket folder, address, shared memory, status.
fn parse_pid_file(text: &str, cluster: &Path, uid: u32) -> ServerState {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let field = |line: usize| lines.get(line).copied().unwrap_or_default();
    // An empty or truncated file: the machine went down while it was written.
    let Ok(pid) = field(0).parse() else { return ServerState::Crashed };
    let process = Process { pid, uid, mark: cluster.display().to_string() };
    let since = field(2).parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    match (field(7), field(3).parse(), since) {
        ("ready", Ok(port), Some(since)) => ServerState::Ready { process, port, since },
        _ => ServerState::Busy(process),
    }
}

enum StartError {
    PortTaken,
    /// Processes of a killed server still exist; they exit on their own.
    OldProcessesAlive,
    Other(Failure),
}

fn start_failure(message: &str, log: &Path) -> Failure {
    Failure::new(message).hint(format!("read `{}`", log.display())).exit_code(Exit::NotStarted)
}

/// Starts the server, on the preferred port if it is free, and returns the port.
pub(super) fn start(
    layout: &Layout,
    programs: &Programs,
    user: &ServerUser,
    mut preferred: Option<u16>,
) -> Result<u16> {
    let (cluster, log) = (&layout.cluster, &layout.server_log);
    // The previous log is kept for one more start: it may contain the reason of a crash.
    ignore_not_found("rename", log, std::fs::rename(log, log.with_extension("log.1")))?;
    let began = Instant::now();
    loop {
        let port = free_port(preferred)?;
        let child = launch(cluster, log, programs, user, port)?;
        match wait_ready(child, cluster, user, log) {
            Ok(()) => return Ok(port),
            Err(StartError::PortTaken) => preferred = None,
            Err(StartError::OldProcessesAlive) if began.elapsed() < START_STOP_TIMEOUT => {
                std::thread::sleep(POLL_INTERVAL * 10);
            }
            Err(StartError::OldProcessesAlive) => {
                return Err(start_failure("processes of a killed PostgreSQL server do not exit", log));
            }
            Err(StartError::Other(failure)) => return Err(failure),
        }
    }
}

fn launch(cluster: &Path, log: &Path, programs: &Programs, user: &ServerUser, port: u16) -> Result<Child> {
    // The caller has made sure that no server runs.
    let stale = pid_file(cluster);
    ignore_not_found("delete", &stale, std::fs::remove_file(&stale))?;
    let (output, errors) = open_log(log)?;
    let program = programs.folder.join("postgres");
    let mut server = Command::new(&program);
    server.arg("-D").arg(cluster).args(["-c", &format!("port={port}")]);
    for setting in SETTINGS {
        server.args(["-c", setting]);
    }
    // In a process group of its own, so that the terminal's Ctrl-C does not reach it.
    server.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
    set_environment(&mut server, cluster, user);
    server
        .spawn()
        .context(|| format!("cannot start `{}`", program.display()))
        .map_err(|failure| failure.exit_code(Exit::NotStarted))
}

fn wait_ready(mut child: Child, cluster: &Path, user: &ServerUser, log: &Path) -> Result<(), StartError> {
    let began = Instant::now();
    loop {
        if !matches!(child.try_wait(), Ok(None)) {
            return Err(start_error(log));
        }
        let state = state_of(cluster, user.uid).map_err(StartError::Other)?;
        if matches!(state, ServerState::Ready { process, .. } if process.pid == child.id().cast_signed()) {
            return Ok(());
        }
        if began.elapsed() >= START_STOP_TIMEOUT {
            return Err(StartError::Other(start_failure("PostgreSQL does not accept connections", log)));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Determines from its log why a server exited.
fn start_error(log: &Path) -> StartError {
    let text = std::fs::read(log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    // The log may contain several attempts; the last one counts.
    let fatal = text.lines().rfind(|line| line.contains("FATAL:")).unwrap_or_default();
    if fatal.contains("could not create any TCP/IP sockets") {
        return StartError::PortTaken;
    }
    if fatal.contains("pre-existing shared memory block") {
        return StartError::OldProcessesAlive;
    }
    let reason = fatal
        .split_once("FATAL:")
        .map_or_else(|| text.lines().last().unwrap_or("it exited without a message"), |(_, reason)| reason);
    StartError::Other(start_failure("PostgreSQL does not start", log).source(reason.trim().to_owned()))
}

/// Returns the preferred port if it is free, otherwise any free port.
fn free_port(preferred: Option<u16>) -> Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|socket| socket.local_addr());
    preferred
        .map_or_else(|| bind(0), |port| bind(port).or_else(|_| bind(0)))
        .map(|address| address.port())
        .context(|| "there is no free port on 127.0.0.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/data/pg/cluster\n1700000000\n54321\n\n127.0.0.1\n  1 2\nready   \n";

    #[test]
    fn parse_pid_file_returns_state() {
        let cluster = Path::new("/data/pg/cluster");
        let process = Process { pid: 4711, uid: 5, mark: "/data/pg/cluster".to_owned() };
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let ready = ServerState::Ready { process: process.clone(), port: 54321, since };
        assert_eq!(parse_pid_file(READY, cluster, 5), ready);
        let starting = READY.replace("ready", "starting");
        assert_eq!(parse_pid_file(&starting, cluster, 5), ServerState::Busy(process.clone()));
        assert_eq!(parse_pid_file("4711\n/data", cluster, 5), ServerState::Busy(process));
        assert_eq!(parse_pid_file("", cluster, 5), ServerState::Crashed);
    }

    #[test]
    fn state_of_cluster_with_reused_process_id_is_crashed() {
        let folder = tempfile::tempdir().unwrap();
        let uid = nix::unistd::geteuid().as_raw();
        assert_eq!(state_of(folder.path(), uid).unwrap(), ServerState::Stopped);
        let reused = READY.replace("4711", &std::process::id().to_string());
        std::fs::write(pid_file(folder.path()), reused).unwrap();
        assert_eq!(state_of(folder.path(), uid).unwrap(), ServerState::Crashed);
    }

    fn start_error_of(log: &str) -> StartError {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), log).unwrap();
        start_error(file.path())
    }

    #[test]
    fn start_error_is_parsed_from_log() {
        assert!(matches!(
            start_error_of(
                "LOG:  could not bind\nFATAL:  could not create any TCP/IP sockets\nLOG:  shut down"
            ),
            StartError::PortTaken
        ));
        assert!(matches!(
            start_error_of(
                "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use\nHINT:  Terminate"
            ),
            StartError::OldProcessesAlive
        ));
        let StartError::Other(failure) =
            start_error_of("FATAL:  data directory \"x\" has invalid permissions")
        else {
            panic!("unexpected error")
        };
        assert_eq!(
            failure.to_string(),
            "PostgreSQL does not start: data directory \"x\" has invalid permissions"
        );
        assert_eq!(failure.exit().code(), 125);
    }

    #[test]
    fn free_port_taken_returns_another() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(Some(port)).unwrap(), port);
        drop(taken);
        assert_eq!(free_port(Some(port)).unwrap(), port);
    }
}
