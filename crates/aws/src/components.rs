//! The components of the pipeline on AWS and their states, queried concurrently.
//!
//! A component that cannot be queried has the state `unknown` with the reason.

use aws_sdk_cloudwatch::types::{Datapoint, Dimension, StateValue, Statistic};
use aws_sdk_cloudwatchlogs::types::OrderBy;
use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;
use aws_sdk_rds::types::DbCluster;
use aws_smithy_types::DateTime as Moment;
use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Failure, Result};
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::account::Account;
use super::api_error::{ApiContext as _, stack_hint};
use super::bastion::{self, BastionStatus};
use super::clients::Clients;
use super::schedules::{self, Schedule};
use super::{database_access, utc};
use target::description::{BastionPlace, JobDescription, ServiceDescription, Work};
use target::{Component, ComponentState};

/// Replica lag in seconds that is normal for an idle primary, which writes at least every five minutes (RDS User Guide, "Monitoring read
/// replication").
pub(super) const LAG_WARNING: f64 = 330.0;

/// Replica lag in seconds at which the component has failed; the stacks have an alarm at the same lag.
const LAG_FAILURE: f64 = 600.0;

/// Returns all components of the description: schedules, functions, databases, services, bastion, alarms.
pub(super) async fn all(account: &Account) -> Vec<Component> {
    let description = &account.description;
    let mut components: Vec<(String, BoxFuture<'_, Result<ComponentStatus>>)> = Vec::new();
    let schedules: Vec<_> =
        description.jobs.iter().filter_map(|(name, job)| Some((name, job.schedule.as_ref()?))).collect();
    for (job, rule) in &schedules {
        let name = if schedules.len() == 1 { "schedule".to_owned() } else { format!("schedule {job}") };
        components.push((name, schedule(account, rule).boxed()));
    }
    for (name, job) in &description.jobs {
        if let Work::Function(function) = &job.work {
            let name = job.source.as_ref().unwrap_or(name);
            components.push((name.clone(), function_status(account, job, function).boxed()));
        }
    }
    for (name, described) in &description.databases {
        // Of a host, AWS knows nothing.
        if let Some(instance) = &described.instance {
            components.push((name.clone(), database(account, instance).boxed()));
        }
    }
    for (name, service) in &description.services {
        components.push((name.clone(), service_status(account, service).boxed()));
    }
    if let Some(described) = &description.bastion
        && !matches!(described.place, BastionPlace::Address(_))
    {
        components.push(("bastion".to_owned(), bastion(account, &described.place).boxed()));
    }
    if let Some(prefix) = &description.alarms {
        components.push(("alarms".to_owned(), alarms(account, prefix).boxed()));
    }
    let queries = components.into_iter().map(async |(name, status)| {
        let unknown = |failure: Failure| ComponentStatus::new(ComponentState::Unknown, failure.to_string());
        let ComponentStatus { state, since, detail } = status.await.unwrap_or_else(unknown);
        Component { name, state, since, detail }
    });
    future::join_all(queries).await
}

/// The status of a component.
struct ComponentStatus {
    state: ComponentState,
    since: Option<DateTime<Utc>>,
    detail: String,
}

impl ComponentStatus {
    fn new(state: ComponentState, detail: impl Into<String>) -> Self {
        Self { state, since: None, detail: detail.into() }
    }

    /// Returns the status of a component that does not exist; a stack may create it.
    fn absent(account: &Account, stack: &str) -> Self {
        let detail = if account.description.is_of_stacks {
            format!("not there; {}", stack_hint(stack))
        } else {
            "not there; is this the right account, region and name?".to_owned()
        };
        Self::new(ComponentState::Missing, detail)
    }
}

/// The CloudWatch alarms of the pipeline.
pub(super) struct Alarms {
    pub(super) count: usize,
    /// Alarms in state ALARM, each with its reason.
    pub(super) raised: Vec<String>,
    /// When the last of them was raised.
    since: Option<DateTime<Utc>>,
}

impl Alarms {
    pub(super) async fn fetch(clients: &Clients, prefix: &str) -> Result<Self> {
        let answer = clients.metrics().describe_alarms().alarm_name_prefix(prefix).send().await;
        let answer =
            answer.api_context("cloudwatch:DescribeAlarms", || "cannot look at the alarms".to_owned())?;
        let all = answer.metric_alarms();
        let raised = all.iter().filter(|alarm| alarm.state_value() == Some(&StateValue::Alarm));
        let since = raised.clone().filter_map(|alarm| alarm.state_updated_timestamp().and_then(utc)).max();
        let words = raised.map(|alarm| {
            let reason = alarm.state_reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{}{reason}", alarm.alarm_name().unwrap_or_default())
        });
        Ok(Self { count: all.len(), raised: words.collect(), since })
    }
}

async fn alarms(account: &Account, prefix: &str) -> Result<ComponentStatus> {
    let Alarms { count, raised, since } = Alarms::fetch(&account.clients, prefix).await?;
    Ok(match (count, raised.len()) {
        (0, _) => ComponentStatus::absent(account, "pipeline"),
        (count, 0) => ComponentStatus::new(ComponentState::Ready, format!("none of {count} is raised")),
        _ => ComponentStatus { since, ..ComponentStatus::new(ComponentState::Failed, raised.join(", ")) },
    })
}

async fn schedule(account: &Account, name: &str) -> Result<ComponentStatus> {
    let Some(Schedule { expression, is_enabled, next }) = schedules::find(account, name).await? else {
        return Ok(ComponentStatus::absent(account, "ingest"));
    };
    if !is_enabled {
        return Ok(ComponentStatus::new(ComponentState::Stopped, format!("{expression}, disabled")));
    }
    let next = next.map_or(String::new(), |next| format!(", next {}", next.format("%Y-%m-%d %H:%M UTC")));
    Ok(ComponentStatus::new(ComponentState::Ready, format!("{expression}{next}")))
}

async fn function_status(account: &Account, job: &JobDescription, name: &str) -> Result<ComponentStatus> {
    let clients = &account.clients;
    let group = account.log_group(job).await?;
    let logs = clients.logs();
    let streams = logs.describe_log_streams().log_group_name(group).order_by(OrderBy::LastEventTime);
    let errors = ["AWS/Lambda", "Errors", "FunctionName", name];
    let (function, streams, errors) = future::join3(
        clients.functions().get_function_configuration().function_name(name).send(),
        streams.descending(true).limit(1).send(),
        points(clients, errors, Statistic::Sum, 3600, TimeDelta::days(1)),
    )
    .await;
    let function = function.api_context_optional("lambda:GetFunctionConfiguration", || {
        format!("cannot look at the function `{name}`")
    })?;
    let Some(function) = function else { return Ok(ComponentStatus::absent(account, "ingest")) };
    let streams = streams.ok().and_then(|streams| streams.log_streams).unwrap_or_default();
    let newest = streams.first();
    let last = newest.and_then(|stream| stream.last_event_timestamp.or(stream.creation_time));
    let since = last.and_then(DateTime::from_timestamp_millis);
    let state = function.state.as_ref().map_or("Active", |state| state.as_str());
    let errors: f64 = errors.unwrap_or_default().iter().map(|(_, count)| count).sum();
    let (state, detail) = match state {
        "Active" | "Inactive" if errors > 0.0 => {
            (ComponentState::Failed, format!("{name}: {errors} failed invocations within a day"))
        }
        "Active" | "Inactive" if since.is_none() => {
            (ComponentState::Ready, format!("{name}, was not invoked yet"))
        }
        "Active" | "Inactive" => (ComponentState::Ready, format!("{name}, invoked last at that time")),
        "Pending" => (ComponentState::Busy, format!("{name} is being set up")),
        other => (ComponentState::Failed, format!("{name} is {other}")),
    };
    Ok(ComponentStatus { state, since, detail })
}

async fn database(account: &Account, name: &str) -> Result<ComponentStatus> {
    let Some(instance) = database_access::instance(&account.clients, name).await? else {
        return Ok(match database_access::cluster(account, name).await? {
            Some(cluster) => cluster_status(name, &cluster),
            None => ComponentStatus::absent(account, "database"),
        });
    };
    let status = instance.db_instance_status().unwrap_or("unknown");
    let state = state_of_instance(status);
    let zones = if instance.multi_az() == Some(true) { ", two zones" } else { "" };
    let (engine, version) = (instance.engine().unwrap_or("?"), instance.engine_version().unwrap_or("?"));
    let detail = format!("{name} is {status}, {engine} {version}{zones}");
    // Of a replica only (RDS API Reference, DBInstanceStatusInfo).
    let broken = instance.status_infos().iter().find(|info| info.normal() == Some(false));
    let known = match broken {
        Some(info) => {
            let message = info.message().map(|message| format!(" ({message})")).unwrap_or_default();
            let replication = info.status().unwrap_or("not normal");
            ComponentStatus::new(
                ComponentState::Failed,
                format!("{detail}; replication: {replication}{message}"),
            )
        }
        None => ComponentStatus::new(state, detail),
    };
    if instance.read_replica_source_db_instance_identifier().is_none() {
        return Ok(known);
    }
    let lag = ["AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", name];
    let lag = points(&account.clients, lag, Statistic::Average, 60, TimeDelta::minutes(10)).await;
    Ok(with_lag(known, lag))
}

fn cluster_status(name: &str, cluster: &DbCluster) -> ComponentStatus {
    let status = cluster.status().unwrap_or("unknown");
    let (engine, version) = (cluster.engine().unwrap_or("?"), cluster.engine_version().unwrap_or("?"));
    let members = cluster.db_cluster_members().len();
    let detail = format!("{name} is {status}, {engine} {version}, {members} instances");
    ComponentStatus::new(state_of_instance(status), detail)
}

/// Returns the state of an instance by its status (RDS User Guide, "Viewing Amazon RDS DB instance status"): whether the database can be
/// used, is about to be, or needs an operator.
fn state_of_instance(status: &str) -> ComponentState {
    match status {
        "available"
        | "backing-up"
        | "configuring-enhanced-monitoring"
        | "configuring-iam-database-auth"
        | "configuring-log-exports"
        | "storage-config-upgrade"
        | "storage-initialization"
        | "storage-optimization" => ComponentState::Ready,
        "stopped" | "stopping" => ComponentState::Stopped,
        "failed" | "insufficient-capacity" | "restore-error" | "storage-full" => ComponentState::Failed,
        _ if status.starts_with("inaccessible-") || status.starts_with("incompatible-") => {
            ComponentState::Failed
        }
        "configuring-associated-roles"
        | "converting-to-vpc"
        | "creating"
        | "delete-precheck"
        | "deleting"
        | "maintenance"
        | "modifying"
        | "moving-to-vpc"
        | "rebooting"
        | "renaming"
        | "resetting-master-credentials"
        | "starting"
        | "upgrading" => ComponentState::Busy,
        _ => ComponentState::Unknown,
    }
}

/// Adds the lag of a replica to its status.
fn with_lag(known: ComponentStatus, lag: Result<Vec<(i64, f64)>>) -> ComponentStatus {
    let newest = |points: Vec<(i64, f64)>| points.into_iter().max_by_key(|(time, _)| *time);
    match lag.map(newest) {
        Ok(Some((_, lag))) if known.state == ComponentState::Ready => {
            let state = state_of_lag(lag);
            ComponentStatus { state, detail: format!("{}, {lag:.1} s behind", known.detail), ..known }
        }
        Ok(_) => known,
        Err(failure) => {
            ComponentStatus { detail: format!("{}; its lag is not known: {failure}", known.detail), ..known }
        }
    }
}

/// Returns the state of a replica by its lag in seconds.
fn state_of_lag(lag: f64) -> ComponentState {
    if lag > LAG_FAILURE {
        ComponentState::Failed
    } else if lag > LAG_WARNING {
        ComponentState::Busy
    } else {
        ComponentState::Ready
    }
}

async fn service_status(account: &Account, service: &ServiceDescription) -> Result<ComponentStatus> {
    let Some(group) = &service.target_group else {
        return Ok(ComponentStatus::absent(account, "dashboard"));
    };
    let answer =
        account.clients.load_balancing().describe_target_health().target_group_arn(group).send().await;
    let answer = answer.api_context_optional("elasticloadbalancing:DescribeTargetHealth", || {
        format!("cannot look at the target group `{group}`")
    })?;
    let Some(answer) = answer else { return Ok(ComponentStatus::absent(account, "dashboard")) };
    let healths = answer.target_health_descriptions();
    let is = |state: &TargetHealthStateEnum| {
        healths
            .iter()
            .filter(|target| target.target_health().and_then(|health| health.state()) == Some(state))
            .count()
    };
    let (serving, starting) = (is(&TargetHealthStateEnum::Healthy), is(&TargetHealthStateEnum::Initial));
    let state = match (serving, starting, healths.len()) {
        (_, _, 0) => ComponentState::Stopped,
        (0, 0, _) => ComponentState::Failed,
        (0, _, _) => ComponentState::Busy,
        _ => ComponentState::Ready,
    };
    Ok(ComponentStatus::new(state, format!("{serving} of {} targets are healthy", healths.len())))
}

async fn bastion(account: &Account, place: &BastionPlace) -> Result<ComponentStatus> {
    Ok(match bastion::status(&account.clients, place).await? {
        BastionStatus::Serving(instance) => ComponentStatus {
            since: instance.launched_at,
            ..ComponentStatus::new(ComponentState::Ready, format!("{} at {}", instance.id, instance.address))
        },
        BastionStatus::Fixed(address) => ComponentStatus::new(ComponentState::Unknown, address),
        BastionStatus::NoInstance => {
            let detail = format!("no instance of {} is in service", bastion::place_text(place));
            ComponentStatus::new(ComponentState::Stopped, detail)
        }
        BastionStatus::Missing => ComponentStatus::absent(account, "bastion"),
    })
}

/// Returns time (seconds since 1970) and value of the points of a CloudWatch metric; `period` is in seconds.
async fn points(
    clients: &Clients,
    [namespace, metric, dimension, value]: [&str; 4],
    statistic: Statistic,
    period: i32,
    back: TimeDelta,
) -> Result<Vec<(i64, f64)>> {
    let now = Utc::now();
    let answer = clients
        .metrics()
        .get_metric_statistics()
        .namespace(namespace)
        .metric_name(metric)
        .dimensions(Dimension::builder().name(dimension).value(value).build())
        .start_time(Moment::from_millis((now - back).timestamp_millis()))
        .end_time(Moment::from_millis(now.timestamp_millis()))
        .period(period)
        .statistics(statistic)
        .send()
        .await;
    let answer = answer.api_context("cloudwatch:GetMetricStatistics", || {
        format!("cannot read the metric `{metric}` of `{value}`")
    })?;
    let point = |point: &Datapoint| Some((point.timestamp()?.secs(), point.average().or(point.sum())?));
    Ok(answer.datapoints().iter().filter_map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_of_replica_warns_before_it_fails() {
        let states = [0.0, 61.0, 300.0, 331.0, 600.0, 601.0].map(state_of_lag);
        let (ready, busy) = (ComponentState::Ready, ComponentState::Busy);
        assert_eq!(states, [ready, ready, ready, busy, busy, ComponentState::Failed]);
    }
}
