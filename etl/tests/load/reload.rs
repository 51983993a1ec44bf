//! Repeated loads: of the same files, other years, another release, an older one.

use crate::fixture::{CSV, Fixture, ZIP};
use crate::outcome::{Loaded, value};
use crate::rows::{Row, deflated, file, good, zip};

async fn last_status(fixture: &Fixture) -> String {
    value(&mut fixture.connect().await, "SELECT status FROM pipeline_run ORDER BY started_at DESC LIMIT 1")
        .await
}

/// A release of another day, with other rows.
fn release(date: &str, rows: u32) -> String {
    let mut rows: Vec<Row> = good(rows);
    for row in &mut rows {
        row[24] = Some(date.to_owned());
    }
    file(&rows)
}

#[tokio::test]
async fn unchanged_dataset_is_skipped() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let ended = fixture.run(&["--years", "all"]).succeeded();
    assert!(ended.stderr.contains("already loaded"), "{}", ended.stderr);
    assert_eq!((last_status(&fixture).await.as_str(), fixture.published().await), ("skipped", before));
    let record = std::fs::read_to_string(fixture.path(&format!("runs/{}.json", ended.run))).unwrap();
    assert!(record.contains("\"skipped\""), "{record}");

    fixture.run(&["--years", "all"]).succeeded();
    assert_eq!(
        last_status(&fixture).await,
        "skipped",
        "a skipped run is no load that could hide the one before"
    );
}

#[tokio::test]
async fn force_loads_it_again() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    for forced in [
        fixture.command().arguments(&["--years", "all", "--force"]),
        fixture.command().arguments(&["--years", "all"]).env(common::env::FORCE, "true"),
    ] {
        forced.end().succeeded();
        assert_eq!(last_status(&fixture).await, "succeeded");
    }
    let after = fixture.published().await;
    assert_ne!(after, before, "it is another table");
    assert_eq!(after.split_once(' ').unwrap().1, before.split_once(' ').unwrap().1, "with the same rows");
    fixture.command().arguments(&["--years", "all"]).env(common::env::FORCE, "false").end().succeeded();
    assert_eq!(last_status(&fixture).await, "skipped");
}

#[tokio::test]
async fn other_years_are_another_load() {
    let fixture = Fixture::loaded().await;
    let years = "SELECT string_agg(DISTINCT extract(year FROM registered_on)::text, ',' ORDER BY extract(year FROM registered_on)::text) FROM covid_case";
    for (wanted, expected) in
        [("2021", "2021"), ("2020,2022", "2020,2022"), ("all", "2020,2021,2022"), ("latest", "2022")]
    {
        fixture.run(&["--years", wanted]).succeeded();
        let found: String = value(&mut fixture.connect().await, years).await;
        assert_eq!(
            (found.as_str(), last_status(&fixture).await.as_str()),
            (expected, "succeeded"),
            "{wanted}"
        );
    }
    fixture.run(&["--years", "2022"]).succeeded();
    assert_eq!(last_status(&fixture).await, "skipped", "2022 is the latest year");
    fixture.run(&[]).succeeded();
    assert_eq!(last_status(&fixture).await, "skipped", "the latest year is the default");
}

/// Not even accepted anomalies publish an empty table.
#[tokio::test]
async fn run_refuses_a_year_without_rows() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let ended = fixture.run(&["--years", "2019"]).failed(&["no row of the cases was loaded", "YEARS"]);
    assert!(!ended.stderr.contains("publishes it anyway"), "{}", ended.stderr);
    let rows = format!(
        "SELECT concat_ws(' ', status, rows_read, rows_filtered, rows_loaded) FROM pipeline_run WHERE run_id = '{}'",
        ended.run
    );
    assert_eq!(value::<String>(&mut fixture.connect().await, &rows).await, "failed 60 60 0");
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn older_release_may_be_reloaded() {
    let fixture = Fixture::new().await;
    let (old, new) = (release("2022-06-04", 30), release("2022-06-05", 40));
    for (text, rows) in [(&old, 30), (&new, 40), (&old, 30)] {
        fixture.replace(ZIP, zip(CSV, text, deflated()));
        let ended = fixture.run(&["--years", "all"]).succeeded();
        let loaded = Loaded::of(&mut fixture.connect().await, ended.run).await;
        assert_eq!(loaded.cases.len(), rows);
    }
}

/// Replaced releases are dropped, and no load leaves a table behind.
#[tokio::test]
async fn nothing_is_left_over() {
    let fixture = Fixture::loaded().await;
    fixture.run(&["--years", "all", "--force"]).succeeded();
    fixture.replace(CSV, release("2022-06-05", 5).replace("\"2022-06-05\"\r\n", "\"\"\r\n"));
    fixture.run(&["--years", "all"]).failed(&["ultima_actualizacion"]);
    let tables: String = value(
        &mut fixture.connect().await,
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relispartition",
    )
    .await;
    assert_eq!(
        tables,
        ["release_case", "release_department", "release_province"]
            .map(|parent| format!("{parent}_1 {parent}_2 {parent}_3 {parent}_4"))
            .join(" "),
        "the published release, the one before, and two spare ones"
    );
    let keys: String = value(
        &mut fixture.connect().await,
        "SELECT string_agg(concat_ws(' ', contype, convalidated), ', ' ORDER BY contype) FROM pg_constraint
         WHERE conrelid = 'release_case_2'::regclass AND contype IN ('p', 'f')",
    )
    .await;
    assert_eq!(keys, "f f, f f, f f", "the rules have checked each row");
}
