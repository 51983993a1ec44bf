//! PostgreSQL, or one of its sessions, is stopped during a run.

use crate::barrier::{Barrier, Stage};
use crate::fixture::Fixture;
use crate::server::Server;

#[tokio::test]
async fn crashed_during_the_copy() {
    starts_again_with_the_old_data("immediate", Stage::Copying).await;
}

#[tokio::test]
async fn stopped_during_the_copy() {
    starts_again_with_the_old_data("fast", Stage::Copying).await;
}

#[tokio::test]
async fn crashed_while_keys_are_added() {
    starts_again_with_the_old_data("immediate", Stage::AddingKeys).await;
}

#[tokio::test]
async fn stopped_before_publishing() {
    starts_again_with_the_old_data("fast", Stage::Publishing).await;
}

async fn starts_again_with_the_old_data(mode: &str, stage: Stage) {
    let server = Server::start();
    let fixture = Fixture::on(&server.url()).await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let old_data = fixture.seen().await;
    let mut barrier = Barrier::close(&fixture, stage).await;
    let run = fixture.start(&new, &[]);
    barrier.reached_by(&run).await;
    let run_id = run.id;
    server.stop(mode);
    let ended = run.end().await;
    ended.assert_explained("cannot ");
    assert!(ended.said.contains("published release is untouched"), "{}", ended.said);

    server.start_again();
    assert_eq!(fixture.seen().await, old_data);
    fixture.load(&new, &[]).await;
    assert_ne!(fixture.seen().await, old_data);
    assert_eq!(fixture.status(run_id).await.unwrap().0, "failed");
    fixture.clear_by_runs_of(&new).await;
}

#[tokio::test]
async fn only_the_loading_session_is_ended() {
    one_session_is_ended(Stage::Copying, "COPY public.release_case_").await;
}

#[tokio::test]
async fn only_the_session_of_the_rejects_is_ended() {
    one_session_is_ended(Stage::Copying, "COPY public.rejected_row").await;
}

#[tokio::test]
async fn only_the_session_of_the_counts_is_ended() {
    one_session_is_ended(Stage::Counting, "COPY public.case_count").await;
}

#[tokio::test]
async fn session_terminated_before_publishing() {
    one_session_is_ended(Stage::AddingKeys, "ALTER TABLE").await;
}

async fn one_session_is_ended(stage: Stage, statement: &str) {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let old_data = fixture.seen().await;
    let mut barrier = Barrier::close(&fixture, stage).await;
    let run = fixture.start(&new, &[]);
    barrier.reached_by(&run).await;
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = $1 AND starts_with(query, $2)",
    )
    .bind(run.application_name())
    .bind(statement)
    .fetch_all(&mut fixture.connect().await)
    .await
    .unwrap();
    assert_eq!(ended, [true]);
    drop(barrier);
    let run_id = run.id;
    let ended = run.end().await;
    ended.assert_explained("cannot ");
    let (status, error) = fixture.status(run_id).await.unwrap();
    assert_eq!(status, "failed");
    assert!(ended.said.contains(&format!("error: {}", error.unwrap())), "{}", ended.said);
    assert_eq!(fixture.seen().await, old_data);
    fixture.load(&new, &[]).await;
    assert_ne!(fixture.seen().await, old_data);
    fixture.clear_by_runs_of(&new).await;
}
