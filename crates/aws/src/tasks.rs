//! ECS tasks: start, describe, list, stop.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Container, ContainerOverride, DesiredStatus, KeyValuePair,
    LaunchType, NetworkConfiguration, Task, TaskOverride,
};
use chrono::{DateTime, Utc};
use common::env;
use common::failure::{Exit, Failure, Result};
use uuid::Uuid;

use super::api_error::{ApiContext as _, stack_hint};
use super::clients::Clients;
use super::names::{Name, Names};
use super::stop_reason::{self, Stop};
use target::{Job, JobKind};

/// Limit of `DescribeTasks`.
const DESCRIBE_LIMIT: usize = 100;

#[derive(Debug, Clone)]
pub(super) struct TaskState {
    pub(super) arn: String,
    pub(super) kind: JobKind,
    /// The run id in its environment; absent if the task was not started by this program or the stacks.
    pub(super) run: Option<Uuid>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) stopped_at: Option<DateTime<Utc>>,
    pub(super) started_by: Option<String>,
    pub(super) stop: Option<Stop>,
}

impl TaskState {
    /// Returns the last part of the ARN, which is part of the log stream name.
    pub(super) fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// Returns the container of a kind of job, which is also the prefix of its log streams.
pub(super) const fn container(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Report => "report",
        _ => "etl",
    }
}

const fn definition(kind: JobKind) -> Name {
    match kind {
        JobKind::Report => Name::ReportTask,
        _ => Name::EtlTask,
    }
}

/// Returns the command that overrides that of the task definition.
fn command(job: &Job) -> Option<Vec<String>> {
    let is_own = matches!(job.kind, JobKind::Etl | JobKind::Report) && job.arguments.is_empty();
    (!is_own).then(|| {
        std::iter::once(job.kind.subcommand().to_owned()).chain(job.arguments.iter().cloned()).collect()
    })
}

pub(super) struct TaskRequest<'a> {
    pub(super) run: Uuid,
    pub(super) job: &'a Job,
    /// Task group.
    pub(super) group: Option<&'a str>,
}

/// Starts a task. The request is idempotent by the id of the run.
pub(super) async fn start(clients: &Clients, names: &Names, start: &TaskRequest<'_>) -> Result<TaskState> {
    let job = start.job;
    let (cluster, family) = (names.need(Name::Cluster)?, names.need(definition(job.kind))?);
    let what = || format!("cannot start a task of `{family}` in the cluster `{cluster}`");
    let pair = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
    let mut container = ContainerOverride::builder()
        .name(self::container(job.kind))
        .set_command(command(job))
        .environment(pair(env::RUN_ID, &start.run.to_string()));
    for (name, value) in &job.environment {
        container = container.environment(pair(name, value));
    }
    let network = AwsVpcConfiguration::builder()
        .set_subnets(Some(names.list(Name::Subnets)?))
        .set_security_groups(Some(names.list(Name::SecurityGroups)?))
        .assign_public_ip(AssignPublicIp::Disabled)
        .build()
        .map_err(|error| Failure::new(what()).source(error))?;
    let answer = clients
        .tasks()
        .run_task()
        .cluster(cluster)
        .task_definition(family)
        .launch_type(LaunchType::Fargate)
        .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
        .overrides(TaskOverride::builder().container_overrides(container.build()).build())
        .set_group(start.group.map(str::to_owned))
        .started_by(start.run.to_string())
        .client_token(start.run.to_string())
        .send()
        .await
        .api_context_optional("ecs:RunTask", what)
        .map_err(|failure| match failure.exit() {
            Exit::Credentials => failure,
            _ => failure.exit_code(Exit::NotStarted),
        })?
        .ok_or_else(|| {
            Failure::new(what())
                .source("the cluster or the task definition is not there")
                .hint(format!("{}; or is it another account or region?", stack_hint("pipeline")))
                .exit_code(Exit::NotStarted)
        })?;
    if let Some(failure) = answer.failures().first() {
        let (words, hint) =
            stop_reason::refusal(failure.reason().unwrap_or("no reason given"), failure.detail());
        let failed = Failure::new(what()).source(words).exit_code(Exit::NotStarted);
        return Err(match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        });
    }
    let task = answer.tasks().first().and_then(state);
    task.ok_or_else(|| {
        Failure::new(what())
            .source("the service names neither a task nor a reason")
            .exit_code(Exit::NotStarted)
    })
}

/// Returns the tasks with these ARNs that ECS still knows.
pub(super) async fn describe(clients: &Clients, names: &Names, arns: &[String]) -> Result<Vec<TaskState>> {
    let cluster = names.need(Name::Cluster)?;
    let mut states = Vec::new();
    for arns in arns.chunks(DESCRIBE_LIMIT) {
        let answer =
            clients.tasks().describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).send().await;
        let answer = answer.api_context("ecs:DescribeTasks", || {
            format!("cannot look at the tasks in the cluster `{cluster}`")
        })?;
        states.extend(answer.tasks().iter().filter_map(state));
    }
    Ok(states)
}

/// Returns the tasks of the pipeline that run, or that stopped within the last hour; none if the cluster does not exist.
pub(super) async fn list(clients: &Clients, names: &Names, stopped: bool) -> Result<Vec<TaskState>> {
    let cluster = names.need(Name::Cluster)?;
    let wanted = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
    let mut arns = Vec::new();
    for kind in [JobKind::Etl, JobKind::Report] {
        let family = names.need(definition(kind))?.to_owned();
        let pages =
            clients.tasks().list_tasks().cluster(cluster).family(family).desired_status(wanted.clone());
        let mut pages = pages.into_paginator().items().send();
        while let Some(arn) = pages.next().await {
            let arn = arn.api_context_optional("ecs:ListTasks", || {
                format!("cannot list the tasks in the cluster `{cluster}`")
            })?;
            let Some(arn) = arn else { return Ok(Vec::new()) };
            arns.push(arn);
        }
    }
    describe(clients, names, &arns).await
}

/// Stops a task; ECS kills it after its stop timeout.
pub(super) async fn stop(clients: &Clients, names: &Names, arn: &str, reason: &str) -> Result<()> {
    let cluster = names.need(Name::Cluster)?;
    let stopped = clients.tasks().stop_task().cluster(cluster).task(arn).reason(reason).send().await;
    stopped.api_context("ecs:StopTask", || format!("cannot stop the task `{arn}`")).map(drop)
}

fn state(task: &Task) -> Option<TaskState> {
    let arn = task.task_arn()?.to_owned();
    // `group` defaults to `family:…`; the ARN of the definition ends in `…/family:revision`.
    let definition = task.task_definition_arn().unwrap_or_default();
    let moment = |time: Option<&aws_smithy_types::DateTime>| {
        time.and_then(|time| DateTime::from_timestamp_millis(time.to_millis().ok()?))
    };
    let overrides = task.overrides().map(TaskOverride::container_overrides).unwrap_or_default();
    let is_rollback = overrides.iter().any(|container| {
        container.command().first().is_some_and(|word| word == JobKind::Rollback.subcommand())
    });
    let kind = match definition {
        definition if definition.contains("report") => JobKind::Report,
        _ if is_rollback => JobKind::Rollback,
        _ => JobKind::Etl,
    };
    let variable = |wanted: &str| {
        let mut variables = overrides.iter().flat_map(ContainerOverride::environment);
        variables.find(|pair| pair.name() == Some(wanted))?.value().map(str::to_owned)
    };
    let run = task.started_by().and_then(|text| text.parse().ok());
    let run = run.or_else(|| variable(env::RUN_ID)?.parse().ok());
    let started_by = variable(env::STARTED_BY);
    let stop = (task.last_status() == Some("STOPPED")).then(|| {
        let wanted = container(kind);
        let container = task.containers().iter().find(|container| container.name() == Some(wanted));
        let container = container.or(task.containers().first());
        Stop {
            code: task.stop_code().map(|code| code.as_str().to_owned()),
            task: task.stopped_reason().map(str::to_owned),
            container: container.and_then(|container| container.reason()).map(str::to_owned),
            exit_code: container.and_then(Container::exit_code).map(|code| u8::try_from(code).unwrap_or(1)),
        }
    });
    Some(TaskState {
        created_at: moment(task.created_at()).unwrap_or_else(Utc::now),
        stopped_at: moment(task.stopped_at()),
        arn,
        kind,
        run,
        started_by,
        stop,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_replaces_that_of_the_task_definition_only_for_other_jobs() {
        for kind in [JobKind::Etl, JobKind::Report] {
            assert_eq!(command(&Job::new(kind)), None, "{kind}");
        }
        let arguments = ["--to", "3"].map(str::to_owned).into();
        let rollback = Job { arguments, ..Job::new(JobKind::Rollback) };
        assert_eq!(command(&rollback).unwrap(), ["rollback", "--to", "3"]);
    }

    #[test]
    fn state_tells_a_rollback_from_a_load_by_its_command() {
        let task = |command: Option<Vec<String>>| {
            let container = ContainerOverride::builder().name("etl").set_command(command).build();
            let overrides = TaskOverride::builder().container_overrides(container).build();
            let definition = "arn:aws:ecs:x:1:task-definition/covid19-etl:7";
            let task =
                Task::builder().task_arn("arn:1/a").task_definition_arn(definition).overrides(overrides);
            state(&task.build()).unwrap().kind
        };
        assert_eq!(task(None), JobKind::Etl);
        assert_eq!(task(Some(vec!["run".to_owned()])), JobKind::Etl);
        assert_eq!(task(Some(vec!["rollback".to_owned(), "--to".to_owned()])), JobKind::Rollback);
    }
}
