//! The runs of jobs: ECS tasks and downloads, found by record, task or the beginning of an id.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Exit, Failure, Result};
use etl::record::Record;
use uuid::Uuid;

use super::log_groups::{EventFilter, LogGroup};
use super::names::Name;
use super::tasks::TaskState;
use super::{Account, Aws, downloads, log_groups, run_records, tasks};
use logs::{LogSources, RunLog, SERVER_SOURCE, Source};
use target::{ActiveRun, Job, JobKind, Run, RunEnd, Runs, Storage as _, ambiguous_run, no_run};

/// How often a task is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Log sources and their log groups.
const SOURCES: [(&str, Name); 4] = [
    ("lambda", Name::LambdaGroup),
    ("etl", Name::EtlGroup),
    ("report", Name::ReportGroup),
    ("metabase", Name::MetabaseGroup),
];

/// How long after `RunTask` a task may be missing in `DescribeTasks`; ECS recommends to retry for up to five minutes.
const CONSISTENCY_DELAY: TimeDelta = TimeDelta::minutes(5);

/// What this process knows about a run without a request.
#[derive(Debug, Clone)]
pub(super) enum KnownRun {
    /// A download that this process requested at this time.
    Download(DateTime<Utc>),
    /// The last known state of its task.
    Task(TaskState),
}

#[async_trait]
impl Runs for Aws {
    async fn start(&self, job: &Job) -> Result<Uuid> {
        if !matches!(job.kind, JobKind::Download | JobKind::Etl | JobKind::Report | JobKind::Rollback) {
            return Err(Failure::usage(format!("job `{}` does not exist on AWS", job.kind)));
        }
        let account = self.account().await?;
        let Account { clients, names, .. } = account;
        if !job.allow_concurrent {
            self.ensure_not_running(job).await?;
        }
        let run = Uuid::new_v4();
        let started = match job.kind {
            JobKind::Download => {
                downloads::start(clients, names, run, job).await.map(|()| KnownRun::Download(Utc::now()))
            }
            _ => tasks::start(account, run, job).await.map(KnownRun::Task),
        };
        self.remember(run, started.map_err(not_started)?);
        Ok(run)
    }

    async fn wait(&self, run: Uuid, limit: Duration) -> Result<Option<RunEnd>> {
        let end = match self.task_of(run).await? {
            None => self.end_from_record(run).await?,
            Some(task) => match &task.stop {
                None => None,
                Some(stop) => {
                    let recorded = self.finalize(run, &task).await;
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
            let mut sources = Vec::new();
            for name in SOURCES {
                sources.push(account.source(name, EventFilter::All).await?);
            }
            let group = format!("/aws/rds/instance/{}/postgresql", account.names.need(Name::Master)?);
            sources.push(Arc::new(LogGroup {
                client: account.clients.logs(),
                name: SERVER_SOURCE,
                group,
                of: EventFilter::All,
            }));
            return Ok(LogSources { sources, poll_policy, run: None });
        };
        let id = self.id_of(typed).await?;
        let record = run_records::record(&self.reports().await?, id).await?;
        let task = self.task_of(id).await?;
        let recorded = record.as_ref().map(|record| (run_records::kind_of(record), record.started_at));
        let listed = task.as_ref().map(|task| (task.kind, task.created_at));
        let requested = self.requested_at(id).map(|requested_at| (JobKind::Download, requested_at));
        let (kind, started_at) = recorded.or(listed).or(requested).ok_or_else(|| no_run(typed))?;
        let (stream, recorded_arn) = record.map_or((None, None), |record| (record.log_stream, record.task));
        let arn = task.map(|task| task.arn).or(recorded_arn);
        let stream = match (stream, arn) {
            (None, Some(arn)) => Some(account.container(kind).await?.log_stream(tasks::id(&arn))),
            (stream, _) => stream,
        };
        let stream = stream.map_or(EventFilter::All, EventFilter::Stream);
        let source = match kind {
            // Invocations write to any stream; every line has the run id.
            JobKind::Download => account.source(SOURCES[0], EventFilter::Mentioning(id.to_string())).await?,
            JobKind::Report => account.source(SOURCES[2], stream).await?,
            _ => account.source(SOURCES[1], stream).await?,
        };
        let run = RunLog { id, from: run_records::log_start(started_at) };
        Ok(LogSources { sources: vec![source], poll_policy, run: Some(run) })
    }

    async fn stop(&self, run: Uuid) -> Result<()> {
        let Account { clients, names, .. } = self.account().await?;
        let task = self.task_of(run).await?.filter(|task| task.stop.is_none());
        let Some(task) = task else {
            return Err(self.cannot_stop(run).await);
        };
        let reason = format!("{} with covidctl", target::current_user());
        tasks::stop(clients, names.need(Name::Cluster)?, &task.arn, &reason).await
    }

    async fn active(&self) -> Result<Vec<ActiveRun>> {
        let Account { clients, names, .. } = self.account().await?;
        let tasks = tasks::list(clients, names, false).await?;
        let running = tasks.into_iter().filter(|task| task.stop.is_none());
        let running = running.map(|task| ActiveRun {
            run: task.run_id(),
            kind: task.kind,
            started_at: task.created_at,
        });
        let downloads = run_records::downloads(&self.reports().await?).await?.into_iter();
        let downloads = downloads.map(|Record { run_id, started_at, .. }| ActiveRun {
            run: run_id,
            kind: JobKind::Download,
            started_at,
        });
        Ok(running.chain(downloads).collect())
    }

    async fn history(&self, limit: usize) -> Result<Vec<Run>> {
        let Account { clients, names, .. } = self.account().await?;
        let store = self.reports().await?;
        let records = run_records::newest(&store, limit).await?;
        let mut tasks = tasks::list(clients, names, false).await?;
        tasks.extend(tasks::list(clients, names, true).await?);
        tasks.sort_by(|a, b| a.arn.cmp(&b.arn));
        tasks.dedup_by(|a, b| a.arn == b.arn);
        Ok(run_records::history(records, &tasks, limit))
    }

    async fn find(&self, typed: &str) -> Result<Run> {
        let id = self.id_of(typed).await?;
        let record = run_records::record(&self.reports().await?, id).await?;
        let task = self.task_of(id).await?;
        run_records::history(record.into_iter().collect(), task.as_slice(), 1)
            .pop()
            .ok_or_else(|| no_run(typed))
    }
}

impl Account {
    /// Returns a log source.
    async fn source(&self, (name, group): (&'static str, Name), of: EventFilter) -> Result<Arc<dyn Source>> {
        let group = match group {
            Name::EtlGroup => self.log_group(JobKind::Etl, group).await?,
            Name::ReportGroup => self.log_group(JobKind::Report, group).await?,
            _ => self.names.need(group)?.to_owned(),
        };
        Ok(Arc::new(LogGroup { client: self.clients.logs(), name, group, of }))
    }
}

impl Aws {
    fn known(&self, run: Uuid) -> Option<KnownRun> {
        self.known_runs.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned()
    }

    fn remember(&self, run: Uuid, known: KnownRun) {
        self.known_runs.lock().unwrap_or_else(PoisonError::into_inner).insert(run, known);
    }

    /// Returns when this process requested a download.
    fn requested_at(&self, run: Uuid) -> Option<DateTime<Utc>> {
        match self.known(run)? {
            KnownRun::Download(requested_at) => Some(requested_at),
            KnownRun::Task(_) => None,
        }
    }

    /// Returns the end of a run without task, a download or one that ECS has forgotten, from its record.
    async fn end_from_record(&self, run: Uuid) -> Result<Option<RunEnd>> {
        let record = run_records::record(&self.reports().await?, run).await?;
        let is_download =
            record.as_ref().is_some_and(|record| run_records::kind_of(record) == JobKind::Download);
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

    /// Returns the task of a run, if ECS still knows it.
    async fn task_of(&self, run: Uuid) -> Result<Option<TaskState>> {
        let Account { clients, names, .. } = self.account().await?;
        let known = match self.known(run) {
            Some(KnownRun::Download(_)) => return Ok(None),
            Some(KnownRun::Task(task)) => Some(task),
            None => None,
        };
        let arn = match &known {
            Some(task) => Some(task.arn.clone()),
            None => match run_records::record(&self.reports().await?, run).await? {
                Some(record) if run_records::kind_of(&record) == JobKind::Download => return Ok(None),
                record => record.and_then(|record| record.task),
            },
        };
        let mut found = match &arn {
            Some(arn) => tasks::describe(
                clients,
                names.need(Name::Cluster)?,
                names.get(Name::ReportTask),
                std::slice::from_ref(arn),
            )
            .await?
            .pop(),
            None => tasks::find(clients, names, run).await?,
        };
        // `DescribeTasks` may return `MISSING` until ECS is consistent (ECS API Reference, `RunTask`).
        found = found.or(known.filter(|task| Utc::now() - task.created_at < CONSISTENCY_DELAY));
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
        let mut found = run_records::matching(&self.reports().await?, &typed).await?;
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
    async fn cannot_stop(&self, run: Uuid) -> Failure {
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
    async fn finalize(&self, run: Uuid, task: &TaskState) -> Result<()> {
        let store = self.reports().await?;
        let record = run_records::record(&store, run).await?;
        if let Some(final_record) = run_records::final_record(record.as_ref(), task) {
            let content = serde_json::to_vec_pretty(&final_record).unwrap_or_default();
            store.put(&Record::key_of(&run.to_string()), content).await?;
        }
        Ok(())
    }
}

/// Sets the exit code of a job that could not be started, unless the caller's credentials or settings are the reason.
fn not_started(failure: Failure) -> Failure {
    match failure.exit() {
        Exit::Credentials | Exit::Usage => failure,
        _ => failure.exit_code(Exit::NotStarted),
    }
}
