//! Answers of the real services that the emulators never give, and what the operator sees. docs/reference/emulators.md lists them.

use serde_json::{Value, json};

use crate::support::cloud::Cloud;
use crate::support::proxy::{Fault, Reply};
use crate::support::step;

/// How often the client sends a request.
const MAX_ATTEMPTS: usize = 4;

/// An operation of each protocol that `status` calls, and the component that shows it.
const OPERATIONS: [(&str, &str); 6] = [
    ("ssm:GetParametersByPath", "schedule"),
    ("events:DescribeRule", "schedule"),
    ("rds:DescribeDBInstances", "master"),
    ("ec2:DescribeInstances", "bastion"),
    ("lambda:GetFunctionConfiguration", "lambda"),
    ("s3:ListBucket", "datasets"),
];

/// Returns state and detail of a component.
#[track_caller]
fn component(status: &Value, name: &str) -> (String, String) {
    let part = status["parts"].as_array().unwrap().iter().find(|part| part["name"] == name);
    let part = part.unwrap_or_else(|| panic!("no {name}: {status}"));
    let text = |key: &str| part[key].as_str().unwrap().to_owned();
    (text("state"), text("detail"))
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_request_is_repeated_in_each_protocol() {
    let cloud = Cloud::deploy(1_000).await;
    cloud.proxy.handle("lambda:GetFunctionConfiguration", |_| {
        Some(Reply::Json(json!({ "FunctionName": "covid19-download", "State": "Active" })))
    });
    for (operation, _) in OPERATIONS {
        cloud.proxy.fail(operation, [Fault::Throttled, Fault::Throttled]);
    }
    let status = cloud.say(&["status", "-o", "json"]).await.worked().json();
    for (operation, name) in OPERATIONS {
        assert!(cloud.proxy.has_failed_all(operation), "{operation} was not called");
        assert_eq!(component(&status, name).0, "ready", "{name}: {status}");
    }

    step("more often than the client repeats it");
    for (operation, name) in OPERATIONS.into_iter().filter(|(_, name)| *name != "datasets") {
        // Of the databases, master and replica are asked for.
        let requests = if operation.starts_with("rds") { 2 } else { 1 };
        cloud.proxy.fail(operation, vec![Fault::Throttled; requests * MAX_ATTEMPTS]);
        let said = cloud.say(&["status", "-o", "json"]).await;
        if operation == "ssm:GetParametersByPath" {
            said.failed(1, &["was called too often: Rate exceeded", "wait a minute"]);
            continue;
        }
        let (state, detail) = component(&said.json(), name);
        assert_eq!(state, "unknown", "{operation}: {detail}");
        assert!(detail.contains(&format!("`{operation}` was called too often")), "{detail}");
    }
    cloud.proxy.fail("ecs:RunTask", vec![Fault::Throttled; MAX_ATTEMPTS]);
    cloud.say(&["run", "etl"]).await.failed(125, &["`ecs:RunTask` was called too often", "wait a minute"]);
}

/// Answers with one task of the load, which has stopped; gives its containers.
fn stopped_task(cloud: &Cloud, stop_code: &'static str, reason: &'static str, containers: Value) {
    let arn = "arn:aws:ecs:x:123456789012:task/covid19/0123456789abcdef0123456789abcdef";
    let started_by = std::sync::Arc::new(std::sync::Mutex::new(Value::Null));
    let noted = std::sync::Arc::clone(&started_by);
    cloud.proxy.handle("ecs:RunTask", move |call| {
        *noted.lock().unwrap() = call.json()["startedBy"].clone();
        Some(Reply::Json(
            json!({ "failures": [], "tasks": [{ "taskArn": arn, "lastStatus": "PROVISIONING" }] }),
        ))
    });
    cloud.proxy.handle("ecs:DescribeTasks", move |_| {
        Some(Reply::Json(json!({ "failures": [], "tasks": [{
            "taskArn": arn, "lastStatus": "STOPPED", "stopCode": stop_code, "stoppedReason": reason,
            "taskDefinitionArn": "arn:aws:ecs:x:1:task-definition/covid19-etl:1",
            "startedBy": *started_by.lock().unwrap(), "createdAt": 1_654_387_200.0, "startedAt": 1_654_387_230.0,
            "stoppedAt": 1_654_387_260.0, "containers": containers,
        }] })))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_code_is_that_of_the_job_if_another_container_comes_first() {
    let cloud = Cloud::deploy(0).await;
    let agent = json!({ "name": "aws-guardduty-agent-a1B2c3", "lastStatus": "STOPPED", "exitCode": 0 });
    let job = json!({ "name": "etl", "lastStatus": "STOPPED", "exitCode": 3 });
    stopped_task(
        &cloud,
        "EssentialContainerExited",
        "Essential container in task exited",
        json!([agent, job]),
    );
    cloud.say(&["run", "etl"]).await.failed(3, &["etl exited with code 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn task_without_exit_code_is_explained_by_its_reason() {
    let cloud = Cloud::deploy(0).await;
    let job = json!([{ "name": "etl", "lastStatus": "STOPPED" }]);
    let reason = "Your Spot Task was interrupted.";
    stopped_task(&cloud, "SpotInterruption", reason, job);
    cloud.say(&["run", "etl"]).await.failed(125, &[reason]);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_events_without_id_are_shown_once() {
    let cloud = Cloud::deploy(0).await;
    let now = chrono::Utc::now().timestamp_millis() - 60_000;
    // Two pages, of which the second begins with the last event of the first.
    cloud.proxy.handle("logs:FilterLogEvents", move |call| {
        let request = call.json();
        if request["logGroupName"] != "/ecs/covid19-etl" {
            return Some(Reply::Json(json!({ "events": [] })));
        }
        let event = |number: i64| {
            json!({ "logStreamName": "etl/etl/1", "timestamp": now + number, "message": format!("line {number}") })
        };
        Some(Reply::Json(match request["nextToken"].as_str() {
            None => json!({ "events": [event(1), event(2)], "nextToken": "more" }),
            Some(_) => json!({ "events": [event(2), event(3)] }),
        }))
    });
    let said = cloud.say(&["logs", "etl", "--since", "1h", "-o", "raw"]).await.worked();
    assert_eq!(said.out.lines().collect::<Vec<_>>(), ["line 1", "line 2", "line 3"]);
}
