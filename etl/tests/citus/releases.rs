//! Loads, publications, rollbacks and refusals on a cluster, and what concurrent readers see.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::PgConnection;

use crate::cluster::execute;
use crate::fixture::{Fixture, whole};

const LEVELS: [&str; 3] = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

const PARTITIONS: &str = "
    SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY inhrelid::regclass::text) FROM pg_inherits
    WHERE inhparent = 'release_case'::regclass";

/// The partitions whose shards are on the nodes; one string if all nodes have the same.
const PARTITIONS_ON_NODES: &str = "
    SELECT string_agg(DISTINCT result, ' and ') FROM run_command_on_workers($$
        SELECT string_agg(DISTINCT substring(relname FROM '^(release_case_[0-9]+)_'), ' ') FROM pg_class
        WHERE relname ~ '^release_case_[0-9]+_[0-9]+$' AND relkind = 'r' $$)";

async fn migrated() -> Option<Fixture> {
    let fixture = Fixture::new().await?;
    fixture.etl(&["migrate"]).succeeded();
    Some(fixture)
}

/// Readers of each isolation level whose snapshot was taken before, by a query on another table.
async fn readers(fixture: &Fixture) -> Vec<(&'static str, PgConnection)> {
    let mut readers = Vec::new();
    for level in LEVELS {
        let mut reader = fixture.connect().await;
        let begin = format!("BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM pipeline_run");
        execute(&mut reader, &begin).await;
        readers.push((level, reader));
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
async fn snapshot_sees_its_release_through_publish_and_rollback() {
    let Some(fixture) = migrated().await else { return };
    fixture.load(&fixture.dataset(3_000, 1), &[]).succeeded();
    let mut now = fixture.connect().await;
    let first = whole(&mut now).await;

    let mut before_publish = readers(&fixture).await;
    fixture.load(&fixture.dataset(3_300, 2), &[]).succeeded();
    let second = whole(&mut now).await;
    assert_ne!(first, second);
    expect(&mut before_publish, &first, &second).await;

    let mut before_rollback = readers(&fixture).await;
    fixture.roll_back(&[]).succeeded();
    assert_eq!(whole(&mut now).await, first);
    expect(&mut before_publish, &first, &first).await;
    expect(&mut before_rollback, &second, &first).await;
}

#[tokio::test]
async fn concurrent_reader_sees_only_whole_releases() {
    let Some(fixture) = migrated().await else { return };
    let mut now = fixture.connect().await;
    let mut releases = BTreeSet::new();
    for seed in 1..=2 {
        fixture.load(&fixture.dataset(3_000, seed), &[]).succeeded();
        releases.insert(whole(&mut now).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for level in LEVELS {
        let (mut reader, stop) = (fixture.connect().await, Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                execute(&mut reader, &format!("BEGIN ISOLATION LEVEL {level}")).await;
                let (one, two) = (whole(&mut reader).await, whole(&mut reader).await);
                execute(&mut reader, "COMMIT").await;
                assert!(level == "READ COMMITTED" || one == two, "{level}: {one} and {two}");
                seen.extend([one, two]);
            }
            seen
        }));
    }
    let fixture = tokio::task::spawn_blocking(move || {
        for round in 0..10 {
            let release = if round % 2 == 0 { "1" } else { "2" };
            fixture.roll_back(&["--to", release]).succeeded();
        }
        fixture
    });
    let fixture = fixture.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut seen = BTreeSet::new();
    for task in tasks {
        let answers = task.await.unwrap();
        assert!(!answers.is_empty());
        seen.extend(answers);
    }
    assert!(seen.is_subset(&releases), "{seen:?} instead of {releases:?}");
    drop(fixture);
}

#[tokio::test]
async fn refused_or_broken_file_keeps_what_is_published() {
    let Some(fixture) = migrated().await else { return };
    fixture.load(&fixture.dataset(3_000, 1), &[]).succeeded();
    let mut now = fixture.connect().await;
    let published = whole(&mut now).await;

    let small = fixture.load(&fixture.dataset(1_000, 2), &[]).failed();
    assert!(small.stderr.contains("hint: "), "{}", small.stderr);
    assert_eq!(whole(&mut now).await, published);

    let broken = fixture.dataset(3_100, 3);
    let archive = broken.join("Covid19Casos.zip");
    let bytes = std::fs::read(&archive).unwrap();
    std::fs::write(&archive, &bytes[..bytes.len() / 2]).unwrap();
    fixture.load(&broken, &[]).failed();
    assert_eq!(whole(&mut now).await, published);

    // The next load drops what both have left, on the nodes, too.
    fixture.load(&fixture.dataset(3_200, 4), &[]).succeeded();
    assert!(whole(&mut now).await.starts_with("3200 "));
    let unfinished = "SELECT count(*) FROM release WHERE run_id IS NOT NULL AND publication IS NULL AND dropped_at IS NULL";
    assert_eq!(fixture.value::<i64>(unfinished).await, 0);
    let partitions = fixture.value::<String>(PARTITIONS).await;
    assert!(!partitions.contains("release_case_2"), "{partitions}");
    assert_eq!(fixture.value::<String>(PARTITIONS_ON_NODES).await, partitions);
}

#[tokio::test]
async fn replaced_release_is_dropped_on_every_node() {
    let Some(fixture) = migrated().await else { return };
    let keep = ["--keep-releases", "0"];
    for seed in 1..=3 {
        fixture.load(&fixture.dataset(2_000, seed), &keep).succeeded();
    }
    let partitions = fixture.value::<String>(PARTITIONS).await;
    assert_eq!(partitions, "release_case_3 release_case_4 release_case_5");
    assert_eq!(fixture.value::<String>(PARTITIONS_ON_NODES).await, partitions);
}

/// A snapshot that outlives `--retire-after` gets an error, never an empty or mixed answer.
#[tokio::test]
async fn snapshot_older_than_the_time_limit_gets_an_error() {
    let Some(fixture) = migrated().await else { return };
    let now = ["--keep-releases", "0", "--retire-after", "0s"];
    fixture.load(&fixture.dataset(2_000, 1), &now).succeeded();
    let mut reader = fixture.connect().await;
    execute(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pipeline_run").await;
    fixture.load(&fixture.dataset(2_100, 2), &now).succeeded();
    let error = sqlx::query("SELECT count(*) FROM covid_case").fetch_one(&mut reader).await.unwrap_err();
    assert!(error.to_string().contains("has been dropped since this transaction began"), "{error}");
}
