//! Reports on a cluster, as each role, compared with those on plain PostgreSQL.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cluster::empty_database;
use crate::fixture::{Fixture, etl};

/// Columns that differ between two runs of the same dataset.
const OF_THE_RUN: &str = "last_update.csv";

/// Returns the CSV files of the only report in a folder, by name.
fn answers(reports: &Path) -> BTreeMap<String, String> {
    let folders = std::fs::read_dir(reports.join("reports")).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    let [folder] = &folders[..] else { panic!("{folders:?}") };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[tokio::test]
async fn report_equals_that_of_plain_postgresql_as_each_role() {
    let Some(fixture) = Fixture::new().await else { return };
    let datasets = [fixture.dataset(4_000, 1), fixture.dataset(4_400, 2)];
    let plain = empty_database().await;
    let plain_reports = fixture.reports("plain");
    fixture.etl(&["migrate"]).succeeded();
    for dataset in &datasets {
        fixture.load(dataset, &[]).succeeded();
        etl(&plain.url(), dataset, &plain_reports, &["run", "--years", "all"]).succeeded();
    }
    etl(&plain.url(), &datasets[1], &plain_reports, &["report"]).succeeded();
    let mut expected = answers(&plain_reports);
    assert!(expected.len() > 30, "{:?}", expected.keys());
    expected.remove(OF_THE_RUN);

    for role in ["covid19_reader", "covid19_writer", "postgres"] {
        let url = if role == "postgres" { fixture.url() } else { fixture.url_as(role) };
        let reports = fixture.reports(&format!("report-{role}"));
        etl(&url, &datasets[1], &reports, &["report"]).succeeded();
        let mut answers = answers(&reports);
        answers.remove(OF_THE_RUN);
        assert_eq!(answers, expected, "{role}");
    }
}
