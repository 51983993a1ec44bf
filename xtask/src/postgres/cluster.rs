//! A cluster in a temporary folder, on a free port of 127.0.0.1 and on a socket in that folder.
//!
//! A shell process (`pg_reaper.sh`) stops the server and removes the folder when this process ends, even if it is killed. PostgreSQL
//! refuses to run as root, so as root the reaper runs as `postgres` or `nobody`.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::unistd::{User, geteuid};

use super::Binaries;
use common::failure::{Context as _, Failure, Result};

#[derive(Clone, Copy)]
pub(crate) enum Settings {
    /// For tests: not durable, many connections.
    ThrowAway,
    /// For benchmarks: PostgreSQL's defaults.
    Defaults,
}

impl Settings {
    fn lines(self) -> &'static str {
        match self {
            Self::ThrowAway => {
                "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\n"
            }
            Self::Defaults => "",
        }
    }
}

/// A running cluster. Dropping it stops the server and removes its folder.
pub(crate) struct Cluster {
    port: u16,
    password: String,
    reaper: Child,
}

impl Cluster {
    /// Creates a cluster and waits until it accepts connections.
    pub(crate) fn start(binaries: &Binaries, settings: Settings) -> Result<Self> {
        let mut attempts_left = 3;
        loop {
            attempts_left -= 1;
            match Self::try_start(binaries, settings) {
                // Another process may have taken the port meanwhile.
                Err(failure)
                    if attempts_left > 0 && failure.to_string().contains("Address already in use") => {}
                done => return done,
            }
        }
    }

    /// Returns a superuser's URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}?sslmode=disable", self.password, self.port)
    }

    fn try_start(binaries: &Binaries, settings: Settings) -> Result<Self> {
        let port = free_port()?;
        let password = password();
        let folder = tempfile::Builder::new()
            .prefix("covidctl-pg-")
            .tempdir()
            .context(|| "cannot create a temporary folder".to_owned())?;
        let files = [
            ("password", format!("{password}\n")),
            ("settings", format!("{}{}", settings.lines(), connection_settings(port, folder.path()))),
        ];
        for (name, content) in files {
            let file = folder.path().join(name);
            fs::write(&file, content).context(|| format!("cannot write `{}`", file.display()))?;
        }
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("pg_reaper.sh"), "pg_reaper"])
            .args([binaries.folder(), folder.path()])
            .current_dir("/")
            .process_group(0) // Ctrl-C must not reach the reaper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if geteuid().is_root() {
            change_owner(folder.path(), &mut command)?;
        }
        let reaper = command.spawn().context(|| "cannot start `sh`".to_owned())?;
        // From here on the reaper removes the folder.
        drop(folder.keep());
        let mut cluster = Self { port, password, reaper };
        cluster.wait_until_ready(binaries)?;
        Ok(cluster)
    }

    /// The reaper prints `ready`, or the reason of its failure.
    fn wait_until_ready(&mut self, binaries: &Binaries) -> Result<()> {
        let mut output = Vec::new();
        if let Some(mut stdout) = self.reaper.stdout.take() {
            let mut byte = [0];
            while output != b"ready\n" && stdout.read(&mut byte).is_ok_and(|length| length == 1) {
                output.push(byte[0]);
            }
        }
        if output == b"ready\n" {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output);
        Err(Failure::new(format!(
            "cannot start PostgreSQL from `{}`: {}",
            binaries.folder().display(),
            output.trim()
        ))
        .hint("as root it runs as `postgres` or `nobody`: this user must reach TMPDIR and the binaries"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.reaper.stdin.take());
        // The reaper has ended either way.
        drop(self.reaper.wait());
    }
}

fn connection_settings(port: u16, folder: &Path) -> String {
    let folder = folder.display().to_string().replace('\'', "''");
    format!("listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n")
}

fn free_port() -> Result<u16> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).context(|| "cannot find a free port on 127.0.0.1".to_owned())
}

/// Protects the superuser, who can run programs, from other users of the machine. The standard library's hash keys are random.
fn password() -> String {
    let random = || format!("{:016x}", RandomState::new().build_hasher().finish());
    random() + &random()
}

/// Gives the folder and the process to a user that PostgreSQL accepts.
fn change_owner(folder: &Path, reaper: &mut Command) -> Result<()> {
    let user = ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .ok_or_else(|| Failure::new("neither user `postgres` nor `nobody` exists to run PostgreSQL"))?;
    let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
    for path in [folder.to_path_buf(), folder.join("password"), folder.join("settings")] {
        chown(&path, Some(uid), Some(gid))
            .context(|| format!("cannot give `{}` to the user `{}`", path.display(), user.name))?;
    }
    reaper.uid(uid).gid(gid);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_are_url_safe() {
        let (one, other) = (password(), password());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    }
}
