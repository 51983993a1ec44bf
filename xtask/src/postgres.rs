//! PostgreSQL's binaries, and a temporary cluster for one task: on a free port of 127.0.0.1 and on a socket in its folder.
//!
//! A shell process (`pg_reaper.sh`) stops the server and removes the folder when this process ends, even if it is killed. PostgreSQL
//! refuses to run as root, so as root the reaper runs as `postgres` or `nobody`.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Read as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::{User, geteuid};

use crate::process;
use common::failure::{Context as _, Failure, Result};

/// Debian and Ubuntu have one folder per version here.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A folder with `initdb`, `pg_ctl` and `postgres`.
pub(crate) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Searches `named` alone if it is given, else PATH, else Debian's folders, newest version first.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self> {
        if let Some(folder) = named {
            return Self::in_folder(folder).ok_or_else(|| {
                Failure::new(format!("`{}` has no initdb, pg_ctl and postgres", folder.display()))
                    .hint("set COVIDCTL_PG_BIN to the folder of PostgreSQL's binaries, or unset it")
            });
        }
        let on_path = process::folder_on_path("initdb");
        on_path
            .into_iter()
            .chain(versions(Path::new(DEBIAN)))
            .find_map(|folder| Self::in_folder(&folder))
            .ok_or_else(|| {
                Failure::new("PostgreSQL is not installed")
                    .hint("apt-get install postgresql, or set COVIDCTL_PG_BIN")
            })
    }

    /// Returns the folder of the binaries, with symbolic links resolved.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns `psql` from the same folder, else from PATH.
    pub(crate) fn psql(&self) -> PathBuf {
        let beside = self.folder.join("psql");
        if beside.is_file() { beside } else { PathBuf::from("psql") }
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        let resolved = folder.join("initdb").canonicalize().ok()?;
        let folder = resolved.parent()?.to_path_buf();
        let complete = ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file());
        complete.then_some(Self { folder })
    }
}

/// `15/bin`, `9.6/bin`, …, newest first: by number, since 9.6 is older than 15.
fn versions(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut versions: Vec<(Vec<u32>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = name.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// Settings of a cluster for tests: not durable, many connections.
pub(crate) const THROW_AWAY: &str =
    "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\n";

/// A running cluster. Dropping it stops the server and removes its folder.
pub(crate) struct Cluster {
    port: u16,
    password: String,
    reaper: Child,
}

impl Cluster {
    /// Creates a cluster with these settings, or PostgreSQL's defaults, and waits until it accepts connections.
    pub(crate) fn start(binaries: &Binaries, settings: &str) -> Result<Self> {
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

    fn try_start(binaries: &Binaries, settings: &str) -> Result<Self> {
        let port = process::free_address()?.port();
        let password = password();
        let folder = tempfile::Builder::new()
            .prefix("covidctl-pg-")
            .tempdir()
            .context(|| "cannot create a temporary folder".to_owned())?;
        let socket = folder.path().display().to_string().replace('\'', "''");
        let settings = format!(
            "{settings}listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\n"
        );
        let files = [("password", format!("{password}\n")), ("settings", settings)];
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
    fn versions_are_newest_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "17", "common"] {
            std::fs::create_dir(parent.path().join(name)).unwrap();
        }
        let expected = ["17/bin", "15/bin", "9.6/bin"].map(|name| parent.path().join(name));
        assert_eq!(versions(parent.path()), expected);
    }

    #[test]
    fn folder_without_postgresql_is_rejected_with_hint() {
        let empty = tempfile::tempdir().unwrap();
        let failure = Binaries::find(Some(empty.path())).err().unwrap();
        assert!(failure.hint_text().unwrap().contains("COVIDCTL_PG_BIN"));
    }

    #[test]
    fn passwords_differ_and_are_url_safe() {
        let (one, other) = (password(), password());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    }
}
