//! What `postmaster.pid` says, and whether it is true.
//!
//! The file stays behind when a server is killed, and its process id may belong to anybody by now. PostgreSQL itself is
//! fooled by that, so we decide here, and remove the file of a server that is gone before we start another.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};

use crate::local::process::Process;

/// What the server in a cluster's folder is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Server {
    /// Nothing runs, and nothing is left behind.
    Stopped,
    /// It ended without cleaning up.
    Crashed,
    /// It runs and does not take connections: it starts, recovers or stops.
    Busy(Process),
    /// It takes connections.
    Ready {
        /// The process.
        process: Process,
        /// Where it listens.
        port: u16,
        /// Since when.
        since: DateTime<Utc>,
    },
}

/// The file in a cluster's folder.
pub(super) fn pid_file(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// Looks, and changes nothing. `uid` is the user that runs the server.
pub(super) fn look(cluster: &Path, uid: u32) -> Result<Server> {
    let file = pid_file(cluster);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Server::Stopped),
        Err(error) => {
            return Err(Failure::new(format!("cannot read `{}`", file.display()))
                .source(error)
                .hint("run covidctl as the user that ran `covidctl up`"));
        }
    };
    let server = parse(&text, cluster, uid);
    let process = match &server {
        Server::Busy(process) | Server::Ready { process, .. } => process,
        Server::Stopped | Server::Crashed => return Ok(server),
    };
    Ok(if process.is_alive() { server } else { Server::Crashed })
}

/// The file's lines: process id, folder, start, port, socket's folder, address, shared memory, state.
fn parse(text: &str, cluster: &Path, uid: u32) -> Server {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let field = |line: usize| lines.get(line).copied().unwrap_or_default();
    // An empty or torn file: the machine went down while it was written.
    let Ok(pid) = field(0).parse() else { return Server::Crashed };
    let process = Process { pid, uid, mark: cluster.display().to_string() };
    let since = field(2).parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    match (field(7), field(3).parse(), since) {
        ("ready", Ok(port), Some(since)) => Server::Ready { process, port, since },
        _ => Server::Busy(process),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/data/pg/cluster\n1700000000\n54321\n\n127.0.0.1\n  1 2\nready   \n";

    #[test]
    fn the_file_is_read() {
        let cluster = Path::new("/data/pg/cluster");
        let process = Process { pid: 4711, uid: 5, mark: "/data/pg/cluster".to_owned() };
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(parse(READY, cluster, 5), Server::Ready { process: process.clone(), port: 54321, since });
        assert_eq!(parse(&READY.replace("ready", "starting"), cluster, 5), Server::Busy(process.clone()));
        assert_eq!(parse("4711\n/data", cluster, 5), Server::Busy(process));
        assert_eq!(parse("", cluster, 5), Server::Crashed);
    }

    #[test]
    fn a_file_whose_process_is_somebody_else_means_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let uid = nix::unistd::geteuid().as_raw();
        assert_eq!(look(folder.path(), uid).unwrap(), Server::Stopped);
        let ours = READY.replace("4711", &std::process::id().to_string());
        std::fs::write(pid_file(folder.path()), ours).unwrap();
        assert_eq!(look(folder.path(), uid).unwrap(), Server::Crashed);
    }
}
