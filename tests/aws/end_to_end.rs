//! A day of an operator: status, load, report, logs, psql, and stopping a run that takes too long.

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::permissions::assert_unused;
use crate::support::cloud::{Cloud, STACK_WORDS};
use crate::support::ministack::Templates;
use crate::support::moto::ACCOUNT;
use crate::support::{ecs, step, until};

#[tokio::test(flavor = "multi_thread")]
async fn daily_operation() {
    let templates = Templates::of("moto");
    let path = templates.path();
    let words = [&["up", "--yes", "--templates", &path][..], &STACK_WORDS].concat();
    let cloud = Cloud::build(20_000, Some(&words)).await;
    cloud.create_replica().await;

    step("config shows the origin of every name");
    let config = cloud.say(&["config", "-o", "json"]).await.worked().json();
    let origin = |name: &str| {
        let setting = config.as_array().unwrap().iter().find(|setting| setting["name"] == name);
        setting.unwrap_or_else(|| panic!("no {name}: {config}"))["origin"].as_str().unwrap().to_owned()
    };
    assert_eq!(origin("subnets/application"), "discovery");
    assert_eq!(origin("endpoint-url"), "flag");

    step("status shows the components before the first load");
    let status = cloud.say(&["status", "-o", "json"]).await.worked().json();
    let state = |status: &Value, name: &str| {
        let part = status["parts"].as_array().unwrap().iter().find(|part| part["name"] == name).cloned();
        part.unwrap_or_else(|| panic!("no {name}: {status}"))["state"].as_str().unwrap().to_owned()
    };
    for (name, expected) in [
        ("schedule", "ready"),
        ("master", "ready"),
        ("replica", "ready"),
        ("bastion", "ready"),
        ("datasets", "ready"),
        ("last etl", "missing"),
    ] {
        assert_eq!(state(&status, name), expected, "{name}: {status}");
    }
    assert!(status["place"]["location"].as_str().unwrap().contains("account 123456789012"), "{status}");

    step("run etl loads the datasets; one that is optional is missing");
    let bucket = format!("covid19-datasets-{ACCOUNT}-{}", cloud.moto.region);
    cloud.moto.delete(&bucket, "Covid19VacunasAgrupadas.csv.zip").await;
    let loaded = cloud.say(&["run", "etl", "--years", "all"]).await.worked();
    assert!(loaded.err.contains("run succeeded"), "the last line is missing: {loaded:?}");
    assert!(loaded.out.contains("succeeded"), "{loaded:?}");

    step("runs lists the load");
    let runs = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    let run = &runs[0];
    assert_eq!((run["kind"].as_str(), run["status"].as_str()), (Some("etl"), Some("succeeded")), "{runs}");
    assert_eq!(run["exit_code"], 0);
    assert!(run["started_by"].as_str().unwrap().contains('@'), "{runs}");
    assert_eq!((&run["dataset_updated_on"], &run["years"]), (&"2022-06-05".into(), &"all".into()), "{runs}");
    let listed = cloud.say(&["runs"]).await.worked().out;
    assert!(listed.contains("  BY  ") && listed.contains(run["started_by"].as_str().unwrap()), "{listed}");
    let rows = |name: &str| run[name].as_i64().unwrap();
    assert_eq!(rows("rows_read"), rows("rows_filtered") + rows("rows_loaded") + rows("rows_rejected"));
    let id = run["run_id"].as_str().unwrap().to_owned();

    step("runs show and psql read the database behind the bastion");
    let details = cloud.say(&["runs", "show", &id[..8], "-o", "json"]).await.worked().json();
    assert_eq!(details["run_id"], id.as_str());
    assert!(!details["issues"].as_array().unwrap().is_empty(), "{details}");
    let phases = details["phases"].as_array().unwrap().iter().map(|phase| phase["name"].as_str().unwrap());
    let phases: Vec<_> = phases.collect();
    assert_eq!(phases[..5], ["provision", "pull", "boot", "wait", "extract"], "{details}");
    let shown = cloud.say(&["runs", "show", &id]).await.worked().out;
    let line = shown.lines().find(|line| line.starts_with("phases ")).unwrap();
    assert!(line.contains("provision ") && line.contains(", pull ") && line.contains(", load "), "{line}");
    let count = cloud.say(&["psql", "--", "-Atc", "SELECT count(*) FROM covid_case"]).await.worked();
    assert_eq!(count.out.trim(), rows("rows_loaded").to_string());

    step("a second load of the same datasets is skipped");
    let again = cloud.say(&["run", "etl", "--years", "all"]).await.worked();
    assert!(again.err.contains("already loaded") && again.out.contains("skipped"), "{again:?}");

    step("run report stores a report");
    cloud.say(&["run", "report"]).await.worked();
    let reports = cloud.say(&["reports", "-o", "json"]).await.worked().json();
    assert_eq!(reports.as_array().unwrap().len(), 1, "{reports}");
    assert!(cloud.say(&["reports", "show"]).await.worked().out.contains("Argentina"));

    step("logs --run shows the log of the load");
    let log = cloud.say(&["logs", "--run", &id, "-o", "raw"]).await.worked();
    assert!(log.out.contains("run started") && log.out.contains("run succeeded"), "{log:?}");

    step("logs postgres shows the log that RDS exports");
    let group = "/aws/rds/instance/covid19-master/postgresql";
    ecs::create_stream(&cloud.moto, group, "covid19-master.0").await;
    let line = "2026-03-02 00:00:00 UTC:10.0.1.5(4711):covid19@covid19:[99]:ERROR:  deadlock detected";
    ecs::put(&cloud.moto, group, "covid19-master.0", line).await;
    let log = cloud.say(&["logs", "postgres", "--since", "10m"]).await.worked();
    assert!(log.out.contains("postgres") && log.out.contains("deadlock detected"), "{log:?}");

    stop_blocked_load(&cloud).await;

    scheduled_download_starts_load(&cloud).await;

    step("the operator and the roles need what their policies allow");
    // Not everything is well in the emulator; the checks have tests of their own.
    cloud.say(&["doctor", "--my-address", "198.51.100.7"]).await;
    cloud.say(&["db", "migrate"]).await.worked();
    policies_are_needed(&cloud);
}

async fn scheduled_download_starts_load(cloud: &Cloud) {
    step("run download does not start a load; the schedule's download does");
    cloud.say(&["run", "download"]).await.worked();
    let before = cloud.ecs.groups().len();
    let function = cloud.lambda.clone();
    // As the rule does. The function waits for another event when it has ended.
    let event = json!({ "started_by": "schedule" }).to_string().into_bytes();
    let invocation = tokio::spawn(async move { function.invoke(event).await });
    until("the function starts a load", || cloud.ecs.groups().len() > before);
    invocation.abort();
}

/// Checks that the operator and the roles of the stacks need everything that their policies allow.
#[track_caller]
fn policies_are_needed(cloud: &Cloud) {
    const KILLED: &str = "runs.rs: the end of a run that could not write it";
    const HEALTH: &str = "screens.rs: the Health screen";
    const EARLIER: &str = "earlier versions kept a copy of the latest report";
    const REVISION: &str = "ECS documents the ARN with a revision; a request names the family alone";
    const SLOW: &str = "etl/tests/download: a download that takes longer than the function may";
    let evaluation = cloud.proxy.evaluate();
    let operator = [
        ("LookAtThePipeline: arn:aws:ssm:*:*:parameter/covid19/*", "the prefix may end with a slash"),
        ("LookWhereAwsKnowsNoResources: ce:GetCostAndUsage", HEALTH),
        ("LookWhereAwsKnowsNoResources: cloudtrail:LookupEvents", HEALTH),
        ("LookWhereAwsKnowsNoResources: cloudwatch:GetMetricData", HEALTH),
        ("WriteDownHowARunEnded: s3:PutObject", KILLED),
        ("WriteDownHowARunEnded: arn:aws:s3:::covid19-reports-*/runs/*", KILLED),
    ];
    assert_unused(&evaluation, "iam-operator.json", &operator);
    let region = cloud.moto.region;
    let family = |name: &str| format!("arn:aws:ecs:{region}:{ACCOUNT}:task-definition/{name}");
    let of_reports = format!("3: arn:aws:s3:::covid19-reports-{ACCOUNT}-{region}/reports/latest/*");
    let (etl, report) = (format!("7: {}", family("covid19-etl")), format!("1: {}", family("covid19-report")));
    let function = format!("6: arn:aws:lambda:{region}:{ACCOUNT}:function:covid19-download");
    let roles: [(&str, &[(&str, &str)]); 6] = [
        ("covid19-execution", &[]),
        ("covid19-metabase-execution", &[]),
        ("covid19-etl", &[]),
        ("covid19-report", &[("3: s3:DeleteObject", EARLIER), (&of_reports, EARLIER)]),
        ("covid19-report-rule", &[(&report, REVISION)]),
        (
            "covid19-download",
            &[
                ("3: s3:AbortMultipartUpload", SLOW),
                ("6: lambda:InvokeFunction", SLOW),
                (&function, SLOW),
                (&etl, REVISION),
            ],
        ),
    ];
    for (role, expected) in roles {
        for policy in cloud.proxy.policies(&format!("{role}-{region}")) {
            assert_unused(&evaluation, &policy, expected);
        }
    }
}

async fn stop_blocked_load(cloud: &Cloud) {
    step("a load that cannot begin a release excludes a second one");
    let mut blocker = PgConnection::connect(&cloud.database_url()).await.unwrap();
    let lock = "BEGIN; LOCK TABLE release IN SHARE ROW EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut blocker).await.unwrap();
    let started = cloud.say(&["run", "etl", "--years", "all", "--force", "--no-wait"]).await.worked();
    let id = started.out.trim().to_owned();
    let second = cloud.say(&["run", "etl"]).await;
    second.failed(125, &["etl is running already", &id]);
    let rollback = cloud.say(&["releases", "rollback", "--yes"]).await;
    rollback.failed(1, &["no release before release 1 is kept", "KEEP_RELEASES"]);
    let active = cloud.say(&["status"]).await.worked();
    assert!(active.out.contains("run etl") && active.out.contains(&id), "{active:?}");

    step("stop ends the load, and its log shows why");
    cloud.say(&["stop", &id[..8]]).await.worked();
    let followed = cloud.say(&["logs", "--run", &id, "--follow", "-o", "raw"]).await;
    followed.failed(143, &["exited with code 143", "stopped by hand"]);
    assert!(followed.out.contains("stopped by SIGTERM"), "the last line is missing: {followed:?}");
    let runs = cloud.say(&["runs"]).await.worked();
    assert!(runs.out.contains("failed"), "{runs:?}");
    drop(blocker);
}
