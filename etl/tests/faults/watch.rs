//! Waits for states, not for times.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;

use crate::run::Run;

/// Only ends a test that would hang.
const TOO_LONG: Duration = Duration::from_mins(2);

/// Polls until a condition holds.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < TOO_LONG, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Returns whether a session of the run waits for a lock in a statement that starts like this.
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

/// Returns the number of sessions of a run.
pub(crate) async fn sessions(connection: &mut PgConnection, application_name: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
        .bind(application_name)
        .fetch_one(connection)
        .await
        .unwrap()
}
