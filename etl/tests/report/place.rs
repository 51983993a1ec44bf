//! Something to report on and somewhere to put the report, for one test.

use std::path::{Path, PathBuf};

use common::failure::Result;
use etl::report::{self, Language, Options, Pointer, QUESTIONS, Written};
use etl::store::Store;
use etl::{pipeline, sample};
use uuid::Uuid;

use crate::cluster::{self, TestDatabase, execute};

/// Every edge in few rows, for answers written by hand.
pub(crate) const EDGES: &str = include_str!("edges.sql");

/// Many rows over two years.
pub(crate) const TWO_YEARS: &str = include_str!("two_years.sql");

/// The run that has published what these statements insert, unless they say otherwise.
pub(crate) const RUN: &str = "2b1f0c3e-5a77-4c58-9d10-6f6a0c1f2e3d";

/// The folder of every report that these tests write.
pub(crate) const FOLDER: &str = "reports/20220605_040302_7d444840-9dc0-41d1-b245-5ffdce74fad2";

/// A store in a folder of its own, and the database that is reported on.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) database: TestDatabase,
}

impl Place {
    pub(crate) async fn with(statements: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        let database = cluster::database().await;
        let place = Self { folder, store, database };
        place.change(&cluster::published_by(RUN)).await;
        place.change(statements).await;
        place
    }

    /// A place whose database is as `etl run` finds it the first time.
    pub(crate) async fn without_schema() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        Self { folder, store, database: cluster::empty_database().await }
    }

    /// A place with a sample that went through the whole pipeline.
    pub(crate) async fn sampled(rows: u64, seed: u64) -> Self {
        let place = Self::without_schema().await;
        let files = tempfile::tempdir().unwrap();
        let options = sample::Options { rows, seed, dirty: 0.05, out: files.path().to_owned() };
        sample::write(&options, &|_| {}).unwrap();
        place.load(files.path()).await;
        place
    }

    /// Loads the datasets of a folder, every year of them.
    pub(crate) async fn load(&self, folder: &Path) {
        let options = pipeline::Options {
            run_id: Uuid::new_v4(),
            database_url: self.database.url(),
            years: "all".parse().unwrap(),
            force: false,
            accept_anomalies: true,
            thresholds: etl::gate::Thresholds {
                max_rejected_percent: 5.0,
                min_rows_percent: 90.0,
                max_missing_increase: 25.0,
                max_repaired_percent: 50.0,
                max_unknown_classification_percent: 1.0,
            },
            retention: etl::load::retire::Retention {
                keep_releases: 1,
                retire_after: std::time::Duration::ZERO,
            },
            log_format: etl::log::Format::Json,
        };
        let store = Store::open(&format!("file://{}", folder.display())).unwrap();
        pipeline::run(&options, &store, &mut None).await.unwrap();
    }

    pub(crate) async fn change(&self, statements: &str) {
        execute(&mut self.database.connect().await, statements).await;
    }

    pub(crate) async fn report(&self, language: Language) -> Result<Written> {
        self.report_as(&options(language)).await
    }

    pub(crate) async fn report_as(&self, options: &Options) -> Result<Written> {
        report::write(options, &mut self.database.connect().await, &self.store).await
    }

    /// The key of the folder that `reports/latest.json` names.
    pub(crate) async fn latest(&self) -> Option<String> {
        Pointer::read(&self.store).await.unwrap().map(|pointer| format!("reports/{}", pointer.folder))
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    pub(crate) fn read(&self, key: &str) -> String {
        std::fs::read_to_string(self.path(key)).unwrap()
    }

    /// The names of the files in a folder, sorted.
    pub(crate) fn names(&self, key: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(key)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The rows of an answer of the report in [`FOLDER`].
    pub(crate) fn rows(&self, question: &str) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(self.path(&format!("{FOLDER}/{question}.csv"))).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    /// The rows of an answer as its CSV has them, only these columns, joined by blanks.
    pub(crate) async fn answer(&self, question: &str, columns: &[&str]) -> Vec<String> {
        self.report(Language::Spanish).await.unwrap();
        let mut reader = csv::Reader::from_path(self.path(&format!("{FOLDER}/{question}.csv"))).unwrap();
        let header = reader.headers().unwrap().clone();
        let at: Vec<usize> =
            columns.iter().map(|name| header.iter().position(|column| column == *name).unwrap()).collect();
        reader
            .records()
            .map(|row| {
                let row = row.unwrap();
                at.iter()
                    .map(|at| if row[*at].is_empty() { "-" } else { &row[*at] })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }
}

/// The names of the files of a whole report, sorted.
pub(crate) fn file_names() -> Vec<String> {
    let mut names: Vec<String> = QUESTIONS.iter().map(|question| format!("{}.csv", question.name)).collect();
    names.extend(["report.json", "report.html", "report.txt"].map(str::to_owned));
    names.sort();
    names
}

/// A report run with an id of its own.
pub(crate) fn another_run(language: Language) -> Options {
    Options { run_id: Uuid::new_v4(), ..options(language) }
}

/// A report run whose id and start never change.
pub(crate) fn options(language: Language) -> Options {
    Options {
        language,
        run_id: "7d444840-9dc0-41d1-b245-5ffdce74fad2".parse().unwrap(),
        started_at: "2022-06-05T04:03:02Z".parse().unwrap(),
    }
}
