//! The record of a run: one small JSON file in the store, beside the reports, for whoever cannot ask the database.
//!
//! It is written when a run begins and again when it ends. It says less than `pipeline_run` and lives longer than a container; a record
//! that cannot be written is a warning, never the reason for a run to fail.

use chrono::{DateTime, NaiveDate, Utc};
use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::runs::{self, Kind};
use crate::store::{RUNS, Store, refused};
use crate::tally::Tally;
use crate::task::Task;
use common::failure::{Failure, Result};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Under way, or dead without having said so.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly; `error` says how.
    Failed,
    /// There was nothing to do.
    Skipped,
}

/// A run, as `runs/<id>.json` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its id.
    pub run_id: Uuid,
    /// `etl` or `report`.
    pub kind: String,
    /// How it stands.
    pub status: Status,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The process's exit code.
    pub exit_code: Option<u8>,
    /// What failed, in the words that the user was shown.
    pub error: Option<String>,
    /// The folder of the report that it wrote.
    pub report: Option<String>,
    /// Who started it.
    #[serde(default)]
    pub started_by: Option<String>,
    /// The ARN of the ECS task that it is.
    #[serde(default)]
    pub task: Option<String>,
    /// Its log's stream, in the log group of its kind.
    #[serde(default)]
    pub log_stream: Option<String>,
    /// Which dataset a load is about.
    #[serde(default)]
    pub dataset: Option<Dataset>,
    /// What a load read, and what became of it.
    #[serde(default)]
    pub rows: Option<Rows>,
}

/// Which dataset a load is about; less than `pipeline_run` says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// `ultima_actualizacion`.
    pub updated_on: NaiveDate,
    /// The line list's file.
    pub source_name: String,
    /// Its bytes.
    pub source_size: i64,
    /// `all` or the years.
    pub years: String,
}

impl From<runs::Dataset> for Dataset {
    fn from(dataset: runs::Dataset) -> Self {
        let runs::Dataset { updated_on, source_name, source_size, years, .. } = dataset;
        Self { updated_on, source_name, source_size, years }
    }
}

/// What a load read, and what became of it; `read = filtered + loaded + rejected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Rows in the file.
    pub read: u64,
    /// Rows of years that were not wanted.
    pub filtered: u64,
    /// Rows that were loaded.
    pub loaded: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Repairs; one row may have several.
    pub repaired: u64,
}

impl From<&Tally> for Rows {
    fn from(tally: &Tally) -> Self {
        Self {
            read: tally.read,
            filtered: tally.filtered,
            loaded: tally.loaded,
            rejected: tally.rejected(),
            repaired: tally.repaired(),
        }
    }
}

/// Who and what a run is, beside its id.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Who started it.
    pub started_by: Option<String>,
    /// The ECS task that it is.
    pub task: Task,
}

impl Record {
    /// The record of a run that begins now.
    pub fn begin(run_id: Uuid, kind: Kind, origin: Origin) -> Self {
        Self {
            run_id,
            kind: kind.name().to_owned(),
            status: Status::Running,
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
        }
    }

    /// Notes how it ended.
    pub fn end<T>(&mut self, result: &Result<T>, status: impl FnOnce(&T) -> Status) {
        self.finished_at = Some(Utc::now());
        self.status = result.as_ref().map_or(Status::Failed, status);
        self.exit_code = Some(result.as_ref().map_or_else(|failure| failure.exit().code(), |_| 0));
        self.error = result.as_ref().err().map(Failure::to_string);
    }

    /// The same, written to the store. An id that a run has used already is refused, so that its record stays what it is.
    pub async fn open(run_id: Uuid, kind: Kind, origin: Origin, store: &Store) -> Result<Self> {
        let record = Self::begin(run_id, kind, origin);
        if store.objects().head(&record.key()).await.is_ok() {
            let place = store.url_of(&record.key());
            return Err(Failure::new(format!("there was a run {run_id} already: `{place}` is its record"))
                .hint("give every run an id of its own, or leave RUN_ID unset"));
        }
        record.write(store).await;
        Ok(record)
    }

    /// The record of a run, where it has one that can be understood, and when it was written.
    pub async fn read(run_id: Uuid, store: &Store) -> Result<Option<(Self, DateTime<Utc>)>> {
        Self::at(&Self::key_of(&run_id.to_string()), store).await
    }

    /// The same, by the key of its file.
    pub async fn at(key: &Key, store: &Store) -> Result<Option<(Self, DateTime<Utc>)>> {
        let read = async {
            let found = store.objects().get(key).await?;
            let written_at = found.meta.last_modified;
            Ok((found.bytes().await?, written_at))
        };
        match read.await {
            // One that somebody else wrote is not ours to understand.
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

    /// Where the record of a run stands.
    pub fn key_of(run: &str) -> Key {
        Key::from(format!("{RUNS}/{run}.json"))
    }

    /// Writes it to `runs/<id>.json`; says so where that fails.
    pub async fn write(&self, store: &Store) {
        let key = self.key();
        let written = match serde_json::to_vec_pretty(self) {
            Ok(text) => store.put(&key, text).await,
            Err(error) => Err(Failure::new("cannot encode the run's record").source(error)),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the run's record was not written");
        }
    }
}
