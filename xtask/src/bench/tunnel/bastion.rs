//! An OpenSSH server on the loopback, with keys of its own. Killed when dropped; its sessions end with their clients.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use crate::bench::input;
use crate::process;
use common::failure::{Context as _, Failure, Result};

const SSHD: &str = "/usr/sbin/sshd";

/// Limits the start of sshd and of each competitor.
const START_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Bastion {
    folder: TempDir,
    address: SocketAddr,
    server: Child,
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
        let address = free_address()?;
        let configuration = format!(
            "Port {}\nListenAddress {}\nHostKey {path}/host\nAuthorizedKeysFile {path}/id.pub\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPidFile none\n",
            address.port(),
            address.ip()
        );
        let file = folder.path().join("sshd_config");
        fs::write(&file, configuration).context(|| format!("cannot write `{}`", file.display()))?;
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(file).stdin(Stdio::null()).stderr(Stdio::null());
        let server = command
            .spawn()
            .context(|| process::cannot_start(&command))
            .map_err(|failure| failure.hint("apt-get install openssh-server"))?;
        let bastion = Self { folder, address, server };
        wait_until_listening(address, "sshd")?;
        Ok(bastion)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Bastion {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Returns the user who runs the benchmark, which is the only one who can log in.
pub(super) fn user() -> Result<String> {
    let user = User::from_uid(geteuid()).context(|| "cannot look up the user".to_owned())?;
    user.map(|user| user.name).ok_or_else(|| Failure::new("the user has no name"))
}

/// Returns an address whose port is free at this moment.
pub(super) fn free_address() -> Result<SocketAddr> {
    let what = || "cannot find a free port".to_owned();
    TcpListener::bind("127.0.0.1:0").context(what)?.local_addr().context(what)
}

pub(super) fn wait_until_listening(address: SocketAddr, name: &str) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if start.elapsed() > START_TIMEOUT {
            return Err(Failure::new(format!("{name} does not answer on {address}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
