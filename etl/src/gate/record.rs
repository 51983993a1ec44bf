//! Writes what the gate has found: `run_check` for people, `run_profile` for the next load.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{Check, CheckOutcome, Profile};
use crate::clean::missing::Column;
use crate::database::DbContext as _;
use common::failure::Result;

/// Stores checks and profile of a run, whatever becomes of it.
pub async fn store(
    session: &mut PgConnection,
    run_id: Uuid,
    checks: &[Check],
    accept_anomalies: bool,
    profile: &Profile,
) -> Result<()> {
    const WHAT: &str = "cannot record the checks of the run";
    let mut transaction = session.begin().await.db_context(WHAT)?;
    for check in checks {
        sqlx::query(
            "INSERT INTO run_check (run_id, dataset, check_name, subject, outcome, measured, threshold, message)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(run_id)
        .bind(check.dataset.name())
        .bind(check.name)
        .bind(&check.subject)
        .bind(outcome(check, accept_anomalies))
        .bind(check.measured)
        .bind(check.threshold)
        .bind(&check.message)
        .execute(&mut *transaction)
        .await
        .db_context(WHAT)?;
    }
    for (number, year) in profile.years() {
        for column in Column::ALL {
            sqlx::query(
                "INSERT INTO run_profile (run_id, year, column_name, rows, missing) VALUES ($1, $2::integer::smallint, $3, $4, $5)",
            )
            .bind(run_id)
            .bind(number)
            .bind(column.name())
            .bind(i64::try_from(year.rows).unwrap_or(i64::MAX))
            .bind(i64::try_from(year.missing(column)).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await
            .db_context(WHAT)?;
        }
    }
    transaction.commit().await.db_context(WHAT)
}

/// The word in `run_check.outcome`.
fn outcome(check: &Check, accept_anomalies: bool) -> &'static str {
    match check.outcome {
        CheckOutcome::Passed => "passed",
        CheckOutcome::Skipped => "skipped",
        CheckOutcome::Failed if check.refuses(accept_anomalies) => "failed",
        CheckOutcome::Failed => "accepted",
    }
}
