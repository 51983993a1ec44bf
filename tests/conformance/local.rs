//! The target on this machine, in a folder of its own, with a PostgreSQL of its own.

use std::any::Any;

use async_trait::async_trait;
use clap::{CommandFactory as _, FromArgMatches as _};
use covidctl::backend::{self, Backend, Data, Progress};
use covidctl::cli::Cli;
use covidctl::settings::Settings;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::sync::Arc;

pub(crate) struct Stage {
    backend: Arc<dyn Backend>,
    folder: tempfile::TempDir,
}

/// What these words on a command line make of the settings.
pub(crate) fn settings(words: &[&str]) -> Settings {
    let words = ["covidctl"].iter().chain(words).chain(&["status"]);
    let matches = Cli::command().try_get_matches_from(words).unwrap();
    Settings::resolve(&Cli::from_arg_matches(&matches).unwrap().globals, &matches).unwrap()
}

/// Whoever reads the cases does not leave: a load cannot publish.
pub(crate) async fn reader(url: &str) -> Box<dyn Any + Send> {
    let mut reader = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM covid_case").execute(&mut reader).await.unwrap();
    Box::new(reader)
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let words = ["--target", "local", "--data-dir", data.to_str().unwrap()];
        Self { backend: backend::connect(&settings(&words)).unwrap(), folder }
    }
}

#[async_trait(?Send)]
impl super::story::Stage for Stage {
    fn backend(&self) -> &dyn Backend {
        self.backend.as_ref()
    }

    async fn fill(&self) {
        let store = self.backend.datasets().await.unwrap();
        for (name, content) in crate::support::cloud::sample(&self.folder.path().join("sample"), 2_000, 1) {
            store.put(&name.into(), content).await.unwrap();
        }
    }

    async fn block(&self) -> Box<dyn Any + Send> {
        reader(&self.backend.database().await.unwrap().url()).await
    }
}

struct Silent;

impl Progress for Silent {
    fn step(&self, _: &str) {}
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Whatever the story's end, no server stays behind.
        let backend = Arc::clone(&self.backend);
        let stopped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(backend.down(Data::Delete, Arc::new(Silent)))
        });
        assert!(stopped.join().is_ok_and(|stopped| stopped.is_ok()) || std::thread::panicking());
    }
}
