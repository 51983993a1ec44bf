//! Failed runs, and logs from a service with errors.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::cloud::Cloud;
use crate::support::ecs;
use crate::support::policies::OPERATOR;
use crate::support::proxy::{Fault, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn failed_load_passes_on_exit_code_and_last_log_lines() {
    // There is no dataset in the bucket.
    let cloud = Cloud::deploy(0).await;
    let said = cloud.say(&["run", "etl"]).await;
    said.failed(1, &["etl exited with code 1", "there is no `provincias.csv`"]);
    let runs = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    assert_eq!(
        (runs[0]["status"].as_str(), runs[0]["exit_code"].as_u64()),
        (Some("failed"), Some(1)),
        "{runs}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn task_that_never_starts_is_explained_and_recorded() {
    let cloud = Cloud::deploy(0).await;
    let started_by = with_task_that_never_starts(&cloud);
    let said = cloud.say(&["run", "etl"]).await;
    said.failed(125, &["the image cannot be pulled", "not found"]);

    // The run record outlives the task in ECS.
    cloud.proxy.handle("ecs:DescribeTasks", |_| Some(Reply::Json(json!({ "tasks": [], "failures": [] }))));
    let runs = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    assert_eq!(runs[0]["run_id"].as_str(), Some(started_by.lock().unwrap().as_str()));
    assert!(runs[0]["error"].as_str().unwrap().contains("the image cannot be pulled"), "{runs}");
    assert_eq!(runs[0]["exit_code"], 125);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_code_is_passed_on_if_the_end_cannot_be_recorded() {
    let cloud = Cloud::deploy(0).await;
    with_task_that_never_starts(&cloud);
    let refused = Fault::Refused(403, "AccessDenied", "the bucket is read-only");
    cloud.proxy.fail("s3:PutObject", std::iter::repeat_n(refused, 20));
    let said = cloud.say(&["run", "etl"]).await;
    said.failed(125, &["the end of the run was not recorded", "the image cannot be pulled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn load_of_another_deployment_runs_in_its_own_container_and_log_group() {
    let cloud = Cloud::deploy(2_000).await;
    let family = "data-pipeline-cluster";
    let group = format!("/ecs/{family}");
    let log = json!({
        "logDriver": "awslogs",
        "options": { "awslogs-group": group, "awslogs-region": cloud.moto.region, "awslogs-stream-prefix": "python-etl" },
    });
    let container = |name: &str, essential: bool| json!({ "name": name, "image": "image", "essential": essential, "memory": 512, "logConfiguration": log });
    let definition = json!({
        "family": family,
        "containerDefinitions": [container("datadog-agent", false), container("python-etl", true)],
    });
    let target = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition";
    cloud.moto.json("ecs", target, &definition).await;
    cloud.moto.json("logs", "Logs_20140328.CreateLogGroup", &json!({ "logGroupName": group })).await;
    cloud.configure(&format!(
        "[targets.theirs]\nkind = 'aws'\n[targets.theirs.names]\n'task-definition/etl' = '{family}'\n"
    ));
    let theirs = include_str!("../../docs/reference/iam-operator.json").replace("covid19-*", "*");
    let theirs = serde_json::from_str(&theirs).unwrap();
    cloud.proxy.set_policies(OPERATOR, vec![("iam-operator.json with their names".to_owned(), theirs)]);
    let loaded = cloud.say_to("theirs", &["run", "etl", "--years", "all"]).await.worked();
    assert!(loaded.err.contains("run succeeded"), "its log is followed: {loaded:?}");
    let runs = cloud.say_to("theirs", &["runs", "-o", "json"]).await.worked().json();
    let log = cloud.say_to("theirs", &["logs", "--run", "latest", "-o", "json"]).await.worked();
    let first: serde_json::Value = serde_json::from_str(log.out.lines().next().unwrap()).unwrap();
    assert!(first["stream"].as_str().unwrap().starts_with("python-etl/python-etl/"), "{first}");
    assert_eq!(runs[0]["status"], "succeeded");
}

/// Returns the run's id, once it is requested.
fn with_task_that_never_starts(cloud: &Cloud) -> Arc<Mutex<String>> {
    let arn = "arn:aws:ecs:x:123456789012:task/covid19/0123456789abcdef0123456789abcdef";
    let started_by = Arc::new(Mutex::new(String::new()));
    let note = Arc::clone(&started_by);
    cloud.proxy.handle("ecs:RunTask", move |call| {
        call.json()["startedBy"].as_str().unwrap().clone_into(&mut note.lock().unwrap());
        Some(Reply::Json(
            json!({ "tasks": [{ "taskArn": arn, "lastStatus": "PROVISIONING" }], "failures": [] }),
        ))
    });
    let reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found";
    let noted = Arc::clone(&started_by);
    cloud.proxy.handle("ecs:DescribeTasks", move |_| {
        Some(Reply::Json(json!({ "failures": [], "tasks": [{
            "taskArn": arn, "lastStatus": "STOPPED", "stopCode": "TaskFailedToStart", "stoppedReason": reason,
            "taskDefinitionArn": "arn:aws:ecs:x:1:task-definition/covid19-etl:1", "startedBy": *noted.lock().unwrap(),
            "createdAt": 1_654_387_200.0, "containers": [{ "name": "etl" }],
        }] })))
    });
    started_by
}

#[tokio::test(flavor = "multi_thread")]
async fn run_waits_for_task_that_ecs_does_not_list_yet() {
    let cloud = Cloud::deploy(0).await;
    let missing = json!({ "tasks": [], "failures": [{ "arn": "arn:aws:ecs:x:1:task/covid19/1", "reason": "MISSING" }] });
    cloud.proxy.fail("ecs:DescribeTasks", std::iter::repeat_n(Fault::Answer(missing), 3));
    // There is no dataset in the bucket; the end of the task is reported.
    let said = cloud.say(&["run", "etl"]).await;
    said.failed(1, &["etl exited with code 1", "there is no `provincias.csv`"]);
    assert!(cloud.proxy.has_failed_all("ecs:DescribeTasks"));
}

/// Returns what was asked to stop.
fn with_task_that_is_not_described_yet(cloud: &Cloud) -> Arc<Mutex<Option<String>>> {
    let arn = "arn:aws:ecs:x:123456789012:task/covid19/0123456789abcdef0123456789abcdef";
    let started_by = Arc::new(Mutex::new(None));
    let note = Arc::clone(&started_by);
    cloud.proxy.handle("ecs:RunTask", move |call| {
        *note.lock().unwrap() = call.json()["startedBy"].as_str().map(str::to_owned);
        Some(Reply::Json(
            json!({ "tasks": [{ "taskArn": arn, "lastStatus": "PROVISIONING" }], "failures": [] }),
        ))
    });
    cloud.proxy.handle("ecs:DescribeTasks", move |_| {
        Some(Reply::Json(json!({ "tasks": [], "failures": [{ "arn": arn, "reason": "MISSING" }] })))
    });
    cloud.proxy.handle("ecs:ListTasks", move |call| {
        let (wanted, started_by) = (call.json(), started_by.lock().unwrap());
        let is_listed = match (wanted["startedBy"].as_str(), started_by.as_deref()) {
            (_, None) => false,
            (Some(wanted), Some(started_by)) => wanted == started_by,
            (None, Some(_)) => wanted["desiredStatus"] == "RUNNING" && wanted["family"] == "covid19-etl",
        };
        Some(Reply::Json(json!({ "taskArns": if is_listed { vec![arn] } else { vec![] } })))
    });
    let stopped = Arc::new(Mutex::new(None));
    let note = Arc::clone(&stopped);
    cloud.proxy.handle("ecs:StopTask", move |call| {
        *note.lock().unwrap() = call.json()["task"].as_str().map(str::to_owned);
        Some(Reply::Json(json!({ "task": { "taskArn": arn } })))
    });
    stopped
}

#[tokio::test(flavor = "multi_thread")]
async fn run_that_ecs_does_not_describe_yet_is_in_progress() {
    let cloud = Cloud::deploy(0).await;
    let stopped = with_task_that_is_not_described_yet(&cloud);
    let run = cloud.say(&["run", "etl", "--no-wait"]).await.worked().out.trim().to_owned();
    let runs = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    assert_eq!((runs[0]["status"].as_str(), runs.as_array().unwrap().len()), (Some("running"), 1), "{runs}");
    cloud.say(&["run", "etl"]).await.failed(125, &["etl is running already", "stop it with"]);
    cloud.say(&["logs", "--run", &run]).await.worked();
    cloud.say(&["stop", &run]).await.worked();
    assert!(stopped.lock().unwrap().as_deref().is_some_and(|arn| arn.ends_with("0123456789abcdef")));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_request_starts_one_task() {
    let cloud = Cloud::deploy(0).await;
    // The task was started and the answer was lost.
    cloud.proxy.fail("ecs:RunTask", [Fault::Reset, Fault::Refused(500, "ServerException", "try again")]);
    let said = cloud.say(&["run", "etl", "--no-wait"]).await.worked();
    assert!(cloud.proxy.has_failed_all("ecs:RunTask"));
    let runs = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    let ids: Vec<_> = runs.as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [said.out.trim()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_is_lost_or_doubled_by_a_service_that_stumbles() {
    let cloud = Cloud::deploy(0).await;
    for (group, stream) in [("/ecs/covid19-etl", "etl/etl/1"), ("/ecs/covid19-report", "report/report/1")] {
        let body = json!({ "logGroupName": group, "logStreamName": stream });
        cloud.moto.json("logs", "Logs_20140328.CreateLogStream", &body).await;
        for number in 0..40 {
            ecs::put(&cloud.moto, group, stream, &format!("{stream} {number:02} \u{1b}[2Jx")).await;
        }
    }
    let throttled = || Fault::Refused(400, "ThrottlingException", "Rate exceeded");
    cloud.proxy.fail(
        "logs:FilterLogEvents",
        [throttled(), throttled(), Fault::Refused(500, "InternalFailure", "oops"), Fault::Reset, throttled()],
    );
    let said = cloud.say(&["logs", "--since", "1h", "-o", "json"]).await.worked();
    assert!(cloud.proxy.has_failed_all("logs:FilterLogEvents"));
    let events: Vec<serde_json::Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 80, "{said:?}");
    let times: Vec<_> = events.iter().map(|event| event["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let mut ids: Vec<_> = events.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 80);
    assert!(!said.out.contains('\u{1b}'), "an escape sequence reached the terminal");
}
