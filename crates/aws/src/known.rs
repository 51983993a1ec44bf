//! What is known of a run here: its task, its record, its id from what somebody typed. What it means is told in `runs`.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Exit, Failure, Result};
use etl::record::Record;
use uuid::Uuid;

use super::tasks::State;
use super::{Account, Aws, downloads, runs, tasks};
use target::{ActiveRun, Job, JobKind, RunEnd, Runs as _, Storage as _, ambiguous_run, no_run};

/// How long after its start a task may be missing. ECS recommends to back off for up to five minutes.
const CONSISTENT_AFTER: TimeDelta = TimeDelta::minutes(5);

impl Aws {
    /// When a download was asked for here.
    pub(super) fn asked_at(&self, run: Uuid) -> Option<DateTime<Utc>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(&run).copied()
    }

    pub(super) async fn start_download(&self, run: Uuid, job: &Job) -> Result<Uuid> {
        let Account { clients, names, .. } = self.account().await?;
        downloads::start(clients, names, run, job).await?;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(run, Utc::now());
        Ok(run)
    }

    pub(super) fn known(&self) -> MutexGuard<'_, HashMap<Uuid, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a run ended of which only its record tells: a download, or one whose task ECS has forgotten.
    pub(super) async fn recorded(&self, run: Uuid) -> Result<Option<RunEnd>> {
        let record = runs::record(&self.reports().await?, run).await?;
        let is_download = record.as_ref().is_some_and(|record| runs::kind_of(record) == JobKind::Download);
        match self.asked_at(run) {
            None if !is_download => {
                let code = record.and_then(|record| record.exit_code);
                code.map(|code| Some(RunEnd::exited(code))).ok_or_else(|| no_run(&run.to_string()))
            }
            asked_at => {
                let now = Utc::now();
                Ok(downloads::ended(record.as_ref(), asked_at.unwrap_or(now), now))
            }
        }
    }

    /// Notes a task that was started here.
    pub(super) fn remember_start(&self, run: Uuid, task: State) {
        self.known().insert(run, task.arn.clone());
        self.started.lock().unwrap_or_else(PoisonError::into_inner).insert(run, task);
    }

    /// The task of a run that was started here a moment ago: `DescribeTasks` may answer `MISSING` until ECS agrees with itself (ECS API
    /// Reference, `RunTask`, on eventual consistency).
    fn just_started(&self, run: Uuid) -> Option<State> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.get(&run).filter(|task| Utc::now() - task.created_at < CONSISTENT_AFTER).cloned()
    }

    /// The task of a run, where it has one and ECS still knows it.
    pub(super) async fn task_of(&self, run: Uuid) -> Result<Option<State>> {
        if self.asked_at(run).is_some() {
            return Ok(None);
        }
        let Account { clients, names, .. } = self.account().await?;
        let known = self.known().get(&run).cloned();
        let known = match known {
            Some(arn) => Some(arn),
            None => match runs::record(&self.reports().await?, run).await? {
                Some(record) if runs::kind_of(&record) == JobKind::Download => return Ok(None),
                record => record.and_then(|record| record.task),
            },
        };
        if let Some(arn) = known {
            let found = tasks::describe(clients, names, std::slice::from_ref(&arn)).await?.pop();
            self.known().insert(run, arn);
            return Ok(found.or_else(|| self.just_started(run)));
        }
        for stopped in [false, true] {
            let tasks = tasks::list(clients, names, stopped).await?;
            if let Some(task) = tasks.into_iter().find(|task| runs::run_of(task) == run) {
                self.known().insert(run, task.arn.clone());
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// The id of the run that begins as typed.
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

    pub(super) async fn refuse_double(&self, job: &Job) -> Result<()> {
        let Some(active) = self.active().await?.into_iter().find(|active| active.kind.excludes(job.kind))
        else {
            return Ok(());
        };
        let ActiveRun { run, kind, .. } = active;
        Err(Failure::new(format!("{kind} is running already: {run}"))
            .hint(format!("wait for it, stop it with `covidctl stop {run}`, or use --allow-concurrent"))
            .exit_code(Exit::NotStarted))
    }

    /// Why a run without a task that runs cannot be stopped.
    pub(super) async fn not_to_be_stopped(&self, run: Uuid) -> Failure {
        match self.recorded(run).await {
            Ok(None) => {
                Failure::new(format!("the download {run} cannot be stopped: Lambda lets nobody do that"))
                    .hint("it ends by itself; a load that it starts can be stopped")
            }
            _ => {
                Failure::new(format!("run {run} is not in progress")).hint("`covidctl status` shows what is")
            }
        }
    }

    /// Writes down how a run ended that could not say so itself. What cannot be written is told by the task for an hour.
    pub(super) async fn settle(&self, run: Uuid, task: &State) -> Result<()> {
        let store = self.reports().await?;
        let record = runs::record(&store, run).await?;
        if let Some(settled) = runs::settled(record, run, task) {
            let content = serde_json::to_vec_pretty(&settled).unwrap_or_default();
            store.put(&Record::key_of(&run.to_string()), content).await?;
        }
        Ok(())
    }
}
