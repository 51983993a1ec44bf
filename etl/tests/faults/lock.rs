//! Two runs at once.

use crate::gate::{Gate, Stage};
use crate::place::Place;
use crate::watch::{until, waits_in};

#[tokio::test]
async fn a_second_run_is_refused_and_leaves_no_trace() {
    let place = Place::new().await;
    let (_, new) = place.with_two_datasets(1_000).await;
    let mut gate = Gate::close(&place, Stage::AddingKeys).await;
    let first = place.start(&new, &[]);
    gate.reached_by(&first).await;
    let second = place.start(&new, &[]);
    let second_id = second.id;
    second.end().await.assert_explained(&format!("another load is under way: run {}", first.id));
    assert_eq!(place.status(second_id).await, None);
    assert_eq!(place.status(first.id).await.unwrap().0, "running");
    drop(gate);
    assert_eq!(first.end().await.code, Some(0));
}

#[tokio::test]
async fn a_second_run_waits_a_while() {
    let place = Place::new().await;
    let (old, new) = place.with_two_datasets(1_000).await;
    let old_data = place.seen().await;
    let mut gate = Gate::close(&place, Stage::AddingKeys).await;
    let first = place.start(&new, &[]);
    gate.reached_by(&first).await;
    let second = place.start(&old, &[]);
    let mut watcher = place.connect().await;
    until("the second run waits", async || waits_in(&mut watcher, &second, "SELECT pg_advisory_lock").await)
        .await;
    drop(gate);
    assert_eq!(first.end().await.code, Some(0));
    let second = second.end().await;
    assert_eq!(second.code, Some(0), "{}", second.said);
    assert_eq!(place.seen().await, old_data);
}

/// Also the very first two, which both find a database without tables and a server without roles.
#[tokio::test]
async fn two_first_runs_at_once() {
    let place = Place::new().await;
    let (one, other) = (place.dataset(2_000, 1), place.dataset(3_000, 2));
    let runs = [place.start(&one, &[]), place.start(&other, &[])];
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
            .fetch_one(&mut place.connect().await)
            .await
            .unwrap();
    assert_eq!(place.seen().await.rows, loaded);
    place.clear_by_runs_of(&one).await;
}
