//! The recorded answers as files: those of one repository are a file each, those of another are parts of a file for each test.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

/// The answers of each operation (`ecs.DescribeTasks`), with `status` and `data`.
pub(super) type Recordings = BTreeMap<String, Vec<Value>>;

/// Names of services in the recordings, and of botocore.
const RENAMED: [(&str, &str); 3] =
    [("monitoring", "cloudwatch"), ("elasticloadbalancing", "elbv2"), ("lambda_", "lambda")];

/// The members that tell the operation of an answer in the second repository.
const SIGNATURES: [(&str, &str, &[&str]); 15] = [
    ("cloudformation", "DescribeChangeSet", &["ChangeSetName", "Status", "Changes"]),
    ("cloudformation", "DescribeStackEvents", &["StackEvents"]),
    ("cloudformation", "DescribeStackResources", &["StackResources"]),
    ("cloudformation", "DescribeStacks", &["Stacks"]),
    ("cloudformation", "GetTemplate", &["TemplateBody"]),
    ("cloudwatch", "DescribeAlarms", &["MetricAlarms"]),
    ("cloudwatch", "GetMetricData", &["MetricDataResults"]),
    ("cloudwatch", "GetMetricStatistics", &["Datapoints"]),
    ("events", "DescribeRule", &["Arn", "State", "ScheduleExpression"]),
    ("lambda", "GetFunctionConfiguration", &["FunctionArn", "State"]),
    ("logs", "DescribeLogStreams", &["logStreams"]),
    ("logs", "FilterLogEvents", &["events", "searchedLogStreams"]),
    ("secretsmanager", "GetSecretValue", &["SecretString"]),
    ("ssm", "GetParametersByPath", &["Parameters"]),
    ("sts", "GetCallerIdentity", &["Account", "UserId"]),
];

/// The operation that gets the recorded errors of a service.
const OF_ERRORS: [(&str, &str); 8] = [
    ("cloudformation", "DescribeStacks"),
    ("cloudwatch", "DescribeAlarms"),
    ("ec2", "DescribeInstances"),
    ("events", "DescribeRule"),
    ("lambda", "GetFunctionConfiguration"),
    ("logs", "FilterLogEvents"),
    ("secretsmanager", "GetSecretValue"),
    ("sts", "GetCallerIdentity"),
];

/// Reads all answers below the folder.
pub(super) fn read(folder: &Path) -> Recordings {
    let mut recordings = Recordings::new();
    for file in files(&folder.join("custodian")) {
        let operation = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let answer: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        if is_edited(&answer) {
            continue;
        }
        let (service, operation) = operation.split_once('.').unwrap();
        let recorded = json!({ "status": answer["status_code"], "data": answer["data"] });
        recordings.entry(format!("{}.{operation}", renamed(service))).or_default().push(recorded);
    }
    let snapshots = folder.join("localstack");
    for file in files(&snapshots) {
        let service = file.strip_prefix(&snapshots).unwrap().iter().next().unwrap().to_str().unwrap();
        let content: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        collect(renamed(service), &content, &mut recordings);
    }
    recordings
}

/// Reads the answers that `covidctl --record` wrote, each as it was sent.
pub(super) fn read_recorded(folder: &Path) -> Recordings {
    let mut recordings = Recordings::new();
    for file in files(folder) {
        let operation = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let mut answer: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        answer["status"] = answer["status_code"].clone();
        let (service, operation) = operation.split_once('.').unwrap();
        recordings.entry(format!("{}.{operation}", renamed(service))).or_default().push(answer);
    }
    recordings
}

/// Collects the answers within a document.
fn collect(service: &str, value: &Value, recordings: &mut Recordings) {
    if let Value::Array(values) = value {
        for value in values {
            collect(service, value, recordings);
        }
    }
    let Value::Object(members) = value else { return };
    if members.contains_key("ResponseMetadata") {
        let has = |wanted: &&[&str]| wanted.iter().all(|name| members.contains_key(*name));
        let status = value["ResponseMetadata"]["HTTPStatusCode"].as_u64().unwrap_or(200);
        let operation = if value["Error"]["Code"].is_string() {
            OF_ERRORS.iter().find(|(of, _)| *of == service).map(|(_, operation)| *operation)
        } else {
            let known = SIGNATURES.iter().find(|(of, _, members)| *of == service && has(members));
            known.map(|(_, operation, _)| *operation)
        };
        if let Some(operation) = operation {
            let recorded = json!({ "status": status, "data": value });
            recordings.entry(format!("{service}.{operation}")).or_default().push(recorded);
        }
        return;
    }
    for value in members.values() {
        collect(service, value, recordings);
    }
}

/// Returns whether the recording was edited: placeholders such as `string` replace its values.
fn is_edited(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "string",
        Value::Array(values) => values.iter().any(is_edited),
        Value::Object(members) => members.values().any(is_edited),
        _ => false,
    }
}

fn renamed(service: &str) -> &str {
    RENAMED.iter().find(|(recorded, _)| *recorded == service).map_or(service, |(_, name)| name)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}
