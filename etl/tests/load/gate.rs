//! The publish gate: what it refuses, what stays published, and how anomalies are accepted.

use uuid::Uuid;

use crate::fixture::{CSV, Fixture};
use crate::outcome::value;
use crate::rows::{COLUMNS, DEPARTMENTS, PROVINCES, Row, file, good};

/// The position of a column of the line list.
fn at(column: &str) -> usize {
    COLUMNS.iter().position(|name| *name == column).unwrap()
}

/// Good rows with one column changed.
fn with(count: u32, column: &str, change: impl Fn(u32, Option<String>) -> Option<String>) -> Vec<Row> {
    let mut rows = good(count);
    for (number, row) in (0..).zip(&mut rows) {
        row[at(column)] = change(number, row[at(column)].take());
    }
    rows
}

/// Returns the checks of a run with this outcome, as `dataset check_name subject`.
async fn checks(fixture: &Fixture, run: Uuid, outcome: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', dataset, check_name, nullif(subject, '')) FROM run_check
         WHERE run_id = $1 AND outcome = $2 ORDER BY 1",
    )
    .bind(run)
    .bind(outcome)
    .fetch_all(&mut fixture.connect().await)
    .await
    .unwrap()
}

/// Asserts that a file is refused for one failed check while 300 valid rows are published, and is published if anomalies are accepted.
async fn is_refused(text: impl AsRef<[u8]>, failed: &[&str], words: &[&str]) {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(300)));
    fixture.run_gated(&[]).succeeded();
    let before = fixture.published().await;
    fixture.put(CSV, text);

    let ended = fixture.run_gated(&[]).failed(words).failed(&["covidctl run etl --accept-anomalies"]);
    assert_eq!(fixture.published().await, before, "what was published stays");
    assert_eq!(checks(&fixture, ended.run, "failed").await, failed);
    let status: String = value(
        &mut fixture.connect().await,
        &format!("SELECT concat_ws(': ', status, error) FROM pipeline_run WHERE run_id = '{}'", ended.run),
    )
    .await;
    assert!(status.starts_with("failed: refused before publishing"), "{status}");
    assert!(status.contains("covidctl run etl --accept-anomalies"), "{status}");
    let record = std::fs::read_to_string(fixture.path(&format!("runs/{}.json", ended.run))).unwrap();
    assert!(record.contains("\"failed\""), "{record}");

    let accepted = fixture.run_gated(&["--accept-anomalies"]).succeeded();
    assert_eq!(checks(&fixture, accepted.run, "accepted").await, failed);
    assert!(checks(&fixture, accepted.run, "failed").await.is_empty());
    assert_ne!(fixture.published().await, before);
}

#[tokio::test]
async fn run_refuses_many_rejected_rows() {
    let rows =
        with(
            300,
            "carga_provincia_id",
            |number, code| if number.is_multiple_of(10) { Some("77".to_owned()) } else { code },
        );
    let words = ["30 of 300 rows (10.0 %) of the cases were rejected, at most 5 % may be"];
    is_refused(file(&rows), &["cases rejected_percent"], &words).await;
}

#[tokio::test]
async fn run_refuses_a_year_with_fewer_rows() {
    let mut rows = good(300);
    rows.retain(|row| !row[at("fecha_apertura")].as_ref().unwrap().starts_with("2021-01"));
    is_refused(
        file(&rows),
        &["cases rows_percent 2021"],
        &["the cases of 2021 have 80 rows, 100 are published"],
    )
    .await;
}

#[tokio::test]
async fn run_refuses_an_older_dataset() {
    let rows = with(300, "ultima_actualizacion", |_, _| Some("2022-06-04".to_owned()));
    let words = ["the dataset is of 2022-06-04, the published one of 2022-06-05"];
    is_refused(file(&rows), &["cases dataset_date"], &words).await;
}

/// The dataset's date is that of the first row, and no registration may be later: an old row at the top rejects the new ones.
#[tokio::test]
async fn run_refuses_a_file_whose_first_row_is_older() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(300)));
    fixture.run_gated(&[]).succeeded();
    let before = fixture.published().await;
    let date = |number: u32, date| if number < 8 { Some("2022-01-08".to_owned()) } else { date };
    fixture.put(CSV, file(&with(300, "ultima_actualizacion", date)));
    let ended =
        fixture.run_gated(&[]).failed(&["the dataset is of 2022-01-08, the published one of 2022-06-05"]);
    let failed = checks(&fixture, ended.run, "failed").await;
    assert_eq!(failed, ["cases dataset_date", "cases rejected_percent", "cases rows_percent 2022"]);
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn run_refuses_a_column_that_lost_its_values() {
    let rows = with(300, "cuidado_intensivo", |_, _| Some("tal vez".to_owned()));
    let words = ["`icu` has no valid value in 100.0 % of the cases, 0.0 % are published"];
    is_refused(file(&rows), &["cases missing_increase icu"], &words).await;
}

#[tokio::test]
async fn run_refuses_unknown_classifications() {
    let other = |number: u32, old| if number.is_multiple_of(50) { Some("Probable".to_owned()) } else { old };
    let words = ["6 of 300 cases (2.0 %) have a classification other than the ministry's four"];
    is_refused(
        file(&with(300, "clasificacion_resumen", other)),
        &["cases unknown_classification_percent"],
        &words,
    )
    .await;
}

/// Every row is rejected: not even accepted anomalies publish the empty table.
#[tokio::test]
async fn run_never_publishes_an_empty_result() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    fixture.put(CSV, file(&with(400, "id_evento_caso", |_, id| id.map(|id| format!("AR-{id}")))));
    for accept in [&[][..], &["--accept-anomalies"]] {
        let ended = fixture.run_gated(accept).failed(&["no row of the cases was loaded"]);
        assert!(!ended.stderr.contains("publishes it anyway"), "{}", ended.stderr);
        assert_eq!(fixture.published().await, before);
        let read = format!("SELECT rows_rejected FROM pipeline_run WHERE run_id = '{}'", ended.run);
        assert_eq!(value::<i64>(&mut fixture.connect().await, &read).await, 400);
    }
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(0)) + "\r\n");
    fixture.run_gated(&[]).failed(&["ultima_actualizacion"]);
}

#[tokio::test]
async fn first_load_refuses_a_column_of_repairs() {
    let fixture = Fixture::new().await;
    fixture.put(
        CSV,
        file(&with(300, "edad", |number, age| if number % 5 < 3 { Some("x".to_owned()) } else { age })),
    );
    let ended = fixture
        .run_gated(&[])
        .failed(&["`age` was repaired in 63.3 % of the cases, at most 50 % may be on a first load"]);
    assert_eq!(checks(&fixture, ended.run, "failed").await, ["cases repaired_percent age"]);
    fixture.run_gated(&["--max-repaired-percent", "64"]).succeeded();
}

#[tokio::test]
async fn run_refuses_reference_tables_that_shrank() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    fixture.put("provincias.csv", PROVINCES.to_owned() + "\"Provincia\",\"x\",\"Nada\"\r\n");
    let ended =
        fixture.run_gated(&["--force"]).failed(&["1 of the provinces' rows were rejected, none may be"]);
    assert_eq!(checks(&fixture, ended.run, "failed").await, ["provinces rejected_rows"]);
    fixture.put_georef();
    fixture
        .put("departamentos.csv", DEPARTMENTS.replace("\"38021\",\"Doctor Manuel Belgrano\",\"38\"\r\n", ""));
    let ended = fixture.run_gated(&["--force"]).failed(&["the departments have 7 rows, 8 are published"]);
    assert_eq!(checks(&fixture, ended.run, "failed").await, ["departments rows"]);
    assert_eq!(fixture.published().await, before);
}

/// Each threshold is a flag and an environment variable.
#[tokio::test]
async fn thresholds_move_the_limits() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(300)));
    fixture.run_gated(&[]).succeeded();
    fixture.put(CSV, file(&good(200)));
    fixture.run_gated(&["--min-rows-percent", "67"]).failed(&["at least 67 % are required"]);
    fixture.run_gated(&["--min-rows-percent", "66"]).succeeded();
    let gated =
        || fixture.command().env(common::env::ACCEPT_ANOMALIES, "false").env(common::env::YEARS, "all");
    fixture.put(CSV, file(&good(100)));
    gated().env(common::env::MIN_ROWS_PERCENT, "49 %").end().succeeded();
    for wrong in ["-1", "101", "many", "NaN"] {
        let ended = gated().arguments(&[&format!("--max-rejected-percent={wrong}")]).end();
        assert_eq!(ended.code, Some(2), "{wrong}: {}", ended.stderr);
    }
}

/// The cases are published, the tests are unchanged; the log line has `alarm`.
#[tokio::test]
async fn refused_optional_dataset_keeps_what_is_published() {
    const HEADER: &str = "fecha,codigo_indec_provincia,codigo_indec_departamento,origen_financiamiento,tipo,ultima_actualizacion,total,positivos\r\n";
    let fixture = Fixture::new().await;
    let tests = |days: u32| {
        (1..=days).fold(HEADER.to_owned(), |text, day| {
            text + &format!("2022-01-{day:02},06,441,Público,Privado,2022-06-05,10,1\r\n")
        })
    };
    fixture.put(CSV, file(&good(300)));
    fixture.put("Covid19Determinaciones.csv", tests(20));
    fixture.run_gated(&[]).succeeded();
    let mut connection = fixture.connect().await;
    let published = "SELECT count(*) || ' ' || sum(tests) FROM test_counts()";
    assert_eq!(value::<String>(&mut connection, published).await, "20 200");

    fixture.put(CSV, file(&good(310)));
    fixture.put("Covid19Determinaciones.csv", tests(5));
    let ended = fixture.run_gated(&[]).succeeded();
    assert!(ended.stderr.contains("alarm=true"), "{}", ended.stderr);
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await, 310);
    assert_eq!(value::<String>(&mut connection, published).await, "20 200");
    assert_eq!(checks(&fixture, ended.run, "failed").await, ["tests rows_percent 2022"]);
    let of_run = format!(
        "SELECT status || ' ' || rows_read || ': ' || error FROM run_dataset WHERE run_id = '{}' AND dataset = 'tests'",
        ended.run
    );
    let said: String = value(&mut connection, &of_run).await;
    assert_eq!(
        said,
        "refused 5: the tests of 2022 have 5 rows, 20 are published (25.0 %, at least 90 % are required)"
    );

    assert!(fixture.run_gated(&[]).succeeded().stderr.contains("already loaded"));
    fixture.run_gated(&["--accept-anomalies"]).succeeded();
    assert_eq!(value::<String>(&mut connection, published).await, "5 50");
    let kept: i64 = value(&mut connection, "SELECT count(DISTINCT run_id) FROM test_count").await;
    assert_eq!(kept, 2, "those of the published release and of the one before");
}

/// The previous release is published again, its run is recorded, and the later release is marked as rolled back.
#[tokio::test]
async fn rollback_publishes_the_release_before() {
    let fixture = Fixture::loaded().await;
    let first = fixture.published().await;
    fixture.put(CSV, file(&good(70)));
    fixture.run_gated(&[]).succeeded();
    let second = fixture.published().await;
    assert_ne!(first, second);
    let roll_back = |arguments: &[&str]| {
        let command = crate::fixture::Etl::new("rollback")
            .env(common::env::STORE_URL, &crate::fixture::url(fixture.folder.path()))
            .env(common::env::DATABASE_URL, &fixture.database.url());
        command.arguments(arguments).end()
    };
    let ended = roll_back(&[]).succeeded();
    assert_eq!(fixture.published().await, first);
    let row = format!(
        "SELECT concat_ws(' ', kind, status, dataset_updated_on, years) FROM pipeline_run WHERE run_id = '{}'",
        ended.run
    );
    assert_eq!(
        value::<String>(&mut fixture.connect().await, &row).await,
        "rollback succeeded 2022-06-05 all"
    );
    let record = std::fs::read_to_string(fixture.path(&format!("runs/{}.json", ended.run))).unwrap();
    assert!(record.contains("\"rollback\"") && record.contains("\"succeeded\""), "{record}");

    roll_back(&[]).failed(&["no release before release 1 is kept", "covidctl releases list"]);
    for (wrong, words) in [("1", "published already"), ("7", "not kept")] {
        let ended = roll_back(&["--to", wrong]);
        assert!(ended.code == Some(2) && ended.stderr.contains(words), "{}", ended.stderr);
    }
    assert!(fixture.run_gated(&[]).succeeded().stderr.contains("was published and rolled back"));
    assert_eq!(fixture.published().await, first);
    roll_back(&["--to", "2"]).succeeded();
    assert_eq!(fixture.published().await, second);
    assert!(fixture.run_gated(&[]).succeeded().stderr.contains("already loaded"));
    let empty = Fixture::new().await;
    let command = crate::fixture::Etl::new("rollback")
        .env(common::env::STORE_URL, &crate::fixture::url(empty.folder.path()));
    command.env(common::env::DATABASE_URL, &empty.database.url()).end().failed(&["no release is published"]);
}
