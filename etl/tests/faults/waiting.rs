//! A run and readers with long transactions: neither waits for the other.

use crate::barrier::{Barrier, Stage};
use crate::fixture::{Fixture, LOOK, execute, look, look_by};

#[tokio::test]
async fn publish_does_not_wait_for_a_reader_in_a_transaction() {
    let fixture = Fixture::new().await;
    fixture.hurry().await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let old_data = fixture.seen().await;
    let (mut committed, mut repeatable) = (fixture.connect().await, fixture.connect().await);
    execute(&mut committed, "BEGIN").await;
    execute(&mut repeatable, "BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(
        [look(&mut committed).await, look(&mut repeatable).await],
        [old_data.clone(), old_data.clone()]
    );

    fixture.load(&new, &[]).await;
    let new_data = fixture.seen().await;
    assert_ne!(new_data, old_data);
    assert_eq!(look(&mut committed).await, new_data);
    assert_eq!(
        look(&mut repeatable).await,
        old_data,
        "its snapshot needs the old release, which therefore stays"
    );
    assert_eq!(fixture.leftovers().await.len(), 1);
    execute(&mut committed, "COMMIT").await;
    execute(&mut repeatable, "COMMIT").await;
    assert_eq!(look(&mut repeatable).await, new_data);
    fixture.clear_by_runs_of(&new).await;
}

#[tokio::test]
async fn replaced_release_in_use_stays_until_the_next_run() {
    let fixture = Fixture::new().await;
    fixture.hurry().await;
    let (_, new) = fixture.with_two_datasets(10_000).await;
    let old_data = fixture.seen().await;
    // Keeps the replaced release long enough for the reader to find its table.
    let mut barrier = Barrier::close(&fixture, Stage::Retiring).await;
    let run = fixture.start(&new, &[]);
    barrier.reached_by(&run).await;
    let replaced = fixture.leftovers().await;
    assert_eq!(replaced.len(), 1);
    let mut reader = fixture.connect().await;
    execute(&mut reader, "BEGIN").await;
    let columns =
        "case_id, sex, age, symptoms_on, registered_on, admitted_on, icu, ventilated, died_on, diagnosed_on,
        registration_province_id, residence_province_id, residence_department_id, classification";
    let old_table = format!("FROM (SELECT {columns} FROM {}) AS covid_case", replaced[0]);
    let look_back = LOOK.replace("FROM covid_case", &old_table);
    assert_eq!(look_by(&mut reader, &look_back).await.unwrap(), old_data);
    drop(barrier);

    let run_id = run.id;
    let ended = run.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(fixture.status(run_id).await, Some(("succeeded".to_owned(), None)));
    assert_eq!(fixture.leftovers().await, replaced);
    assert_ne!(fixture.seen().await, old_data);
    execute(&mut reader, "COMMIT").await;
    fixture.clear_by_runs_of(&new).await;
}
