//! Messages, hints and exit codes if AWS denies access or does not respond.

use serde_json::json;

use crate::support::cloud::Cloud;
use crate::support::proxy::Fault;
use crate::support::{Said, step};

#[tokio::test(flavor = "multi_thread")]
async fn each_has_its_sentence_its_hint_and_its_code() {
    let cloud = Cloud::deploy(0).await;

    step("missing, invalid and expired credentials");
    let mut anonymous = cloud.covidctl(&["status"]);
    anonymous.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    anonymous.env("AWS_EC2_METADATA_DISABLED", "true");
    Said::of(anonymous).await.failed(4, &["credentials", "--profile"]);

    // An explicit profile overrides keys in the environment.
    let mut profile = cloud.covidctl(&["status"]);
    profile.args(["--profile", "missing"]).env("AWS_EC2_METADATA_DISABLED", "true");
    Said::of(profile).await.failed(4, &["no valid credentials"]);

    let expired =
        Fault::Refused(400, "ExpiredTokenException", "The security token included in the request is expired");
    cloud.proxy.fail("ssm:GetParametersByPath", [expired]);
    cloud.say(&["runs"]).await.failed(4, &["no valid credentials", "is expired"]);

    step("a denied request, and no capacity");
    let denied =
        Fault::Refused(400, "AccessDeniedException", "User: x is not authorized to perform: ecs:RunTask");
    cloud.proxy.fail("ecs:RunTask", [denied]);
    let said = cloud.say(&["run", "etl"]).await;
    said.failed(4, &["`ecs:RunTask` is not allowed", "`covid19-etl`", "iam-operator.json"]);

    let full = json!({ "tasks": [], "failures": [{ "arn": "x", "reason": "RESOURCE:MEMORY" }] });
    cloud.proxy.fail("ecs:RunTask", [Fault::Answer(full)]);
    cloud.say(&["run", "etl"]).await.failed(125, &["there is no capacity"]);

    step("unknown log sources, runs and tunnel targets");
    cloud.say(&["logs", "nonsense"]).await.failed(2, &["no log source `nonsense`", "etl, report"]);
    let group = json!({ "logGroupName": "/ecs/covid19-metabase" });
    cloud.moto.json("logs", "Logs_20140328.DeleteLogGroup", &group).await;
    let said = cloud.say(&["logs", "etl", "metabase"]).await.worked();
    for words in ["no events from etl in this time", "there is no log of metabase yet"] {
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    cloud
        .say(&["runs", "show", "abcdef"])
        .await
        .failed(1, &["there is no run `abcdef`", "covidctl --target aws runs"]);
    cloud.say(&["stop", "abcdef"]).await.failed(1, &["no run `abcdef` is in progress"]);
    cloud
        .say(&["tunnel", "--bastion", "a@b", "master"])
        .await
        .failed(2, &["the address of `master` is unknown with --bastion"]);

    step("no response, and no region");
    let mut nowhere = cloud.covidctl(&["status"]);
    nowhere.args(["--endpoint-url", "http://127.0.0.1:1"]);
    Said::of(nowhere).await.failed(1, &["`sts` does not answer", "--endpoint-url"]);

    let mut lost = std::process::Command::new(env!("CARGO_BIN_EXE_covidctl"));
    lost.env_clear().env("HOME", cloud.folder()).env("AWS_EC2_METADATA_DISABLED", "true");
    lost.args(["--target", "aws", "status"]);
    Said::of(lost).await.failed(2, &["no AWS region configured", "--region"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_component_does_not_hide_the_others() {
    let cloud = Cloud::deploy(0).await;
    let denied = Fault::Refused(400, "AccessDeniedException", "no");
    cloud.proxy.fail("events:DescribeRule", [denied]);
    let status = cloud.say(&["status", "-o", "json"]).await.worked().json();
    let part = |name: &str| {
        status["parts"].as_array().unwrap().iter().find(|part| part["name"] == name).unwrap().clone()
    };
    assert_eq!(part("schedule")["state"], "unknown");
    assert!(part("schedule")["detail"].as_str().unwrap().contains("events:DescribeRule"), "{status}");
    assert_eq!(part("master")["state"], "ready");

    step("a missing bucket, cluster or database");
    cloud.write("bucket/datasets", "covid19-datasets-missing").await;
    cloud.write("database/replica/identifier", "covid19-missing").await;
    let missing = Fault::Refused(400, "ClusterNotFoundException", "Cluster not found.");
    cloud.proxy.fail("ecs:ListTasks", [missing]);
    let status = cloud.say(&["status", "-o", "json"]).await.worked().json();
    let part = |name: &str| {
        status["parts"].as_array().unwrap().iter().find(|part| part["name"] == name).unwrap().clone()
    };
    assert_eq!(part("datasets")["state"], "unknown");
    let detail = part("datasets")["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "cannot list `s3://covid19-datasets-missing`: the bucket does not exist");
    assert_eq!((&part("replica")["state"], &part("master")["state"]), (&"missing".into(), &"ready".into()));
    assert!(part("replica")["detail"].as_str().unwrap().contains("covidctl --target aws up"), "{status}");
    let said = cloud.say(&["datasets"]).await;
    said.failed(1, &["the bucket does not exist", "the stack `storage` creates the bucket"]);
}
