//! The bastion, an OpenSSH server on the loopback with keys of its own, and the programs to compare: `covidctl tunnel` and `ssh -L`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use crate::bench::input;
use crate::process::{self, Background};
use common::failure::{Context as _, Failure, Result};

/// A running sshd. When it is killed, its sessions end with their clients.
pub(super) struct Bastion {
    pub(super) address: SocketAddr,
    folder: TempDir,
    _server: Background,
}

impl Bastion {
    pub(super) fn start() -> Result<Self> {
        if geteuid().is_root() {
            fs::create_dir_all("/run/sshd").context(|| "cannot create `/run/sshd`".to_owned())?;
        }
        let folder = input::scratch()?;
        let path = folder.path().display();
        for key in ["host", "id"] {
            let file = folder.path().join(key);
            process::run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file))?;
        }
        let address = process::free_address()?;
        let configuration = format!(
            "Port {}\nListenAddress {}\nHostKey {path}/host\nAuthorizedKeysFile {path}/id.pub\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPidFile none\n",
            address.port(),
            address.ip()
        );
        let file = folder.path().join("sshd_config");
        fs::write(&file, configuration).context(|| format!("cannot write `{}`", file.display()))?;
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(file).stderr(Stdio::null());
        let server = Background::start(&mut command)
            .map_err(|failure| failure.hint("apt-get install openssh-server"))?;
        process::wait_until_listening(address, "sshd")?;
        Ok(Self { address, folder, _server: server })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[derive(Clone, Copy)]
pub(super) enum Competitor {
    Covidctl,
    Ssh,
}

impl Competitor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Covidctl => "covidctl tunnel",
            Self::Ssh => "ssh -L",
        }
    }
}

/// A running program with one forwarding.
pub(super) struct Forwarder {
    pub(super) local: SocketAddr,
    _program: Background,
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
        let local = process::free_address()?;
        let route = format!("{}:{target}", local.port());
        let user = user()?;
        let mut command = match competitor {
            Competitor::Covidctl => {
                let mut command = Command::new(covidctl);
                command
                    .args([
                        "tunnel",
                        "--quiet",
                        "--cipher",
                        "aes256-gcm",
                        "--trust",
                        "first-use",
                        "-L",
                        &route,
                    ])
                    .args(["--bastion", &format!("{user}@{address}")])
                    .env("XDG_CONFIG_HOME", bastion.folder.path());
                command
            }
            Competitor::Ssh => {
                let mut command = Command::new("ssh");
                let known_hosts = format!("-oUserKnownHostsFile={}", bastion.file("known_hosts").display());
                command
                    .args(["-F", "none", "-N", "-c", "aes256-gcm@openssh.com", "-L", &route])
                    .args(["-oIdentitiesOnly=yes", "-oExitOnForwardFailure=yes", "-oLogLevel=ERROR"])
                    .args(["-oStrictHostKeyChecking=accept-new", &known_hosts])
                    .args(["-p", &address.port().to_string(), &format!("{user}@{}", address.ip())]);
                command
            }
        };
        command.arg("-i").arg(bastion.file("id")).env_remove("SSH_AUTH_SOCK");
        let program = Background::start(&mut command)?;
        process::wait_until_listening(local, competitor.name())?;
        Ok(Self { local, _program: program })
    }
}

/// Returns the user who runs the benchmark, which is the only one who can log in.
fn user() -> Result<String> {
    let user = User::from_uid(geteuid()).context(|| "cannot look up the user".to_owned())?;
    user.map(|user| user.name).ok_or_else(|| Failure::new("the user has no name"))
}
