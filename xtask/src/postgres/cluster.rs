//! A private cluster in a temporary folder, on 127.0.0.1 with a free port and on a socket in that folder.
//!
//! A small shell process keeps it (`keeper.sh`): it stops the server and removes the folder as soon as this process is
//! gone, in whatever way. PostgreSQL refuses to run as root, so as root the keeper runs as `postgres` or `nobody`.

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

/// How the server is set up.
#[derive(Clone, Copy)]
pub(crate) enum Settings {
    /// For tests: nothing survives a power cut, many connections.
    ThrowAway,
    /// For benchmarks: PostgreSQL's own defaults, as a user would meet them.
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

/// A running private server. Dropping it stops the server and removes its folder.
pub(crate) struct Cluster {
    port: u16,
    password: String,
    keeper: Child,
}

impl Cluster {
    /// Creates and starts one; it answers when this returns.
    pub(crate) fn start(binaries: &Binaries, settings: Settings) -> Result<Self> {
        let mut attempts_left = 3;
        loop {
            attempts_left -= 1;
            match Self::try_start(binaries, settings) {
                // Between finding a free port and using it, somebody else may have taken it.
                Err(failure)
                    if attempts_left > 0 && failure.to_string().contains("Address already in use") => {}
                done => return done,
            }
        }
    }

    /// The superuser's URL of one database.
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
            ("settings", format!("{}{}", settings.lines(), place(port, folder.path()))),
        ];
        for (name, content) in files {
            let file = folder.path().join(name);
            fs::write(&file, content).context(|| format!("cannot write `{}`", file.display()))?;
        }
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("keeper.sh"), "keeper"])
            .args([binaries.folder(), folder.path()])
            .current_dir("/")
            .process_group(0) // so that Ctrl-C reaches the task, not the keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if geteuid().is_root() {
            give_away(folder.path(), &mut command)?;
        }
        let keeper = command.spawn().context(|| "cannot start `sh`".to_owned())?;
        // From here on the folder is the keeper's, which removes it.
        drop(folder.keep());
        let mut cluster = Self { port, password, keeper };
        cluster.wait_until_ready(binaries)?;
        Ok(cluster)
    }

    /// The keeper says `ready`, or says why not and ends.
    fn wait_until_ready(&mut self, binaries: &Binaries) -> Result<()> {
        let mut said = Vec::new();
        if let Some(mut stdout) = self.keeper.stdout.take() {
            let mut byte = [0];
            while said != b"ready\n" && stdout.read(&mut byte).is_ok_and(|length| length == 1) {
                said.push(byte[0]);
            }
        }
        if said == b"ready\n" {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&said);
        Err(Failure::new(format!(
            "cannot start PostgreSQL from `{}`: {}",
            binaries.folder().display(),
            said.trim()
        ))
        .hint("as root it runs as `postgres` or `nobody`: this user must reach TMPDIR and the binaries"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Nobody is left to tell if this fails; the keeper is done or gone either way.
        drop(self.keeper.wait());
    }
}

fn place(port: u16, folder: &Path) -> String {
    let folder = folder.display().to_string().replace('\'', "''");
    format!("listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n")
}

fn free_port() -> Result<u16> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).context(|| "cannot find a free port on 127.0.0.1".to_owned())
}

/// A PostgreSQL superuser may run programs as the server's user, so other users of this machine must not guess it. The
/// standard library's hash keys are random, which is all that is needed here.
fn password() -> String {
    let random = || format!("{:016x}", RandomState::new().build_hasher().finish());
    random() + &random()
}

/// Hands the folder and the process to a user that PostgreSQL accepts.
fn give_away(folder: &Path, keeper: &mut Command) -> Result<()> {
    let user = ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .ok_or_else(|| Failure::new("there is neither a user `postgres` nor `nobody` to run PostgreSQL"))?;
    let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
    for place in [folder.to_path_buf(), folder.join("password"), folder.join("settings")] {
        chown(&place, Some(uid), Some(gid))
            .context(|| format!("cannot give `{}` to the user `{}`", place.display(), user.name))?;
    }
    keeper.uid(uid).gid(gid);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_fit_into_a_url() {
        let (one, other) = (password(), password());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    }
}
