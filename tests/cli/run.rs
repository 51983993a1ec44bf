//! Jobs: followed, left alone, refused, stopped. A lock that the test holds keeps a load from ending too early.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{Finished, Target};

/// A session in which no run can be recorded, so that every load waits; reading goes on.
struct Blocker(Child);

impl Blocker {
    fn new(target: &Target) -> Self {
        let mut command = target.command(&["psql", "--", "-Xq"]);
        let mut psql = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let words = b"BEGIN; LOCK TABLE pipeline_run IN SHARE ROW EXCLUSIVE MODE;\n\\echo locked\n";
        psql.stdin.as_mut().unwrap().write_all(words).unwrap();
        let mut output = String::new();
        BufReader::new(psql.stdout.as_mut().unwrap()).read_line(&mut output).unwrap();
        assert_eq!(output, "locked\n");
        Self(psql)
    }
}

impl Drop for Blocker {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// A target that is up, with a sample in its store.
fn ready() -> Target {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    target
}

fn jobs(target: &Target) -> usize {
    let status: Value = serde_json::from_str(&target.ok(&["status", "-o", "json"]).out).unwrap();
    let parts = status["parts"].as_array().unwrap();
    parts.iter().filter(|part| part["name"].as_str().unwrap().starts_with("run ")).count()
}

#[test]
fn run_pipeline_follows_each_job_to_its_end() {
    let target = ready();
    let output =
        target.ok(&["run", "pipeline", "--force", "--years", "all", "--env", "REPORT_LANG=en", "-o", "json"]);
    let runs: Value = serde_json::from_str(&output.out).unwrap();
    let facts =
        |index: usize| (runs[index]["kind"].as_str().unwrap(), runs[index]["status"].as_str().unwrap());
    assert_eq!((facts(0), facts(1)), (("etl", "succeeded"), ("report", "succeeded")));
    assert_eq!(runs[0]["rows_filtered"], 0, "all years were wanted");
    assert!(output.err.contains("run succeeded"), "its log is shown: {}", output.err);
    let log = target.data().join(format!("logs/{}.jsonl", runs[0]["run_id"].as_str().unwrap()));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    assert!(target.ok(&["reports", "show"]).out.contains("Argentina"), "a report in English is there");

    let again = target.ok(&["run", "etl", "--years", "all", "-o", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&again.out).unwrap()[0]["status"], "skipped");
}

#[test]
fn run_exits_with_code_of_job() {
    let target = ready();
    assert_eq!(target.call(&["run", "report", "--env", "REPORT_LANG=klingon"]).code, Some(2));
    std::fs::remove_file(target.data().join("store/provincias.csv")).unwrap();
    let output = target.call(&["run", "etl", "--force"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.err.contains("error: etl exited with code 1: ") && output.err.contains("\n\nhint: "),
        "{}",
        output.err
    );
    assert!(output.out.contains("failed"), "{}", output.out);
}

#[test]
fn run_ignores_pipeline_variables_of_shell() {
    let target = ready();
    let mut command = target.command(&["run", "etl", "--force"]);
    command.env("DATABASE_URL", "postgres://user@192.0.2.1/x").env("STORE_URL", "file:///nonexistent");
    let output: Finished = command.output().unwrap().into();
    assert_eq!(output.code, Some(0), "{}", output.err);
}

#[test]
fn detached_run_excludes_second_and_can_be_stopped() {
    let target = ready();
    let blocker = Blocker::new(&target);
    let run = target.ok(&["run", "etl", "--no-wait"]).out.trim().to_owned();
    assert_eq!(jobs(&target), 1);

    let second = target.call(&["run", "etl"]);
    assert_eq!(second.code, Some(125));
    assert!(second.err.contains(&format!("etl is running already: {run}")), "{}", second.err);
    assert_eq!(target.call(&["down"]).code, Some(1), "a run in progress is not stopped");
    assert_eq!(target.call(&["stop", "not-a-run"]).code, Some(1));

    let other = target.ok(&["run", "etl", "--no-wait", "--allow-concurrent"]).out.trim().to_owned();
    assert_eq!(jobs(&target), 2);
    for run in [other, run] {
        target.ok(&["stop", &run[..13]]);
    }
    assert_eq!(jobs(&target), 0);
    drop(blocker);
    assert_eq!(target.call(&["run", "etl", "--force"]).code, Some(0), "the next one starts clean");
}

#[test]
fn run_interrupted_detaches() {
    let target = ready();
    let _blocker = Blocker::new(&target);
    let mut command = target.command(&["run", "etl"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let id = first.strip_prefix("run ").unwrap().strip_suffix(" (etl)").unwrap().to_owned();
    kill(Pid::from_raw(run.id().cast_signed()), Signal::SIGINT).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(rest.contains(&format!("error: interrupted; run {id} goes on")), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains(&format!("covidctl stop {id}"))), "{rest:?}");
    assert_eq!(jobs(&target), 1);
    target.ok(&["stop", &id]);
}

#[test]
fn run_timeout_stops_job() {
    let target = ready();
    let _blocker = Blocker::new(&target);
    let output = target.call(&["run", "etl", "--timeout", "1s"]);
    assert_eq!(output.code, Some(124), "{}", output.err);
    assert_eq!(jobs(&target), 0);
}

#[test]
fn run_records_when_each_phase_began() {
    let target = ready();
    target.ok(&["run", "pipeline", "--force"]);
    let runs: Value = serde_json::from_str(&target.ok(&["runs", "-o", "json", "--limit", "2"]).out).unwrap();
    let phases = |run: &Value| -> Vec<String> {
        let phases = run["phases"].as_array().unwrap();
        assert!(phases.is_sorted_by_key(|phase| phase["began_at"].as_str().unwrap().to_owned()), "{run}");
        phases.iter().map(|phase| phase["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(phases(&runs[0]), ["report"]);
    assert_eq!(phases(&runs[1]), ["wait", "extract", "load", "check", "keys", "publish", "cleanup"]);
    let shown = target.ok(&["runs", "show", runs[1]["run_id"].as_str().unwrap()]).out;
    let line = shown.lines().find(|line| line.starts_with("phases ")).unwrap();
    assert!(line.contains(" wait ") && line.contains(", load ") && line.contains(", cleanup "), "{line}");
}
