//! The program `etl download`.

use std::process::Stdio;

use common::env;
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::fixture::{
    DEPARTMENTS, Fixture, OLD, PROVINCES, Published, TESTS, VACCINATIONS, ZIP, cases, serving,
};
use crate::server::{Reply, Server};

pub(crate) struct Program {
    child: Child,
    pub(crate) run: Uuid,
}

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Program {
    pub(crate) fn start(fixture: &Fixture, server: &Server, arguments: &[&str]) -> Self {
        Self::start_with(fixture, server, arguments, &[])
    }

    /// Starts it with more of its environment.
    fn start_with(
        fixture: &Fixture,
        server: &Server,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let run = Uuid::new_v4();
        let child = Command::new(env!("CARGO_BIN_EXE_etl"))
            .arg("download")
            .args(arguments)
            .env(env::STORE_URL, format!("file://{}", fixture.folder.path().display()))
            .env(env::CASES_URL, server.url(ZIP))
            .env(env::PROVINCES_URL, server.url(PROVINCES))
            .env(env::DEPARTMENTS_URL, server.url(DEPARTMENTS))
            .env(env::TESTS_URL, server.url(TESTS))
            .env(env::VACCINATIONS_URL, server.url(VACCINATIONS))
            .env(env::RUN_ID, run.to_string())
            .env(env::LOG_FORMAT, "text")
            .envs(environment.iter().copied())
            .env_remove(env::REPORTS_URL)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child, run }
    }

    /// Returns the peak memory so far, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) async fn end(self) -> Ended {
        let output = self.child.wait_with_output().await.unwrap();
        Ended { code: output.status.code(), said: String::from_utf8(output.stderr).unwrap() }
    }
}

fn record(fixture: &Fixture, run: Uuid) -> serde_json::Value {
    let file = fixture.folder.path().join(format!("runs/{run}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn program_logs_result_and_writes_record() {
    let published = Published::new(cases(1000, 1));
    let server = serving(move |request| published.answer(request)).await;
    let fixture = Fixture::new().await;
    for (message, status) in [("file replaced", "succeeded"), ("unchanged", "skipped")] {
        let program = Program::start(&fixture, &server, &[]);
        let run = program.run;
        let ended = program.end().await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert_eq!(ended.said.matches(message).count(), 3, "{}", ended.said);
        assert_eq!(ended.said.matches("optional dataset not downloaded").count(), 2, "{}", ended.said);
        let record = record(&fixture, run);
        assert_eq!((&record["kind"], &record["status"]), (&"download".into(), &status.into()), "{record}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn program_in_a_task_records_the_phases_before_it() {
    let server = serving(|request| {
        let body = match request.path.as_str() {
            "v4/x" => r#"{"Labels":{"com.amazonaws.ecs.task-arn":"arn:1/a"}}"#,
            "v4/x/task" => {
                r#"{"PullStartedAt":"2026-03-02T03:04:05Z","PullStoppedAt":"2026-03-02T03:04:35Z"}"#
            }
            _ => return Reply::new("404 Not Found"),
        };
        Reply::new("200 OK").body(body.as_bytes())
    })
    .await;
    let fixture = Fixture::new().await;
    let metadata = server.url("v4/x");
    let environment = [(env::ECS_METADATA, metadata.as_str()), (env::REQUESTED_AT, "2026-03-02T03:03:50Z")];
    let program = Program::start_with(&fixture, &server, &[], &environment);
    let run = program.run;
    let ended = program.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    let record = record(&fixture, run);
    let phases: Vec<_> = record["phases"].as_array().unwrap().iter().map(|phase| &phase["name"]).collect();
    assert_eq!(phases, ["provision", "pull", "boot", "download"], "{record}");
    assert_eq!(record["phases"][0]["began_at"], "2026-03-02T03:03:50Z");
    assert_eq!(record["task"], "arn:1/a");
}

#[tokio::test(flavor = "multi_thread")]
async fn program_reports_kept_file_on_failure() {
    let server = serving(|_| Reply::new("200 OK").body(b"<html>En mantenimiento</html>")).await;
    let fixture = Fixture::new().await;
    let program = Program::start(&fixture, &server, &[]);
    let run = program.run;
    let ended = program.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("old_file_stays=true"), "{}", ended.said);
    let error = ended.said.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(error.ends_with("` is a web page"), "{error}");
    assert!(ended.said.contains("hint: the store is unchanged"), "{}", ended.said);
    assert_eq!(record(&fixture, run)["status"], "failed");
    assert_eq!(fixture.content(ZIP).await, OLD.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn program_rejects_invalid_url() {
    let server = serving(|_| Reply::new("200 OK")).await;
    let fixture = Fixture::new().await;
    let ended = Program::start(&fixture, &server, &["--cases-url", "Covid19Casos.zip"]).end().await;
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("`Covid19Casos.zip` is not a valid URL"), "{}", ended.said);
}
