//! The PostgreSQL server process: its state, and how it starts.
//!
//! A killed server leaves `postmaster.pid` behind, and its process id may be reused; [`state_of`] recognizes that. The file belongs to
//! PostgreSQL, which replaces it once it has checked that the cluster is not in use. Settings are passed on the command line, so that an
//! upgrade of this program changes them.

use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use common::failure::{Context as _, Exit, Failure, Result};

use super::programs::Programs;
use super::server_user::ServerUser;
use crate::local::layout::{Layout, cannot_read, found, free_space, ignore_not_found, open_log};
use crate::local::process::Process;

/// Maximum duration of crash recovery or of a shutdown, in which at most a few gigabytes are written.
pub(super) const START_STOP_TIMEOUT: Duration = Duration::from_mins(10);

/// Maximum duration in which the processes of a killed server exit. They notice its death at once; a running query delays that.
pub(super) const EXIT_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Not controlled by this process: a server in another container or process namespace, one that was started by hand, or the remaining
    /// processes of a killed server.
    Foreign,
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

/// The standard input of the server and thereby of all its processes, which hold a lock on it. Unlike a process id, a lock has the same
/// meaning in every container of the machine.
fn lock_file(cluster: &Path) -> PathBuf {
    cluster.with_file_name("server.lock")
}

fn is_locked(cluster: &Path) -> bool {
    File::open(lock_file(cluster))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Returns the state of a cluster's server without changing it. `uid` is the user that runs the server.
pub(super) fn state_of(cluster: &Path, uid: u32) -> Result<ServerState> {
    let file = pid_file(cluster);
    let without_server = |state| if is_locked(cluster) { ServerState::Foreign } else { state };
    let text = found(std::fs::read(&file)).context(cannot_read(&file));
    let text = text.map_err(|failure| failure.hint("run covidctl as the user that ran `covidctl up`"))?;
    let Some(text) = text else { return Ok(without_server(ServerState::Stopped)) };
    let text = String::from_utf8_lossy(&text);
    let state = parse_pid_file(&text, cluster, uid);
    let process = match &state {
        ServerState::Busy(process) | ServerState::Ready { process, .. } => process,
        ServerState::Stopped | ServerState::Crashed | ServerState::Foreign => {
            return Ok(without_server(state));
        }
    };
    Ok(if process.is_alive() {
        state
    } else if process.works_in(cluster) == Some(true) {
        ServerState::Foreign
    } else {
        without_server(ServerState::Crashed)
    })
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

/// Returns the error for a cluster that PostgreSQL considers in use.
fn in_use(cluster: &Path, uid: u32) -> Result<Failure> {
    let file = pid_file(cluster);
    let pid =
        std::fs::read_to_string(&file).unwrap_or_default().lines().next().and_then(|pid| pid.parse().ok());
    Ok(match (state_of(cluster, uid)?, pid) {
        // Only PostgreSQL itself may decide that the file is stale, and it takes any process of its user for a server.
        (ServerState::Crashed, Some::<i32>(pid)) => Failure::new(format!(
            "`{}` is of a PostgreSQL that was not shut down, but names process {pid}, which now is another program",
            file.display()
        ))
        .hint(format!("if no PostgreSQL uses the folder: rm '{}'", file.display()))
        .exit_code(Exit::NotStarted),
        _ => foreign(cluster),
    })
}

enum StartError {
    PortTaken,
    /// Another server uses the cluster, or the processes of a killed server have not exited yet.
    InUse,
    Other(Failure),
}

/// The error for [`ServerState::Foreign`].
pub(super) fn foreign(cluster: &Path) -> Failure {
    let cluster = cluster.display();
    Failure::new(format!("another PostgreSQL server uses `{cluster}`, or a query of one that was killed still runs"))
        .hint("stop it where it was started (another container, or by hand), wait for the query, or use another --data-dir")
        .exit_code(Exit::NotStarted)
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
        let started = launch(cluster, log, programs, user, port)
            .and_then(|child| wait_ready(child, cluster, user, log));
        match started {
            Ok(()) => return Ok(port),
            Err(StartError::PortTaken) => preferred = None,
            Err(StartError::InUse) if began.elapsed() < EXIT_TIMEOUT => {
                std::thread::sleep(POLL_INTERVAL * 10);
            }
            // The remnant of a power loss; PostgreSQL leaves it to the administrator, and a server writes its id at once.
            Err(StartError::InUse) if pid_file(cluster).metadata().is_ok_and(|file| file.len() == 0) => {
                let empty = pid_file(cluster);
                ignore_not_found("delete", &empty, std::fs::remove_file(&empty))?;
            }
            Err(StartError::InUse) => return Err(in_use(cluster, user.uid)?),
            Err(StartError::Other(failure)) => return Err(failure),
        }
    }
}

/// Starts the server's process. A stale `postmaster.pid` is left to PostgreSQL, which also checks for processes that still use its shared
/// memory.
fn launch(
    cluster: &Path,
    log: &Path,
    programs: &Programs,
    user: &ServerUser,
    port: u16,
) -> Result<Child, StartError> {
    let (output, errors) = open_log(log).map_err(StartError::Other)?;
    let lock = lock(cluster)?;
    let program = programs.folder.join("postgres");
    let mut server = Command::new(&program);
    server.arg("-D").arg(cluster).args(["-c", &format!("port={port}")]);
    for setting in SETTINGS {
        server.args(["-c", setting]);
    }
    // In a process group of its own, so that the terminal's Ctrl-C does not reach it.
    server.stdin(lock).stdout(output).stderr(errors).process_group(0);
    user.isolate(&mut server, cluster);
    server
        .spawn()
        .context(|| format!("cannot start `{}`", program.display()))
        .map_err(|failure| StartError::Other(failure.exit_code(Exit::NotStarted)))
}

fn lock(cluster: &Path) -> Result<File, StartError> {
    let path = lock_file(cluster);
    let failure = |error| {
        let failure = Failure::new(format!("cannot lock `{}`", path.display())).source(error);
        StartError::Other(failure.exit_code(Exit::NotStarted))
    };
    let file =
        File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(failure)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse),
        Err(TryLockError::Error(error)) => Err(failure(error)),
    }
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
    let lines: Vec<&str> = text.lines().collect();
    let is_fatal = |line: &&str| line.contains("FATAL:") || line.contains("PANIC:");
    // The log may contain several attempts; the last one counts.
    let Some(last) = lines.iter().rposition(is_fatal) else {
        let reason = match lines.last() {
            Some(line) => message(line),
            None if free_space(log) == Ok(0) => "no space is left on the disk, not even for its message",
            None => "it exited without a message",
        };
        return StartError::Other(start_failure("PostgreSQL does not start", log).source(reason.to_owned()));
    };
    let fatal = message(lines[last]);
    if fatal.contains("could not create any TCP/IP sockets") {
        return StartError::PortTaken;
    }
    if fatal.contains("pre-existing shared memory block") || fatal.contains("lock file") {
        return StartError::InUse;
    }
    // The setting at fault is in the line before; details of other errors are in the lines after.
    let cause = fatal.contains("configuration file").then(|| lines[..last].last()).flatten();
    let details =
        lines[last + 1..].iter().take_while(|line| line.contains("DETAIL:") || line.contains("HINT:"));
    let reason: Vec<&str> =
        cause.into_iter().copied().chain([lines[last]]).chain(details.copied()).map(message).collect();
    StartError::Other(start_failure("PostgreSQL does not start", log).source(reason.join("; ")))
}

/// Returns the text of a line of the server's log, without time, process and level.
fn message(line: &str) -> &str {
    let levels = ["LOG:", "FATAL:", "PANIC:", "DETAIL:", "HINT:"];
    levels.iter().find_map(|level| line.split_once(level)).map_or(line, |(_, text)| text).trim()
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

    #[test]
    fn state_of_cluster_locked_elsewhere_is_foreign() {
        let parent = tempfile::tempdir().unwrap();
        let (cluster, uid) = (parent.path().join("cluster"), nix::unistd::geteuid().as_raw());
        std::fs::create_dir(&cluster).unwrap();
        let lock = lock(&cluster).ok().unwrap();
        assert_eq!(state_of(&cluster, uid).unwrap(), ServerState::Foreign);
        std::fs::write(pid_file(&cluster), READY.replace("4711", "4711471")).unwrap();
        assert_eq!(state_of(&cluster, uid).unwrap(), ServerState::Foreign);
        drop(lock);
        assert_eq!(state_of(&cluster, uid).unwrap(), ServerState::Crashed);
    }

    fn start_error_of(log: &str) -> StartError {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), log).unwrap();
        start_error(file.path())
    }

    #[test]
    fn start_error_is_parsed_from_log() {
        let port_taken = "LOG:  could not bind\nFATAL:  could not create any TCP/IP sockets\nLOG:  shut down";
        assert!(matches!(start_error_of(port_taken), StartError::PortTaken));
        for in_use in [
            "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use\nHINT:  Terminate",
            "FATAL:  lock file \"postmaster.pid\" already exists\nHINT:  Is another postmaster running?",
        ] {
            assert!(matches!(start_error_of(in_use), StartError::InUse));
        }
        for (log, reason) in [
            (
                "FATAL:  data directory \"x\" has invalid permissions\nDETAIL:  It should be 0700.",
                "data directory \"x\" has invalid permissions; It should be 0700.",
            ),
            (
                "LOG:  invalid value for parameter \"a\": \"b\"\nFATAL:  configuration file \"c\" contains errors",
                "invalid value for parameter \"a\": \"b\"; configuration file \"c\" contains errors",
            ),
            (
                "LOG:  starting\nPANIC:  could not write: No space left\nLOG:  aborting",
                "could not write: No space left",
            ),
            ("sh: not found", "sh: not found"),
        ] {
            let StartError::Other(failure) = start_error_of(log) else { panic!("{log}") };
            assert_eq!(failure.to_string(), format!("PostgreSQL does not start: {reason}"));
            assert_eq!(failure.exit().code(), 125);
        }
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
