//! The target on AWS: ECS tasks, CloudWatch logs, S3 buckets, RDS databases behind a bastion, CloudFormation stacks.
//!
//! Each service has a file of its own, which its types do not leave. The account and its resource names are read once, when needed.

mod administration;
mod alarms;
mod api_error;
mod bastion;
mod buckets;
mod ca_bundle;
mod clients;
mod components;
mod credentials;
mod database_access;
mod doctor;
mod downloads;
mod log_groups;
mod names;
mod purge_bucket;
mod run_lookup;
mod runs;
mod stacks;
mod stop_reason;
mod tasks;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use tokio::sync::OnceCell;
use uuid::Uuid;

use self::api_error::ApiContext as _;
use self::clients::Clients;
use self::log_groups::{EventFilter, LogGroup};
use self::names::{Name, Names};
pub use self::stacks::{Change, KEPT, Plan, ResourceAction, StackAction, StackSummary, Step, UpOptions};
use self::tasks::TaskState;
use etl::store::Store;
use logs::{LogSources, PollPolicy, RunLog, Source};
use target::{
    ActiveRun, AwsSettings, Bastion, Capabilities, Check, CheckSink, Component, Components, Database,
    DatabaseAccess, DatabaseLogin, Databases, DoctorContext, Job, JobKind, Location, LoginSecret, Run,
    RunEnd, Runs, Storage, WithOrigin, no_run,
};
use tunnel::{Discovery, Endpoint, EventSink};

/// How often a task is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Log sources and their log groups.
const SOURCES: [(&str, Name); 4] = [
    ("lambda", Name::LambdaGroup),
    ("etl", Name::EtlGroup),
    ("report", Name::ReportGroup),
    ("metabase", Name::MetabaseGroup),
];

/// Task group of loads whose client also starts the report; the EventBridge rule ignores it.
pub const PIPELINE_GROUP: &str = "covid19-pipeline";

/// The target on AWS.
pub struct Aws {
    settings: AwsSettings,
    events: EventSink,
    account: OnceCell<Account>,
    /// Task ARNs of runs.
    tasks_by_run: Mutex<HashMap<Uuid, String>>,
    /// Tasks started by this process, as `RunTask` returned them.
    started: Mutex<HashMap<Uuid, TaskState>>,
    /// Request times of downloads started by this process.
    requested: Mutex<HashMap<Uuid, DateTime<Utc>>>,
}

/// The account, read once.
struct Account {
    clients: Arc<Clients>,
    id: String,
    /// ARN of the caller.
    caller: String,
    names: Names,
}

impl Aws {
    /// Returns the target of the settings; sends no request.
    pub fn new(settings: &AwsSettings, events: EventSink) -> Self {
        Self {
            settings: settings.clone(),
            events,
            account: OnceCell::new(),
            tasks_by_run: Mutex::default(),
            started: Mutex::default(),
            requested: Mutex::default(),
        }
    }

    async fn account(&self) -> Result<&Account> {
        let ask = || async {
            let clients = Clients::load(&self.settings).await?;
            let identity = clients.identity().get_caller_identity().send().await;
            let identity =
                identity.api_context("sts:GetCallerIdentity", || "cannot identify the caller".to_owned())?;
            let id = identity.account().unwrap_or_default().to_owned();
            let caller = identity.arn().unwrap_or_default().to_owned();
            let names = Names::discover(&self.settings, &clients, &id).await?;
            Ok(Account { clients: Arc::new(clients), id, caller, names })
        };
        self.account.get_or_try_init(ask).await
    }
}

#[async_trait]
impl Runs for Aws {
    async fn start(&self, job: &Job) -> Result<Uuid> {
        if !matches!(job.kind, JobKind::Download | JobKind::Etl | JobKind::Report | JobKind::Rollback) {
            return Err(Failure::usage(format!("job `{}` does not exist on AWS", job.kind)));
        }
        let Account { clients, names, .. } = self.account().await?;
        if !job.allow_concurrent {
            self.ensure_not_running(job).await?;
        }
        let run = Uuid::new_v4();
        if job.kind == JobKind::Download {
            return self.start_download(run, job).await;
        }
        let group = job.is_part_of_pipeline.then_some(PIPELINE_GROUP);
        let start = tasks::TaskRequest { run, job, group };
        let task = tasks::start(clients, names, &start).await?;
        self.remember_start(run, task);
        Ok(run)
    }

    async fn wait(&self, run: Uuid, limit: Duration) -> Result<Option<RunEnd>> {
        let Some(task) = self.task_of(run).await? else {
            let ended = self.end_from_record(run).await?;
            if ended.is_none() {
                tokio::time::sleep(limit.min(POLL_INTERVAL)).await;
            }
            return Ok(ended);
        };
        let Some(stop) = &task.stop else {
            tokio::time::sleep(limit.min(POLL_INTERVAL)).await;
            return Ok(None);
        };
        self.finalize(run, &task).await?;
        let (reason, hint) = stop.words().map_or((None, None), |(words, hint)| (Some(words), hint));
        Ok(Some(RunEnd { code: stop.code(), reason, hint: hint.map(str::to_owned) }))
    }

    async fn logs(&self, run: Option<&str>) -> Result<LogSources> {
        let Account { clients, names, .. } = self.account().await?;
        let source = |(name, group): (&'static str, Name), of| -> Result<Arc<dyn Source>> {
            let group = names.need(group)?.to_owned();
            Ok(Arc::new(LogGroup { client: clients.logs(), name, group, of }))
        };
        let Some(typed) = run else {
            let sources =
                SOURCES.into_iter().map(|name| source(name, EventFilter::All)).collect::<Result<_>>()?;
            return Ok(LogSources { sources, poll_policy: PollPolicy::CLOUDWATCH, run: None });
        };
        let id = match typed.parse::<Uuid>() {
            Ok(id) => id,
            Err(_) => self.id_of(typed).await?,
        };
        let record = runs::record(&self.reports().await?, id).await?;
        let task = self.task_of(id).await?;
        let asked = self.requested_at(id).map(|_| JobKind::Download);
        let kind = record.as_ref().map(runs::kind_of).or(task.as_ref().map(|task| task.kind)).or(asked);
        let kind = kind.ok_or_else(|| no_run(typed))?;
        let stream = record.as_ref().and_then(|record| record.log_stream.clone()).or_else(|| {
            let container = tasks::container(kind);
            let arn = record.as_ref().and_then(|record| record.task.as_deref());
            let id = task.as_ref().map(TaskState::id).or_else(|| arn?.rsplit('/').next())?;
            Some(format!("{container}/{container}/{id}"))
        });
        let started_at = record.map(|record| record.started_at).or(task.map(|task| task.created_at));
        let started_at = started_at.or_else(|| self.requested_at(id));
        let run = RunLog { id, from: started_at.map_or(0, runs::log_start) };
        let source = match kind {
            // Invocations write to any stream; every line has the run id.
            JobKind::Download => source(SOURCES[0], EventFilter::Mentioning(id.to_string())),
            JobKind::Report => source(SOURCES[2], EventFilter::stream(stream)),
            _ => source(SOURCES[1], EventFilter::stream(stream)),
        };
        Ok(LogSources { sources: vec![source?], poll_policy: PollPolicy::CLOUDWATCH, run: Some(run) })
    }

    async fn stop(&self, run: Uuid) -> Result<()> {
        let Account { clients, names, .. } = self.account().await?;
        let task = self.task_of(run).await?.filter(|task| task.stop.is_none());
        let Some(task) = task else {
            return Err(self.cannot_stop(run).await);
        };
        tasks::stop(clients, names, &task.arn, &format!("{} with covidctl", target::current_user())).await
    }
    async fn active(&self) -> Result<Vec<ActiveRun>> {
        let Account { clients, names, .. } = self.account().await?;
        let tasks = tasks::list(clients, names, false).await?;
        let running = tasks.into_iter().filter(|task| task.stop.is_none());
        let mut active: Vec<ActiveRun> = running
            .map(|task| ActiveRun { run: runs::run_of(&task), kind: task.kind, started_at: task.created_at })
            .collect();
        let downloads = runs::downloads(&self.reports().await?).await?;
        active.extend(downloads.into_iter().map(|record| ActiveRun {
            run: record.run_id,
            kind: JobKind::Download,
            started_at: record.started_at,
        }));
        Ok(active)
    }

    async fn history(&self, limit: usize) -> Result<Vec<Run>> {
        let Account { clients, names, .. } = self.account().await?;
        let store = self.reports().await?;
        let records = runs::newest(&store, limit).await?;
        let mut tasks = tasks::list(clients, names, false).await?;
        tasks.extend(tasks::list(clients, names, true).await?);
        tasks.sort_by(|a, b| a.arn.cmp(&b.arn));
        tasks.dedup_by(|a, b| a.arn == b.arn);
        Ok(runs::history(records, &tasks, limit))
    }

    async fn find(&self, typed: &str) -> Result<Run> {
        let id = self.id_of(typed).await?;
        let record = runs::record(&self.reports().await?, id).await?;
        let task = self.task_of(id).await?;
        let tasks: Vec<TaskState> = task.into_iter().collect();
        runs::history(record.into_iter().collect(), &tasks, 1).pop().ok_or_else(|| no_run(typed))
    }
}

#[async_trait]
impl Storage for Aws {
    async fn datasets(&self) -> Result<Store> {
        let Account { clients, names, .. } = self.account().await?;
        buckets::open(clients, names.need(Name::DatasetsBucket)?)
    }

    async fn reports(&self) -> Result<Store> {
        let Account { clients, names, .. } = self.account().await?;
        buckets::open(clients, names.need(Name::ReportsBucket)?)
    }
}

#[async_trait]
impl Databases for Aws {
    async fn database(&self, access: DatabaseAccess) -> Result<Database> {
        let login = self.login(access).await?;
        database_access::open(login, self.discovery().await?, &self.settings, Arc::clone(&self.events)).await
    }

    async fn keep_alive(&self) -> Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(()))
    }

    async fn logins(&self) -> Result<Option<[LoginSecret; 3]>> {
        let Account { clients, names, .. } = self.account().await?;
        database_access::logins(clients, names).await.map(Some)
    }

    fn migrates_by_job(&self) -> bool {
        false
    }
}

#[async_trait]
impl Bastion for Aws {
    async fn discovery(&self) -> Result<Arc<dyn Discovery>> {
        let Account { clients, names, .. } = self.account().await?;
        let port = names.need(Name::BastionPort)?;
        let port =
            port.parse().map_err(|_| Failure::usage(format!("invalid port of the bastion: `{port}`")))?;
        Ok(Arc::new(bastion::Group {
            clients: Arc::clone(clients),
            name: names.need(Name::BastionGroup)?.to_owned(),
            user: names.need(Name::BastionUser)?.to_owned(),
            port,
        }))
    }

    async fn endpoint(&self, name: &str) -> Result<Endpoint> {
        let Account { clients, names, .. } = self.account().await?;
        database_access::endpoint(clients, names, name).await
    }

    async fn login(&self, access: DatabaseAccess) -> Result<DatabaseLogin> {
        let Account { clients, names, .. } = self.account().await?;
        database_access::login(clients, names, access, &self.settings).await
    }
}

#[async_trait]
impl Components for Aws {
    fn location(&self) -> Location {
        let account = self.account.get();
        let region = account.map(|account| account.clients.region());
        let region = region.or(self.settings.region.as_ref().map(|region| region.value.as_str()));
        let mut location = Vec::new();
        if let Some(account) = account {
            location.push(format!("account {}", account.id));
        }
        location.extend(region.map(|region| format!("region {region}")));
        if let Some(profile) = &self.settings.profile {
            location.push(format!("profile {}", profile.value));
        }
        Location {
            target: "aws".to_owned(),
            location: location.join(", "),
            capabilities: Capabilities { services: false, bastion: true },
        }
    }

    async fn identify(&self) -> Result<Location> {
        self.account().await?;
        Ok(self.location())
    }

    async fn list(&self) -> Result<Vec<Component>> {
        let Account { clients, names, .. } = self.account().await?;
        // The joined future is large.
        Ok(Box::pin(components::all(clients, names)).await)
    }

    async fn diagnose(&self, context: &DoctorContext, sink: &CheckSink<'_>) -> bool {
        match self.account().await {
            Ok(Account { clients, caller, names, .. }) => {
                sink(Check::ok("credentials", format!("{caller}, {}", self.location().location)));
                // The joined future is large.
                Box::pin(doctor::diagnose(clients, names, context, sink)).await
            }
            Err(failure) => {
                sink(Check::of("credentials", &failure));
                false
            }
        }
    }

    async fn names(&self) -> Result<Vec<(&'static str, WithOrigin<String>)>> {
        let account = self.account().await?;
        Ok(account.names.all().map(|(key, name)| (key, name.clone())).collect())
    }
}
