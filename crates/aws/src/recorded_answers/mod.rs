//! Recorded answers of AWS, served over HTTP to the SDK and shown by the adapters.
//!
//! `docs/reference/aws-answers.md` has every recorded state and what is made of it. With `UPDATE_SNAPSHOTS=1` the test rewrites the page; review
//! the difference before committing it.

mod operations;
mod recordings;
pub(crate) mod replay;
pub(crate) mod state;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use operations::OPERATIONS;
use serde_json::{Value, json};

const PAGE: &str = "../../docs/reference/aws-answers.md";

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_state_is_shown_as_the_page_says() {
    let Some(folder) = replay::folder() else {
        eprintln!("skipped: AWS_ANSWERS names no folder of recorded answers");
        return;
    };
    let mut recordings = recordings::read(&folder);
    let mut page = String::from(HEAD);
    for (operation, show) in OPERATIONS {
        let answers = recordings.remove(*operation).unwrap_or_default();
        let states = stream::iter(&answers).map(|answer| show(operation, answer.clone()));
        let states: Vec<_> = states.buffer_unordered(CONCURRENCY).concat().await;
        let mut shown: BTreeMap<(String, String), usize> = BTreeMap::new();
        for state in states {
            *shown.entry(state).or_default() += 1;
        }
        _ = write!(
            page,
            "\n## `{operation}`\n\n{} answers.\n\n| recorded | shown | times |\n| --- | --- | --- |\n",
            answers.len()
        );
        for ((recorded, shown), times) in shown {
            _ = writeln!(page, "| {} | {} | {times} |", cell(&recorded), cell(&shown));
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(file, page).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap();
    for (line, expected) in page.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(page.lines().count(), expected.lines().count());
}

/// Answers in each protocol: JSON, query, EC2's query and REST.
fn answers_of_each_protocol() -> [(&'static str, Value); 4] {
    let task = json!({ "tasks": [{
        "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/covid19/0123456789abcdef0123456789abcdef",
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/covid19-etl:1",
        "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "createdAt": 1_654_430_400,
        "stoppedReason": "Essential container in task exited",
        "containers": [{ "name": "etl", "exitCode": 3 }],
    }] });
    let stack = json!({ "Stacks": [{
        "StackName": "covid19-network", "StackStatus": "ROLLBACK_COMPLETE", "CreationTime": "2022-06-05T12:00:00Z",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/covid19-network/1",
    }] });
    let instance = json!({ "Reservations": [{ "Instances": [{
        "InstanceId": "i-0123456789abcdef0", "PublicIpAddress": "198.51.100.7", "State": { "Name": "running", "Code": 16 },
    }] }] });
    let function =
        json!({ "FunctionName": "covid19-download", "State": "Inactive", "LastUpdateStatus": "Successful" });
    [
        ("ecs.DescribeTasks", task),
        ("cloudformation.DescribeStacks", stack),
        ("ec2.DescribeInstances", instance),
        ("lambda.GetFunctionConfiguration", function),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_answers_are_shown_as_those_of_the_service() {
    for (operation, data) in answers_of_each_protocol() {
        let (_, show) = OPERATIONS.iter().find(|(known, _)| *known == operation).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let answer = json!({ "status": 200, "data": data });
        let original = replay::RECORDING.scope(folder.path().to_owned(), show(operation, answer)).await;
        let recorded = recordings::read_recorded(folder.path()).remove(operation).unwrap();
        for answer in recorded {
            let replayed = show(operation, answer).await;
            let shown = |states: &[state::State]| -> Vec<String> {
                states.iter().map(|(_, shown)| shown.clone()).collect()
            };
            assert_eq!(shown(&replayed), shown(&original), "{operation}");
        }
    }
}

/// `SELFTEST_ANSWERS` is the folder `answers` of a self-test, or of `covidctl --record`.
#[tokio::test(flavor = "multi_thread")]
async fn answers_of_a_self_test_are_shown() {
    let Some(folder) = std::env::var_os("SELFTEST_ANSWERS") else {
        eprintln!("skipped: SELFTEST_ANSWERS names no folder of a self-test");
        return;
    };
    let mut recordings = recordings::read_recorded(Path::new(&folder));
    for (operation, show) in OPERATIONS {
        for answer in recordings.remove(*operation).unwrap_or_default() {
            for (_, shown) in show(operation, answer).await {
                println!("{operation}: {shown}");
            }
        }
    }
    assert!(!recordings.contains_key("."), "an answer has no operation");
}

const CONCURRENCY: usize = 8;

/// The longest texts are messages about other requests.
const WIDTH: usize = 140;

const HEAD: &str = "# Recorded answers of AWS

What `covidctl` makes of answers that the real services gave. The answers are data of two public repositories, cloud-custodian and LocalStack
(Apache-2.0), and not part of this repository; the test `recorded_answers` reads them from the folder `AWS_ANSWERS`, serves them in the
protocol of each service, and compares with this page. Identifiers are left out.
";

/// Returns the start of a text as a cell of a table.
fn cell(text: &str) -> String {
    let text: String = text.chars().take(WIDTH).collect();
    let text = text.replace('|', "\\|").replace('\n', " ");
    if text.is_empty() { "-".to_owned() } else { text }
}
