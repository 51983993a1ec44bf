//! A database to report on and a store for the reports of one test.

use std::path::{Path, PathBuf};

use common::failure::Result;
use etl::interrupts::Interrupts;
use etl::pipeline::RunProgress;
use etl::report::{self, Language, Options, Pointer, QUESTIONS, Written};
use etl::store::Store;
use etl::{pipeline, sample};
use uuid::Uuid;

use crate::cluster::{self, TestDatabase, execute};

/// The edge cases in a few rows.
pub(crate) const EDGES: &str = include_str!("edges.sql");

/// Many rows over two years.
pub(crate) const TWO_YEARS: &str = include_str!("two_years.sql");

/// The run that publishes the rows of the fixture, unless its statements set another.
pub(crate) const RUN: &str = "2b1f0c3e-5a77-4c58-9d10-6f6a0c1f2e3d";

/// The folder of the report of [`options`].
pub(crate) const FOLDER: &str = "reports/20220605_040302_7d444840-9dc0-41d1-b245-5ffdce74fad2";

/// A store in a temporary folder, and a database to report on.
pub(crate) struct Fixture {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) database: TestDatabase,
}

impl Fixture {
    pub(crate) async fn with(statements: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        let database = cluster::database().await;
        let fixture = Self { folder, store, database };
        fixture.change(&cluster::published_by(RUN)).await;
        fixture.change(statements).await;
        fixture
    }

    /// Creates a fixture with an empty database.
    pub(crate) async fn without_schema() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        Self { folder, store, database: cluster::empty_database().await }
    }

    /// Creates a fixture with a sample that the pipeline loaded.
    pub(crate) async fn sampled(rows: u64, seed: u64) -> Self {
        let fixture = Self::without_schema().await;
        let files = tempfile::tempdir().unwrap();
        let options =
            sample::Options { rows, seed, dirty: 0.05, doses: 4 * rows, out: files.path().to_owned() };
        sample::write(&options, &|_| {}).unwrap();
        fixture.load(files.path()).await;
        fixture
    }

    /// Loads all years of the datasets in a folder.
    pub(crate) async fn load(&self, folder: &Path) {
        let options = pipeline::Options {
            run_id: Uuid::new_v4(),
            database_url: self.database.url(),
            years: "all".parse().unwrap(),
            force: false,
            accept_anomalies: true,
            dose_rows: false,
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
        pipeline::run(&options, &store, &mut Interrupts::listen(None), &mut RunProgress::default())
            .await
            .unwrap();
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

    /// Returns the key of the folder that `reports/latest.json` names.
    pub(crate) async fn latest(&self) -> Option<String> {
        Pointer::read(&self.store).await.unwrap().map(|pointer| format!("reports/{}", pointer.folder))
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    pub(crate) fn read(&self, key: &str) -> String {
        std::fs::read_to_string(self.path(key)).unwrap()
    }

    /// Returns the sorted names of the files in a folder.
    pub(crate) fn names(&self, key: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(key)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns the rows of an answer of the report in [`FOLDER`].
    pub(crate) fn rows(&self, question: &str) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(self.path(&format!("{FOLDER}/{question}.csv"))).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    /// Writes a report and returns these columns of an answer's CSV, joined by blanks; `-` is an empty field.
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

/// Returns the sorted names of the files of a whole report.
pub(crate) fn file_names() -> Vec<String> {
    let mut names: Vec<String> = QUESTIONS.iter().map(|question| format!("{}.csv", question.name)).collect();
    names.extend(["report.json", "report.html", "report.txt"].map(str::to_owned));
    names.sort();
    names
}

/// Returns the options of a run with a random id.
pub(crate) fn another_run(language: Language) -> Options {
    Options { run_id: Uuid::new_v4(), ..options(language) }
}

/// Returns the options of a run with a fixed id and start.
pub(crate) fn options(language: Language) -> Options {
    Options {
        language,
        run_id: "7d444840-9dc0-41d1-b245-5ffdce74fad2".parse().unwrap(),
        started_at: "2022-06-05T04:03:02Z".parse().unwrap(),
    }
}
