//! Cleans up by a command that runs when this process has ended, also by Ctrl-C or kill -9.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Runs a command when dropped.
pub(crate) struct Reaper(Child);

impl Reaper {
    /// `sh` runs `command`, as the user that `as_user` sets, with `arguments` as `$0` and so on.
    pub(crate) fn new(command: &str, arguments: &[&str], as_user: impl FnOnce(&mut Command)) -> Self {
        let mut shell = Command::new("sh");
        shell
            // The kernel closes the pipe with the process at its other end.
            .args(["-c", &format!("trap '' INT TERM HUP; read -r _; {command}")])
            .args(arguments)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        as_user(&mut shell);
        Self(shell.spawn().unwrap())
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}
