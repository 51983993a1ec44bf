//! Which reports `reports/latest.json` names.

use std::path::Path;

use etl::report::{Language, POINTER_LOCK};
use etl::sample;
use serde_json::{Value, json};
use sqlx::Executor as _;

use crate::cluster::execute;
use crate::fixture::{EDGES, FOLDER, Fixture, another_run, file_names, options};

#[tokio::test]
async fn report_becomes_latest_and_old_copy_is_deleted() {
    let fixture = Fixture::with(EDGES).await;
    let copy = fixture.path("reports/latest");
    std::fs::create_dir_all(copy.join("old")).unwrap();
    for stale in ["question_of_last_year.csv", "report.txt", "old/chart.svg"] {
        std::fs::write(copy.join(stale), "stale").unwrap();
    }

    let written = fixture.report(Language::English).await.unwrap();

    assert!(written.latest);
    let pointer: Value = serde_json::from_str(&fixture.read("reports/latest.json")).unwrap();
    let name = Path::new(FOLDER).file_name().unwrap().to_str().unwrap();
    let run = options(Language::English).run_id;
    assert_eq!(pointer, json!({ "folder": name, "run_id": run }));
    assert!(!copy.exists());
    assert_eq!(fixture.names("reports"), [name, "latest.json"]);
}

#[tokio::test]
async fn report_of_replaced_release_keeps_pointer() {
    let fixture = Fixture::sampled(1_000, 1).await;
    fixture.report(Language::English).await.unwrap();
    // The strictest default isolation level: a snapshot from before the lock would have the old release.
    let strict =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable',
                                              current_database()); END $$";
    fixture.change(strict).await;
    let next = tempfile::tempdir().unwrap();
    let sample = sample::Options { rows: 1_000, seed: 2, dirty: 0.0, doses: 0, out: next.path().to_owned() };
    sample::write(&sample, &|_| {}).unwrap();

    // While this lock is held, a report waits between its files and its pointer.
    let mut holder = fixture.database.connect().await;
    execute(&mut holder, &format!("SELECT pg_advisory_lock({POINTER_LOCK})")).await;
    let publish = async {
        let mut watching = fixture.database.connect().await;
        let waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while watching.fetch_optional(waits).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        fixture.load(next.path()).await;
        execute(&mut holder, "SELECT pg_advisory_unlock_all()").await;
    };
    let late = another_run(Language::English);
    let (written, ()) = tokio::join!(fixture.report_as(&late), publish);

    let written = written.unwrap();
    assert!(!written.latest);
    assert_eq!(fixture.names(&written.folder), file_names());
    assert_eq!(fixture.latest().await.as_deref(), Some(FOLDER));
    let of_new_release = fixture.report_as(&another_run(Language::English)).await.unwrap();
    assert_eq!(fixture.latest().await, Some(of_new_release.folder));
}

#[tokio::test]
async fn reports_of_one_release_at_once_leave_pointer_on_one_of_them() {
    let fixture = Fixture::with(EDGES).await;
    let (one, other) = (another_run(Language::English), another_run(Language::Spanish));
    let (one, other) = tokio::join!(fixture.report_as(&one), fixture.report_as(&other));
    let folders = [one.unwrap().folder, other.unwrap().folder];
    let latest = fixture.latest().await.unwrap();
    assert!(folders.contains(&latest), "{latest}: {folders:?}");
    assert_eq!(fixture.names(&latest), file_names());
}

#[tokio::test]
async fn report_without_writable_pointer_fails_and_names_its_folder() {
    let fixture = Fixture::with(EDGES).await;
    // A file cannot replace a folder that is not empty.
    std::fs::create_dir_all(fixture.path("reports/latest.json/full")).unwrap();
    let failure = fixture.report(Language::English).await.unwrap_err();
    assert!(failure.to_string().starts_with("cannot write `file://"), "{failure}");
    let hint = failure.hint_text().unwrap();
    assert!(
        hint.contains(FOLDER) && hint.ends_with("run `etl report` again to make it the latest"),
        "{hint}"
    );
    assert_eq!(fixture.names(FOLDER), file_names());
}
