//! `etl run` as a process that a test can watch, signal and kill.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use common::env;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Only ends a test that would hang.
const TOO_LONG: Duration = Duration::from_mins(3);

/// A run in progress, which is killed when dropped.
pub(crate) struct Run {
    pub(crate) id: Uuid,
    child: Child,
    log: PathBuf,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` if a signal ended the run.
    pub(crate) code: Option<i32>,
    /// Its whole output.
    pub(crate) said: String,
}

impl Run {
    /// Starts a run of all years; its output goes to a file in `reports`.
    pub(crate) fn start(database: &str, dataset: &Path, reports: &Path, arguments: &[&str]) -> Self {
        let id = Uuid::new_v4();
        std::fs::create_dir_all(reports).unwrap();
        let log = reports.join(format!("{id}.log"));
        let output = File::create(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_etl"))
            .arg("run")
            .args(arguments)
            .env_clear()
            .env(env::DATABASE_URL, database)
            .env(env::STORE_URL, format!("file://{}", dataset.display()))
            .env(env::REPORTS_URL, format!("file://{}", reports.display()))
            .env(env::YEARS, "all")
            // Datasets of other sizes follow each other here, and nothing is kept that no reader needs.
            .env(env::ACCEPT_ANOMALIES, "true")
            .env(env::KEEP_RELEASES, "0")
            .env(env::RUN_ID, id.to_string())
            .env(env::LOG_FORMAT, "text")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { id, child, log }
    }

    /// Returns the `application_name` of its sessions.
    pub(crate) fn application_name(&self) -> String {
        etl::database::application_name(self.id)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Kills the run with SIGKILL and waits for its end.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for the end of the run.
    pub(crate) async fn end(mut self) -> Ended {
        let status = tokio::time::timeout(TOO_LONG, self.child.wait()).await;
        let said = self.said();
        let status = status.unwrap_or_else(|_| panic!("the run does not end; it said:\n{said}")).unwrap();
        Ended { code: status.code(), said }
    }

    /// Returns the output so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Returns the peak memory so far, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().unwrap().cast_signed())
    }
}

impl Ended {
    /// Asserts that the run failed with code 1, a message with these words, a hint, and no internals.
    pub(crate) fn assert_explained(&self, words: &str) {
        self.assert_explained_with(1, words);
    }

    /// The same with another exit code.
    pub(crate) fn assert_explained_with(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        let sentence = self.said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(sentence.contains(words), "no sentence with `{words}`:\n{}", self.said);
        assert!(self.said.lines().any(|line| line.starts_with("hint: ")), "no hint:\n{}", self.said);
        for inside in ["panicked", "backtrace", "src/"] {
            assert!(!self.said.contains(inside), "{}", self.said);
        }
    }
}
