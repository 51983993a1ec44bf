//! Checks of the publish gate, from `run_check`.

use common::failure::Result;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::rows;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunCheck {
    pub dataset: String,
    pub check: String,
    /// The year or column; empty if the check is about the whole dataset.
    pub subject: String,
    /// `passed`, `failed`, `accepted` (failed, and published anyway) or `skipped` (nothing to compare with).
    pub outcome: String,
    pub measured: Option<f64>,
    pub threshold: Option<f64>,
    pub message: String,
}

impl RunCheck {
    /// Returns whether the check found an anomaly, accepted or not.
    pub fn is_anomaly(&self) -> bool {
        matches!(self.outcome.as_str(), "failed" | "accepted")
    }
}

/// Returns the checks of a run: failed ones first, then accepted, skipped and passed ones.
pub async fn of_run(connection: &mut PgConnection, run: Uuid) -> Result<Vec<RunCheck>> {
    const SQL: &str = "
        SELECT dataset, check_name, subject, outcome, measured, threshold, message FROM run_check WHERE run_id = $1
        ORDER BY array_position(ARRAY['failed', 'accepted', 'skipped', 'passed'], outcome), dataset, check_name, subject";
    rows(connection, "the checks of the run", sqlx::query(SQL).bind(run), |row| {
        Ok(RunCheck {
            dataset: row.try_get(0)?,
            check: row.try_get(1)?,
            subject: row.try_get(2)?,
            outcome: row.try_get(3)?,
            measured: row.try_get(4)?,
            threshold: row.try_get(5)?,
            message: row.try_get(6)?,
        })
    })
    .await
}

/// Summarizes outcomes, such as `1 failed, 2 accepted, 40 passed, 3 skipped`; `none` without checks.
pub fn summary(checks: &[RunCheck]) -> String {
    let count = |outcome: &str| checks.iter().filter(|check| check.outcome == outcome).count();
    let counted = ["failed", "accepted", "passed", "skipped"].map(|outcome| (count(outcome), outcome));
    let words = counted.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = words.map(|(count, outcome)| format!("{count} {outcome}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_counts_only_outcomes_that_occur() {
        let check = |outcome: &str| RunCheck {
            dataset: "cases".to_owned(),
            check: "rows_percent".to_owned(),
            subject: "2022".to_owned(),
            outcome: outcome.to_owned(),
            measured: Some(12.5),
            threshold: Some(90.0),
            message: String::new(),
        };
        assert_eq!(summary(&[]), "none");
        assert_eq!(summary(&["passed", "failed", "passed"].map(check)), "1 failed, 2 passed");
    }
}
