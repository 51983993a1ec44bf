//! `covidctl doctor` on this machine.

use serde_json::Value;

use crate::support::{Finished, Target};

#[track_caller]
fn outcomes(output: &Finished) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&output.out).unwrap();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (text(check, "name"), text(check, "outcome")))
        .collect()
}

fn is(outcomes: &[(String, String)], name: &str) -> Option<String> {
    outcomes.iter().find(|(found, _)| found == name).map(|(_, outcome)| outcome.clone())
}

#[test]
fn doctor_reports_problems_until_all_are_fixed() {
    let target = Target::new();
    let nothing = target.call(&["doctor"]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(
        nothing.out.contains("failed   data folder") && nothing.out.contains("hint: covidctl up"),
        "{nothing:?}"
    );
    assert!(nothing.err.contains("1 check failed on target local"), "{nothing:?}");
    assert!(!target.data().exists(), "it changes nothing");

    target.ok(&["up"]);
    let up = outcomes(&target.ok(&["doctor", "-o", "json"]));
    for name in ["postgresql", "data folder", "server", "database", "migrations"] {
        assert_eq!(is(&up, name).as_deref(), Some("ok"), "{name}: {up:?}");
    }
    // Nothing was loaded yet; that is worth a word, and nothing has failed.
    assert_eq!(is(&up, "freshness").as_deref(), Some("warning"), "{up:?}");
    assert_eq!(is(&up, "tunnel"), None, "there is none here");

    target.sql("TRUNCATE _sqlx_migrations");
    let behind = target.call(&["doctor"]);
    assert_eq!(behind.code, Some(1), "{behind:?}");
    assert!(behind.out.contains("failed   migrations"), "{behind:?}");
    target.ok(&["down"]);
    let down = target.call(&["doctor"]);
    assert!(down.out.contains("failed   server        it is stopped"), "{down:?}");
}

#[test]
fn aws_commands_on_local_target_are_usage_errors() {
    let target = Target::new();
    for words in
        [&["up", "--dry-run"][..], &["up", "--release", "v1"], &["up", "--parameter", "A=b"], &["db", "init"]]
    {
        let output = target.call(words);
        assert_eq!(output.code, Some(2), "{words:?}: {output:?}");
        assert!(output.err.contains("hint: "), "{words:?}: {output:?}");
    }
    assert!(!target.data().exists());
}
