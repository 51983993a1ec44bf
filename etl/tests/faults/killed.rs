//! A run is killed with SIGKILL in every stage.

use crate::barrier::{Barrier, Stage};
use crate::fixture::Fixture;
use crate::watch::{sessions, until};

#[tokio::test]
async fn in_the_middle_of_the_copy() {
    nothing_is_lost(Stage::Copying).await;
}

#[tokio::test]
async fn between_the_copy_and_the_keys() {
    nothing_is_lost(Stage::KeepingRejects).await;
}

#[tokio::test]
async fn while_keys_are_added() {
    nothing_is_lost(Stage::AddingKeys).await;
}

#[tokio::test]
async fn while_it_waits_to_publish() {
    nothing_is_lost(Stage::Publishing).await;
}

#[tokio::test]
async fn after_it_has_published() {
    nothing_is_lost(Stage::Retiring).await;
}

async fn nothing_is_lost(stage: Stage) {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let old_data = fixture.seen().await;
    let mut barrier = Barrier::close(&fixture, stage).await;
    let run = fixture.start(&new, &[]);
    barrier.reached_by(&run).await;
    let served = fixture.seen().await;
    let published = stage == Stage::Retiring;
    assert_eq!(served == old_data, !published);

    let (run_id, name) = (run.id, run.application_name());
    run.kill().await;
    assert_eq!(fixture.seen().await, served);
    // In the COPY the server reads on to the end of what was sent, and must not be kept from that. In any other stage the sessions
    // end although what they wait for does not come: the next run does not depend on it.
    let barrier = (stage != Stage::Copying).then_some(barrier);
    let mut watcher = fixture.connect().await;
    until("the dead run's sessions end", async || sessions(&mut watcher, &name).await == 0).await;
    let expected = if published { "succeeded" } else { "running" };
    assert_eq!(fixture.status(run_id).await, Some((expected.to_owned(), None)));
    assert_eq!(fixture.seen().await, served);
    drop(barrier);

    // Without --force: what was not published counts as not loaded, what was published as loaded.
    let next = fixture.load(&new, &[]).await;
    assert_eq!(next.said.contains("already loaded"), published, "{}", next.said);
    let (status, error) = fixture.status(run_id).await.unwrap();
    if published {
        assert_eq!((status.as_str(), error), ("succeeded", None));
        assert_eq!(fixture.seen().await, served);
    } else {
        assert_eq!(status, "failed");
        assert!(error.unwrap().contains("killed"));
        assert_ne!(fixture.seen().await, old_data);
    }
    fixture.clear_by_runs_of(&new).await;
}
