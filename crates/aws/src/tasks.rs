//! ECS tasks: start, describe, list, stop.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, Container, ContainerOverride, DesiredStatus, KeyValuePair, LaunchType,
    Task, TaskOverride,
};
use chrono::{DateTime, Utc};
use common::env;
use common::failure::{Failure, Result};
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
    let mut families: Vec<(&str, &str)> =
        account.tasks().map(|(_, task)| (task.cluster.as_str(), family(&task.definition))).collect();
    families.sort_unstable();
    families.dedup();
    let mut states = Vec::new();
    for (cluster, family) in families {
        let arns = arns_in(&account.clients, cluster, Some(family), wanted.clone()).await?;
        states.extend(describe(account, cluster, &arns).await?);
    }
    Ok(states)
}

/// Returns the task of a run that runs, or that stopped within the last hour.
pub(super) async fn find(account: &Account, run: Uuid) -> Result<Option<TaskState>> {
    for stopped in [false, true] {
        let tasks = list(account, stopped).await?;
        if let Some(task) = tasks.into_iter().find(|task| task.run_id() == run) {
            return Ok(Some(task));
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
mod tests {
    use target::description::Texts;

    use super::*;

    fn job(definition: &str, command: Option<&str>) -> TaskDescription {
        TaskDescription {
            definition: definition.to_owned(),
            cluster: "covid19".to_owned(),
            container: None,
            subnets: Texts::default(),
            security_groups: Texts::default(),
            assign_public_ip: false,
            launch: Launch::Type("FARGATE".to_owned()),
            command: command.map(|word| vec![word.to_owned()]),
            environment: BTreeMap::new(),
        }
    }

    fn task(definition: &str, command: Option<&str>) -> Task {
        let command = command.map(|word| vec![word.to_owned()]);
        let container = ContainerOverride::builder().name("etl").set_command(command).build();
        let overrides = TaskOverride::builder().container_overrides(container).build();
        Task::builder().task_arn("arn:1/a").task_definition_arn(definition).overrides(overrides).build()
    }

    #[test]
    fn state_names_the_job_of_the_family() {
        let (etl, report) = (job("covid19-etl", None), job("arn:aws:ecs:x:1:task-definition/daily:3", None));
        let jobs = [(JobKind::Etl, &etl), (JobKind::Report, &report)];
        let kind = |family: &str| {
            let definition = format!("arn:aws:ecs:x:1:task-definition/{family}:7");
            state_of(&task(&definition, None), &jobs, true).map(|state| state.kind)
        };
        assert_eq!(kind("covid19-etl"), Some(JobKind::Etl));
        assert_eq!(kind("daily"), Some(JobKind::Report));
        assert_eq!(kind("reports-etl"), Some(JobKind::Etl));
    }

    #[test]
    fn state_tells_jobs_of_one_family_by_their_command() {
        let (etl, other) = (job("covid19-etl", None), job("covid19-etl", Some("refresh")));
        let jobs = [(JobKind::Etl, &etl), (JobKind::Named("refresh".into()), &other)];
        let kind = |command, is_of_stacks| {
            let task = task("arn:aws:ecs:x:1:task-definition/covid19-etl:7", command);
            state_of(&task, &jobs, is_of_stacks).unwrap().kind
        };
        assert_eq!(kind(None, true), JobKind::Etl);
        assert_eq!(kind(Some("run"), true), JobKind::Etl);
        assert_eq!(kind(Some("rollback"), true), JobKind::Rollback);
        assert_eq!(kind(Some("rollback"), false), JobKind::Etl);
        assert_eq!(kind(Some("refresh"), false), JobKind::Named("refresh".into()));
    }

    #[test]
    fn exit_code_is_that_of_the_main_container() {
        let container = |name: &str, code: i32| Container::builder().name(name).exit_code(code).build();
        let stopped = |overrides: Option<TaskOverride>| {
            Task::builder()
                .task_arn("arn:1/a")
                .last_status(STOPPED)
                .containers(container("aws-guardduty-agent", 0))
                .containers(container("etl", 3))
                .set_overrides(overrides)
                .build()
        };
        let code = |task: &Task, named: Option<&str>| {
            let job = TaskDescription { container: named.map(str::to_owned), ..job("covid19-etl", None) };
            state_of(task, &[(JobKind::Etl, &job)], false).unwrap().stop.unwrap().exit_code
        };
        let (by_others, ours) = (stopped(None), stopped(task("covid19-etl", None).overrides));
        assert!(has_unnamed_containers(&by_others) && !has_unnamed_containers(&ours));
        assert_eq!((code(&by_others, Some("etl")), code(&ours, None)), (Some(3), Some(3)));
    }

    #[test]
    fn cluster_is_in_the_arn() {
        assert_eq!(cluster_of("arn:aws:ecs:us-east-1:1:task/jobs/0a"), Some("jobs"));
        assert_eq!(cluster_of("arn:aws:ecs:us-east-1:1:task/0a"), None);
    }
}
