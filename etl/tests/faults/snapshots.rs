//! Readers whose snapshot is older than the published release keep seeing the whole release of their snapshot.

use std::process::Command;

use common::env;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::fixture::{Fixture, execute};

/// Selects everything that a release shows, in one line: cases, names, counts, and the run.
const WHOLE: &str = "SELECT concat_ws(' ',
    (SELECT count(*) || ' ' || coalesce(sum(hash_record_extended(covid_case, 0)), 0) FROM covid_case),
    (SELECT count(*) || ' ' || md5(string_agg(name, ',' ORDER BY province_id)) FROM province),
    (SELECT count(*) || ' ' || md5(string_agg(name, ',' ORDER BY department_id)) FROM department),
    (SELECT sum(cases) FROM case_counts()), (SELECT sum(confirmed) FROM place_counts()),
    (SELECT sum(tests) FROM test_counts()), (SELECT sum(doses) FROM vaccination_counts()),
    published_load(), (SELECT rows_loaded FROM pipeline_run WHERE run_id = published_load()))";

pub(crate) async fn whole(connection: &mut PgConnection) -> String {
    let whole: String = sqlx::query_scalar(WHOLE).fetch_one(&mut *connection).await.unwrap();
    let words: Vec<&str> = whole.split(' ').collect();
    let [cases, _, _, _, _, _, counted, .., loaded] = words[..] else { panic!("a part is missing: {whole}") };
    assert_eq!((cases, cases), (counted, loaded), "cases, their counts and the run agree: {whole}");
    whole
}

/// Publishes the previous release, by the real program.
pub(crate) fn roll_back(fixture: &Fixture) {
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_etl"))
        .arg("rollback")
        .env_clear()
        .env(env::DATABASE_URL, fixture.url())
        .env(env::STORE_URL, format!("file://{}", folder.path().display()))
        .env(env::LOG_FORMAT, "text")
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// A reader of each isolation level whose snapshot was taken by a query on another table.
async fn readers(fixture: &Fixture) -> Vec<(&'static str, PgConnection)> {
    let mut readers = Vec::new();
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        for other_table in ["province", "pipeline_run"] {
            let mut reader = fixture.connect().await;
            let begin = format!("BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM {other_table}");
            execute(&mut reader, &begin).await;
            readers.push((level, reader));
        }
    }
    readers
}

async fn expect(readers: &mut [(&'static str, PgConnection)], of_snapshot: &str, now: &str) {
    for (level, reader) in readers {
        let expected = if *level == "READ COMMITTED" { now } else { of_snapshot };
        assert_eq!(whole(reader).await, expected, "{level}");
    }
}

#[tokio::test]
async fn snapshot_sees_its_release_through_publish_rollback_and_publish() {
    let fixture = Fixture::new().await;
    fixture.hurry().await;
    let keep = ["--keep-releases", "1"];
    let datasets =
        [fixture.dataset(4_000, 1), fixture.dirty_dataset(5_000, 2, 0.02), fixture.dataset(6_000, 3)];
    fixture.load(&datasets[0], &keep).await;
    let mut now = fixture.connect().await;
    let first = whole(&mut now).await;

    let mut before_publish = readers(&fixture).await;
    fixture.load(&datasets[1], &keep).await;
    let second = whole(&mut now).await;
    assert_ne!(first, second);
    expect(&mut before_publish, &first, &second).await;

    let mut before_rollback = readers(&fixture).await;
    roll_back(&fixture);
    assert_eq!(whole(&mut now).await, first);
    expect(&mut before_publish, &first, &first).await;
    expect(&mut before_rollback, &second, &first).await;

    let mut after_rollback = readers(&fixture).await;
    fixture.load(&datasets[2], &keep).await;
    let third = whole(&mut now).await;
    assert_ne!(third, first);
    expect(&mut before_publish, &first, &third).await;
    expect(&mut before_rollback, &second, &third).await;
    expect(&mut after_rollback, &first, &third).await;
}

/// A scheduled run that finds the same file does not publish a rolled back release again.
#[tokio::test]
async fn rolled_back_dataset_is_skipped_until_forced() {
    let fixture = Fixture::new().await;
    let (old, new) = (fixture.dataset(2_000, 1), fixture.dataset(2_100, 2));
    let keep = ["--keep-releases", "1"];
    for dataset in [&old, &new] {
        fixture.load(dataset, &keep).await;
    }
    let rolled_back = fixture.seen().await;
    roll_back(&fixture);
    let back = fixture.seen().await;
    assert_ne!(back, rolled_back);
    let ended = fixture.load(&new, &keep).await;
    assert!(ended.said.contains("was published and rolled back"), "{}", ended.said);
    assert_eq!(fixture.seen().await, back);
    let ended = fixture.load(&old, &keep).await;
    assert!(ended.said.contains("already loaded"), "{}", ended.said);
    fixture.load(&new, &["--keep-releases", "1", "--force"]).await;
    assert_eq!(fixture.seen().await, rolled_back);
}

/// A snapshot that outlives `--retire-after` gets an error, never an empty or mixed answer.
#[tokio::test]
async fn snapshot_older_than_the_time_limit_gets_an_error() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(2_000).await;
    let mut reader = fixture.connect().await;
    execute(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pipeline_run").await;
    fixture.load(&new, &["--retire-after", "0s"]).await;
    assert_eq!(fixture.leftovers().await, [""; 0]);
    for relation in ["covid_case", "province", "department"] {
        let look = format!("SAVEPOINT look; SELECT count(*) FROM {relation}");
        let error = sqlx::raw_sql(AssertSqlSafe(look)).execute(&mut reader).await.unwrap_err();
        assert!(
            error.to_string().contains("has been dropped since this transaction began"),
            "{relation}: {error}"
        );
        execute(&mut reader, "ROLLBACK TO look").await;
    }
    execute(&mut reader, "ROLLBACK").await;
    assert!(fixture.seen().await.rows > 2_000);
}

/// A release is attached and published while a transaction holds its locks already, which no load does: the transaction's cached plan
/// does not know the partition, and must not return an empty result.
#[tokio::test]
async fn transaction_older_than_the_partition_gets_the_release_or_an_error() {
    let fixture = Fixture::new().await;
    fixture.with_two_datasets(1_000).await;
    let count = "SELECT count(*) FROM province";
    let mut reader = fixture.connect().await;
    execute(&mut reader, "SET plan_cache_mode = force_generic_plan; BEGIN").await;
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut reader).await.unwrap();
    assert_eq!(before, 24);
    let mut publisher = fixture.connect().await;
    let release: i32 = sqlx::query_scalar("SELECT create_release()").fetch_one(&mut publisher).await.unwrap();
    execute(
        &mut publisher,
        &format!(
            "INSERT INTO release_province_{release} (province_id, name) VALUES (2, 'CABA');
             UPDATE published_release SET release_id = {release}"
        ),
    )
    .await;
    match sqlx::query_scalar::<_, i64>(count).fetch_one(&mut reader).await {
        Ok(provinces) => assert_eq!(provinces, 1),
        Err(error) => assert_eq!(etl::database::code(&error).as_deref(), Some("40001"), "{error}"),
    }
    execute(&mut reader, "ROLLBACK").await;
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut reader).await.unwrap(), 1);
}

/// The pointer alone orders releases; a clock that goes back changes no answer.
#[tokio::test]
async fn published_release_does_not_depend_on_clocks() {
    let fixture = Fixture::new().await;
    let (old, new) = fixture.with_two_datasets(2_000).await;
    let first = whole(&mut fixture.connect().await).await;
    let change = "UPDATE pipeline_run SET finished_at = now() + interval '1 day', started_at = now() + interval '1 day'";
    fixture.change(change).await;
    fixture.load(&new, &[]).await;
    let second = whole(&mut fixture.connect().await).await;
    assert_ne!(first, second);
    fixture
        .change(
            "UPDATE pipeline_run SET finished_at = now() - interval '9 days' WHERE run_id = published_load()",
        )
        .await;
    assert_eq!(whole(&mut fixture.connect().await).await, second);
    fixture.load(&old, &[]).await;
    let third: Uuid =
        sqlx::query_scalar("SELECT published_load()").fetch_one(&mut fixture.connect().await).await.unwrap();
    assert!(!second.contains(&third.to_string()));
}

/// The settings of a run's sessions do not depend on those of the database.
#[tokio::test]
async fn default_isolation_level_does_not_matter() {
    let fixture = Fixture::new().await;
    for level in ["repeatable read", "serializable"] {
        fixture
            .change(&format!(
                "ALTER DATABASE {} SET default_transaction_isolation = '{level}'",
                fixture.database()
            ))
            .await;
        let dataset = fixture.dataset(1_000, 1);
        fixture.load(&dataset, &["--force"]).await;
        assert_eq!(fixture.seen().await.rows, 1_000, "{level}");
    }
}
