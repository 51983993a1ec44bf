//! ECS tasks: start, describe, list, stop.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, Container, ContainerOverride, DesiredStatus, KeyValuePair, LaunchType,
    Task, TaskOverride,
};
use chrono::{DateTime, TimeDelta, Utc};
use common::env;
use common::failure::{Failure, Result};
use etl::record::Record;
use uuid::Uuid;

use super::account::Account;
use super::api_error::{ApiContext as _, stack_hint};
use super::clients::Clients;
use super::stop_reason::{self, Stop};
use super::task_request::{command, network};
use super::{covid19, utc};
use target::description::{Launch, TaskDescription};
use target::{Job, JobKind};

/// Limit of `DescribeTasks`.
const DESCRIBE_LIMIT: usize = 100;

/// How long after `RunTask` the other operations may not know the task (ECS API Reference, `RunTask`: retries for up to five minutes).
pub(super) const CONSISTENCY_DELAY: TimeDelta = TimeDelta::minutes(5);

/// `lastStatus` of a task that does not run any more.
const STOPPED: &str = "STOPPED";

#[derive(Debug, Clone)]
pub(super) struct TaskState {
    pub(super) arn: String,
    /// Name of its cluster.
    pub(super) cluster: String,
    pub(super) kind: JobKind,
    /// The run id in its environment; absent if the task was not started by this program or the stacks.
    pub(super) run: Option<Uuid>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) stopped_at: Option<DateTime<Utc>>,
    pub(super) started_by: Option<String>,
    pub(super) stop: Option<Stop>,
}

impl TaskState {
    /// Returns the run id of the task; without one, the id of the task.
    pub(super) fn run_id(&self) -> Uuid {
        self.run.or_else(|| id(&self.arn).parse().ok()).unwrap_or_default()
    }

    /// Returns the task of a record as it was when the run began.
    pub(super) fn of_record(record: &Record, account: &Account) -> Option<Self> {
        let arn = record.task.as_deref()?;
        let of_jobs = || account.tasks().next().map(|(_, task)| task.cluster.as_str());
        let cluster = cluster_of(arn).or_else(of_jobs).unwrap_or("default");
        let kind = record.kind.clone().into();
        Some(Self {
            run: Some(record.run_id),
            created_at: record.started_at,
            ..Self::started(arn, cluster, kind)
        })
    }

    /// Returns the state of a task that was just started, and that `DescribeTasks` does not know yet.
    fn started(arn: &str, cluster: &str, kind: JobKind) -> Self {
        Self {
            arn: arn.to_owned(),
            cluster: cluster.to_owned(),
            kind,
            run: None,
            created_at: Utc::now(),
            stopped_at: None,
            started_by: None,
            stop: None,
        }
    }

    /// Returns whether `DescribeTasks` may not know the task yet.
    pub(super) fn is_young(&self) -> bool {
        Utc::now() - self.created_at < CONSISTENCY_DELAY
    }
}

/// Returns the last part of a task's ARN.
pub(super) fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Returns the cluster in a task's ARN, `…:task/cluster/id`; the ARNs of before 2021 have none.
fn cluster_of(arn: &str) -> Option<&str> {
    let mut parts = arn.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(cluster), Some(_)) => Some(cluster),
        _ => None,
    }
}

/// Starts a task. The request is idempotent by the id of the run.
pub(super) async fn start(
    account: &Account,
    run: Uuid,
    job: &Job,
    task: &TaskDescription,
) -> Result<TaskState> {
    let Account { clients, description, .. } = account;
    let (cluster, definition) = (&task.cluster, &task.definition);
    let what = || format!("cannot start a task of `{definition}` in the cluster `{cluster}`");
    let pair = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
    let mut container = ContainerOverride::builder()
        .name(account.container(task).await?.name)
        .set_command(task.command.clone().or_else(|| command(job, description.is_of_stacks)));
    if description.is_of_stacks {
        container = container
            .environment(pair(env::RUN_ID, &run.to_string()))
            .environment(pair(env::REQUESTED_AT, &Utc::now().to_rfc3339()));
    }
    for (name, value) in
        task.environment.iter().chain(job.environment.iter().map(|(name, value)| (name, value)))
    {
        container = container.environment(pair(name, value));
    }
    let is_part_of_pipeline = description.is_of_stacks && job.is_part_of_pipeline;
    let mut request = clients
        .tasks()
        .run_task()
        .cluster(cluster)
        .task_definition(definition)
        .set_network_configuration(network(account, task).await?)
        .overrides(TaskOverride::builder().container_overrides(container.build()).build())
        .set_group(is_part_of_pipeline.then(|| covid19::PIPELINE_GROUP.to_owned()))
        .started_by(run.to_string())
        .client_token(run.to_string());
    request = match &task.launch {
        Launch::Type(kind) => request.launch_type(LaunchType::from(kind.as_str())),
        Launch::CapacityProvider(provider) => {
            let provider = CapacityProviderStrategyItem::builder().capacity_provider(provider).build();
            request.capacity_provider_strategy(provider.map_err(|error| Failure::new(what()).source(error))?)
        }
    };
    let missing = || {
        let hint = if description.is_of_stacks {
            format!("{}; or is it another account or region?", stack_hint("pipeline"))
        } else {
            "is it in this account and region, under this name? `covidctl adopt other` looks for what is there"
                .to_owned()
        };
        Failure::new(what()).source("the cluster or the task definition is not there").hint(hint)
    };
    let answer = request.send().await.api_context_optional("ecs:RunTask", what)?.ok_or_else(missing)?;
    if let Some(failure) = answer.failures().first() {
        let (words, hint) =
            stop_reason::refusal(failure.reason().unwrap_or("no reason given"), failure.detail());
        let failed = Failure::new(what()).source(words);
        return Err(match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        });
    }
    let task = answer.tasks().first().and_then(|task| state(task, account));
    task.ok_or_else(|| Failure::new(what()).source("the service names neither a task nor a reason"))
}

/// Returns the tasks with these ARNs that ECS still knows. `of` is the cluster of ARNs that name none.
pub(super) async fn describe(account: &Account, of: &str, arns: &[String]) -> Result<Vec<TaskState>> {
    let mut by_cluster: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for arn in arns {
        by_cluster.entry(cluster_of(arn).unwrap_or(of)).or_default().push(arn.clone());
    }
    let mut states = Vec::new();
    for (cluster, arns) in by_cluster {
        let found = described(&account.clients, cluster, &arns).await?;
        let jobs = if found.iter().any(has_unnamed_containers) {
            with_main_containers(account).await
        } else {
            account.tasks().map(|(kind, task)| (kind, task.clone())).collect()
        };
        let jobs: Vec<_> = jobs.iter().map(|(kind, task)| (kind.clone(), task)).collect();
        states
            .extend(found.iter().filter_map(|task| state_of(task, &jobs, account.description.is_of_stacks)));
    }
    Ok(states)
}

/// Returns whether a task has ended with several containers and does not say which of them was started for the job.
fn has_unnamed_containers(task: &Task) -> bool {
    let overrides = task.overrides().map(TaskOverride::container_overrides).unwrap_or_default();
    let is_named = overrides.first().and_then(ContainerOverride::name).is_some();
    task.last_status() == Some(STOPPED) && task.containers().len() > 1 && !is_named
}

/// Returns the tasks of the jobs, each with its main container: that of its task definition, unless the description names one. Without the right to
/// read a definition, a job stays without.
async fn with_main_containers(account: &Account) -> Vec<(JobKind, TaskDescription)> {
    let mut jobs = Vec::new();
    for (kind, task) in account.tasks() {
        let mut task = task.clone();
        if task.container.is_none()
            && let Ok(main) = account.container(&task).await
        {
            task.container = Some(main.name);
        }
        jobs.push((kind, task));
    }
    jobs
}

async fn described(clients: &Clients, cluster: &str, arns: &[String]) -> Result<Vec<Task>> {
    let mut found = Vec::new();
    for arns in arns.chunks(DESCRIBE_LIMIT) {
        let request = clients.tasks().describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec()));
        let answer = request.send().await.api_context("ecs:DescribeTasks", || {
            format!("cannot look at the tasks in the cluster `{cluster}`")
        })?;
        found.extend(answer.tasks.unwrap_or_default());
    }
    Ok(found)
}

/// Returns whether none of the tasks is running any more.
pub(super) async fn have_stopped(clients: &Clients, cluster: &str, arns: &[String]) -> Result<bool> {
    let found = described(clients, cluster, arns).await?;
    Ok(found.iter().all(|task| task.last_status() == Some(STOPPED)))
}

/// Returns the tasks of the pipeline that run, or that stopped within the last hour; none if the cluster does not exist.
pub(super) async fn list(account: &Account, stopped: bool) -> Result<Vec<TaskState>> {
    let wanted = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
    let mut families: BTreeMap<(&str, &str), JobKind> = BTreeMap::new();
    for (kind, task) in account.tasks() {
        families.entry((&task.cluster, family(&task.definition))).or_insert(kind);
    }
    let mut states = Vec::new();
    for ((cluster, family), kind) in families {
        let arns = arns_in(&account.clients, cluster, Some(family), wanted.clone()).await?;
        let described = describe(account, cluster, &arns).await?;
        let is_described = |arn: &String| described.iter().any(|task| task.arn == *arn);
        let just_started = arns.iter().filter(|arn| !stopped && !is_described(arn));
        states.extend(just_started.map(|arn| TaskState::started(arn, cluster, kind.clone())));
        states.extend(described);
    }
    Ok(states)
}

/// Returns the task of a run that runs, or that stopped within the last hour.
pub(super) async fn find(account: &Account, run: Uuid) -> Result<Option<TaskState>> {
    // A task that `DescribeTasks` did not know yet was listed by its own id.
    let is_of_run = |task: &TaskState| task.run_id() == run || id(&task.arn).parse() == Ok(run);
    let of_run = |tasks: &[TaskState]| tasks.iter().find(|task| is_of_run(task)).cloned();
    let running = list(account, false).await?;
    if let Some(task) = of_run(&running) {
        return Ok(Some(task));
    }
    match started_for(account, run, &running).await? {
        None => Ok(of_run(&list(account, true).await?)),
        started => Ok(started),
    }
}

/// Returns the running task that `startedBy` finds for a run; `DescribeTasks` may not know it yet.
async fn started_for(account: &Account, run: Uuid, running: &[TaskState]) -> Result<Option<TaskState>> {
    let unnamed = || running.iter().filter(|task| task.run.is_none());
    let clusters: BTreeSet<&str> = unnamed().map(|task| task.cluster.as_str()).collect();
    for cluster in clusters {
        // No other filter may be beside this one (ECS API Reference, `ListTasks`).
        let request = account.clients.tasks().list_tasks().cluster(cluster).started_by(run.to_string());
        let what = || format!("cannot list the tasks in the cluster `{cluster}`");
        let answer = request.send().await.api_context("ecs:ListTasks", what)?;
        if let Some(task) = unnamed().find(|task| answer.task_arns().contains(&task.arn)) {
            return Ok(Some(TaskState { run: Some(run), ..task.clone() }));
        }
    }
    Ok(None)
}

/// Returns the ARNs of the tasks of a cluster, or of a family in it; none if the cluster does not exist.
pub(super) async fn arns_in(
    clients: &Clients,
    cluster: &str,
    family: Option<&str>,
    status: DesiredStatus,
) -> Result<Vec<String>> {
    let pages = clients.tasks().list_tasks().cluster(cluster).set_family(family.map(str::to_owned));
    let arns = pages.desired_status(status).into_paginator().items().send().try_collect().await;
    let what = || format!("cannot list the tasks in the cluster `{cluster}`");
    Ok(arns.api_context_optional("ecs:ListTasks", what)?.unwrap_or_default())
}

/// Stops a task; ECS kills it after its stop timeout.
pub(super) async fn stop(clients: &Clients, cluster: &str, arn: &str, reason: &str) -> Result<()> {
    let stopped = clients.tasks().stop_task().cluster(cluster).task(arn).reason(reason).send().await;
    stopped.api_context("ecs:StopTask", || format!("cannot stop the task `{arn}`")).map(drop)
}

/// Returns the family in the name or ARN of a task definition, `…/family:revision`.
pub(super) fn family(definition: &str) -> &str {
    let name = definition.rsplit('/').next().unwrap_or(definition);
    name.split(':').next().unwrap_or(name)
}

fn state(task: &Task, account: &Account) -> Option<TaskState> {
    state_of(task, &account.tasks().collect::<Vec<_>>(), account.description.is_of_stacks)
}

/// Returns the state of a task of one of the jobs, that of its family. Of several with its family it is the one with its command.
fn state_of(task: &Task, jobs: &[(JobKind, &TaskDescription)], is_of_stacks: bool) -> Option<TaskState> {
    let arn = task.task_arn()?.to_owned();
    let overrides = task.overrides().map(TaskOverride::container_overrides).unwrap_or_default();
    let command = overrides.iter().map(ContainerOverride::command).find(|command| !command.is_empty());
    let of_family = || {
        let definition = task.task_definition_arn().map(family);
        jobs.iter().filter(move |(_, job)| definition == Some(family(&job.definition)))
    };
    let with_command = of_family().find(|(_, job)| job.command.as_deref() == command);
    let (kind, job) = with_command.or_else(|| of_family().next()).or(jobs.first())?;
    let is_rollback = is_of_stacks
        && command
            .and_then(|words| words.first())
            .is_some_and(|word| *word == JobKind::Rollback.subcommand());
    let kind = if is_rollback { JobKind::Rollback } else { kind.clone() };
    let variable = |wanted: &str| {
        let mut variables = overrides.iter().flat_map(ContainerOverride::environment);
        variables.find(|pair| pair.name() == Some(wanted))?.value().map(str::to_owned)
    };
    let run = task.started_by().and_then(|text| text.parse().ok());
    let run = run.or_else(|| variable(env::RUN_ID)?.parse().ok());
    let started_by = variable(env::STARTED_BY);
    let stop = (task.last_status() == Some(STOPPED)).then(|| {
        // The container whose command or environment was set is the one that works; the others are agents beside it.
        let set = overrides.first().and_then(ContainerOverride::name);
        let named =
            |wanted: &str| task.containers().iter().find(|container| container.name() == Some(wanted));
        let described = || job.container.as_deref().and_then(named);
        let container = set.and_then(named).or_else(described).or(task.containers().first());
        Stop {
            code: task.stop_code().map(|code| code.as_str().to_owned()),
            task: task.stopped_reason().map(str::to_owned),
            container: container.and_then(|container| container.reason()).map(str::to_owned),
            exit_code: container.and_then(Container::exit_code).map(|code| u8::try_from(code).unwrap_or(1)),
        }
    });
    Some(TaskState {
        created_at: task.created_at().and_then(utc).unwrap_or_else(Utc::now),
        stopped_at: task.stopped_at().and_then(utc),
        cluster: cluster_of(&arn).unwrap_or(&job.cluster).to_owned(),
        arn,
        kind,
        run,
        started_by,
        stop,
    })
}

#[cfg(test)]
mod tests;
