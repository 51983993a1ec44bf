//! The whole pipeline in one command, and the ways out of it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::Target;

const DEMO: [&str; 4] = ["demo", "--headless", "--rows", "20000"];

#[test]
fn demo_loads_and_second_run_skips_load() {
    let target = Target::new();
    let first = target.ok(&DEMO);
    assert!(!first.out.contains("already loaded"), "{}", first.out);
    assert_eq!(target.processes(), [""; 0], "PostgreSQL is stopped again");

    let mut command = target.command(&DEMO);
    let second: Value =
        serde_json::from_slice(&command.args(["-o", "json"]).output().unwrap().stdout).unwrap();
    assert_eq!(second["already_loaded"], true);
    let run = &second["run"];
    let count = |name: &str| run[name].as_i64().unwrap();
    assert_eq!(count("rows_read"), 20_000);
    assert_eq!(count("rows_read"), count("rows_filtered") + count("rows_loaded") + count("rows_rejected"));
    assert!(count("rows_loaded") > 0);
    assert!(!second["report"].as_str().unwrap().is_empty());
    assert!(target.ok(&DEMO).out.starts_with("The data are already loaded"));
}

#[test]
fn demo_results_are_visible_to_other_commands() {
    let target = Target::new();
    target.ok(&DEMO);
    target.ok(&["up"]);
    let runs: Value = serde_json::from_str(&target.ok(&["runs", "-o", "json"]).out).unwrap();
    let etl = runs.as_array().unwrap().iter().find(|run| run["kind"] == "etl").unwrap().clone();
    assert_eq!(etl["status"], "succeeded");
    assert_eq!(target.sql("SELECT count(*) FROM covid_case"), etl["rows_loaded"].to_string());
    let shown = target.ok(&["runs", "show", etl["run_id"].as_str().unwrap()]).out;
    assert!(shown.contains("20,000"), "{shown}");
    assert!(!target.ok(&["reports", "show"]).out.is_empty());
    let copy = target.data().join("../copy");
    target.ok(&["reports", "get", "--to", copy.to_str().unwrap()]);
    assert!(copy.join("report.txt").is_file());
    assert!(target.ok(&["db", "status"]).out.contains("schema"));
    assert!(target.ok(&["datasets"]).out.contains("Covid19Casos.zip"));

    // After `up`, the demo leaves PostgreSQL running.
    target.ok(&DEMO);
    assert_eq!(target.component("postgresql")["state"], "ready");
    assert_eq!(target.component("last etl")["state"], "ready");
}

#[test]
fn demo_with_other_rows_replaces_sample_and_keeps_real_datasets() {
    let target = Target::new();
    target.ok(&DEMO);
    let rows = |words: &[&str]| {
        let mut command = target.command(words);
        let summary: Value =
            serde_json::from_slice(&command.args(["-o", "json"]).output().unwrap().stdout).unwrap();
        summary["run"]["rows_read"].as_i64().unwrap()
    };
    assert_eq!(rows(&["demo", "--headless"]), 20_000, "the sample that is there is good enough");
    assert_eq!(rows(&["demo", "--headless", "--rows", "5000"]), 5_000);

    // A file of the user in place of the sample's is not overwritten.
    let theirs = target.data().join("store/Covid19Casos.zip");
    std::fs::write(&theirs, "mine").unwrap();
    assert_eq!(target.call(&DEMO).code, Some(2));
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "mine");
}

#[test]
fn demo_with_failed_job_fails_and_stops_postgresql() {
    let target = Target::new();
    target.ok(&DEMO);
    std::fs::write(target.data().join("store/Covid19Casos.zip"), "not a zip").unwrap();
    let output = target.call(&["demo", "--headless"]);
    assert_eq!(output.code, Some(1), "{}", output.err);
    assert!(output.err.contains("error: etl exited with code 1: "), "{}", output.err);
    assert_eq!(target.processes(), [""; 0]);
}

#[test]
fn demo_interrupted_stops_everything_it_started() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let target = Target::new();
        // So many rows that the sample is certainly being made when the signal comes.
        let mut command = target.command(&["demo", "--headless", "--rows", "50000000"]);
        let mut demo = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("writing a sample")));
        kill(Pid::from_raw(demo.id().cast_signed()), signal).unwrap();
        let rest: Vec<_> = lines.map(Result::unwrap).collect();
        assert_eq!(demo.wait().unwrap().code(), Some(code), "{rest:?}");
        assert_eq!(target.processes(), [""; 0], "{signal}");
    }
}
