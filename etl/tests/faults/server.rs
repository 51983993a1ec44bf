//! A PostgreSQL server of one test, which the test can stop and start.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{User, geteuid};

use crate::fixture::environment;
use crate::reaper::Reaper;

/// The folder of PostgreSQL's programs.
const TEST_PG_BIN: &str = "TEST_PG_BIN";

/// Stopped when dropped; its folder is removed.
pub(crate) struct Server {
    port: u16,
    // In this order: the server ends before its folder goes.
    _keeper: Reaper,
    folder: tempfile::TempDir,
}

impl Server {
    /// Creates and starts a server.
    pub(crate) fn start() -> Self {
        let server = Self::prepare();
        server.call(
            "initdb",
            &["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
        );
        server.start_again();
        server
    }

    /// Creates and starts a hot standby of this server.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::prepare();
        standby.call(
            "pg_basebackup",
            &["--dbname", &self.url(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"],
        );
        standby.start_again();
        standby
    }

    /// Reserves a port and an empty directory, with a process that cleans up.
    fn prepare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = free_port();
        let data = folder.path().join("data");
        std::fs::DirBuilder::new().mode(0o700).create(&data).unwrap();
        give_away(&data);
        let arguments = [program("pg_ctl"), data].map(|path| path.display().to_string());
        let reaper = Reaper::new(
            "\"$0\" stop --pgdata=\"$1\" --mode=immediate --wait",
            &arguments.each_ref().map(String::as_str),
            as_server_user,
        );
        Self { port, _keeper: reaper, folder }
    }

    /// Starts the server again.
    pub(crate) fn start_again(&self) {
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=30",
            self.port
        );
        let log = self.data().join("server.log");
        self.call(
            "pg_ctl",
            &[
                "start",
                "--wait",
                "--silent",
                &format!("--options={options}"),
                &format!("--log={}", log.display()),
            ],
        );
    }

    /// Stops the server; `mode` is `fast` or `immediate`.
    pub(crate) fn stop(&self, mode: &str) {
        self.call("pg_ctl", &["stop", "--wait", "--silent", &format!("--mode={mode}")]);
    }

    /// Returns the superuser's URL.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Creates a folder that the server may write to.
    pub(crate) fn new_folder(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        give_away(&path);
        path
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn call(&self, name: &str, arguments: &[&str]) {
        let mut command = Command::new(program(name));
        command.arg("--pgdata").arg(self.data()).args(arguments).current_dir("/");
        // The server keeps what it is started with: no pipe, which would never end.
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        as_server_user(&mut command);
        assert!(command.status().unwrap().success(), "{command:?} failed");
    }
}

/// Makes the server's user the owner of a path.
pub(crate) fn give_away(path: &Path) {
    if let Some(user) = server_user() {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
}

/// Runs a command as the server's user.
pub(crate) fn as_server_user(command: &mut Command) {
    if let Some(user) = server_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
}

/// Returns the user to run PostgreSQL as, because it refuses to run as root.
fn server_user() -> Option<User> {
    let user = |name: &&str| User::from_name(name).unwrap();
    geteuid().is_root().then(|| ["postgres", "nobody"].iter().find_map(user).unwrap())
}

fn program(name: &str) -> PathBuf {
    Path::new(&environment(TEST_PG_BIN)).join(name)
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
