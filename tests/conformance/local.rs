//! The target on this machine, in a folder of its own, with a PostgreSQL of its own.

use std::any::Any;
use std::path::Path;

use async_trait::async_trait;
use clap::{CommandFactory as _, FromArgMatches as _};
use covidctl::cli::Cli;
use covidctl::connect;
use covidctl::settings::Settings;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::sync::Arc;
use target::{DataRetention, DatabaseAccess, Progress, Target};

pub(crate) struct Stage {
    target: Target,
    folder: tempfile::TempDir,
}

/// What these words on a command line make of the settings.
pub(crate) fn settings(words: &[&str]) -> Settings {
    let words = ["covidctl"].iter().chain(words).chain(&["status"]);
    let matches = Cli::command().try_get_matches_from(words).unwrap();
    Settings::resolve(&Cli::from_arg_matches(&matches).unwrap().globals, &matches).unwrap()
}

/// Holds a lock without which no load can begin a release; reading goes on.
pub(crate) async fn blocker(url: &str) -> Box<dyn Any + Send> {
    let mut blocker = PgConnection::connect(url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE release IN SHARE ROW EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut blocker).await.unwrap();
    Box::new(blocker)
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let words = ["--target", "local", "--data-dir", data.to_str().unwrap()];
        Self { target: connect::target(&settings(&words), Arc::new(|_| {})).unwrap(), folder }
    }
}

impl Stage {
    async fn sample(&self, rows: u64, seed: u64) {
        let folder = self.folder.path().join(format!("sample-{seed}"));
        put_sample(&self.target, &folder, rows, seed).await;
    }
}

/// Puts a sample into the store of a target.
pub(crate) async fn put_sample(target: &Target, folder: &Path, rows: u64, seed: u64) {
    let store = target.storage.datasets().await.unwrap();
    for (name, content) in crate::support::cloud::sample(folder, rows, seed) {
        store.put(&name.into(), content).await.unwrap();
    }
}

#[async_trait(?Send)]
impl super::end_to_end::Stage for Stage {
    fn target(&self) -> Target {
        self.target.clone()
    }

    async fn fill(&self) {
        self.sample(2_000, 1).await;
    }

    async fn fill_with_fewer_rows(&self) -> bool {
        self.sample(200, 2).await;
        true
    }

    async fn block(&self) -> Box<dyn Any + Send> {
        blocker(&self.target.databases.database(DatabaseAccess::READ).await.unwrap().url()).await
    }
}

struct Silent;

impl Progress for Silent {
    fn step(&self, _: &str) {}
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The server is stopped however the test ends.
        let target = self.target.clone();
        let stopped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(target.services().unwrap().down(DataRetention::Delete, Arc::new(Silent)))
        });
        assert!(stopped.join().is_ok_and(|stopped| stopped.is_ok()) || std::thread::panicking());
    }
}
