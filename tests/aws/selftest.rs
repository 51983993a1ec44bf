//! `covidctl selftest`: its steps, one after the other, because what is real stands in the place of some resources after their deployment.

use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::support::cloud::{Cloud, STACK_WORDS};
use crate::support::ministack::{Ministack, Templates};
use crate::support::step;

/// Every file below a folder, with its text.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

#[track_caller]
fn all_passed(results: &Value, expected: &[&str]) {
    let steps: Vec<(&str, &str)> = results["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap()))
        .collect();
    let expected: Vec<(&str, &str)> = expected.iter().map(|step| (*step, "passed")).collect();
    assert_eq!(steps, expected, "{results}");
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_prove_the_pipeline_and_delete_it() {
    let templates = Templates::of("moto");
    let (templates, results) = (templates.path(), tempfile::tempdir().unwrap());
    let out = results.path().display().to_string();

    step("deploy and release create the stacks");
    let publish = "test \"$RELEASE\" = v1";
    let words = ["selftest", "release", "deploy", "--yes", "--publish", publish, "--templates", &templates];
    let words = [&words[..], &STACK_WORDS, &["--out", &out]].concat();
    let cloud = Cloud::build(0, Some(&words)).await;

    step("the steps on the deployment pass");
    let words = ["selftest", "run", "logs", "tunnel", "report", "rollback", "--rows", "2000"];
    let words = [&words[..], &["--yes", "--out", &out, "-o", "json"]].concat();
    let summary = cloud.say(&words).await.worked().json();
    all_passed(&summary, &["run", "logs", "tunnel", "report", "rollback"]);
    let detail = |at: usize| summary["steps"][at]["detail"].as_str().unwrap().to_owned();
    assert!(detail(0).starts_with("two loads of 1,9"), "{summary}");
    assert_eq!(detail(4), "release 1 is published in place of 2");
    assert!(summary["not_proved"][0].as_str().unwrap().contains("is not AWS"), "{summary}");

    step("the results have every exchange, and no secret");
    let files = files(results.path());
    for operation in
        ["ecs.RunTask", "cloudformation.CreateChangeSet", "ec2.DescribeInstances", "ssm.GetParametersByPath"]
    {
        assert!(files.iter().any(|(name, _)| name.contains(operation)), "{operation}");
    }
    assert!(files.iter().any(|(name, text)| name.ends_with("02.txt") && text.contains("$ covidctl run etl")));
    for secret in [cloud.database_password().as_str(), crate::support::moto::ACCOUNT] {
        // Passwords of the test server may be empty words.
        let leaks = files.iter().find(|(_, text)| secret.len() > 8 && text.contains(secret));
        assert!(leaks.is_none(), "{secret} is in {leaks:?}");
    }

    step("clean-up deletes the stacks");
    let cleaned =
        cloud.say(&["selftest", "clean-up", "--yes", "--out", &out, "-o", "json"]).await.worked().json();
    all_passed(&cleaned, &["clean-up"]);

    step("stacks that no self-test created are refused");
    let up = [&["up", "--yes", "--templates", &templates][..], &STACK_WORDS].concat();
    cloud.say(&up).await.worked();
    for words in [&["selftest", "clean-up", "--yes"][..], &["selftest", "run", "--yes"]] {
        cloud.say(words).await.failed(2, &["a self-test did not create", "network"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_self_test_deletes_what_it_created() {
    let ministack = Ministack::start();
    let templates = Templates::of("ministack");
    step("a signal ends the command that runs, and clean-up follows");
    let (path, results) = (templates.path(), tempfile::tempdir().unwrap());
    let out = results.path().display().to_string();
    let words = ["selftest", "deploy", "clean-up", "--yes", "--templates", &path, "--out", &out];
    let words = [&words[..], &STACK_WORDS[..2], &["--parameter", "ci.Repository=example/covid19"]].concat();
    let mut command = tokio::process::Command::from(ministack.covidctl(&words));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("network: creating") {
            kill(Pid::from_raw(child.id().unwrap().cast_signed()), Signal::SIGINT).unwrap();
        }
        said.push_str(&line);
        said.push('\n');
    }
    let mut summary = String::new();
    child.stdout.take().unwrap().read_to_string(&mut summary).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(130), "{said}{summary}");
    assert!(said.contains("what was created is deleted now"), "{said}");
    assert!(summary.contains("no stack is left"), "{summary}");

    step("without an interruption, the steps pass as far as the emulator goes");
    let again = [&words[..], &["-o", "json"]].concat();
    all_passed(&ministack.say(&again).await.worked().json(), &["deploy", "clean-up"]);
}
