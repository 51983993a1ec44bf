//! The programs to compare: `covidctl tunnel` and `ssh -L`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::bastion::{Bastion, free_address, user, wait_until_listening};
use crate::process;
use common::failure::{Context as _, Result};

#[derive(Clone, Copy)]
pub(super) enum Competitor {
    Covidctl,
    Ssh,
}

/// A running program with one forwarding; killed when dropped.
pub(super) struct Forwarder {
    program: Child,
    local: SocketAddr,
}

impl Competitor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Covidctl => "covidctl tunnel",
            Self::Ssh => "ssh -L",
        }
    }
}

impl Forwarder {
    /// Forwards a free port through the bastion at `address` to the target.
    pub(super) fn start(
        competitor: Competitor,
        covidctl: &Path,
        bastion: &Bastion,
        address: SocketAddr,
        target: SocketAddr,
    ) -> Result<Self> {
        let local = free_address()?;
        let route = format!("{}:{target}", local.port());
        let user = user()?;
        let mut command = match competitor {
            Competitor::Covidctl => {
                let mut command = Command::new(covidctl);
                command
                    .args(["tunnel", "--quiet", "--cipher", "aes256-gcm", "-L", &route])
                    .args(["--bastion", &format!("{user}@{address}")])
                    .env("XDG_CONFIG_HOME", bastion.folder());
                command
            }
            Competitor::Ssh => {
                let mut command = Command::new("ssh");
                let known_hosts = format!("UserKnownHostsFile={}", bastion.file("known_hosts").display());
                command
                    .args(["-F", "none", "-N", "-c", "aes256-gcm@openssh.com", "-L", &route])
                    .args(["-o", "IdentitiesOnly=yes", "-o", "ExitOnForwardFailure=yes"])
                    .args([
                        "-o",
                        "StrictHostKeyChecking=accept-new",
                        "-o",
                        "LogLevel=ERROR",
                        "-o",
                        &known_hosts,
                    ])
                    .args(["-p", &address.port().to_string(), &format!("{user}@{}", address.ip())]);
                command
            }
        };
        command.arg("-i").arg(bastion.file("id"));
        command.env_remove("SSH_AUTH_SOCK").stdin(Stdio::null()).stdout(Stdio::null());
        let program = command.spawn().context(|| process::cannot_start(&command))?;
        let forwarder = Self { program, local };
        wait_until_listening(local, competitor.name())?;
        Ok(forwarder)
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}
