//! A target in a temporary directory, and the program run on it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Returns a command without the settings of the user.
pub(crate) fn covidctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covidctl"));
    for name in [
        "COVIDCTL_TARGET",
        "COVIDCTL_DATA_DIR",
        "COVIDCTL_CONFIG",
        "COVIDCTL_READ_ONLY",
        "COVIDCTL_REPOSITORY",
        "NO_COLOR",
        "YEARS",
    ] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// What a finished program finished.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program without a target.
pub(crate) fn call(words: &[&str]) -> Finished {
    covidctl().args(words).output().unwrap().into()
}

/// A target in a temporary directory, which is stopped and deleted when the test ends.
pub(crate) struct Target {
    folder: TempDir,
}

impl Target {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The user that runs PostgreSQL needs access.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = covidctl();
        command.arg("--data-dir").arg(self.data()).args(words);
        command
    }

    pub(crate) fn call(&self, words: &[&str]) -> Finished {
        self.command(words).output().unwrap().into()
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn ok(&self, words: &[&str]) -> Finished {
        let finished = self.call(words);
        assert_eq!(finished.code, Some(0), "{words:?}: {}", finished.err);
        finished
    }

    /// Returns a component of `status`.
    #[track_caller]
    pub(crate) fn component(&self, name: &str) -> Value {
        let status: Value = serde_json::from_str(&self.ok(&["status", "-o", "json"]).out).unwrap();
        let parts = status["parts"].as_array().unwrap();
        parts.iter().find(|part| part["name"] == name).unwrap_or(&Value::Null).clone()
    }

    /// Returns the result of a query with one value.
    #[track_caller]
    pub(crate) fn sql(&self, query: &str) -> String {
        self.ok(&["psql", "--", "-XAtqc", query]).out.trim().to_owned()
    }

    /// Returns the pid in `postmaster.pid`.
    pub(crate) fn postmaster(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.postmaster_file()).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    pub(crate) fn postmaster_file(&self) -> PathBuf {
        self.data().join("pg/cluster/postmaster.pid")
    }

    /// Returns the processes with the data directory in their command line.
    pub(crate) fn processes(&self) -> Vec<String> {
        let folder = self.data().canonicalize().unwrap().display().to_string();
        let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().unwrap();
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        lines.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.command(&["down", "--delete-data", "--yes", "--quiet"]).output());
    }
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

pub(crate) fn set_mode(folder: &Path, mode: u32) {
    std::fs::set_permissions(folder, PermissionsExt::from_mode(mode)).unwrap();
}
