//! A run that receives SIGINT or SIGTERM.

use nix::sys::signal::Signal;

use crate::barrier::{Barrier, Stage};
use crate::fixture::Fixture;
use crate::watch::{sessions, until, waits_in};

#[tokio::test]
async fn ctrl_c_ends_it_with_130() {
    ends_and_says_so(Signal::SIGINT, 130, "Ctrl-C").await;
}

#[tokio::test]
async fn sigterm_ends_it_with_143() {
    ends_and_says_so(Signal::SIGTERM, 143, "SIGTERM").await;
}

async fn ends_and_says_so(signal: Signal, code: i32, name: &str) {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let old_data = fixture.seen().await;
    let mut barrier = Barrier::close(&fixture, Stage::Copying).await;
    let run = fixture.start(&new, &[]);
    barrier.reached_by(&run).await;
    let (run_id, application_name) = (run.id, run.application_name());
    run.signal(signal);
    run.end().await.assert_explained_with(code, &format!("the run was stopped by {name}"));
    let (status, error) = fixture.status(run_id).await.unwrap();
    assert_eq!(status, "failed");
    assert_eq!(error.unwrap(), format!("the run was stopped by {name}"));
    drop(barrier);
    let mut watcher = fixture.connect().await;
    until("its sessions end", async || sessions(&mut watcher, &application_name).await == 0).await;
    assert_eq!(fixture.seen().await, old_data);
    assert_eq!(fixture.leftovers().await, ["release_case_2"], "for the next run to drop");
    fixture.load(&new, &[]).await;
    assert_ne!(fixture.seen().await, old_data);
    fixture.clear_by_runs_of(&new).await;
}

/// In a container the first process ignores signals without a handler, so handlers are installed from the beginning.
#[tokio::test]
async fn while_it_waits_for_another_run() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(1_000).await;
    let mut barrier = Barrier::close(&fixture, Stage::AddingKeys).await;
    let first = fixture.start(&new, &[]);
    barrier.reached_by(&first).await;
    let second = fixture.start(&new, &[]);
    let mut watcher = fixture.connect().await;
    until("the second run waits", async || waits_in(&mut watcher, &second, "SELECT pg_advisory_lock").await)
        .await;
    let second_id = second.id;
    second.signal(Signal::SIGTERM);
    second.end().await.assert_explained_with(143, "the run was stopped by SIGTERM");
    assert_eq!(fixture.status(second_id).await, None);
    drop(barrier);
    assert_eq!(first.end().await.code, Some(0));
}

/// A run that has published stays succeeded, even if it is interrupted.
#[tokio::test]
async fn after_publishing_it_has_succeeded() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let mut barrier = Barrier::close(&fixture, Stage::Retiring).await;
    let run = fixture.start(&new, &[]);
    barrier.reached_by(&run).await;
    let run_id = run.id;
    run.signal(Signal::SIGTERM);
    let ended = run.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(fixture.status(run_id).await, Some(("succeeded".to_owned(), None)));
    assert_eq!(fixture.leftovers().await.len(), 1);
    drop(barrier);
    assert!(fixture.load(&new, &[]).await.said.contains("already loaded"));
    fixture.clear_by_runs_of(&new).await;
}

/// The answer to a COMMIT can be lost, so that the run considers itself failed; its row stays succeeded.
#[tokio::test]
async fn published_run_is_not_recorded_as_failed() {
    let fixture = Fixture::new().await;
    let run = fixture.start(&fixture.dataset(100, 1), &[]);
    let run_id = run.id;
    assert_eq!(run.end().await.code, Some(0));
    etl::runs::fail(
        &mut fixture.connect().await,
        run_id,
        &common::failure::Failure::new("the connection was lost"),
    )
    .await
    .unwrap();
    assert_eq!(fixture.status(run_id).await, Some(("succeeded".to_owned(), None)));
}
