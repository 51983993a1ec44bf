//! The runs of jobs: ECS tasks and downloads, found by record, task or the beginning of an id.

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Exit, Failure, Result};
use etl::record::{Record, RunOrigin, RunStatus};
use etl::runs::RunKind;
use uuid::Uuid;

use super::account::Account;
use super::run_logs;
use super::run_records::{self, Records};
use super::tasks::{self, TaskState};
use super::{Aws, downloads, functions, log_groups};
use logs::{LogSources, RunLog};
use target::description::Work;
use target::{ActiveRun, Job, JobKind, Run, RunEnd, Runs, Storage as _, ambiguous_run, no_run};

/// How often a task is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What this process knows about a run without a request.
#[derive(Debug, Clone)]
pub(super) enum KnownRun {
    /// An invocation of a function, by the job's name, that this process requested at this time.
    Invocation(String, DateTime<Utc>),
    /// The last known state of its task.
    Task(TaskState),
}

#[async_trait]
impl Runs for Aws {
    fn jobs(&self) -> Vec<JobKind> {
        match &self.settings.description {
            Some(description) => description.jobs.keys().cloned().map(JobKind::from).collect(),
            None => vec![JobKind::Download, JobKind::Etl, JobKind::Report],
        }
    }

    async fn start(&self, job: &Job) -> Result<Uuid> {
        let account = self.account().await?;
        let described = account.job(&job.kind)?;
        if !job.allow_concurrent {
            self.ensure_not_running(job).await?;
        }
        let run = Uuid::new_v4();
        let (run, known) = match &described.work {
            Work::Task(task) => {
                (run, KnownRun::Task(tasks::start(account, run, job, task).await.map_err(not_started)?))
            }
            Work::Function(name) => {
                let run = invoke(account, name, run, job).await.map_err(not_started)?;
                (run, KnownRun::Invocation(job.kind.to_string(), Utc::now()))
            }
        };
        if !account.description.is_of_stacks {
            // The end of the run says so if records cannot be written.
            drop(self.begin_record(run, &known).await);
        }
        self.remember(run, known);
        Ok(run)
    }

    async fn wait(&self, run: Uuid, limit: Duration) -> Result<Option<RunEnd>> {
        let end = match self.task_of(run).await? {
            None => self.end_without_task(run).await?,
            Some(task) => match &task.stop {
                None => None,
                Some(stop) => {
                    let recorded = async { self.records().await?.finalize(run, &task).await }.await;
                    let warning = recorded
                        .err()
                        .map(|failure| format!("the end of the run was not recorded: {failure}"));
                    Some(RunEnd { warning, ..stop.end() })
                }
            },
        };
        if end.is_none() {
            tokio::time::sleep(limit.min(POLL_INTERVAL)).await;
        }
        Ok(end)
    }

    async fn logs(&self, run: Option<&str>) -> Result<LogSources> {
        let account = self.account().await?;
        let poll_policy = log_groups::poll_policy(&account.clients.region);
        let Some(typed) = run else {
            let sources = run_logs::all(account).await?;
            return Ok(LogSources { sources, poll_policy, run: None });
        };
        let id = self.id_of(typed).await?;
        let record = self.records().await?.of(id).await?;
        let task = self.task_of(id).await?;
        let recorded = record.as_ref().map(|record| (record.kind.clone(), record.started_at));
        let listed = task.as_ref().map(|task| (task.kind.to_string(), task.created_at));
        let (kind, started_at) =
            recorded.or(listed).or_else(|| self.requested(id)).ok_or_else(|| no_run(typed))?;
        let (stream, recorded_arn) = record.map_or((None, None), |record| (record.log_stream, record.task));
        let arn = task.map(|task| task.arn).or(recorded_arn);
        let source = run_logs::of_run(account, id, &kind.into(), stream, arn.as_deref()).await?;
        let run = RunLog { id, from: log_groups::log_start(started_at) };
        Ok(LogSources { sources: vec![source], poll_policy, run: Some(run) })
    }

    async fn stop(&self, run: Uuid) -> Result<()> {
        let account = self.account().await?;
        let task = self.task_of(run).await?.filter(|task| task.stop.is_none());
        let Some(task) = task else {
            return Err(self.cannot_stop(run).await);
        };
        let reason = format!("{} with covidctl", target::current_user());
        tasks::stop(&account.clients, &task.cluster, &task.arn, &reason).await
    }

    async fn active(&self) -> Result<Vec<ActiveRun>> {
        let account = self.account().await?;
        let tasks = tasks::list(account, false).await?;
        let running = tasks.into_iter().filter(|task| task.stop.is_none());
        let running = running.map(|task| ActiveRun {
            run: task.run.or_else(|| self.started_as(&task.arn)).unwrap_or_else(|| task.run_id()),
            kind: task.kind,
            started_at: task.created_at,
        });
        let invocations = self.settled(self.records().await?.invocations().await?).await?;
        let invocations = invocations.into_iter().filter(|record| record.status == RunStatus::Running);
        let invocations = invocations.map(|Record { run_id, started_at, kind, .. }| ActiveRun {
            run: run_id,
            kind: kind.into(),
            started_at,
        });
        Ok(running.chain(invocations).collect())
    }

    async fn history(&self, limit: usize) -> Result<Vec<Run>> {
        let account = self.account().await?;
        let records = self.settled(self.records().await?.newest(limit).await?).await?;
        let mut tasks = tasks::list(account, false).await?;
        tasks.extend(tasks::list(account, true).await?);
        tasks.sort_by(|a, b| a.arn.cmp(&b.arn));
        tasks.dedup_by(|a, b| a.arn == b.arn);
        let records_itself = account.description.is_of_stacks;
        let recorded = records.iter().filter_map(|record| Some(tasks::id(record.task.as_ref()?).to_owned()));
        let recorded = recorded.collect();
        let mut runs = run_records::history(records, &tasks, records_itself, limit);
        if !records_itself {
            run_logs::complete(account, &mut runs, &tasks, recorded).await?;
            runs.truncate(limit);
        }
        Ok(runs)
    }

    async fn find(&self, typed: &str) -> Result<Run> {
        let id = self.id_of(typed).await?;
        let record = self.records().await?.of(id).await?;
        let records = self.settled(record.into_iter().collect()).await?;
        let task = self.task_of(id).await?;
        let records_itself = self.account().await?.description.is_of_stacks;
        if let Some(run) = run_records::history(records, task.as_slice(), records_itself, 1).pop() {
            return Ok(run);
        }
        let runs = self.history(usize::MAX).await?;
        runs.into_iter().find(|run| run.run_id == id).ok_or_else(|| no_run(typed))
    }
}

/// Invokes a function; returns the id of the run, which is that of the request if the function knows nothing of runs.
async fn invoke(account: &Account, function: &str, run: Uuid, job: &Job) -> Result<Uuid> {
    if account.description.is_of_stacks {
        return downloads::start(&account.clients, function, run, job).await.map(|()| run);
    }
    if let Some((name, _)) = job.environment.iter().find(|(name, _)| name != common::env::STARTED_BY) {
        return Err(functions::no_environment(name));
    }
    let request = functions::invoke(&account.clients, function, &serde_json::json!({})).await?;
    request.ok_or_else(|| {
        Failure::new(format!(
            "the function `{function}` was invoked, but the answer does not name the request"
        ))
        .hint("its log shows it")
    })
}

impl Aws {
    fn known(&self, run: Uuid) -> Option<KnownRun> {
        self.known_runs.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned()
    }

    fn remember(&self, run: Uuid, known: KnownRun) {
        self.known_runs.lock().unwrap_or_else(PoisonError::into_inner).insert(run, known);
    }

    async fn records(&self) -> Result<Records<'_>> {
        Ok(Records { account: self.account().await?, store: self.reports().await? })
    }

    /// Returns the run that this process started as a task.
    fn started_as(&self, arn: &str) -> Option<Uuid> {
        let known = self.known_runs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_its = |known: &KnownRun| matches!(known, KnownRun::Task(task) if task.arn == arn);
        known.iter().find(|(_, known)| is_its(known)).map(|(run, _)| *run)
    }

    /// Writes the record of a run whose program writes none.
    async fn begin_record(&self, run: Uuid, known: &KnownRun) -> Result<()> {
        let record = match known {
            KnownRun::Task(task) => run_records::begun(task),
            KnownRun::Invocation(kind, _) => {
                let origin = RunOrigin { started_by: Some(target::current_user()), ..RunOrigin::default() };
                Record { kind: kind.clone(), ..Record::begin(run, RunKind::Download, origin) }
            }
        };
        self.records().await?.put(&Record { run_id: run, ..record }).await
    }

    /// Returns the job and the time of an invocation that this process requested.
    fn requested(&self, run: Uuid) -> Option<(String, DateTime<Utc>)> {
        match self.known(run)? {
            KnownRun::Invocation(kind, requested_at) => Some((kind, requested_at)),
            KnownRun::Task(_) => None,
        }
    }

    /// Returns the end of a run without task: an invocation, or one that ECS has forgotten.
    async fn end_without_task(&self, run: Uuid) -> Result<Option<RunEnd>> {
        let record = self.records().await?.of(run).await?;
        let account = self.account().await?;
        let requested = self.requested(run);
        let recorded = record.as_ref().map(|record| (record.kind.clone(), record.started_at));
        let invocation = requested.clone().or_else(|| recorded.filter(|(kind, _)| account.is_function(kind)));
        let Some((kind, requested_at)) = invocation else {
            let code = record.and_then(|record| record.exit_code);
            return code.map(|code| Some(RunEnd::exited(code))).ok_or_else(|| no_run(&run.to_string()));
        };
        if account.description.is_of_stacks {
            let now = Utc::now();
            let requested_at = requested.map_or(now, |(_, requested_at)| requested_at);
            return Ok(downloads::ended(record.as_ref(), requested_at, now));
        }
        if let Some(code) = record.as_ref().and_then(|record| record.exit_code) {
            return Ok(Some(RunEnd {
                reason: record.and_then(|record| record.error),
                ..RunEnd::exited(code)
            }));
        }
        let group = account.log_group(account.job(&kind.into())?).await?;
        let end = functions::end(&account.clients, &group, run, requested_at).await?;
        let end = end.or_else(|| functions::without_end(&group, requested_at, Utc::now()));
        if let (Some(end), Some(record)) = (&end, record) {
            let recorded = self.records().await?.put(&ended(record, end)).await;
            let warning =
                recorded.err().map(|failure| format!("the end of the run was not recorded: {failure}"));
            return Ok(Some(RunEnd { warning, ..end.clone() }));
        }
        Ok(end)
    }

    /// Ends the records of invocations whose function does not record its end, and which have ended.
    async fn settled(&self, mut records: Vec<Record>) -> Result<Vec<Record>> {
        let account = self.account().await?;
        if account.description.is_of_stacks {
            return Ok(records);
        }
        for record in &mut records {
            if record.status != RunStatus::Running || !account.is_function(&record.kind) {
                continue;
            }
            if let Some(end) = self.end_without_task(record.run_id).await? {
                *record = ended(record.clone(), &end);
            }
            let started_at = record.started_at;
            *record = downloads::with_liveness(record.clone(), started_at, Utc::now());
        }
        Ok(records)
    }

    /// Returns the task of a run, if ECS still knows it.
    async fn task_of(&self, run: Uuid) -> Result<Option<TaskState>> {
        let account = self.account().await?;
        let known = match self.known(run) {
            Some(KnownRun::Invocation(..)) => return Ok(None),
            Some(KnownRun::Task(task)) => Some(task),
            None => None,
        };
        let record = if known.is_some() { None } else { self.records().await?.of(run).await? };
        if record.as_ref().is_some_and(|record| account.is_function(&record.kind)) {
            return Ok(None);
        }
        let has_ended = record.as_ref().is_some_and(|record| record.status != RunStatus::Running);
        let known = known.or_else(|| TaskState::of_record(record.as_ref()?, account));
        let found = match &known {
            Some(task) => {
                let described =
                    tasks::describe(account, &task.cluster, std::slice::from_ref(&task.arn)).await?.pop();
                described.or(known.filter(|task| !has_ended && task.is_young()))
            }
            None => tasks::find(account, run).await?,
        };
        if let Some(task) = &found {
            self.remember(run, KnownRun::Task(task.clone()));
        }
        Ok(found)
    }

    /// Returns the id of the run that begins as typed.
    async fn id_of(&self, typed: &str) -> Result<Uuid> {
        if let Ok(id) = typed.parse() {
            return Ok(id);
        }
        if typed == "latest" {
            return self.history(1).await?.first().map(|run| run.run_id).ok_or_else(|| no_run(typed));
        }
        let typed = typed.to_lowercase();
        if typed.is_empty()
            || !typed.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
        {
            return Err(no_run(&typed));
        }
        let mut found = self.records().await?.matching(&typed).await?;
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

    async fn ensure_not_running(&self, job: &Job) -> Result<()> {
        let Some(active) = self.active().await?.into_iter().find(|active| active.kind.excludes(&job.kind))
        else {
            return Ok(());
        };
        let ActiveRun { run, kind, .. } = active;
        Err(Failure::new(format!("{kind} is running already: {run}"))
            .hint(format!("wait for it, stop it with `covidctl stop {run}`, or use --allow-concurrent"))
            .exit_code(Exit::NotStarted))
    }

    /// Returns the error of `stop` for a run without running task.
    async fn cannot_stop(&self, run: Uuid) -> Failure {
        match self.end_without_task(run).await {
            Ok(None) => {
                Failure::new(format!("invocation {run} cannot be stopped: Lambda has no such operation"))
                    .hint("it ends by itself; a task that it starts can be stopped")
            }
            _ => {
                Failure::new(format!("run {run} is not in progress")).hint("`covidctl status` shows what is")
            }
        }
    }
}

/// Returns the record of a run that has ended.
fn ended(record: Record, end: &RunEnd) -> Record {
    Record {
        status: if end.code == 0 { RunStatus::Succeeded } else { RunStatus::Failed },
        finished_at: Some(Utc::now()),
        exit_code: Some(end.code),
        error: end.reason.clone(),
        ..record
    }
}

/// Sets the exit code of a job that could not be started, unless the caller's credentials or settings are the reason.
fn not_started(failure: Failure) -> Failure {
    match failure.exit() {
        Exit::Credentials | Exit::Usage => failure,
        _ => failure.exit_code(Exit::NotStarted),
    }
}
