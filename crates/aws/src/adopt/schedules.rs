//! What starts jobs: rules of EventBridge, and schedules of EventBridge Scheduler.

use aws_sdk_eventbridge::types as rule;
use aws_sdk_scheduler::types as scheduler;
use common::failure::Result;

use crate::api_error::ApiContext as _;
use crate::clients::Clients;

/// A rule or schedule and one of its targets.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) name: String,
    /// ARN of a function, or of the cluster of a task.
    pub(super) arn: String,
    pub(super) task: Option<TaskTarget>,
}

/// The task that a schedule starts.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskTarget {
    pub(super) definition: String,
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) assign_public_ip: bool,
    pub(super) launch_type: Option<String>,
    pub(super) capacity_provider: Option<String>,
}

/// Returns those of rules.
pub(super) async fn of_rules(clients: &Clients) -> Result<Vec<Schedule>> {
    let (mut schedules, mut token) = (Vec::new(), None);
    loop {
        let answer = clients.events().list_rules().set_next_token(token).send().await;
        let answer =
            answer.api_context("events:ListRules", || "cannot list the rules of EventBridge".to_owned())?;
        for rule in answer.rules() {
            let Some(name) = rule.name().filter(|_| rule.schedule_expression().is_some()) else { continue };
            let targets = clients.events().list_targets_by_rule().rule(name).send().await;
            let what = || format!("cannot look at the rule `{name}`");
            let targets = targets.api_context("events:ListTargetsByRule", what)?;
            schedules.extend(targets.targets().iter().map(|target| Schedule {
                name: name.to_owned(),
                arn: target.arn().to_owned(),
                task: target.ecs_parameters().map(task_of_rule),
            }));
        }
        token = answer.next_token;
        if token.is_none() {
            return Ok(schedules);
        }
    }
}

fn task_of_rule(parameters: &rule::EcsParameters) -> TaskTarget {
    let network =
        parameters.network_configuration().and_then(rule::NetworkConfiguration::awsvpc_configuration);
    let list = |of: fn(&rule::AwsVpcConfiguration) -> &[String]| network.map(of).unwrap_or_default().to_vec();
    let provider = parameters.capacity_provider_strategy().first();
    TaskTarget {
        definition: parameters.task_definition_arn().to_owned(),
        subnets: list(rule::AwsVpcConfiguration::subnets),
        security_groups: list(rule::AwsVpcConfiguration::security_groups),
        assign_public_ip: network.and_then(|network| network.assign_public_ip())
            == Some(&rule::AssignPublicIp::Enabled),
        launch_type: parameters.launch_type().map(|kind| kind.as_str().to_owned()),
        capacity_provider: provider.map(|provider| provider.capacity_provider().to_owned()),
    }
}

/// Returns those of EventBridge Scheduler; one outside the default group is named `group/name`.
pub(super) async fn of_scheduler(clients: &Clients) -> Result<Vec<Schedule>> {
    let pages = clients.schedules().list_schedules().into_paginator().items().send().try_collect().await;
    let listed = pages.api_context("scheduler:ListSchedules", || "cannot list the schedules".to_owned())?;
    let mut schedules = Vec::new();
    for schedule in listed {
        let Some(name) = schedule.name() else { continue };
        let group = schedule.group_name().filter(|group| *group != "default");
        let request = clients.schedules().get_schedule().name(name).set_group_name(group.map(str::to_owned));
        let what = || format!("cannot look at the schedule `{name}`");
        let answer = request.send().await.api_context("scheduler:GetSchedule", what)?;
        let Some(target) = answer.target() else { continue };
        schedules.push(Schedule {
            name: group.map_or_else(|| name.to_owned(), |group| format!("{group}/{name}")),
            arn: target.arn().to_owned(),
            task: target.ecs_parameters().map(task_of_scheduler),
        });
    }
    Ok(schedules)
}

fn task_of_scheduler(parameters: &scheduler::EcsParameters) -> TaskTarget {
    let network =
        parameters.network_configuration().and_then(scheduler::NetworkConfiguration::awsvpc_configuration);
    let list =
        |of: fn(&scheduler::AwsVpcConfiguration) -> &[String]| network.map(of).unwrap_or_default().to_vec();
    let provider = parameters.capacity_provider_strategy().first();
    TaskTarget {
        definition: parameters.task_definition_arn().to_owned(),
        subnets: list(scheduler::AwsVpcConfiguration::subnets),
        security_groups: list(scheduler::AwsVpcConfiguration::security_groups),
        assign_public_ip: network.and_then(|network| network.assign_public_ip())
            == Some(&scheduler::AssignPublicIp::Enabled),
        launch_type: parameters.launch_type().map(|kind| kind.as_str().to_owned()),
        capacity_provider: provider.map(|provider| provider.capacity_provider().to_owned()),
    }
}
