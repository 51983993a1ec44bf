//! Two runs at once.

use crate::barrier::{Barrier, Stage};
use crate::fixture::Fixture;
use crate::watch::{until, waits_in};

#[tokio::test]
async fn second_run_is_refused_without_a_record() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(1_000).await;
    let mut barrier = Barrier::close(&fixture, Stage::AddingKeys).await;
    let first = fixture.start(&new, &[]);
    barrier.reached_by(&first).await;
    let second = fixture.start(&new, &[]);
    let second_id = second.id;
    second.end().await.assert_explained(&format!("another load is under way: run {}", first.id));
    assert_eq!(fixture.status(second_id).await, None);
    assert_eq!(fixture.status(first.id).await.unwrap().0, "running");
    drop(barrier);
    assert_eq!(first.end().await.code, Some(0));
}

#[tokio::test]
async fn second_run_waits_for_the_lock() {
    let fixture = Fixture::new().await;
    let (old, new) = fixture.with_two_datasets(1_000).await;
    let old_data = fixture.seen().await;
    let mut barrier = Barrier::close(&fixture, Stage::AddingKeys).await;
    let first = fixture.start(&new, &[]);
    barrier.reached_by(&first).await;
    let second = fixture.start(&old, &[]);
    let mut watcher = fixture.connect().await;
    until("the second run waits", async || waits_in(&mut watcher, &second, "SELECT pg_advisory_lock").await)
        .await;
    drop(barrier);
    assert_eq!(first.end().await.code, Some(0));
    let second = second.end().await;
    assert_eq!(second.code, Some(0), "{}", second.said);
    assert_eq!(fixture.seen().await, old_data);
}

/// Also the first two, on a database without tables and a server without roles.
#[tokio::test]
async fn two_first_runs_at_once() {
    let fixture = Fixture::new().await;
    let (one, other) = (fixture.dataset(2_000, 1), fixture.dataset(3_000, 2));
    let runs = [fixture.start(&one, &[]), fixture.start(&other, &[])];
    let mut succeeded = 0;
    for run in runs {
        let ended = run.end().await;
        match ended.code {
            Some(0) => succeeded += 1,
            _ => ended.assert_explained("another load is under way"),
        }
    }
    assert!(succeeded > 0);
    let loaded: i64 =
        sqlx::query_scalar("SELECT rows_loaded FROM pipeline_run WHERE run_id = published_load()")
            .fetch_one(&mut fixture.connect().await)
            .await
            .unwrap();
    assert_eq!(fixture.seen().await.rows, loaded);
    fixture.clear_by_runs_of(&one).await;
}
