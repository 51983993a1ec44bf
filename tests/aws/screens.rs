//! Every screen on AWS, in a real terminal, with data in it.

use std::process::Command;

use serde_json::json;

use crate::support::cloud::{Cloud, bucket};
use crate::support::policies::OPERATOR;
use crate::support::proxy::Reply;
use crate::support::terminal::Terminal;
use crate::support::{Said, environment, step};

fn screens(cloud: &Cloud, width: u16, height: u16) -> Terminal {
    let terminal = Terminal::new(width, height);
    terminal.run(&cloud.covidctl(&[]));
    terminal
}

/// Runs blocking code on another thread, because the proxy in front of the emulator runs in this process.
async fn looking<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(look).await.unwrap()
}

/// Answers what no emulator does: the last changes and the costs.
fn keep_history(cloud: &Cloud) {
    let event = |name: &str, parameters: serde_json::Value| {
        json!({
            "EventName": name,
            "EventSource": "rds.amazonaws.com",
            "EventTime": chrono::Utc::now().timestamp(),
            "Username": "luz@example.org",
            "CloudTrailEvent": json!({ "requestParameters": parameters }).to_string(),
        })
    };
    let events = [
        event("RebootDBInstance", json!({ "dBInstanceIdentifier": "covid19-replica" })),
        event("StopInstances", json!({ "instanceId": "i-of-others" })),
    ];
    cloud.proxy.handle("cloudtrail:LookupEvents", move |call| {
        assert_eq!(call.json()["LookupAttributes"][0]["AttributeValue"], "false");
        Some(Reply::Json(json!({ "Events": events })))
    });
    let amount = |service: &str, amount: &str| json!({ "Keys": [service], "Metrics": { "UnblendedCost": { "Amount": amount, "Unit": "USD" } } });
    let groups = [amount("AWS Lambda", "1.25"), amount("Amazon RDS", "41.25")];
    cloud.proxy.handle("ce:GetCostAndUsage", move |call| {
        assert_eq!(call.region, "us-east-1");
        Some(Reply::Json(json!({ "ResultsByTime": [{ "Groups": groups }] })))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn run_and_follow_from_the_screens() {
    let cloud = Cloud::deploy(5_000).await;
    let metric = [
        ("Namespace", "AWS/RDS"),
        ("MetricData.member.1.MetricName", "CPUUtilization"),
        ("MetricData.member.1.Dimensions.member.1.Name", "DBInstanceIdentifier"),
        ("MetricData.member.1.Dimensions.member.1.Value", "covid19-master"),
        ("MetricData.member.1.Value", "93.5"),
    ];
    cloud.moto.query("monitoring", "PutMetricData", "2010-08-01", &metric).await;
    keep_history(&cloud);
    let terminal = screens(&cloud, 100, 30);
    let terminal = looking(move || {
        let text = terminal.see("schedule");
        assert!(text.lines().next().unwrap().contains("account 123456789012, region"), "{text}");
        // The strip shows the stages with their whole names, and no other component.
        let strip = text.lines().find(|line| line.contains("schedule") && line.contains('→')).unwrap();
        for name in ["schedule", "lambda", "datasets", "etl", "master", "replica", "report", "metabase"] {
            assert!(strip.contains(name), "{name}: {strip}");
        }
        assert!(!strip.contains("bastion") && !strip.contains("alarms"), "{strip}");
        // A key does not change stacks.
        terminal.press(&["u"]);
        terminal.see("covidctl --target aws up");
        terminal.press(&["p"]);
        let question = terminal.see("Download new datasets, load them");
        assert!(question.contains("account 123456789012"), "it says where: {question}");
        terminal.press(&["y"]);
        terminal.wait("the report", |text| text.contains("data of 2022-06-05, published"));
        for (key, words) in [
            ("2", "REJECTED"),
            ("3", "run succeeded"),
            ("4", "CONFIRMED BY WEEK"),
            ("5", "FILES"),
            ("6", "none is open"),
            ("7", "of blocks from memory"),
            ("8", "93.5 % in use"),
        ] {
            terminal.press(&[key]);
            terminal.see(words);
        }
        let health = terminal.see("GiB stored");
        assert!(health.contains("master cpu") && health.contains("datasets"), "{health}");
        terminal.press(&["v"]);
        let changes = terminal.see("rds RebootDBInstance");
        assert!(changes.contains("luz@example.org") && changes.contains("covid19-replica"), "{changes}");
        assert!(!changes.contains("i-of-others"), "{changes}");
        terminal.press(&["q", "$"]);
        terminal.see("AWS charges 0.01 US dollars");
        terminal.press(&["y"]);
        let cost = terminal.see("  total");
        assert!(cost.contains("41.25 USD  Amazon RDS") && cost.contains("42.50 USD  total"), "{cost}");
        terminal.press(&["q"]);
        terminal.press(&["2"]);
        terminal.wait("the report", |text| text.contains("report  succeeded"));
        terminal.press(&["Down", "Enter"]);
        let run = terminal.wait("the run with its tally", |text| text.contains("malformed"));
        for words in ["started by ", "Covid19Casos.zip", "of 2022-06-05, years 2022", "5,000 read"] {
            assert!(run.contains(words), "{words}: {run}");
        }
        terminal.press(&["q", "6", "o"]);
        terminal.see("master, replica or metabase");
        terminal.tmux(&["send-keys", "-t", "t", "-l", "replica"]);
        terminal.press(&["Enter"]);
        terminal.see("use     psql");
        terminal
    })
    .await;
    // The client that runs the pipeline starts the report; the EventBridge rule ignores its load.
    assert_eq!(cloud.ecs.groups(), ["covid19-pipeline", "covid19-pipeline"]);
    let runs = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    assert!(runs.as_array().unwrap().iter().all(|run| run["started_by"].is_string()), "{runs}");
    looking(move || {
        terminal.press(&["q"]);
        terminal.ended_with(0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_of_an_empty_account_give_hints() {
    let cloud = Cloud::deploy(0).await;
    cloud.write("bucket/reports", "covid19-reports-missing").await;
    let terminal = screens(&cloud, 80, 24);
    looking(move || {
        terminal.see("FRESHNESS  unknown");
        terminal.press(&["2"]);
        let text = terminal.see("the bucket does not exist");
        assert!(text.contains("hint: check the name") && !text.contains('<'), "{text}");
        terminal.press(&["5"]);
        terminal.see("the bucket does not exist");
        terminal.press(&["q"]);
        terminal.ended_with(0);
    })
    .await;
}

/// The script of the guide, which is a shift on a demo without arguments.
#[tokio::test(flavor = "multi_thread")]
async fn shift_at_night() {
    let cloud = Cloud::deploy(3_000).await;
    cloud.say(&["run", "pipeline"]).await.worked();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/night-shift.sh");
    let mut shift = Command::new("bash");
    shift
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_covidctl"))
        .args(cloud.words_of_target("aws"))
        .env_clear()
        .env("PATH", environment("PATH"))
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", cloud.folder())
        .env("AWS_ACCESS_KEY_ID", OPERATOR)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("DATASETS_URL", format!("{}/{}", cloud.moto.endpoint, bucket(&cloud.moto, "datasets")));
    let said = Said::of(shift).await.worked();
    step(&said.out);
    for words in ["is not a whole zip archive", "the last good run", "succeeded", "DATABASE", "HEALTH"] {
        assert!(said.out.contains(words), "`{words}`:\n{}", said.out);
    }
}
