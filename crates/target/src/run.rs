//! A run in the history.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A run's summary. Fields are named like the columns of `pipeline_run`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the schema page documents the columns")]
pub struct Run {
    pub run_id: Uuid,
    /// `etl`, `report`, `rollback`, …
    pub kind: String,
    /// `running`, `succeeded`, `failed` or `skipped`.
    pub status: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub dataset_updated_on: Option<NaiveDate>,
    pub source_name: Option<String>,
    /// Size of the line list in bytes.
    pub source_size: Option<i64>,
    /// `all`, or the loaded years.
    pub years: Option<String>,
    pub rows_read: Option<i64>,
    pub rows_filtered: Option<i64>,
    pub rows_loaded: Option<i64>,
    /// Repairs; a row may have several.
    pub rows_repaired: Option<i64>,
    pub rows_rejected: Option<i64>,
    pub error: Option<String>,
    /// Exit code of the program, if the target knows it.
    pub exit_code: Option<u8>,
    /// The user or service that started it, if the target knows it.
    pub started_by: Option<String>,
}

impl Run {
    /// Returns a run in progress of which nothing else is known yet.
    pub fn begun(run_id: Uuid, kind: &str, started_at: DateTime<Utc>) -> Self {
        Self { run_id, kind: kind.to_owned(), status: "running".to_owned(), started_at, ..Self::default() }
    }

    /// Returns how long the run took, if it has ended.
    pub fn duration(&self) -> Option<TimeDelta> {
        self.finished_at.map(|finished| finished - self.started_at)
    }

    /// Returns the rows of the line list that were read per second.
    pub fn rows_per_second(&self) -> Option<i64> {
        let milliseconds = self.duration()?.num_milliseconds().max(1);
        self.rows_read.and_then(|rows| rows.checked_mul(1000)).map(|rows| rows / milliseconds)
    }
}
