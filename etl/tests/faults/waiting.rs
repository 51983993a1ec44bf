//! A run that has to wait for readers, and readers that must not have to wait for the run.

use crate::gate::{Gate, Stage};
use crate::place::{LOOK, Place, execute, look, look_by};
use crate::watch::{until, waits_in};

#[tokio::test]
async fn a_long_reader_delays_the_swap_and_nobody_else() {
    let place = Place::new().await;
    let (_, new) = place.with_two_datasets(10_000).await;
    let old_data = place.seen().await;
    let mut reader = place.connect().await;
    execute(&mut reader, "BEGIN").await;
    assert_eq!(look(&mut reader).await, old_data);

    let run = place.start(&new, &[]);
    let (mut watcher, mut other) = (place.connect().await, place.connect().await);
    for _ in 0..3 {
        until("the run tries to publish", async || {
            waits_in(&mut watcher, &run, "LOCK TABLE public.covid_case").await
        })
        .await;
        // Comes behind the waiting run, and is served all the same, although the long reader does not end.
        assert_eq!(look(&mut other).await, old_data);
        // So that the next look at the run meets another attempt.
        until("the run leaves readers alone", async || {
            !waits_in(&mut watcher, &run, "LOCK TABLE public.covid_case").await
        })
        .await;
    }
    assert_eq!(look(&mut reader).await, old_data);
    assert_eq!(place.status(run.id).await.unwrap().0, "running");
    execute(&mut reader, "COMMIT").await;

    assert_eq!(run.end().await.code, Some(0));
    let new_data = place.seen().await;
    assert_ne!(new_data, old_data);
    assert_eq!([look(&mut reader).await, look(&mut other).await], [new_data.clone(), new_data]);
    place.clear_by_runs_of(&new).await;
}

#[tokio::test]
async fn a_retired_table_in_use_stays_until_the_next_run() {
    let place = Place::new().await;
    place.hurry().await;
    let (_, new) = place.with_two_datasets(10_000).await;
    let old_data = place.seen().await;
    // Keeps the retired table long enough for the reader to find it.
    let mut gate = Gate::close(&place, Stage::Retiring).await;
    let run = place.start(&new, &[]);
    gate.reached_by(&run).await;
    let retired = place.leftovers().await;
    assert_eq!(retired.len(), 1);
    let mut reader = place.connect().await;
    execute(&mut reader, "BEGIN").await;
    let look_back = LOOK.replace("covid_case", &retired[0]);
    let seen = look_by(&mut reader, &look_back).await.unwrap();
    assert_eq!(seen, old_data);
    drop(gate);

    let run_id = run.id;
    let ended = run.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(place.status(run_id).await, Some(("succeeded".to_owned(), None)));
    assert_eq!(place.leftovers().await, retired);
    assert_ne!(place.seen().await, old_data);
    execute(&mut reader, "COMMIT").await;
    place.clear_by_runs_of(&new).await;
}

/// Whoever changes a name by hand is waited for too: nothing that was loaded is thrown away.
#[tokio::test]
async fn a_writer_of_names_is_waited_for() {
    let place = Place::new().await;
    let (_, new) = place.with_two_datasets(1_000).await;
    let old_data = place.seen().await;
    place.change("UPDATE province SET name = 'Capital Federal' WHERE province_id = 2").await;
    let mut writer = place.connect().await;
    // Lets readers and new foreign keys pass, but not the update of this row.
    execute(&mut writer, "BEGIN; SELECT FROM province WHERE province_id = 2 FOR SHARE").await;

    let run = place.start(&new, &[]);
    let mut watcher = place.connect().await;
    for _ in 0..2 {
        until("the run waits for the row", async || {
            waits_in(&mut watcher, &run, "UPDATE province SET name").await
        })
        .await;
        until("the run gives way", async || !waits_in(&mut watcher, &run, "UPDATE province SET name").await)
            .await;
        assert_eq!(look(&mut watcher).await, old_data);
    }
    execute(&mut writer, "COMMIT").await;
    let ended = run.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_ne!(place.seen().await, old_data);
    let name: String = sqlx::query_scalar("SELECT name FROM province WHERE province_id = 2")
        .fetch_one(&mut watcher)
        .await
        .unwrap();
    assert_eq!(name, "CABA");
}
