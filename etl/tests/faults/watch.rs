//! Waits for states, never for time.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;

use crate::run::Run;

/// Only ends a test that would hang.
const TOO_LONG: Duration = Duration::from_mins(2);

/// Looks again and again until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < TOO_LONG, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a session of the run waits for a lock in a statement that starts so.
pub(crate) async fn waits_in(connection: &mut PgConnection, run: &Run, statement: &str) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock' AND starts_with(query, $2))",
    )
    .bind(run.application_name())
    .bind(statement)
    .fetch_one(connection)
    .await
    .unwrap()
}

/// How many sessions of a run the server still has.
pub(crate) async fn sessions(connection: &mut PgConnection, application_name: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
        .bind(application_name)
        .fetch_one(connection)
        .await
        .unwrap()
}
