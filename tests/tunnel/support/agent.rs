//! An ssh agent.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Sshd, until};

/// An agent with keys of a server's folder, which ends with this value.
pub(crate) struct Agent {
    program: Child,
    socket: PathBuf,
}

impl Agent {
    pub(crate) fn with(sshd: &Sshd, keys: &[&str]) -> Self {
        let socket = sshd.file("agent");
        drop(std::fs::remove_file(&socket));
        let program =
            Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let agent = Self { program: program.unwrap(), socket };
        // The socket exists before the agent listens.
        until("the agent listens", || UnixStream::connect(&agent.socket).is_ok());
        for key in keys {
            let mut add = Command::new("ssh-add");
            let added = add.arg("-q").arg(sshd.file(key)).env("SSH_AUTH_SOCK", &agent.socket).status();
            assert!(added.unwrap().success());
        }
        agent
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}
