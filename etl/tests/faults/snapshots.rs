//! Readers whose snapshot is older than the data that they come to read: they see the new table whole, because its rows are frozen.

use sqlx::PgConnection;

use crate::place::{Place, execute, look};

#[tokio::test]
async fn an_old_snapshot_never_sees_an_empty_table() {
    let place = Place::new().await;
    place.hurry().await;
    let (_, new) = place.with_two_datasets(10_000).await;
    let old_data = place.seen().await;
    let mut readers = Vec::new();
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        for other_table in ["province", "pipeline_run"] {
            let mut reader = place.connect().await;
            execute(&mut reader, &format!("BEGIN ISOLATION LEVEL {level}")).await;
            execute(&mut reader, &format!("SELECT count(*) FROM {other_table}")).await;
            readers.push((level, reader));
        }
    }
    place.load(&new, &[]).await;
    let new_data = place.seen().await;
    assert_ne!(new_data, old_data);
    for (level, reader) in &mut readers {
        assert_eq!(look(reader).await, new_data, "{level}");
        assert_eq!(look_by_key(reader).await, new_data.rows, "{level}: the key was made later still");
        assert_eq!(runs(reader).await, if *level == "READ COMMITTED" { 2 } else { 1 }, "{level}");
        execute(reader, "COMMIT").await;
    }
}

/// Counts by way of the primary key.
async fn look_by_key(reader: &mut PgConnection) -> i64 {
    execute(reader, "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off").await;
    sqlx::query_scalar("SELECT count(*) FROM covid_case WHERE case_id > 0").fetch_one(reader).await.unwrap()
}

/// Proves that the snapshot is what it should be.
async fn runs(reader: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pipeline_run WHERE status = 'succeeded'")
        .fetch_one(reader)
        .await
        .unwrap()
}

/// The sessions of a run have settings of their own, whatever the database's are.
#[tokio::test]
async fn the_databases_default_isolation_does_not_matter() {
    let place = Place::new().await;
    for level in ["repeatable read", "serializable"] {
        place
            .change(&format!(
                "ALTER DATABASE {} SET default_transaction_isolation = '{level}'",
                place.database()
            ))
            .await;
        let dataset = place.dataset(1_000, 1);
        place.load(&dataset, &["--force"]).await;
        assert_eq!(place.seen().await.rows, 1_000, "{level}");
    }
}
