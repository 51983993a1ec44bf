//! A day of an operator: status, load, report, logs, psql, and stopping a run that takes too long.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::support::cloud::Cloud;
use crate::support::step;

#[tokio::test(flavor = "multi_thread")]
async fn daily_operation() {
    let cloud = Cloud::deploy(20_000).await;

    step("config shows the origin of every name");
    let config = cloud.say(&["config", "-o", "json"]).await.worked().json();
    let origin = |name: &str| {
        let setting = config.as_array().unwrap().iter().find(|setting| setting["name"] == name);
        setting.unwrap_or_else(|| panic!("no {name}: {config}"))["origin"].as_str().unwrap().to_owned()
    };
    assert_eq!(origin("cluster"), "default");
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

    step("run etl loads the datasets");
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

    stop_blocked_load(&cloud).await;

    step("the policy for operators lists exactly the called actions");
    policy_is_exact(&cloud);
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

/// Checks that the policy for operators lists every called action and no other.
#[track_caller]
fn policy_is_exact(cloud: &Cloud) {
    let called = nothing_is_forgotten(cloud);
    // What this test does not call (there is no dashboard) is called somewhere in the code.
    let source = code(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/crates/aws/src")));
    let listed = listed();
    let is_used = |action: &str| {
        called.contains(action)
            || source.contains(&format!("\"{action}\""))
            // Starting a task needs this permission; no request has its name.
            || action == "iam:PassRole"
            // The object store does not name its actions; the final records of killed runs have their own tests.
            || action == "s3:PutObject" && source.contains("store.put(")
    };
    let unused: Vec<_> = listed.iter().filter(|action| !is_used(action)).collect();
    assert!(unused.is_empty(), "in the policy, and never called: {unused:?}");
}

/// Checks that the policy for operators lists every called action; returns the called actions.
#[track_caller]
pub(crate) fn nothing_is_forgotten(cloud: &Cloud) -> BTreeSet<String> {
    let (called, listed) = (cloud.proxy.calls(), listed());
    let forgotten: Vec<_> = called.difference(&listed).collect();
    assert!(forgotten.is_empty(), "called, and not in the policy: {forgotten:?}");
    called
}

fn listed() -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(include_str!("../../docs/reference/iam-operator.json")).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn code(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { code(&path) } else { std::fs::read_to_string(path).unwrap() })
        .collect()
}
