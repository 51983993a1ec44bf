//! Task definitions that are jobs, tied to a cluster and a network by rules, tasks and services; and services, whose logs are sources.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, DesiredStatus, NetworkConfiguration, Service, Task,
    TaskDefinitionFamilyStatus,
};
use aws_sdk_eventbridge::types::{AwsVpcConfiguration as RuleNetwork, EcsParameters};
use common::failure::Result;

use super::schedules::{self, Rule};
use super::{Candidate, Jobs, name_of};
use crate::api_error::ApiContext as _;
use crate::clients::Clients;
use crate::task_definition::main_of;
use crate::tasks::{arns_in, family};

/// Limit of `DescribeServices`.
const SERVICES_LIMIT: usize = 10;

/// Limit of `DescribeTasks`.
const TASKS_LIMIT: usize = 100;

/// A cluster, with what runs or ran in it lately.
struct Cluster {
    name: String,
    services: Vec<Service>,
    tasks: Vec<Task>,
}

/// Where tasks of a family run.
#[derive(Default)]
struct Place {
    cluster: Option<String>,
    subnets: Vec<String>,
    security_groups: Vec<String>,
    assign_public_ip: bool,
    launch_type: Option<String>,
    capacity_provider: Option<String>,
    schedule: Option<String>,
    doubts: Vec<String>,
}

pub(super) async fn candidates(clients: &Clients, rules: &[Rule]) -> Result<Jobs> {
    let clusters = clusters(clients).await?;
    let families = clients.tasks().list_task_definition_families().status(TaskDefinitionFamilyStatus::Active);
    let families = families.into_paginator().items().send().try_collect().await;
    let families = families.api_context("ecs:ListTaskDefinitionFamilies", || {
        "cannot list the families of task definitions".to_owned()
    })?;
    let mut jobs = Jobs::default();
    for name in families {
        let answer = clients.tasks().describe_task_definition().task_definition(&name).send().await;
        let what = || format!("cannot look at the task definition `{name}`");
        let answer = answer.api_context("ecs:DescribeTaskDefinition", what)?;
        let Some(container) = answer.task_definition().and_then(|definition| main_of(definition, None))
        else {
            continue;
        };
        let service = clusters
            .iter()
            .flat_map(|cluster| &cluster.services)
            .find(|service| service.task_definition().map(family) == Some(name.as_str()));
        match (service, container.log_group) {
            (Some(service), Some(group)) => {
                jobs.logs.push((name_of(service.service_name().unwrap_or(&name)), group));
            }
            (Some(_), None) => {}
            (None, group) => {
                jobs.log_groups.extend(group);
                let place = place(&name, &clusters, rules);
                jobs.candidates.push(candidate(&name, &container.name, place));
            }
        }
    }
    jobs.log_groups.sort();
    Ok(jobs)
}

fn candidate(family: &str, container: &str, place: Place) -> Candidate {
    let is_named = |sign: &str| container.contains(sign) || family.contains(sign);
    let name = ["etl", "report"]
        .into_iter()
        .find(|sign| is_named(sign))
        .map_or_else(|| name_of(family), str::to_owned);
    let mut candidate = Candidate::new(format!("jobs.{name}"));
    candidate.set("task-definition", family);
    match place.cluster {
        Some(cluster) => candidate.set("cluster", cluster),
        None => candidate.unlikely("no rule, task or service ties it to a cluster: set `cluster`"),
    }
    if place.subnets.is_empty() {
        candidate.unlikely("its network is not known: set `subnets` and `security-groups`");
    } else {
        candidate.set("subnets", place.subnets);
        candidate.set("security-groups", place.security_groups);
        candidate.set("assign-public-ip", place.assign_public_ip);
    }
    if let Some(provider) = place.capacity_provider {
        candidate.set("capacity-provider", provider);
    } else if let Some(kind) = place.launch_type.filter(|kind| kind != "FARGATE") {
        candidate.set("launch-type", kind);
    }
    if let Some(schedule) = place.schedule {
        candidate.set("schedule", schedule);
    }
    candidate.doubts.extend(place.doubts);
    candidate
}

/// Returns where tasks of a family run: as the rule says that starts them, else as the last task did, else as a service beside it.
fn place(name: &str, clusters: &[Cluster], rules: &[Rule]) -> Place {
    let of_family = |parameters: &EcsParameters| family(parameters.task_definition_arn()) == name;
    let started = schedules::find(rules, |target| target.ecs_parameters().is_some_and(of_family));
    if let Some((rule, target)) = started {
        return of_rule(rule, target.arn(), target.ecs_parameters());
    }
    let task = clusters.iter().find_map(|cluster| {
        let is_of_family = |task: &&Task| task.task_definition_arn().map(family) == Some(name);
        Some((
            cluster,
            cluster
                .tasks
                .iter()
                .filter(is_of_family)
                .max_by_key(|task| task.created_at().map(aws_smithy_types::DateTime::secs))?,
        ))
    });
    if let Some((cluster, task)) = task {
        return of_task(cluster, task);
    }
    let mut services =
        clusters.iter().flat_map(|cluster| cluster.services.iter().map(move |service| (cluster, service)));
    match (services.next(), clusters) {
        (Some((cluster, service)), [_]) => Place {
            cluster: Some(cluster.name.clone()),
            doubts: vec![
                "cluster and network are those of a service, because no task of it is known".to_owned(),
            ],
            ..of_network(service.network_configuration())
        },
        _ => Place::default(),
    }
}

fn of_rule(rule: &Rule, cluster: &str, parameters: Option<&EcsParameters>) -> Place {
    let network =
        parameters.and_then(|parameters| parameters.network_configuration()?.awsvpc_configuration());
    let list = |of: fn(&RuleNetwork) -> &[String]| network.map(of).unwrap_or_default().to_vec();
    let provider = parameters.and_then(|parameters| parameters.capacity_provider_strategy().first());
    Place {
        cluster: Some(name_in(cluster)),
        subnets: list(RuleNetwork::subnets),
        security_groups: list(RuleNetwork::security_groups),
        assign_public_ip: network
            .and_then(|network| network.assign_public_ip())
            .is_some_and(|ip| ip.as_str() == "ENABLED"),
        launch_type: parameters
            .and_then(|parameters| parameters.launch_type())
            .map(|kind| kind.as_str().to_owned()),
        capacity_provider: provider.map(|provider| provider.capacity_provider().to_owned()),
        schedule: Some(rule.name.clone()),
        doubts: Vec::new(),
    }
}

/// A task knows its subnet, and not the security groups that it was started with.
fn of_task(cluster: &Cluster, task: &Task) -> Place {
    let details = task.attachments().iter().flat_map(aws_sdk_ecs::types::Attachment::details);
    let subnets =
        details.filter(|detail| detail.name() == Some("subnetId")).filter_map(|detail| detail.value());
    let mut subnets: Vec<String> = subnets.map(str::to_owned).collect();
    let beside = cluster.services.iter().find_map(|service| service.network_configuration());
    let beside = of_network(beside);
    let mut doubts =
        vec!["subnets and security groups are those of its last task and of a service beside it".to_owned()];
    if beside.security_groups.is_empty() {
        doubts =
            vec!["the subnet is that of its last task; which security groups it has is not known".to_owned()];
    }
    if subnets.is_empty() {
        subnets = beside.subnets;
    }
    Place {
        cluster: Some(cluster.name.clone()),
        subnets,
        security_groups: beside.security_groups,
        assign_public_ip: beside.assign_public_ip,
        launch_type: task.launch_type().map(|kind| kind.as_str().to_owned()),
        capacity_provider: task.capacity_provider_name().map(str::to_owned),
        schedule: None,
        doubts,
    }
}

fn of_network(network: Option<&NetworkConfiguration>) -> Place {
    let network = network.and_then(NetworkConfiguration::awsvpc_configuration);
    let list = |of: fn(&AwsVpcConfiguration) -> &[String]| network.map(of).unwrap_or_default().to_vec();
    Place {
        subnets: list(AwsVpcConfiguration::subnets),
        security_groups: list(AwsVpcConfiguration::security_groups),
        assign_public_ip: network.and_then(|network| network.assign_public_ip())
            == Some(&AssignPublicIp::Enabled),
        ..Place::default()
    }
}

fn name_in(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

async fn clusters(clients: &Clients) -> Result<Vec<Cluster>> {
    let arns = clients.tasks().list_clusters().into_paginator().items().send().try_collect().await;
    let arns = arns.api_context("ecs:ListClusters", || "cannot list the clusters".to_owned())?;
    let mut clusters = Vec::new();
    for arn in arns {
        let name = name_in(&arn);
        let (services, tasks) = (services(clients, &name).await?, tasks(clients, &name).await?);
        clusters.push(Cluster { name, services, tasks });
    }
    Ok(clusters)
}

async fn services(clients: &Clients, cluster: &str) -> Result<Vec<Service>> {
    let arns =
        clients.tasks().list_services().cluster(cluster).into_paginator().items().send().try_collect().await;
    let what = || format!("cannot list the services in the cluster `{cluster}`");
    let arns = arns.api_context("ecs:ListServices", what)?;
    let mut services = Vec::new();
    for arns in arns.chunks(SERVICES_LIMIT) {
        let request = clients.tasks().describe_services().cluster(cluster).set_services(Some(arns.to_vec()));
        let answer = request.send().await.api_context("ecs:DescribeServices", what)?;
        services.extend(answer.services.unwrap_or_default());
    }
    Ok(services)
}

/// Returns the tasks that run, or that stopped within the last hour.
async fn tasks(clients: &Clients, cluster: &str) -> Result<Vec<Task>> {
    let mut arns = arns_in(clients, cluster, None, DesiredStatus::Running).await?;
    arns.extend(arns_in(clients, cluster, None, DesiredStatus::Stopped).await?);
    let mut tasks = Vec::new();
    for arns in arns.chunks(TASKS_LIMIT) {
        let request = clients.tasks().describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec()));
        let what = || format!("cannot look at the tasks in the cluster `{cluster}`");
        tasks.extend(request.send().await.api_context("ecs:DescribeTasks", what)?.tasks.unwrap_or_default());
    }
    Ok(tasks)
}
