//! Runs, from run records in storage and ECS tasks.
//!
//! Records are kept and have what the program knew; ECS forgets a task after an hour and knows how it ended. A task that never started has
//! no record: the client that sees it stopped writes one. A download has no task.

use chrono::Utc;
use common::failure::Result;
use etl::ecs_metadata::EcsTask;
use etl::record::{Record, RunOrigin, RunStatus};
use etl::runs::RunKind;
use etl::store::{OrRefused as _, RUNS, Store};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore as _};
use uuid::Uuid;

use super::account::Account;
use super::tasks::TaskState;
use super::{downloads, functions};
use target::Run;

const CONCURRENCY: usize = 16;

/// The run records of a target.
pub(super) struct Records<'a> {
    pub(super) account: &'a Account,
    pub(super) store: Store,
}

impl Records<'_> {
    /// Returns the newest records, newest first.
    pub(super) async fn newest(&self, limit: usize) -> Result<Vec<Record>> {
        let mut listed = self.list().await?;
        listed.sort_by_key(|object| std::cmp::Reverse(object.last_modified));
        let mut records = self.read_all(listed.into_iter().take(limit)).await?;
        records.sort_by_key(|record| std::cmp::Reverse(record.started_at));
        Ok(records)
    }

    /// Returns the invocations of functions in progress.
    pub(super) async fn invocations(&self) -> Result<Vec<Record>> {
        let now = Utc::now();
        let listed = self.list().await?.into_iter();
        let fresh = listed.filter(|object| functions::may_be_running(object.last_modified, now));
        let mut records = self.read_all(fresh).await?;
        records
            .retain(|record| record.status == RunStatus::Running && self.account.is_function(&record.kind));
        Ok(records)
    }

    async fn list(&self) -> Result<Vec<ObjectMeta>> {
        let folder = Key::from(RUNS);
        let listed = self.store.objects().list(Some(&folder)).try_collect().await;
        listed.or_refused(|| format!("cannot list `{}`", self.store.url_of(&folder)))
    }

    async fn read_all(&self, objects: impl Iterator<Item = ObjectMeta>) -> Result<Vec<Record>> {
        let read = stream::iter(objects).map(|object| self.read(object.location));
        Ok(read.buffered(CONCURRENCY).try_collect::<Vec<_>>().await?.into_iter().flatten().collect())
    }

    /// Returns the record of a run, if it has one.
    pub(super) async fn of(&self, run: Uuid) -> Result<Option<Record>> {
        self.read(Record::key_of(&run.to_string())).await
    }

    /// Returns the ids of recorded runs that begin as typed.
    pub(super) async fn matching(&self, typed: &str) -> Result<Vec<Uuid>> {
        let listed = self.list().await?;
        let names = listed.iter().filter_map(|object| object.location.filename()?.strip_suffix(".json"));
        Ok(names.filter(|name| name.starts_with(typed)).filter_map(|name| name.parse().ok()).collect())
    }

    async fn read(&self, key: Key) -> Result<Option<Record>> {
        let read = Record::at(&key, &self.store).await?;
        Ok(read.map(|(record, touched_at)| {
            if self.account.description.is_of_stacks && self.account.is_function(&record.kind) {
                downloads::with_liveness(record, touched_at, Utc::now())
            } else {
                record
            }
        }))
    }

    /// Writes a record.
    pub(super) async fn put(&self, record: &Record) -> Result<()> {
        let content = serde_json::to_vec_pretty(record).unwrap_or_default();
        self.store.put(&Record::key_of(&record.run_id.to_string()), content).await
    }

    /// Writes the final record of a run whose task has stopped, unless it is there.
    pub(super) async fn finalize(&self, run: Uuid, task: &TaskState) -> Result<()> {
        let record = self.of(run).await?;
        match final_record(record.as_ref(), task, self.account.description.is_of_stacks) {
            Some(final_record) => self.put(&final_record).await,
            None => Ok(()),
        }
    }
}

/// Returns the final record of a run whose task has stopped, or `None` if it is recorded already. `records_itself`: the program of the
/// task writes the record.
pub(super) fn final_record(
    record: Option<&Record>,
    task: &TaskState,
    records_itself: bool,
) -> Option<Record> {
    let stop = task.stop.as_ref()?;
    if record.is_some_and(|record| record.status != RunStatus::Running) {
        return None;
    }
    // A program that could record its start could have recorded its success.
    let has_succeeded = (record.is_none() || !records_itself) && stop.exit_code == Some(0);
    let error = || match stop.words() {
        Some((words, _)) => words,
        None => format!("its task exited with code {}", stop.code()),
    };
    Some(Record {
        status: if has_succeeded { RunStatus::Succeeded } else { RunStatus::Failed },
        finished_at: Some(task.stopped_at.unwrap_or_else(Utc::now)),
        exit_code: Some(stop.code()),
        error: (!has_succeeded).then(error),
        ..record.cloned().unwrap_or_else(|| begun(task))
    })
}

/// Returns the record that the run of a task would have written at its start.
pub(super) fn begun(task: &TaskState) -> Record {
    let task_of_run = EcsTask { arn: Some(task.arn.clone()), ..EcsTask::default() };
    let origin = RunOrigin { started_by: task.started_by.clone(), requested_at: None, task: task_of_run };
    Record {
        kind: task.kind.to_string(),
        started_at: task.created_at,
        ..Record::begin(task.run_id(), RunKind::Etl, origin)
    }
}

/// Merges records and tasks into a history, newest first.
pub(super) fn history(
    records: Vec<Record>,
    tasks: &[TaskState],
    records_itself: bool,
    limit: usize,
) -> Vec<Run> {
    let task_of = |record: &Record| {
        let named = tasks.iter().find(|task| record.task.as_ref() == Some(&task.arn));
        named.or_else(|| tasks.iter().find(|task| task.run == Some(record.run_id)))
    };
    let recorded: Vec<&TaskState> = records.iter().filter_map(task_of).collect();
    let unrecorded = tasks.iter().filter(|task| !recorded.iter().any(|known| known.arn == task.arn));
    let unrecorded =
        unrecorded.map(|task| final_record(None, task, records_itself).unwrap_or_else(|| begun(task)));
    let mut all: Vec<Record> = unrecorded.collect();
    all.extend(records.into_iter().map(|record| {
        task_of(&record).and_then(|task| final_record(Some(&record), task, records_itself)).unwrap_or(record)
    }));
    all.sort_by_key(|record| std::cmp::Reverse(record.started_at));
    all.into_iter().take(limit).map(of_record).collect()
}

fn of_record(record: Record) -> Run {
    let rows = |of: fn(&etl::record::RowCounts) -> u64| {
        record.rows.as_ref().map(|rows| i64::try_from(of(rows)).unwrap_or(i64::MAX))
    };
    let status = match record.status {
        RunStatus::Running => "running",
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Skipped => "skipped",
    };
    let dataset = record.dataset.as_ref();
    Run {
        status: status.to_owned(),
        finished_at: record.finished_at,
        dataset_updated_on: dataset.map(|dataset| dataset.updated_on),
        source_name: dataset.map(|dataset| dataset.source_name.clone()),
        source_size: dataset.map(|dataset| dataset.source_size),
        years: dataset.map(|dataset| dataset.years.clone()),
        rows_read: rows(|rows| rows.read),
        rows_filtered: rows(|rows| rows.filtered),
        rows_loaded: rows(|rows| rows.loaded),
        rows_repaired: rows(|rows| rows.repaired),
        rows_rejected: rows(|rows| rows.rejected),
        error: record.error,
        exit_code: record.exit_code,
        started_by: record.started_by,
        phases: record.phases.0,
        ..Run::begun(record.run_id, &record.kind, record.started_at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::stop_reason::Stop;
    use super::*;
    use target::JobKind;

    fn task(run: Option<Uuid>, arn: &str, stop: Option<Stop>) -> TaskState {
        TaskState {
            arn: arn.to_owned(),
            cluster: "covid19".to_owned(),
            kind: JobKind::Etl,
            run,
            created_at: Utc::now(),
            stopped_at: stop.as_ref().map(|_| Utc::now()),
            started_by: None,
            stop,
        }
    }

    fn record(run: Uuid, status: RunStatus) -> Record {
        let record = Record::begin(run, RunKind::Etl, RunOrigin::default());
        Record { status, started_at: Utc::now() - TimeDelta::hours(1), ..record }
    }

    fn killed() -> Stop {
        let reason = "OutOfMemoryError: Container killed due to memory usage";
        Stop { exit_code: Some(137), container: Some(reason.to_owned()), ..Stop::default() }
    }

    #[test]
    fn final_record_of_killed_run_comes_from_task() {
        let run = Uuid::new_v4();
        let tasks = [task(Some(run), "arn:1/a", Some(killed()))];
        let runs = history(vec![record(run, RunStatus::Running)], &tasks, true, 10);
        assert_eq!(runs.len(), 1);
        assert_eq!((runs[0].status.as_str(), runs[0].exit_code), ("failed", Some(137)));
        assert!(runs[0].error.as_ref().unwrap().contains("out of memory"));
    }

    #[test]
    fn final_record_keeps_recorded_end() {
        let run = Uuid::new_v4();
        let done = Record { exit_code: Some(0), ..record(run, RunStatus::Succeeded) };
        let tasks = [task(Some(run), "arn:1/a", Some(killed()))];
        assert_eq!(history(vec![done], &tasks, true, 10)[0].status, "succeeded");
        assert_eq!(final_record(Some(&record(run, RunStatus::Skipped)), &tasks[0], true), None);
    }

    #[test]
    fn history_includes_tasks_without_record() {
        let own_id = "0123456789abcdef0123456789abcdef";
        let tasks =
            [task(None, &format!("arn:1/{own_id}"), None), task(Some(Uuid::new_v4()), "arn:1/b", None)];
        let runs = history(Vec::new(), &tasks, true, 10);
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().all(|run| run.status == "running"));
        assert!(runs.iter().any(|run| run.run_id.simple().to_string() == own_id));

        let recorded =
            Record { task: Some(tasks[0].arn.clone()), ..record(Uuid::new_v4(), RunStatus::Running) };
        assert_eq!(history(vec![recorded], &tasks[..1], true, 10).len(), 1, "the same run twice");
    }
}
