//! Every screen on AWS, in a real terminal, with data in it.

use crate::support::cloud::Cloud;
use crate::support::terminal::Terminal;

fn screens(cloud: &Cloud, width: u16, height: u16) -> Terminal {
    let terminal = Terminal::new(width, height);
    terminal.run(&cloud.covidctl(&[]));
    terminal
}

/// Runs blocking code on another thread, because the proxy in front of the emulator runs in this process.
async fn looking<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(look).await.unwrap()
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
