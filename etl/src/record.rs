//! Run records: a JSON file per run in storage, for clients without access to the database.
//!
//! A record is written at the start and at the end of a run. It has less than `pipeline_run` and outlives the container. Failing to write it
//! is a warning.

use chrono::{DateTime, Utc};
use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ecs_metadata::EcsTask;
use crate::phases::{PhaseName, Phases};
use crate::runs::{DatasetRecord, RunKind};
use crate::store::{RUNS, Store, refused};
pub use crate::tally::RowCounts;
use common::failure::{Failure, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// In progress, or killed.
    Running,
    Succeeded,
    Failed,
    /// Nothing had to be done.
    Skipped,
}

/// A run, as in `runs/<id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub run_id: Uuid,
    /// `etl` or `report`.
    pub kind: String,
    pub status: RunStatus,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub exit_code: Option<u8>,
    /// The error message that was shown.
    pub error: Option<String>,
    /// Directory of the report that it wrote.
    pub report: Option<String>,
    pub started_by: Option<String>,
    /// ARN of its ECS task.
    pub task: Option<String>,
    /// Stream in the log group of its kind.
    pub log_stream: Option<String>,
    pub dataset: Option<DatasetRecord>,
    pub rows: Option<RowCounts>,
    /// When each phase began. A run that was killed has none.
    #[serde(default, skip_serializing_if = "Phases::is_empty")]
    pub phases: Phases,
}

/// The starter and the ECS task of a run.
#[derive(Debug, Clone, Default)]
pub struct RunOrigin {
    pub started_by: Option<String>,
    /// When its task was requested, by the clock of the starter.
    pub requested_at: Option<DateTime<Utc>>,
    pub task: EcsTask,
}

impl RunOrigin {
    /// Returns the phases before the first line of the program, which only ECS knows.
    fn phases(&self) -> Phases {
        let (pull, boot) = (self.task.pull_began_at, self.task.pulled_at);
        // The clock of the starter may be ahead.
        let provision = self.requested_at.filter(|at| pull.is_some_and(|pull| *at <= pull));
        let mut phases = Phases::default();
        for (phase, at) in
            [(PhaseName::Provision, provision), (PhaseName::Pull, pull), (PhaseName::Boot, boot)]
        {
            if let Some(at) = at {
                phases.begin_at(phase, at);
            }
        }
        phases
    }
}

impl Record {
    /// Returns the record of a run that starts now.
    pub fn begin(run_id: Uuid, kind: RunKind, origin: RunOrigin) -> Self {
        let phases = origin.phases();
        Self {
            run_id,
            kind: kind.name().to_owned(),
            status: RunStatus::Running,
            started_at: Utc::now(),
            finished_at: None,
            exit_code: None,
            error: None,
            report: None,
            started_by: origin.started_by,
            task: origin.task.arn,
            log_stream: origin.task.log_stream,
            dataset: None,
            rows: None,
            phases,
        }
    }

    /// Records the result.
    pub fn end<T>(&mut self, result: &Result<T>, status: impl FnOnce(&T) -> RunStatus) {
        self.finished_at = Some(Utc::now());
        self.status = result.as_ref().map_or(RunStatus::Failed, status);
        self.exit_code = Some(result.as_ref().map_or_else(|failure| failure.exit().code(), |_| 0));
        self.error = result.as_ref().err().map(Failure::to_string);
    }

    /// Returns and writes the record of a run that starts now.
    ///
    /// # Errors
    /// If another run has used the id, so that its record is not overwritten.
    pub async fn open(run_id: Uuid, kind: RunKind, origin: RunOrigin, store: &Store) -> Result<Self> {
        let record = Self::begin(run_id, kind, origin);
        if store.objects().head(&record.key()).await.is_ok() {
            let url = store.url_of(&record.key());
            return Err(Failure::new(format!("run id {run_id} is already used: its record is `{url}`"))
                .hint("use a new RUN_ID for every run, or leave it unset"));
        }
        record.write(store).await;
        Ok(record)
    }

    /// Returns the record of a run and its time of writing, if there is a valid one.
    pub async fn read(run_id: Uuid, store: &Store) -> Result<Option<(Self, DateTime<Utc>)>> {
        Self::at(&Self::key_of(&run_id.to_string()), store).await
    }

    pub async fn at(key: &Key, store: &Store) -> Result<Option<(Self, DateTime<Utc>)>> {
        let read = async {
            let found = store.objects().get(key).await?;
            let written_at = found.meta.last_modified;
            Ok((found.bytes().await?, written_at))
        };
        match read.await {
            // Other files in the directory are ignored.
            Ok((content, written_at)) => {
                Ok(serde_json::from_slice(&content).ok().map(|record| (record, written_at)))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(refused(format!("cannot read `{}`", store.url_of(key)), error)),
        }
    }

    fn key(&self) -> Key {
        Self::key_of(&self.run_id.to_string())
    }

    pub fn key_of(run: &str) -> Key {
        Key::from(format!("{RUNS}/{run}.json"))
    }

    /// Writes `runs/<id>.json`; logs a warning on failure.
    pub async fn write(&self, store: &Store) {
        let key = self.key();
        let written = match serde_json::to_vec_pretty(self) {
            Ok(text) => store.put(&key, text).await,
            Err(error) => Err(Failure::new("cannot encode the run record").source(error)),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the run record was not written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_before_the_program_begin_with_the_request_unless_its_clock_is_ahead() {
        let at = |second| DateTime::from_timestamp(second, 0);
        let names = |requested_at, pull_began_at, pulled_at| {
            let task = EcsTask { pull_began_at, pulled_at, ..EcsTask::default() };
            let origin = RunOrigin { requested_at, task, ..RunOrigin::default() };
            let phases = Record::begin(Uuid::nil(), RunKind::Etl, origin).phases.0;
            assert!(phases.is_sorted_by_key(|phase| phase.began_at), "{phases:?}");
            phases.into_iter().map(|phase| phase.name).collect::<Vec<_>>()
        };
        assert_eq!(names(at(10), at(40), at(50)), ["provision", "pull", "boot"]);
        assert_eq!(names(at(41), at(40), at(50)), ["pull", "boot"]);
        assert_eq!(names(None, at(40), at(50)), ["pull", "boot"]);
        assert!(names(at(10), None, None).is_empty(), "it lasts until the pull");
    }
}
