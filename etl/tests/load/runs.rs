//! The row of a run in `pipeline_run` and its record in the store.

use std::path::Path;

use common::env;
use serde_json::Value;
use uuid::Uuid;

use crate::fixture::{CSV, Etl, Fixture, url};
use crate::outcome::value;
use crate::rows::{file, good};

fn record(folder: &Path, run: Uuid) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(format!("runs/{run}.json"))).unwrap()).unwrap()
}

#[tokio::test]
async fn succeeded_run_is_recorded() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(60)));
    let run = Uuid::new_v4();
    fixture.command().id(run).arguments(&["--years", "2021,2020,2021"]).end().succeeded();

    let described: String = value(
        &mut fixture.connect().await,
        &format!(
            "SELECT concat_ws(' ', kind, status, dataset_updated_on, source_name, source_size, length(source_sha256), years,
                    rows_read, rows_filtered, rows_loaded, rows_rejected, finished_at >= started_at, error IS NULL)
             FROM pipeline_run WHERE run_id = '{run}'"
        ),
    )
    .await;
    let size = std::fs::metadata(fixture.path(CSV)).unwrap().len();
    assert_eq!(described, format!("etl succeeded 2022-06-05 {CSV} {size} 64 2020,2021 60 20 40 0 t t"));

    let record = record(fixture.folder.path(), run);
    assert_eq!(record["run_id"], run.to_string());
    assert_eq!(
        (&record["kind"], &record["status"], &record["exit_code"]),
        (&"etl".into(), &"succeeded".into(), &0.into())
    );
    assert!(record["finished_at"].as_str() >= record["started_at"].as_str(), "{record}");
    assert_eq!(record["error"], Value::Null);
}

#[tokio::test]
async fn failed_run_records_and_prints_its_reason() {
    let fixture = Fixture::loaded().await;
    fixture.replace(CSV, "");
    let reports = tempfile::tempdir().unwrap();
    let run = fixture.command().env(env::REPORTS_URL, &url(reports.path())).end().failed(&["is empty"]).run;

    let query = format!("SELECT status || ': ' || error FROM pipeline_run WHERE run_id = '{run}'");
    let said: String = value(&mut fixture.connect().await, &query).await;
    assert_eq!(said, format!("failed: `{}/{CSV}` is empty", url(fixture.folder.path())));
    let record = record(reports.path(), run);
    assert_eq!((&record["status"], &record["exit_code"]), (&"failed".into(), &1.into()));
    assert_eq!(format!("failed: {}", record["error"].as_str().unwrap()), said);
    assert!(!fixture.path(&format!("runs/{run}.json")).exists(), "records go to REPORTS_URL");
}

/// Record and row of the first run do not change, whether the second one sees the record or only the row.
#[tokio::test]
async fn run_id_is_used_once() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(20)));
    let run = fixture.run(&["--years", "all"]).succeeded().run;
    let published = fixture.published().await;
    let elsewhere = tempfile::tempdir().unwrap();

    let id = run.to_string();
    fixture.command().id(run).arguments(&["--force"]).end().failed(&[&id, "a new RUN_ID for every run"]);
    let reports = url(elsewhere.path());
    fixture
        .command()
        .id(run)
        .arguments(&["--force", "--reports-url", &reports])
        .end()
        .failed(&["a new RUN_ID for every run"]);

    assert_eq!(record(fixture.folder.path(), run)["status"], "succeeded");
    let mut connection = fixture.connect().await;
    let row = format!("SELECT status || ' ' || rows_loaded FROM pipeline_run WHERE run_id = '{run}'");
    assert_eq!(value::<String>(&mut connection, &row).await, "succeeded 20");
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM pipeline_run").await, 1);
    assert_eq!(fixture.published().await, published);
}

#[tokio::test]
async fn invalid_run_id_is_a_usage_error() {
    let fixture = Fixture::new().await;
    let ended = fixture.command().env(env::RUN_ID, "today").end();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[tokio::test]
async fn killed_report_is_closed_by_the_next_one() {
    let fixture = Fixture::loaded().await;
    let (dead, alive) = (Uuid::new_v4(), Uuid::new_v4());
    let mut living = fixture.connect().await;
    let name: String =
        value(&mut living, &format!("SELECT set_config('application_name', 'covid19 {alive}', false)")).await;
    assert!(name.ends_with(&alive.to_string()));
    for run in [dead, alive] {
        fixture
            .execute(&format!(
                "INSERT INTO pipeline_run (run_id, kind, status) VALUES ('{run}', 'report', 'running')"
            ))
            .await;
    }
    Etl::new("report")
        .env(env::DATABASE_URL, &fixture.database.url())
        .env(env::STORE_URL, &url(fixture.folder.path()))
        .end()
        .succeeded();
    for (run, expected) in [(dead, "failed"), (alive, "running")] {
        let status: String = value(
            &mut fixture.connect().await,
            &format!("SELECT status FROM pipeline_run WHERE run_id = '{run}'"),
        )
        .await;
        assert_eq!(status, expected);
    }
    drop(living);
}

/// Puts a file with this number of malformed rows.
fn put_with_rejects(fixture: &Fixture, number: u32) {
    fixture.replace(CSV, file(&good(60 + number)) + &"malformed\n".repeat(number as usize));
}

#[tokio::test]
async fn rejected_rows_stay_for_kept_releases_and_the_latest_failed_run() {
    let fixture = Fixture::new().await;
    let kept = async || -> Vec<i64> {
        sqlx::query_scalar("SELECT count(*) FROM rejected_row GROUP BY run_id ORDER BY 1")
            .fetch_all(&mut fixture.connect().await)
            .await
            .unwrap()
    };
    let load = |number| {
        put_with_rejects(&fixture, number);
        fixture.run(&["--years", "all", "--keep-releases", "0"]).succeeded();
    };
    (1..4).for_each(load);
    assert_eq!(kept().await, [3], "those of the published load");
    for number in 4..6 {
        put_with_rejects(&fixture, number);
        fixture.run_gated(&["--max-rejected-percent", "0"]).failed(&["were rejected"]);
    }
    load(6);
    assert_eq!(kept().await, [5, 6], "the latest failed load may say why");
}
