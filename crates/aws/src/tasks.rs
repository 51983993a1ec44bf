//! ECS tasks: start, describe, list, stop.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Container, ContainerOverride, DesiredStatus, KeyValuePair,
    LaunchType, NetworkConfiguration, Task, TaskOverride,
};
use chrono::{DateTime, Utc};
use common::env;
use common::failure::{Failure, Result};
use uuid::Uuid;

use super::api_error::{ApiContext as _, stack_hint};
use super::clients::Clients;
use super::names::{Name, Names};
use super::stop_reason::{self, Stop};
use super::{Account, utc};
use target::{Job, JobKind};

/// Limit of `DescribeTasks`.
const DESCRIBE_LIMIT: usize = 100;

/// Task group of loads whose client also starts the report; the EventBridge rule ignores it.
const PIPELINE_GROUP: &str = "covid19-pipeline";

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
    /// Returns the run id of the task; without one, the id of the task.
    pub(super) fn run_id(&self) -> Uuid {
        self.run.or_else(|| id(&self.arn).parse().ok()).unwrap_or_default()
    }
}

/// Returns the last part of a task's ARN.
pub(super) fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Returns the container of a kind of job in the task definitions of the stacks, and the name of the task definition.
pub(super) const fn usual_container(kind: JobKind) -> (&'static str, Name) {
    match kind {
        JobKind::Report => ("report", Name::ReportTask),
        _ => ("etl", Name::EtlTask),
    }
}

/// Returns the command that overrides that of the task definition.
fn command(job: &Job) -> Option<Vec<String>> {
    let is_own = matches!(job.kind, JobKind::Etl | JobKind::Report) && job.arguments.is_empty();
    (!is_own).then(|| std::iter::once(job.kind.subcommand()).chain(job.arguments.iter().cloned()).collect())
}

/// Starts a task. The request is idempotent by the id of the run.
pub(super) async fn start(account: &Account, run: Uuid, job: &Job) -> Result<TaskState> {
    let Account { clients, names, .. } = account;
    let (_, definition) = usual_container(job.kind);
    let (cluster, family) = (names.need(Name::Cluster)?, names.need(definition)?);
    let what = || format!("cannot start a task of `{family}` in the cluster `{cluster}`");
    let pair = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
    let mut container = ContainerOverride::builder()
        .name(account.container(job.kind).await?.name)
        .set_command(command(job))
        .environment(pair(env::RUN_ID, &run.to_string()));
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
        .set_group(job.is_part_of_pipeline.then(|| PIPELINE_GROUP.to_owned()))
        .started_by(run.to_string())
        .client_token(run.to_string())
        .send()
        .await
        .api_context_optional("ecs:RunTask", what)?
        .ok_or_else(|| {
            Failure::new(what())
                .source("the cluster or the task definition is not there")
                .hint(format!("{}; or is it another account or region?", stack_hint("pipeline")))
        })?;
    if let Some(failure) = answer.failures().first() {
        let (words, hint) =
            stop_reason::refusal(failure.reason().unwrap_or("no reason given"), failure.detail());
        let failed = Failure::new(what()).source(words);
        return Err(match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        });
    }
    let report = names.get(Name::ReportTask);
    let task = answer.tasks().first().and_then(|task| state(task, report));
    task.ok_or_else(|| Failure::new(what()).source("the service names neither a task nor a reason"))
}

/// Returns the tasks with these ARNs that ECS still knows; `report` is the family of reports.
pub(super) async fn describe(
    clients: &Clients,
    cluster: &str,
    report: Option<&str>,
    arns: &[String],
) -> Result<Vec<TaskState>> {
    let mut states = Vec::new();
    for arns in arns.chunks(DESCRIBE_LIMIT) {
        let answer =
            clients.tasks().describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).send().await;
        let answer = answer.api_context("ecs:DescribeTasks", || {
            format!("cannot look at the tasks in the cluster `{cluster}`")
        })?;
        states.extend(answer.tasks().iter().filter_map(|task| state(task, report)));
    }
    Ok(states)
}

/// Returns the tasks of the pipeline that run, or that stopped within the last hour; none if the cluster does not exist.
pub(super) async fn list(clients: &Clients, names: &Names, stopped: bool) -> Result<Vec<TaskState>> {
    let cluster = names.need(Name::Cluster)?;
    let wanted = if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
    let mut arns = Vec::new();
    for kind in [JobKind::Etl, JobKind::Report] {
        let family = names.need(usual_container(kind).1)?;
        arns.extend(arns_in(clients, cluster, Some(family), wanted.clone()).await?);
    }
    describe(clients, cluster, names.get(Name::ReportTask), &arns).await
}

/// Returns the task of a run that runs, or that stopped within the last hour.
pub(super) async fn find(clients: &Clients, names: &Names, run: Uuid) -> Result<Option<TaskState>> {
    for stopped in [false, true] {
        let tasks = list(clients, names, stopped).await?;
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

/// Returns the family in the ARN of a task definition, `…/family:revision`; names of families are in the parameters without a revision.
fn family(definition: &str) -> &str {
    let name = definition.rsplit('/').next().unwrap_or(definition);
    name.split(':').next().unwrap_or(name)
}

fn state(task: &Task, report: Option<&str>) -> Option<TaskState> {
    let arn = task.task_arn()?.to_owned();
    let is_report = task.task_definition_arn().map(family) == report.map(family);
    let overrides = task.overrides().map(TaskOverride::container_overrides).unwrap_or_default();
    let is_rollback = overrides.iter().any(|container| {
        container.command().first().is_some_and(|word| *word == JobKind::Rollback.subcommand())
    });
    let kind = match (is_report, is_rollback) {
        (true, _) => JobKind::Report,
        (_, true) => JobKind::Rollback,
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
        // The container whose command or environment was set is the one that works; the others are agents beside it.
        let (usual, _) = usual_container(kind);
        let set = overrides.first().and_then(ContainerOverride::name);
        let named =
            |wanted: &str| task.containers().iter().find(|container| container.name() == Some(wanted));
        let container = set.and_then(named).or_else(|| named(usual)).or(task.containers().first());
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
    fn state_tells_a_report_by_the_name_of_its_family() {
        let kind = |definition: &str, report: &str| {
            let task = Task::builder().task_arn("arn:1/a").task_definition_arn(definition).build();
            state(&task, Some(report)).unwrap().kind
        };
        let of = |family: &str| format!("arn:aws:ecs:x:1:task-definition/{family}:7");
        assert_eq!(kind(&of("covid19-report"), "covid19-report"), JobKind::Report);
        assert_eq!(kind(&of("daily"), &of("daily")), JobKind::Report);
        assert_eq!(kind(&of("reports-etl"), "covid19-report"), JobKind::Etl);
    }

    #[test]
    fn state_tells_a_rollback_from_a_load_by_its_command() {
        let task = |command: Option<Vec<String>>| {
            let container = ContainerOverride::builder().name("etl").set_command(command).build();
            let overrides = TaskOverride::builder().container_overrides(container).build();
            let definition = "arn:aws:ecs:x:1:task-definition/covid19-etl:7";
            let task =
                Task::builder().task_arn("arn:1/a").task_definition_arn(definition).overrides(overrides);
            state(&task.build(), Some("covid19-report")).unwrap().kind
        };
        assert_eq!(task(None), JobKind::Etl);
        assert_eq!(task(Some(vec!["run".to_owned()])), JobKind::Etl);
        assert_eq!(task(Some(vec!["rollback".to_owned(), "--to".to_owned()])), JobKind::Rollback);
    }
}
