//! Processes: whether one that was noted down still lives, and how it is made to end.
//!
//! A process id alone proves nothing, because the system uses it again. So every process that we start carries a mark in its
//! command line (a run's id, a folder's name) and is known by id, user and mark together. A process that has ended but was
//! not waited for has no command line any more, and so counts as gone.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// How often a process that is asked to end is looked at.
const PACE: Duration = Duration::from_millis(10);

/// A process and how it is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    /// Its id.
    pub pid: i32,
    /// Who runs it.
    pub uid: u32,
    /// What its command line contains.
    pub mark: String,
}

impl Process {
    /// Whether it still runs.
    pub(super) fn is_alive(&self) -> bool {
        command_line(self.pid).is_some_and(|(uid, line)| uid == self.uid && line.contains(&self.mark))
    }

    /// Sends it a signal; it may be gone by now.
    pub(super) fn signal(&self, signal: Signal) {
        if self.is_alive() {
            _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Waits until it is gone, but not longer than `patience`.
    pub(super) fn wait_gone(&self, patience: Duration) -> bool {
        let start = Instant::now();
        while self.is_alive() {
            if start.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(PACE);
        }
        true
    }

    /// Ends it and everything that it started in its own process group: first asked, then made to.
    pub(super) fn end_group(&self, patience: Duration) {
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            if !self.is_alive() {
                return;
            }
            _ = killpg(Pid::from_raw(self.pid), signal);
            if self.wait_gone(patience) {
                return;
            }
        }
    }
}

/// Who runs a process, and its words; nothing for one that is gone or ended.
#[cfg(target_os = "linux")]
fn command_line(pid: i32) -> Option<(u32, String)> {
    use std::os::unix::fs::MetadataExt as _;
    let folder = std::path::PathBuf::from(format!("/proc/{pid}"));
    let words = std::fs::read(folder.join("cmdline")).ok().filter(|words| !words.is_empty())?;
    Some((folder.metadata().ok()?.uid(), String::from_utf8_lossy(&words).replace('\0', " ")))
}

/// Who runs a process, and its words; nothing for one that is gone or ended.
#[cfg(not(target_os = "linux"))]
fn command_line(pid: i32) -> Option<(u32, String)> {
    let words = ["-ww", "-o", "uid=", "-o", "command=", "-p", &pid.to_string()];
    let output = std::process::Command::new("ps").args(words).output().ok()?;
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
        // Its first word says that it is as far as the test wants it.
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let pid = child.id().cast_signed();
        let uid = nix::unistd::geteuid().as_raw();
        (child, Process { pid, uid, mark: mark.to_owned() })
    }

    #[test]
    fn a_recycled_id_is_not_mistaken_for_the_process() {
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
    fn one_that_does_not_listen_is_killed_with_its_children() {
        let (mut child, process) = start("trap '' TERM; echo; sleep 600; :", "mark-three");
        process.end_group(Duration::from_secs(1));
        assert!(!process.is_alive());
        // It is gone although nobody has waited for it yet.
        assert!(!child.wait().unwrap().success());
    }
}
