//! The Lambda program, with one server that publishes the datasets and one that emulates the APIs of Lambda and ECS.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[path = "../download/fixture.rs"]
#[expect(dead_code, reason = "the download's own tests need more of it")]
mod fixture;
#[path = "../download/server.rs"]
#[expect(dead_code, reason = "the download's own tests need more of it")]
mod server;

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use common::env;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::fixture::{
    DEPARTMENTS, Fixture, OLD, PROVINCES, Published, TESTS, VACCINATIONS, ZIP, cases, serving,
};
use crate::server::{Reply, Request, Server};

/// The request id, which is the same if Lambda retries an event.
const ID: &str = "3f0c4f0e-7d1c-4a8e-9b58-0d1b8a3a4c11";

/// An id in the payload.
const OWN: &str = "00000000-0000-4000-8000-00000000000d";

/// The runtime API.
const INVOCATION: &str = "2018-06-01/runtime/invocation/";

struct Cloud {
    server: Server,
    fixture: Fixture,
    program: Child,
}

impl Cloud {
    /// Starts the program with one event and its deadline; `ecs` is the response of ECS.
    async fn new(datasets: &Server, event: Value, time: Duration, ecs: Value) -> Self {
        Self::at(Fixture::new().await, datasets, event, time, ecs).await
    }

    /// Sends another event with the same store.
    async fn again(self, datasets: &Server, event: Value) -> Self {
        Self::at(self.fixture, datasets, event, MINUTES, json!({})).await
    }

    async fn at(fixture: Fixture, datasets: &Server, event: Value, time: Duration, ecs: Value) -> Self {
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + time;
        let given = std::sync::atomic::AtomicBool::new(false);
        let server = Server::start(move |request| match request.path.strip_prefix(INVOCATION) {
            Some("next") if given.swap(true, std::sync::atomic::Ordering::SeqCst) => {
                Reply::new("200 OK").hanging()
            }
            Some("next") => Reply::new("200 OK")
                .with("Lambda-Runtime-Aws-Request-Id", ID)
                .with("Lambda-Runtime-Deadline-Ms", deadline.as_millis())
                .with(
                    "Lambda-Runtime-Invoked-Function-Arn",
                    "arn:aws:lambda:us-east-1:1:function:covid19-download",
                )
                .body(event.to_string().as_bytes()),
            Some(_) => Reply::new("202 Accepted").body(b"{}"),
            None if request.path.contains("/functions/") => Reply::new("202 Accepted").body(b""),
            None => Reply::new(if ecs["__type"].is_string() { "400 Bad Request" } else { "200 OK" })
                .with("Content-Type", "application/x-amz-json-1.1")
                .body(ecs.to_string().as_bytes()),
        })
        .await;
        let address = server.url("");
        let program = Command::new(env!("CARGO_BIN_EXE_downloader"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.trim_start_matches("http://").trim_end_matches('/'))
            .env("AWS_LAMBDA_FUNCTION_NAME", "covid19-download")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/covid19-download")
            .env("AWS_ENDPOINT_URL", address.trim_end_matches('/'))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "an-example")
            .env(env::STORE_URL, format!("file://{}", fixture.folder.path().display()))
            .env(env::CASES_URL, datasets.url(ZIP))
            .env(env::PROVINCES_URL, datasets.url(PROVINCES))
            .env(env::DEPARTMENTS_URL, datasets.url(DEPARTMENTS))
            .env(env::TESTS_URL, datasets.url(TESTS))
            .env(env::VACCINATIONS_URL, datasets.url(VACCINATIONS))
            .env(env::ETL_CLUSTER, "arn:aws:ecs:us-east-1:1:cluster/covid19")
            .env(env::ETL_TASK_DEFINITION, "covid19-etl")
            .env(env::ETL_SUBNETS, "subnet-a,subnet-b")
            .env(env::ETL_SECURITY_GROUPS, "sg-a")
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { server, fixture, program }
    }

    /// Waits for the result of the event: `response` or `error`, and its body.
    async fn answer(&mut self) -> (String, Value) {
        loop {
            for request in self.server.requests() {
                if let Some(kind) = request.path.strip_prefix(&format!("{INVOCATION}{ID}/")) {
                    return (kind.to_owned(), serde_json::from_slice(&request.body).unwrap());
                }
            }
            assert_eq!(self.program.try_wait().unwrap(), None, "the program has ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn record(&self) -> Value {
        self.record_of(ID).await
    }

    async fn record_of(&self, id: &str) -> Value {
        serde_json::from_slice(&self.fixture.content(&format!("runs/{id}.json")).await).unwrap()
    }

    /// Returns the requests to AWS services, without those of the runtime API.
    fn calls(&self) -> Vec<Request> {
        self.server.requests().into_iter().filter(|request| !request.path.starts_with(INVOCATION)).collect()
    }
}

const MINUTES: Duration = Duration::from_mins(15);

async fn datasets() -> Server {
    let published = Published::new(cases(1000, 1));
    serving(move |request| published.answer(request)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn event_starts_download_and_load_once() {
    let datasets = datasets().await;
    let mut cloud = Cloud::new(
        &datasets,
        json!({"started_by": "schedule"}),
        MINUTES,
        json!({"tasks": [{"taskArn": "t"}], "failures": []}),
    )
    .await;
    let (kind, answer) = cloud.answer().await;
    // Runs of their own, each with a record.
    let load = answer["run_id"].as_str().unwrap().to_owned();
    assert_ne!(load, ID);
    assert_eq!(
        (kind.as_str(), answer),
        ("response", json!({"download_id": ID, "run_id": load, "continued": false, "replaced": 3}))
    );
    assert_ne!(cloud.fixture.content(ZIP).await, OLD.as_bytes());

    let calls = cloud.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(
        calls[0].header("x-amz-target"),
        Some("AmazonEC2ContainerServiceV20141113.RunTask"),
        "{:?}",
        calls[0]
    );
    let mut asked: Value = serde_json::from_slice(&calls[0].body).unwrap();
    let asked_at = asked.pointer_mut("/overrides/containerOverrides/0/environment/1").unwrap().take();
    assert_eq!(asked_at["name"], "REQUESTED_AT", "{asked_at}");
    assert!(
        asked_at["value"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().is_ok(),
        "{asked_at}"
    );
    let network = json!({"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-a"], "assignPublicIp": "DISABLED"});
    let environment =
        json!([{"name": "RUN_ID", "value": load}, null, {"name": "STARTED_BY", "value": "schedule"}]);
    for (name, value) in [
        ("cluster", json!("arn:aws:ecs:us-east-1:1:cluster/covid19")),
        ("taskDefinition", json!("covid19-etl")),
        ("launchType", json!("FARGATE")),
        ("clientToken", json!(load)),
        ("startedBy", json!(load)),
        ("networkConfiguration", json!({"awsvpcConfiguration": network})),
        ("overrides", json!({"containerOverrides": [{"name": "etl", "environment": environment}]})),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    let record = cloud.record().await;
    assert_eq!((&record["kind"], &record["status"]), (&json!("download"), &json!("succeeded")), "{record}");

    // Lambda delivers an event at least once.
    let mut second = cloud.again(&datasets, json!({})).await;
    assert_eq!(second.answer().await.1["replaced"], 0);
    assert!(second.calls().is_empty(), "{:?}", second.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn event_without_load_starts_download_only() {
    let datasets = datasets().await;
    let event = json!({"download_id": OWN, "load": false, "started_by": "ana@home"});
    let mut cloud = Cloud::new(&datasets, event, MINUTES, json!({})).await;
    assert_eq!(cloud.answer().await.1, json!({"download_id": OWN, "continued": false, "replaced": 3}),);
    assert!(cloud.calls().is_empty(), "{:?}", cloud.calls());
    let record = cloud.record_of(OWN).await;
    assert_eq!((&record["status"], &record["started_by"]), (&json!("succeeded"), &json!("ana@home")));
}

#[tokio::test(flavor = "multi_thread")]
async fn run_id_of_event_is_that_of_load() {
    let datasets = datasets().await;
    let given = "00000000-0000-4000-8000-00000000000a";
    let mut cloud =
        Cloud::new(&datasets, json!({"run_id": given}), MINUTES, json!({"tasks": [], "failures": []})).await;
    assert_eq!(cloud.answer().await.1["run_id"], given);
}

/// ECS responds with status 200 and a failure.
#[tokio::test(flavor = "multi_thread")]
async fn load_that_does_not_start_is_error() {
    let datasets = datasets().await;
    let failures = json!({"tasks": [], "failures": [{"arn": "a", "reason": "RESOURCE:FARGATE"}]});
    let mut cloud = Cloud::new(&datasets, json!({}), MINUTES, failures).await;
    let (kind, answer) = cloud.answer().await;
    assert_eq!(kind, "error");
    assert_eq!(answer["errorMessage"], "cannot start the load `covid19-etl`: RESOURCE:FARGATE");
}

/// The token of the request is known, with another time in it: an earlier delivery of the event has started the load.
#[tokio::test(flavor = "multi_thread")]
async fn load_that_was_started_before_is_no_error() {
    let datasets = datasets().await;
    let conflict = json!({"__type": "ConflictException", "message": "the client token is in use"});
    let mut cloud = Cloud::new(&datasets, json!({}), MINUTES, conflict).await;
    let (kind, answer) = cloud.answer().await;
    assert_eq!((kind.as_str(), answer["replaced"].as_u64()), ("response", Some(3)), "{answer}");
    assert_eq!(cloud.calls().len(), 1, "{:?}", cloud.calls());
}

async fn endless() -> Server {
    let published = Published::new(cases(30_000_000, 2));
    serving(move |request| published.answer(request).cut(1_000_000).hanging()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn download_at_deadline_is_continued() {
    let datasets = endless().await;
    let mut cloud = Cloud::new(&datasets, json!({"hop": 3}), Duration::from_secs(45), json!({})).await;
    let (kind, answer) = cloud.answer().await;
    assert_eq!((kind.as_str(), &answer["continued"]), ("response", &json!(true)), "{answer}");
    let calls = cloud.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].path, "2015-03-31/functions/covid19-download/invocations");
    assert_eq!(calls[0].header("x-amz-invocation-type"), Some("Event"));
    let passed: Value = serde_json::from_slice(&calls[0].body).unwrap();
    assert_eq!((&passed["download_id"], &passed["hop"]), (&json!(ID), &json!(4)), "{passed}");
    assert_eq!(passed["load"], true, "{passed}");
    assert_eq!(cloud.record().await["status"], "running");
    assert!(passed["unfinished"]["dataset"].is_string(), "{passed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn download_fails_after_max_continuations() {
    let datasets = endless().await;
    let mut cloud = Cloud::new(&datasets, json!({"hop": 12}), Duration::from_secs(45), json!({})).await;
    let (kind, answer) = cloud.answer().await;
    assert_eq!(kind, "error");
    assert_eq!(answer["errorMessage"], "the download is incomplete after 12 continuations");
    assert_eq!(cloud.record().await["status"], "failed");
    assert!(cloud.calls().is_empty());
    assert_eq!(cloud.fixture.content(ZIP).await, OLD.as_bytes());
}
