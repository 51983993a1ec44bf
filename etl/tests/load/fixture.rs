//! A database and a folder of datasets for one test, and the program that loads them.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::env;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::aggregate_counts;
use crate::cluster::{TestDatabase, empty_database, execute};
use crate::outcome::{Loaded, published};
use crate::rows;

pub(crate) const CSV: &str = "Covid19Casos.csv";
pub(crate) const ZIP: &str = "Covid19Casos.zip";

/// The source and the target of a test's loads.
pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    /// Creates an empty database, and a folder with provinces and departments.
    pub(crate) async fn new() -> Self {
        let fixture = Self { database: empty_database().await, folder: tempfile::tempdir().unwrap() };
        fixture.put_georef();
        fixture
    }

    /// Creates a fixture with a small valid dataset, which is loaded.
    pub(crate) async fn loaded() -> Self {
        let fixture = Self::new().await;
        fixture.put(CSV, rows::file(&rows::good(60)));
        fixture.run(&["--years", "all"]).succeeded();
        fixture
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn put_georef(&self) {
        self.put("provincias.csv", rows::PROVINCES);
        self.put("departamentos.csv", rows::DEPARTMENTS);
    }

    /// Replaces the line list by another file.
    pub(crate) fn replace(&self, name: &str, content: impl AsRef<[u8]>) {
        for name in [CSV, ZIP] {
            drop(std::fs::remove_file(self.path(name)));
        }
        self.put(name, content);
    }

    /// Returns the command `etl run` on this fixture.
    pub(crate) fn command(&self) -> Etl {
        Etl::new("run")
            .env(env::STORE_URL, &format!("file://{}", self.folder.path().display()))
            .env(env::DATABASE_URL, &self.database.url())
    }

    /// Runs `etl run` on all years, with the default thresholds of the publish gate.
    pub(crate) fn run_gated(&self, arguments: &[&str]) -> Ended {
        let command = self.command().env(env::ACCEPT_ANOMALIES, "false").env(env::YEARS, "all");
        command.arguments(arguments).end()
    }

    /// Runs `etl run` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command().arguments(arguments).end()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.database.connect().await
    }

    pub(crate) async fn execute(&self, statements: &str) {
        execute(&mut self.connect().await, statements).await;
    }

    /// Loads the files, even if they are loaded already, compares the aggregates, and returns the outcome.
    pub(crate) async fn load(&self, years: &str) -> Loaded {
        let ended = self.run(&["--years", years, "--force"]).succeeded();
        let mut connection = self.connect().await;
        aggregate_counts::must_be_right(&mut connection).await;
        Loaded::of(&mut connection, ended.run).await
    }

    /// Returns what readers see.
    pub(crate) async fn published(&self) -> String {
        published(&mut self.connect().await).await
    }
}

/// The real binary, with an environment of its own and a new run id.
pub(crate) struct Etl {
    command: Command,
    run: Uuid,
}

impl Etl {
    pub(crate) fn new(subcommand: &str) -> Self {
        let run = Uuid::new_v4();
        let mut command = Command::new(env!("CARGO_BIN_EXE_etl"));
        for name in [env::REPORTS_URL, env::YEARS, env::FORCE, env::REPORT_LANG, "RUST_LOG", "RUST_BACKTRACE"]
        {
            command.env_remove(name);
        }
        command.arg(subcommand).env(env::RUN_ID, run.to_string()).env(env::LOG_FORMAT, "text");
        // Most tests load a few odd rows one after the other; those of the gate take this away.
        command.env(env::ACCEPT_ANOMALIES, "true");
        Self { command, run }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets the id of the run.
    pub(crate) fn id(mut self, run: Uuid) -> Self {
        self.command.env(env::RUN_ID, run.to_string());
        self.run = run;
        self
    }

    /// Runs the program to its end.
    pub(crate) fn end(mut self) -> Ended {
        let output = self.command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Ended { run: self.run, code: output.status.code(), stderr }
    }
}

/// The result of a run.
pub(crate) struct Ended {
    pub(crate) run: Uuid,
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Asserts that the run failed with code 1, a message with these words, a hint, and no internals.
    #[track_caller]
    pub(crate) fn failed(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}", self.stderr);
        let line =
            |start: &str| self.stderr.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned);
        let error = line("error: ").unwrap_or_else(|| panic!("no sentence: {}", self.stderr));
        let hint = line("hint: ").unwrap_or_else(|| panic!("no hint: {}", self.stderr));
        assert!(!error.is_empty() && !hint.is_empty(), "{}", self.stderr);
        for word in words {
            assert!(error.contains(word) || hint.contains(word), "no {word:?} in: {error}\n{hint}");
        }
        for noise in ["panicked", "backtrace", "Error {", "Some("] {
            assert!(!self.stderr.contains(noise), "{}", self.stderr);
        }
        self
    }
}

/// Returns the store URL of a folder.
pub(crate) fn url(folder: &Path) -> String {
    format!("file://{}", folder.display())
}
