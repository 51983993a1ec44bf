//! What is recorded in the answers of each operation, and what the adapters show.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::pin::Pin;

use regex::Regex;
use serde_json::{Value, json};

use super::replay;
use super::state::{State, distinct, error_of, text, without_ids};
use crate::account::Account;
use crate::api_error::ApiError;
use crate::bastion::BastionStatus;
use crate::doctor::address;
use crate::log_groups::{EventFilter, LogGroup};
use crate::names::Name;
use crate::stacks::recorded_answers::{change_sets, stack_events, stack_resources, stacks};
use crate::{bastion, components, tasks};
use logs::{PageRequest, PageResponse, Source as _};
use target::description::{BastionPlace, JobDescription, Work};

type Show = fn(&'static str, Value) -> Pin<Box<dyn Future<Output = Vec<State>> + Send>>;

macro_rules! operations {
    ($($operation:literal => $show:ident),* $(,)?) => {
        /// The operations that covidctl calls and that have recordings.
        pub(super) const OPERATIONS: &[(&str, Show)] =
            &[$(($operation, |operation, answer| Box::pin($show(operation, answer)))),*];
    };
}

operations! {
    "autoscaling.DescribeAutoScalingGroups" => groups,
    "cloudformation.DescribeChangeSet" => change_sets,
    "cloudformation.DescribeStackEvents" => stack_events,
    "cloudformation.DescribeStackResources" => stack_resources,
    "cloudformation.DescribeStacks" => stacks,
    "cloudwatch.DescribeAlarms" => alarms,
    "cloudwatch.GetMetricData" => metric_data,
    "cloudwatch.GetMetricStatistics" => metrics,
    "ec2.DescribeInstances" => instances,
    "ec2.DescribeSecurityGroups" => security_groups,
    "ecs.DescribeTasks" => ecs_tasks,
    "ecs.ListTasks" => listed_tasks,
    "ecs.StopTask" => stopped_tasks,
    "elbv2.DescribeTargetHealth" => target_health,
    "events.DescribeRule" => rules,
    "lambda.GetFunctionConfiguration" => functions,
    "logs.DescribeLogStreams" => log_streams,
    "logs.FilterLogEvents" => log_events,
    "rds.DescribeDBInstances" => databases,
    "secretsmanager.GetSecretValue" => secrets,
    "ssm.GetParametersByPath" => parameters,
    "sts.GetCallerIdentity" => identity,
}

async fn component(name: &str, answers: BTreeMap<&str, Vec<Value>>) -> String {
    let account = replay::account(answers).await;
    let all = components::all(&account).await;
    let component = all.into_iter().find(|component| component.name == name).unwrap();
    without_ids(&format!("{:?}: {}", component.state, component.detail))
}

async fn groups(operation: &'static str, answer: Value) -> Vec<State> {
    let instances = &answer["data"]["AutoScalingGroups"][0]["Instances"];
    let recorded = distinct(instances, |instance| {
        format!("{} {}", text(&instance["LifecycleState"]), text(&instance["HealthStatus"]))
    });
    let recorded = match answer["data"]["AutoScalingGroups"].as_array() {
        Some(groups) if groups.is_empty() => "no group".to_owned(),
        _ => recorded,
    };
    let reachable = json!({ "data": { "Reservations": [{ "Instances": [
        { "InstanceId": "i-1", "PublicIpAddress": "203.0.113.5", "State": { "Name": "running", "Code": 16 } },
    ] }] } });
    let answers = BTreeMap::from([(operation, vec![answer]), ("ec2.DescribeInstances", vec![reachable])]);
    vec![(recorded, bastion_status(answers).await)]
}

async fn bastion_status(answers: BTreeMap<&str, Vec<Value>>) -> String {
    let account = replay::account(answers).await;
    let group = BastionPlace::AutoScalingGroup("covid19-bastion".to_owned());
    match bastion::status(&account.clients, &group).await {
        Ok(BastionStatus::Serving(_)) => "in service".to_owned(),
        Ok(BastionStatus::NoInstance) => "no instance in service".to_owned(),
        Ok(BastionStatus::Fixed(address)) => address,
        Ok(BastionStatus::Missing) => "no group".to_owned(),
        Err(failure) => without_ids(&failure.to_string()),
    }
}

async fn instances(operation: &'static str, answer: Value) -> Vec<State> {
    let all: Vec<Value> = answer["data"]["Reservations"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|reservation| reservation["Instances"].as_array().cloned().unwrap_or_default())
        .collect();
    let recorded = error_of(&answer).unwrap_or_else(|| {
        distinct(&Value::Array(all), |instance| {
            let address = if instance["PublicIpAddress"].as_str().is_some_and(|address| !address.is_empty()) {
                "with a public address"
            } else {
                "without a public address"
            };
            format!("{} {address}", text(&instance["State"]["Name"]))
        })
    });
    let group = json!({ "data": { "AutoScalingGroups": [{ "AutoScalingGroupName": "covid19-bastion", "Instances": [
        { "InstanceId": "i-1", "LifecycleState": "InService", "HealthStatus": "Healthy" },
    ] }] } });
    let answers =
        BTreeMap::from([(operation, vec![answer]), ("autoscaling.DescribeAutoScalingGroups", vec![group])]);
    vec![(recorded, bastion_status(answers).await)]
}

async fn security_groups(operation: &'static str, answer: Value) -> Vec<State> {
    let groups = answer["data"]["SecurityGroups"].as_array().cloned().unwrap_or_default();
    let rules =
        groups.iter().flat_map(|group| group["IpPermissions"].as_array().cloned().unwrap_or_default());
    let recorded = distinct(&Value::Array(rules.collect()), |rule| {
        let ports = match (&rule["FromPort"], &rule["ToPort"]) {
            (Value::Null, _) => "all ports".to_owned(),
            (from, to) => format!("ports {from} to {to}"),
        };
        format!("{} {ports}", text(&rule["IpProtocol"]))
    });
    // Rules differ in each recording: what counts is whether SSH is among them.
    let allows_ssh = Regex::new(r"tcp ports (\d+) to (\d+)|-1 all ports").unwrap();
    let covers = allows_ssh.captures_iter(&recorded).any(|rule| {
        let port = |at: usize| rule.get(at).and_then(|port| port.as_str().parse::<u32>().ok());
        port(1).is_none_or(|from| from <= 22) && port(2).is_none_or(|to| to >= 22)
    });
    let recorded = if covers { "a rule for port 22" } else { "no rule for port 22" };
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let check = address::check(
        &account.clients,
        account.names.get(Name::BastionSecurityGroup),
        Some(Ipv4Addr::new(203, 0, 113, 9)),
    )
    .await;
    let addresses = Regex::new(r"\d+\.\d+\.\d+\.\d+(/\d+)?(, \d+\.\d+\.\d+\.\d+(/\d+)?)*").unwrap();
    let shown = check.map_or_else(|failure| failure.to_string(), |check| format!("{check:?}"));
    vec![(recorded.to_owned(), addresses.replace_all(&shown, "…").into_owned())]
}

async fn ecs_tasks(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded: Vec<String> = answer["data"]["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| {
            let containers = distinct(&task["containers"], |container| {
                let code = container["exitCode"]
                    .as_i64()
                    .map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
                format!("{} {code}", text(&container["lastStatus"]))
            });
            format!("{} {}; containers {containers}", text(&task["lastStatus"]), text(&task["stopCode"]))
        })
        .collect();
    let families: Vec<String> = answer["data"]["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| text(&task["taskDefinitionArn"]).to_owned())
        .collect();
    let mut account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    // Only tasks of jobs are shown.
    let job = account.description.jobs["etl"].clone();
    for family in families {
        let Work::Task(mut task) = job.work.clone() else { unreachable!() };
        task.definition.clone_from(&family);
        account.description.jobs.insert(family, JobDescription { work: Work::Task(task), ..job.clone() });
    }
    let states = tasks::describe(&account, "covid19", &["arn:1/a".to_owned()]).await.unwrap();
    assert_eq!(states.len(), recorded.len());
    let shown = states.iter().map(|task| match &task.stop {
        None => "in progress".to_owned(),
        Some(stop) => {
            let words = stop.words().map_or_else(String::new, |(words, _)| format!(", {words}"));
            without_ids(&format!("ended with {}{words}", stop.code()))
        }
    });
    recorded.into_iter().zip(shown).collect()
}

async fn listed_tasks(operation: &'static str, answer: Value) -> Vec<State> {
    let count = answer["data"]["taskArns"].as_array().map_or(0, Vec::len);
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let running = aws_sdk_ecs::types::DesiredStatus::Running;
    let listed = tasks::arns_in(&account.clients, "covid19", None, running).await;
    let shown =
        listed.map_or_else(|failure| without_ids(&failure.to_string()), |arns| arns.len().to_string());
    vec![(count.to_string(), shown)]
}

async fn stopped_tasks(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = text(&answer["data"]["task"]["lastStatus"]).to_owned();
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let stopped = tasks::stop(&account.clients, "covid19", "arn:1/a", "by hand").await;
    vec![(recorded, stopped.map_or_else(|failure| failure.to_string(), |()| "stopped".to_owned()))]
}

async fn target_health(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = distinct(&answer["data"]["TargetHealthDescriptions"], |target| {
        let health = &target["TargetHealth"];
        format!("{} {}", text(&health["State"]), text(&health["Reason"]))
    });
    vec![(recorded, component("metabase", BTreeMap::from([(operation, vec![answer])])).await)]
}

async fn rules(operation: &'static str, answer: Value) -> Vec<State> {
    let data = &answer["data"];
    let recorded = error_of(&answer)
        .unwrap_or_else(|| format!("{} {}", text(&data["State"]), text(&data["ScheduleExpression"])));
    let shown = component("schedule", BTreeMap::from([(operation, vec![answer])])).await;
    // The next time depends on the clock.
    let next = Regex::new(r"next \S+ \S+ UTC").unwrap();
    vec![(recorded, next.replace(&shown, "next …").into_owned())]
}

async fn functions(operation: &'static str, answer: Value) -> Vec<State> {
    let data = &answer["data"];
    let recorded = error_of(&answer)
        .unwrap_or_else(|| format!("{}, update {}", text(&data["State"]), text(&data["LastUpdateStatus"])));
    vec![(recorded, component("lambda", BTreeMap::from([(operation, vec![answer])])).await)]
}

async fn log_streams(operation: &'static str, answer: Value) -> Vec<State> {
    let newest = &answer["data"]["logStreams"][0];
    let recorded = match (newest.is_null(), newest["lastEventTimestamp"].is_null()) {
        (true, _) => "no stream",
        (false, true) => "a stream without events",
        (false, false) => "a stream with events",
    };
    let function = json!({ "data": { "FunctionName": "covid19-download", "State": "Active" } });
    let answers =
        BTreeMap::from([(operation, vec![answer]), ("lambda.GetFunctionConfiguration", vec![function])]);
    vec![(recorded.to_owned(), component("lambda", answers).await)]
}

async fn alarms(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = error_of(&answer).unwrap_or_else(|| {
        distinct(&answer["data"]["MetricAlarms"], |alarm| text(&alarm["StateValue"]).to_owned())
    });
    let shown = component("alarms", BTreeMap::from([(operation, vec![answer])])).await;
    // Names and reasons differ in each recording.
    let shown = if shown.starts_with("Failed") { "Failed: names and reasons" } else { &shown };
    let count = Regex::new(r"none of \d+").unwrap();
    vec![(recorded, count.replace(shown, "none of …").into_owned())]
}

async fn metric_data(operation: &'static str, mut answer: Value) -> Vec<State> {
    let results = answer["data"]["MetricDataResults"].as_array().cloned().unwrap_or_default();
    let recorded = format!("{} results, {}", results.len(), {
        distinct(&answer["data"]["MetricDataResults"], |result| {
            let points = if result["Values"].as_array().is_some_and(|values| !values.is_empty()) {
                "points"
            } else {
                "no point"
            };
            format!("{} with {points}", text(&result["StatusCode"]))
        })
    });
    // The ids are those of the requests that were recorded.
    for (at, result) in answer["data"]["MetricDataResults"].as_array_mut().into_iter().flatten().enumerate() {
        result["Id"] = json!(format!("m{at}"));
    }
    let nothing = json!({ "data": { "MetricDataResults": [] } });
    let account = replay::account(BTreeMap::from([(operation, vec![answer, nothing])])).await;
    let shown = crate::metrics::all(&account).await.unwrap();
    vec![(recorded, format!("{} metrics", shown.len()))]
}

async fn metrics(operation: &'static str, answer: Value) -> Vec<State> {
    let points = answer["data"]["Datapoints"].as_array().cloned().unwrap_or_default();
    let statistics: BTreeSet<&str> = ["Average", "Sum", "Maximum", "Minimum", "SampleCount"]
        .into_iter()
        .filter(|name| points.iter().any(|point| !point[*name].is_null()))
        .collect();
    let recorded = match points.len() {
        0 => "no point".to_owned(),
        _ => format!("points with {}", Vec::from_iter(statistics).join(", ")),
    };
    let database = json!({ "data": { "DBInstances": [{
        "DBInstanceIdentifier": "covid19-replica", "DBInstanceStatus": "available", "Engine": "postgres", "EngineVersion": "16.9",
        "ReadReplicaSourceDBInstanceIdentifier": "covid19-master",
    }] } });
    let answers = BTreeMap::from([(operation, vec![answer]), ("rds.DescribeDBInstances", vec![database])]);
    let shown = component("replica", answers).await;
    let (number, state) = (Regex::new(r"[\d.]+ s behind").unwrap(), Regex::new(r"^\w+").unwrap());
    let shown = number.replace(&shown, "… s behind");
    // The state depends on the value.
    let shown = if shown.contains("behind") { state.replace(&shown, "by the value") } else { shown };
    vec![(recorded, shown.into_owned())]
}

async fn databases(operation: &'static str, answer: Value) -> Vec<State> {
    let instance = &answer["data"]["DBInstances"][0];
    let replication = distinct(&instance["StatusInfos"], |info| {
        format!("{} {}", text(&info["StatusType"]), text(&info["Status"]))
    });
    let recorded = match answer["data"]["DBInstances"].as_array().map_or(0, Vec::len) {
        0 => error_of(&answer).unwrap_or_else(|| "no instance".to_owned()),
        _ => format!("{}; replication {replication}", text(&instance["DBInstanceStatus"])),
    };
    let no_points = json!({ "data": { "Datapoints": [] } });
    let answers =
        BTreeMap::from([(operation, vec![answer]), ("cloudwatch.GetMetricStatistics", vec![no_points])]);
    let shown = component("replica", answers).await;
    let version = Regex::new(r", \S+ (\d[^\s,]*|\?)(, two zones)?").unwrap();
    vec![(recorded, version.replace_all(&shown, "").into_owned())]
}

async fn log_events(operation: &'static str, answer: Value) -> Vec<State> {
    let events = answer["data"]["events"].as_array().map_or(0, Vec::len);
    let recorded = error_of(&answer).unwrap_or_else(|| {
        let token =
            if answer["data"]["nextToken"].is_null() { "the last page" } else { "another page follows" };
        format!("{events} events, {token}")
    });
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let group = LogGroup {
        client: account.clients.logs(),
        name: "etl".to_owned(),
        group: "/ecs/covid19-etl".to_owned(),
        of: EventFilter::All,
    };
    let request = PageRequest { from: 0, until: None, pattern: None, token: None, last: false };
    let shown = match group.page(&request).await {
        Ok(PageResponse::Page { events, next, .. }) => {
            format!("{} events{}", events.len(), if next.is_some() { ", and another page" } else { "" })
        }
        Ok(PageResponse::Missing) => "no such group".to_owned(),
        Ok(PageResponse::Throttled) => "throttled".to_owned(),
        Ok(PageResponse::Unavailable(failure)) => format!("unavailable: {failure}"),
        Err(failure) => without_ids(&failure.to_string()),
    };
    vec![(recorded, shown)]
}

async fn secrets(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = error_of(&answer).unwrap_or_else(|| "a value".to_owned());
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let read = account.clients.secrets().get_secret_value().secret_id("x").send().await;
    vec![(recorded, kind_or(read, |read| read.secret_string.map_or("no text", |_| "its text").to_owned()))]
}

async fn parameters(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = distinct(&answer["data"]["Parameters"], |parameter| text(&parameter["Type"]).to_owned());
    let Account { names, .. } = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    vec![(recorded, format!("names that are known: {}", names.get(Name::Cluster).unwrap_or("none")))]
}

async fn identity(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = error_of(&answer).unwrap_or_else(|| "an account".to_owned());
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let identity = account.clients.identity().get_caller_identity().send().await;
    vec![(
        recorded,
        kind_or(identity, |identity| identity.account.map_or("no account", |_| "the account").to_owned()),
    )]
}

/// Shows an answer, or the kind of the error.
fn kind_or<T, E, R>(
    answer: Result<T, aws_smithy_runtime_api::client::result::SdkError<E, R>>,
    show: impl FnOnce(T) -> String,
) -> String
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    answer.map_or_else(|error| format!("{:?}", ApiError::of(&error).kind), show)
}
