//! The checks of a pipeline that the configuration file describes: each component, the bastion, every log group, and whether each job
//! could be started.

use common::failure::{Failure, Result};
use futures_util::future;

use super::address;
use crate::account::Account;
use crate::api_error::ApiContext as _;
use crate::{bastion, components, log_groups, tasks};
use target::description::{BastionDescription, JobDescription, Launch, TaskDescription, Work};
use target::{Check, CheckSink, Component, ComponentState, DoctorContext};

/// Where the rights of an operator of such a pipeline are listed.
const RIGHTS: &str = "ask for the rights in docs/reference/iam-described.json";

pub(super) async fn diagnose(account: &Account, context: &DoctorContext, sink: &CheckSink<'_>) {
    let description = &account.description;
    let components = components::all(account).await;
    components.iter().filter(|component| component.name != "bastion").map(component_check).for_each(sink);
    if let Some(described) = &description.bastion {
        let check = bastion_check(account, described).await;
        sink(check.unwrap_or_else(|failure| Check::of("bastion", &failure)));
        if let Some(group) = &described.security_group {
            let check = address::check(&account.clients, Some(group), context.my_address).await;
            sink(check.unwrap_or_else(|failure| Check::of("my address", &failure)));
        }
    }
    sink(logs_check(account).await);
    for (name, job) in &description.jobs {
        let check = job_check(account, job).await;
        let name = format!("job {name}");
        sink(match check {
            Ok(detail) => Check::ok(name, detail),
            Err(failure) => Check::of(name, &failure),
        });
    }
}

fn component_check(component: &Component) -> Check {
    let (name, detail) = (component.name.clone(), component.detail.clone());
    match component.state {
        ComponentState::Ready => Check::ok(name, detail),
        ComponentState::Busy | ComponentState::Stopped => {
            Check::warning(name, detail, "covidctl status --watch")
        }
        ComponentState::Missing => Check::failed(
            name,
            detail,
            "`covidctl adopt other` looks for what is there; `covidctl config` shows the configuration file",
        ),
        ComponentState::Failed => Check::failed(name, detail, "covidctl logs --since 1d"),
        ComponentState::Unknown => Check::failed(name, detail, RIGHTS),
    }
}

async fn bastion_check(account: &Account, described: &BastionDescription) -> Result<Check> {
    let instance = bastion::instance(account, &described.place).await?;
    let is_fixed = instance.id == instance.address;
    let detail = if is_fixed {
        format!("{} is described by its address", instance.address)
    } else {
        format!("{} is in service at {}", instance.id, instance.address)
    };
    Ok(Check::ok("bastion", detail))
}

/// Checks that every log group can be read.
async fn logs_check(account: &Account) -> Check {
    let description = &account.description;
    let mut groups = Vec::new();
    let mut wrong = Vec::new();
    for (name, job) in &description.jobs {
        match account.log_group(job).await {
            Ok(group) => groups.push(group),
            Err(failure) => wrong.push(format!("{name}: {failure}")),
        }
    }
    for name in description.logs.values() {
        match log_groups::matching(&account.clients.logs(), name).await {
            Ok(found) if found.is_empty() => wrong.push(format!("`{name}` matches no log group")),
            Ok(found) => groups.extend(found),
            Err(failure) => wrong.push(failure.to_string()),
        }
    }
    groups.sort();
    groups.dedup();
    let read = groups.iter().map(async |group| {
        let request = account.clients.logs().filter_log_events().log_group_name(group).limit(1);
        request.send().await.api_context("logs:FilterLogEvents", || format!("cannot read `{group}`"))
    });
    let failed = future::join_all(read).await.into_iter().filter_map(Result::err);
    wrong.extend(failed.map(|failure| failure.to_string()));
    if wrong.is_empty() {
        return Check::ok("logs", format!("all {} log groups can be read", groups.len()));
    }
    Check::failed("logs", wrong.join("; "), format!("check the names in the configuration file, or {RIGHTS}"))
}

/// Checks what a start of the job needs, without starting it; returns what it consists of.
async fn job_check(account: &Account, job: &JobDescription) -> Result<String> {
    match &job.work {
        Work::Function(name) => {
            let request = account.clients.functions().get_function_configuration().function_name(name);
            let what = || format!("cannot look at the function `{name}`");
            let found = request.send().await.api_context("lambda:GetFunctionConfiguration", what)?;
            Ok(format!(
                "the function `{name}` can be invoked ({})",
                found.state().map_or("Active", |state| state.as_str())
            ))
        }
        Work::Task(task) => task_check(account, task).await,
    }
}

async fn task_check(account: &Account, task: &TaskDescription) -> Result<String> {
    let (clients, family) = (&account.clients, tasks::family(&task.definition));
    let unusable = |what: String, hint: &str| Err(Failure::new(what).hint(hint));
    let clusters = clients.tasks().describe_clusters().clusters(&task.cluster).send().await;
    let what = || format!("cannot look at the cluster `{}`", task.cluster);
    let clusters = clusters.api_context("ecs:DescribeClusters", what)?;
    if !clusters.clusters().iter().any(|cluster| cluster.status() == Some("ACTIVE")) {
        return unusable(format!("the cluster `{}` is not active", task.cluster), "set `cluster` of the job");
    }
    let container = account.container(task).await?;
    let (subnets, groups) =
        (account.texts(&task.subnets).await?, account.texts(&task.security_groups).await?);
    let is_fargate = match &task.launch {
        Launch::Type(kind) | Launch::CapacityProvider(kind) => kind.starts_with("FARGATE"),
    };
    if is_fargate && subnets.is_empty() {
        return unusable(format!("a task of `{family}` needs subnets"), "set `subnets` of the job");
    }
    let what = |kind: &str, ids: &[String]| format!("cannot look at the {kind} {}", ids.join(", "));
    let (found_subnets, found_groups) =
        (clients.ec2().subnets(&subnets), clients.ec2().security_groups(&groups));
    let (found_subnets, found_groups) = future::join(found_subnets, found_groups).await;
    found_subnets.api_context("ec2:DescribeSubnets", || what("subnets", &subnets))?;
    found_groups.api_context("ec2:DescribeSecurityGroups", || what("security groups", &groups))?;
    Ok(format!("`{}` of `{family}` can be started in the cluster `{}`", container.name, task.cluster))
}
