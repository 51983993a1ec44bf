//! Tasks on ECS: started, looked at, stopped. What a run is beyond its task is not known here.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Container, ContainerOverride, DesiredStatus, KeyValuePair,
    LaunchType, NetworkConfiguration, Task, TaskOverride,
};
use chrono::{DateTime, Utc};
use common::env;
use common::failure::{Exit, Failure, Result};
use uuid::Uuid;

use super::clients::Clients;
use super::names::{Name, Names};
use super::reasons::{self, Stop};
use super::trouble::{OrTrouble as _, brings};
use target::{Job, JobKind};

/// ECS describes so many tasks at once.
const AT_ONCE: usize = 100;

/// A task, as it is now.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Its ARN.
    pub(super) arn: String,
    /// What it does.
    pub(super) kind: JobKind,
    /// The run that it says it is; a task that somebody started by other means does not say.
    pub(super) run: Option<Uuid>,
    /// When it was asked for.
    pub(super) created_at: DateTime<Utc>,
    /// When it stopped.
    pub(super) stopped_at: Option<DateTime<Utc>>,
    /// Who asked for it.
    pub(super) started_by: Option<String>,
    /// How it stopped.
    pub(super) stop: Option<Stop>,
}

impl State {
    /// The last part of the ARN, by which its log stream is named.
    pub(super) fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// The container in the tasks of a kind, which is also the prefix of its log streams.
pub(super) const fn container(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Report => "report",
        _ => "etl",
    }
}

/// The name of a kind's task definition.
const fn definition(kind: JobKind) -> Name {
    match kind {
        JobKind::Report => Name::ReportTask,
        _ => Name::EtlTask,
    }
}

/// The command that a job gives its container, in place of the one of the task definition.
fn command(job: &Job) -> Option<Vec<String>> {
    let is_own = matches!(job.kind, JobKind::Etl | JobKind::Report) && job.arguments.is_empty();
    (!is_own).then(|| {
        std::iter::once(job.kind.subcommand().to_owned()).chain(job.arguments.iter().cloned()).collect()
    })
}

/// What to start.
pub(super) struct Start<'a> {
    pub(super) run: Uuid,
    pub(super) job: &'a Job,
    /// The group that tells others whose business the task is.
    pub(super) group: Option<&'a str>,
}

/// Starts a task; the same run is never started twice, however often the request is repeated.
pub(super) async fn start(clients: &Clients, names: &Names, start: &Start<'_>) -> Result<State> {
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
        .or_missing("ecs:RunTask", what)
        .map_err(|failure| match failure.exit() {
            Exit::Credentials => failure,
            _ => failure.exit_code(Exit::NotStarted),
        })?
        .ok_or_else(|| {
            Failure::new(what())
                .source("the cluster or the task definition is not there")
                .hint(format!("{}; or is it another account or region?", brings("pipeline")))
                .exit_code(Exit::NotStarted)
        })?;
    if let Some(failure) = answer.failures().first() {
        let (words, hint) = reasons::refusal(failure.reason().unwrap_or("no reason given"), failure.detail());
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

/// The tasks with these ARNs that ECS still knows.
pub(super) async fn describe(clients: &Clients, names: &Names, arns: &[String]) -> Result<Vec<State>> {
    let cluster = names.need(Name::Cluster)?;
    let mut states = Vec::new();
    for arns in arns.chunks(AT_ONCE) {
        let answer =
            clients.tasks().describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).send().await;
        let answer = answer.or_trouble("ecs:DescribeTasks", || {
            format!("cannot look at the tasks in the cluster `{cluster}`")
        })?;
        states.extend(answer.tasks().iter().filter_map(state));
    }
    Ok(states)
}

/// The tasks of both kinds that run, or that stopped within the last hour. Before the cluster is there, there is none.
pub(super) async fn list(clients: &Clients, names: &Names, stopped: bool) -> Result<Vec<State>> {
    let cluster = names.need(Name::Cluster)?;
    let wanted = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
    let mut arns = Vec::new();
    for kind in [JobKind::Etl, JobKind::Report] {
        let family = names.need(definition(kind))?.to_owned();
        let pages =
            clients.tasks().list_tasks().cluster(cluster).family(family).desired_status(wanted.clone());
        let mut pages = pages.into_paginator().items().send();
        while let Some(arn) = pages.next().await {
            let arn = arn.or_missing("ecs:ListTasks", || {
                format!("cannot list the tasks in the cluster `{cluster}`")
            })?;
            let Some(arn) = arn else { return Ok(Vec::new()) };
            arns.push(arn);
        }
    }
    describe(clients, names, &arns).await
}

/// Asks a task to end; ECS makes it end when it does not listen.
pub(super) async fn stop(clients: &Clients, names: &Names, arn: &str, reason: &str) -> Result<()> {
    let cluster = names.need(Name::Cluster)?;
    let stopped = clients.tasks().stop_task().cluster(cluster).task(arn).reason(reason).send().await;
    stopped.or_trouble("ecs:StopTask", || format!("cannot stop the task `{arn}`")).map(drop)
}

fn state(task: &Task) -> Option<State> {
    let arn = task.task_arn()?.to_owned();
    // `group` is `family:…` unless somebody said otherwise; the definition's ARN ends in `…/family:revision`.
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
    Some(State {
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
