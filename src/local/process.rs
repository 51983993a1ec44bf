//! Recognizes and ends processes that an earlier call of this program started.
//!
//! Process ids are reused, so a process is recognized by its id, its user and a mark in its command line (a run's id or a folder). A zombie has
//! no command line and counts as ended.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

const POLL_INTERVAL: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub pid: i32,
    pub uid: u32,
    /// A part of its command line.
    pub mark: String,
}

impl Process {
    pub(super) fn is_alive(&self) -> bool {
        command_line(self.pid).is_some_and(|(uid, line)| uid == self.uid && line.contains(&self.mark))
    }

    /// Sends a signal, if the process still runs.
    pub(super) fn signal(&self, signal: Signal) {
        if self.is_alive() {
            _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Returns whether a live process with this id, started in whatever way, has `folder` as its working directory; `None` where the system
    /// does not tell.
    pub(super) fn works_in(&self, folder: &Path) -> Option<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let directory = std::fs::metadata(format!("/proc/{}/cwd", self.pid)).ok()?;
        let folder = folder.metadata().ok()?;
        Some((directory.dev(), directory.ino()) == (folder.dev(), folder.ino()))
    }

    /// Waits at most `timeout` for the process to end; returns whether it has.
    pub(super) fn wait_ended(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        while self.is_alive() {
            if start.elapsed() >= timeout {
                return false;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        true
    }

    /// Terminates the process group, and kills it after `timeout`.
    pub(super) fn end_group(&self, timeout: Duration) {
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            if !self.is_alive() {
                return;
            }
            _ = killpg(Pid::from_raw(self.pid), signal);
            if self.wait_ended(timeout) {
                return;
            }
        }
    }
}

/// Returns the user and the command line of a process, `None` if it has ended.
#[cfg(target_os = "linux")]
fn command_line(pid: i32) -> Option<(u32, String)> {
    use std::os::unix::fs::MetadataExt as _;
    let folder = std::path::PathBuf::from(format!("/proc/{pid}"));
    let args = std::fs::read(folder.join("cmdline")).ok().filter(|args| !args.is_empty())?;
    Some((folder.metadata().ok()?.uid(), String::from_utf8_lossy(&args).replace('\0', " ")))
}

#[cfg(not(target_os = "linux"))]
fn command_line(pid: i32) -> Option<(u32, String)> {
    let args = ["-ww", "-o", "uid=", "-o", "command=", "-p", &pid.to_string()];
    let output = std::process::Command::new("ps").args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (uid, line) = text.trim().split_once(char::is_whitespace)?;
    Some((uid.parse().ok()?, line.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn start(script: &str, mark: &str) -> (Child, Process) {
        let mut shell = Command::new("sh");
        let mut child =
            shell.args(["-c", script, mark]).process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        // The script prints a line when it is ready.
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let pid = child.id().cast_signed();
        let uid = nix::unistd::geteuid().as_raw();
        (child, Process { pid, uid, mark: mark.to_owned() })
    }

    #[test]
    fn is_alive_false_for_other_mark_or_user() {
        let (mut child, process) = start("echo; sleep 600; :", "mark-one");
        assert!(process.is_alive());
        let recycled = Process { mark: "mark-two".to_owned(), ..process.clone() };
        assert!(!recycled.is_alive());
        let foreign = Process { uid: process.uid + 1, ..process.clone() };
        assert!(!foreign.is_alive());
        process.end_group(Duration::from_secs(1));
        child.wait().unwrap();
    }

    #[test]
    fn end_group_kills_process_that_ignores_sigterm() {
        let (mut child, process) = start("trap '' TERM; echo; sleep 600; :", "mark-three");
        process.end_group(Duration::from_secs(1));
        assert!(!process.is_alive());
        // It counted as ended while it was a zombie.
        assert!(!child.wait().unwrap().success());
    }
}
