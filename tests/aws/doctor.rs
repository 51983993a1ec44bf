//! `covidctl doctor` finds each problem and gives a hint for it.

use serde_json::{Value, json};

use crate::support::cloud::Cloud;
use crate::support::proxy::{Fault, Reply};
use crate::support::{Said, step};

/// Returns outcome, detail and hint of a check.
#[track_caller]
fn check(report: &Value, name: &str) -> (String, String, String) {
    let checks = report["checks"].as_array().unwrap();
    let check =
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"));
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("detail"), text("hint"))
}

#[track_caller]
fn found(report: &Value, name: &str, outcome: &str, detail: &str, hint: &str) {
    let (was, said, advice) = check(report, name);
    assert_eq!(was, outcome, "{name}: {said}");
    assert!(said.contains(detail), "{name}: `{detail}` is not in `{said}`");
    assert!(advice.contains(hint), "{name}: `{hint}` is not in `{advice}`");
    assert!(was == "ok" || !advice.is_empty(), "{name} says nothing to do");
}

/// The stacks as CloudFormation would show them.
fn stacks(status: &'static str) -> impl Fn(&str) -> Reply {
    move |name| {
        Reply::Xml(format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks>\
             <member><StackId>{name}</StackId><StackName>{name}</StackName><StackStatus>{status}</StackStatus>\
             <CreationTime>2022-06-05T00:00:00Z</CreationTime>\
             <Parameters><member><ParameterKey>ImageTag</ParameterKey><ParameterValue>v1.2.3</ParameterValue></member></Parameters>\
             <DriftInformation><StackDriftStatus>IN_SYNC</StackDriftStatus>\
             <LastCheckTimestamp>2022-06-05T00:00:00Z</LastCheckTimestamp></DriftInformation>\
             </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        ))
    }
}

fn show_stacks(cloud: &Cloud, status: &'static str) {
    let reply = stacks(status);
    cloud.proxy.handle("cloudformation:DescribeStacks", move |call| {
        let body = String::from_utf8_lossy(&call.body).into_owned();
        let name = body.split('&').find_map(|pair| pair.strip_prefix("StackName=")).unwrap();
        Some(reply(name))
    });
}

/// A security group that lets in one range on the port of SSH, as the network's stack makes it.
async fn let_in(cloud: &Cloud, range: &str) {
    let words = [("GroupName", range), ("GroupDescription", "bastion")];
    let made = cloud.moto.query("ec2", "CreateSecurityGroup", "2016-11-15", &words).await;
    let group = crate::support::moto::between(&made, "groupId").to_owned();
    let words = [
        ("GroupId", group.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.IpRanges.1.CidrIp", range),
    ];
    cloud.moto.query("ec2", "AuthorizeSecurityGroupIngress", "2016-11-15", &words).await;
    cloud.write("security-groups/bastion", &group).await;
}

async fn alarm(cloud: &Cloud, state: &str) {
    let words = [
        ("AlarmName", "covid19-run-failed"),
        ("MetricName", "Failed"),
        ("Namespace", "covid19"),
        ("Period", "60"),
        ("EvaluationPeriods", "1"),
        ("Threshold", "1"),
        ("Statistic", "Sum"),
        ("ComparisonOperator", "GreaterThanThreshold"),
    ];
    cloud.moto.query("monitoring", "PutMetricAlarm", "2010-08-01", &words).await;
    let words =
        [("AlarmName", "covid19-run-failed"), ("StateValue", state), ("StateReason", "a task ended with 1")];
    cloud.moto.query("monitoring", "SetAlarmState", "2010-08-01", &words).await;
}

/// An image in the registry, as a release pushes it.
async fn push(cloud: &Cloud, repository: &str, tag: &str) {
    const SERVICE: &str = "AmazonEC2ContainerRegistry_V20150921";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1,
            "digest": format!("sha256:{}", "0".repeat(64)),
        },
        "layers": [],
    });
    let body = json!({ "repositoryName": repository });
    cloud.moto.json("ecr", &format!("{SERVICE}.CreateRepository"), &body).await;
    let body =
        json!({ "repositoryName": repository, "imageTag": tag, "imageManifest": manifest.to_string() });
    cloud.moto.json("ecr", &format!("{SERVICE}.PutImage"), &body).await;
}

/// What moto does not play: the function, and Metabase behind its load balancer.
async fn function_and_metabase(cloud: &Cloud) {
    cloud.proxy.handle("lambda:GetFunctionConfiguration", |_| {
        Some(Reply::Json(json!({ "FunctionName": "covid19-download", "State": "Active" })))
    });
    cloud.write("metabase/target-group", "arn:aws:elasticloadbalancing:x:1:targetgroup/metabase/1").await;
    cloud.proxy.handle("elasticloadbalancing:DescribeTargetHealth", |_| {
        Some(Reply::Xml(
            "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
             <DescribeTargetHealthResult><TargetHealthDescriptions><member><TargetHealth><State>healthy</State></TargetHealth>\
             </member></TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>"
                .to_owned(),
        ))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_passed_and_failed_checks() {
    let cloud = Cloud::deploy(20_000).await;
    function_and_metabase(&cloud).await;
    show_stacks(&cloud, "UPDATE_COMPLETE");
    let_in(&cloud, "198.51.100.0/24").await;
    alarm(&cloud, "OK").await;
    push(&cloud, "covid19-etl", "v1.2.3").await;
    push(&cloud, "covid19-metabase", "v1.2.3").await;
    step("every check passes on a complete target");
    // More of the sample's few tests are rejected than the publish gate allows.
    cloud.say(&["run", "etl", "--years", "all", "--accept-anomalies"]).await.worked();
    let report = cloud.say(&["doctor", "--my-address", "198.51.100.7", "-o", "json"]).await.worked().json();
    found(&report, "credentials", "ok", "arn:aws:", "");
    for (name, detail) in [
        ("permissions", "all 10 that were tried"),
        ("stacks", "all 9 are complete"),
        ("drift", "none was found"),
        ("image", "covid19-etl:v1.2.3 and covid19-metabase:v1.2.3 are in the registry"),
        ("lambda", "covid19-download"),
        ("bastion", "is in service at 127."),
        ("my address", "198.51.100.7 may reach the bastion"),
        ("datasets", "5 files"),
        ("tunnel", "open to 127.0.0.1"),
        ("database", "logged in to"),
        ("migrations", "no pending migrations"),
        ("freshness", "published"),
        ("last load", "release 1 is published; checks: "),
        ("alarms", "none of 1 is raised"),
        ("replica", "available"),
        ("metabase", "1 of 1 targets are healthy"),
    ] {
        found(&report, name, "ok", detail, "");
    }
    found(&report, "tls", "warning", "encrypted only as far as the bastion", "--ssl-mode");
    let text = cloud.say(&["doctor", "--my-address", "198.51.100.7"]).await.worked();
    assert!(text.out.starts_with("ok       credentials   arn:"), "{text:?}");
    assert!(text.err.contains("warning"), "{text:?}");

    step("failed checks are reported together");
    show_stacks(&cloud, "ROLLBACK_COMPLETE");
    alarm(&cloud, "ALARM").await;
    let denied = || Fault::Refused(400, "AccessDeniedException", "no");
    cloud.proxy.fail("events:DescribeRule", [denied(), denied()]);
    cloud.proxy.fail("logs:FilterLogEvents", [denied()]);
    let said = cloud.say(&["doctor", "--my-address", "203.0.113.9", "-o", "json"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    let report = said.json();
    found(
        &report,
        "permissions",
        "failed",
        "`events:DescribeRule`, `logs:FilterLogEvents`",
        "iam-operator.json",
    );
    found(&report, "stacks", "failed", "network is ROLLBACK_COMPLETE", "covidctl --target aws up");
    found(
        &report,
        "my address",
        "failed",
        "lets in 198.51.100.0/24, and this machine is 203.0.113.9",
        "network.OperatorCidr=203.0.113.9/32",
    );
    found(
        &report,
        "alarms",
        "failed",
        "covid19-run-failed (a task ended with 1)",
        "covidctl --target aws logs",
    );
    found(&report, "schedule", "failed", "events:DescribeRule", "");
    found(&report, "freshness", "ok", "published", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bastion_the_rest_is_still_looked_at() {
    let cloud = Cloud::deploy(0).await;
    function_and_metabase(&cloud).await;
    show_stacks(&cloud, "CREATE_COMPLETE");
    // The public address of this machine is unknown, too.
    let words = [("AutoScalingGroupName", cloud.group.as_str()), ("MinSize", "0"), ("DesiredCapacity", "0")];
    cloud.moto.query("autoscaling", "UpdateAutoScalingGroup", "2011-01-01", &words).await;
    let_in(&cloud, "198.51.100.7/32").await;
    let mut command = cloud.covidctl(&["doctor", "-o", "json"]);
    command.env("HTTPS_PROXY", "http://127.0.0.1:1");
    let said = Said::of(command).await;
    said.failed(1, &["3 checks failed on target aws"]);
    let report = said.json();
    found(&report, "stacks", "ok", "all 9", "");
    found(&report, "image", "failed", "`covid19-etl:v1.2.3` is not in the registry", "--release TAG");
    found(&report, "my address", "warning", "checkip.amazonaws.com` does not answer", "--my-address");
    found(&report, "bastion", "failed", "no instance", "a few minutes");
    found(&report, "tunnel", "failed", "no instance", "a few minutes");
    found(&report, "datasets", "warning", "is empty", "covidctl --target aws run download");
    found(&report, "alarms", "warning", "there are none yet", "bring them");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_empty_account_it_says_what_to_do_first() {
    let cloud = Cloud::deploy(0).await;
    let said = cloud.say(&["doctor", "-o", "json"]).await;
    said.failed(1, &["1 check failed on target aws"]);
    let report = said.json();
    let missing = "network, bastion, database, storage, registry are not there";
    found(&report, "stacks", "failed", missing, "covidctl --target aws up");
    let names: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|check| check["name"].clone()).collect();
    assert_eq!(
        names,
        ["credentials", "permissions", "stacks"],
        "nothing that only follows from it: {report}"
    );

    let mut anonymous = cloud.covidctl(&["doctor"]);
    anonymous
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let said = Said::of(anonymous).await;
    said.failed(1, &["1 check failed"]);
    assert!(said.out.starts_with("failed   credentials") && said.out.contains("hint: log in"), "{said:?}");
}
