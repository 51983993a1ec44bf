//! A run that is killed with -9, in every stage.

use crate::gate::{Gate, Stage};
use crate::place::Place;
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
    let place = Place::new().await;
    let (_, new) = place.with_two_datasets(10_000).await;
    let old_data = place.seen().await;
    let mut gate = Gate::close(&place, stage).await;
    let run = place.start(&new, &[]);
    gate.reached_by(&run).await;
    let served = place.seen().await;
    let published = stage == Stage::Retiring;
    assert_eq!(served == old_data, !published);

    let (run_id, name) = (run.id, run.application_name());
    run.kill().await;
    assert_eq!(place.seen().await, served);
    // In the COPY the server reads on to the end of what was sent, and must not be kept from that. In any other stage the sessions
    // end although what they wait for does not come: the next run does not depend on it.
    let gate = (stage != Stage::Copying).then_some(gate);
    let mut watcher = place.connect().await;
    until("the dead run's sessions end", async || sessions(&mut watcher, &name).await == 0).await;
    let expected = if published { "succeeded" } else { "running" };
    assert_eq!(place.status(run_id).await, Some((expected.to_owned(), None)));
    assert_eq!(place.seen().await, served);
    drop(gate);

    // Without --force: what was not published counts as not loaded, what was published as loaded.
    let next = place.load(&new, &[]).await;
    assert_eq!(next.said.contains("already loaded"), published, "{}", next.said);
    let (status, error) = place.status(run_id).await.unwrap();
    if published {
        assert_eq!((status.as_str(), error), ("succeeded", None));
        assert_eq!(place.seen().await, served);
    } else {
        assert_eq!(status, "failed");
        assert!(error.unwrap().contains("killed"));
        assert_ne!(place.seen().await, old_data);
    }
    place.clear_by_runs_of(&new).await;
}
