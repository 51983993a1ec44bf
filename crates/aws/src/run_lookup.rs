//! Finds the task, the record and the id of a run.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Exit, Failure, Result};
use etl::record::Record;
use uuid::Uuid;

use super::tasks::TaskState;
use super::{Account, Aws, downloads, runs, tasks};
use target::{ActiveRun, Job, JobKind, RunEnd, Runs as _, Storage as _, ambiguous_run, no_run};

/// How long after `RunTask` a task may be missing in `DescribeTasks`; ECS recommends to retry for up to five minutes.
const CONSISTENCY_DELAY: TimeDelta = TimeDelta::minutes(5);

impl Aws {
    /// Returns when this process requested a download.
    pub(super) fn requested_at(&self, run: Uuid) -> Option<DateTime<Utc>> {
        self.requested.lock().unwrap_or_else(PoisonError::into_inner).get(&run).copied()
    }

    pub(super) async fn start_download(&self, run: Uuid, job: &Job) -> Result<Uuid> {
        let Account { clients, names, .. } = self.account().await?;
        downloads::start(clients, names, run, job).await?;
        self.requested.lock().unwrap_or_else(PoisonError::into_inner).insert(run, Utc::now());
        Ok(run)
    }

    pub(super) fn tasks_by_run(&self) -> MutexGuard<'_, HashMap<Uuid, String>> {
        self.tasks_by_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the end of a run without task, a download or one that ECS has forgotten, from its record.
    pub(super) async fn end_from_record(&self, run: Uuid) -> Result<Option<RunEnd>> {
        let record = runs::record(&self.reports().await?, run).await?;
        let is_download = record.as_ref().is_some_and(|record| runs::kind_of(record) == JobKind::Download);
        match self.requested_at(run) {
            None if !is_download => {
                let code = record.and_then(|record| record.exit_code);
                code.map(|code| Some(RunEnd::exited(code))).ok_or_else(|| no_run(&run.to_string()))
            }
            requested_at => {
                let now = Utc::now();
                Ok(downloads::ended(record.as_ref(), requested_at.unwrap_or(now), now))
            }
        }
    }

    /// Remembers a task that this process started.
    pub(super) fn remember_start(&self, run: Uuid, task: TaskState) {
        self.tasks_by_run().insert(run, task.arn.clone());
        self.started.lock().unwrap_or_else(PoisonError::into_inner).insert(run, task);
    }

    /// Returns the task of a run that this process started recently: `DescribeTasks` may return `MISSING` until ECS is consistent (ECS API
    /// Reference, `RunTask`).
    fn just_started(&self, run: Uuid) -> Option<TaskState> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.get(&run).filter(|task| Utc::now() - task.created_at < CONSISTENCY_DELAY).cloned()
    }

    /// Returns the task of a run, if ECS still knows it.
    pub(super) async fn task_of(&self, run: Uuid) -> Result<Option<TaskState>> {
        if self.requested_at(run).is_some() {
            return Ok(None);
        }
        let Account { clients, names, .. } = self.account().await?;
        let known = self.tasks_by_run().get(&run).cloned();
        let known = match known {
            Some(arn) => Some(arn),
            None => match runs::record(&self.reports().await?, run).await? {
                Some(record) if runs::kind_of(&record) == JobKind::Download => return Ok(None),
                record => record.and_then(|record| record.task),
            },
        };
        if let Some(arn) = known {
            let found = tasks::describe(clients, names, std::slice::from_ref(&arn)).await?.pop();
            self.tasks_by_run().insert(run, arn);
            return Ok(found.or_else(|| self.just_started(run)));
        }
        for stopped in [false, true] {
            let tasks = tasks::list(clients, names, stopped).await?;
            if let Some(task) = tasks.into_iter().find(|task| runs::run_of(task) == run) {
                self.tasks_by_run().insert(run, task.arn.clone());
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// Returns the id of the run that begins as typed.
    pub(super) async fn id_of(&self, typed: &str) -> Result<Uuid> {
        if typed == "latest" {
            return self.history(1).await?.first().map(|run| run.run_id).ok_or_else(|| no_run(typed));
        }
        let typed = typed.to_lowercase();
        if typed.is_empty()
            || !typed.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
        {
            return Err(no_run(&typed));
        }
        let mut found = runs::matching(&self.reports().await?, &typed).await?;
        if found.is_empty() {
            let runs = self.history(usize::MAX).await?;
            found.extend(runs.iter().map(|run| run.run_id).filter(|run| run.to_string().starts_with(&typed)));
        }
        match found.as_slice() {
            [] => Err(no_run(&typed)),
            [run] => Ok(*run),
            _ => Err(ambiguous_run(&typed)),
        }
    }

    pub(super) async fn ensure_not_running(&self, job: &Job) -> Result<()> {
        let Some(active) = self.active().await?.into_iter().find(|active| active.kind.excludes(job.kind))
        else {
            return Ok(());
        };
        let ActiveRun { run, kind, .. } = active;
        Err(Failure::new(format!("{kind} is running already: {run}"))
            .hint(format!("wait for it, stop it with `covidctl stop {run}`, or use --allow-concurrent"))
            .exit_code(Exit::NotStarted))
    }

    /// Returns the error of `stop` for a run without running task.
    pub(super) async fn cannot_stop(&self, run: Uuid) -> Failure {
        match self.end_from_record(run).await {
            Ok(None) => {
                Failure::new(format!("download {run} cannot be stopped: Lambda has no such operation"))
                    .hint("it ends by itself; a load that it starts can be stopped")
            }
            _ => {
                Failure::new(format!("run {run} is not in progress")).hint("`covidctl status` shows what is")
            }
        }
    }

    /// Writes the final record of a run that could not write it; ECS keeps the task for an hour if that fails.
    pub(super) async fn finalize(&self, run: Uuid, task: &TaskState) -> Result<()> {
        let store = self.reports().await?;
        let record = runs::record(&store, run).await?;
        if let Some(final_record) = runs::final_record(record, run, task) {
            let content = serde_json::to_vec_pretty(&final_record).unwrap_or_default();
            store.put(&Record::key_of(&run.to_string()), content).await?;
        }
        Ok(())
    }
}
