//! A load that the publish gate refuses, one that is accepted, and the way back.

use serde_json::Value;

use crate::support::{Target, call};

/// A target that is up, with a published sample of 2,000 rows, and another of 200 rows in its store.
fn with_fewer_rows() -> Target {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let store = target.data().join("store");
    let sample = call(&["etl", "sample", "--rows", "200", "--seed", "2", "--out", store.to_str().unwrap()]);
    assert_eq!(sample.code, Some(0), "{}", sample.err);
    target
}

#[track_caller]
fn json(target: &Target, words: &[&str]) -> Value {
    let mut all = words.to_vec();
    all.extend(["-o", "json"]);
    serde_json::from_str(&target.ok(&all).out).unwrap()
}

/// Number and state of each release.
#[track_caller]
fn releases(target: &Target) -> Vec<(i64, String)> {
    let listed = json(target, &["releases", "list"]);
    let of = |release: &Value| {
        (release["release_id"].as_i64().unwrap(), release["state"].as_str().unwrap().to_owned())
    };
    listed.as_array().unwrap().iter().map(of).collect()
}

fn cases(target: &Target) -> String {
    target.sql("SELECT count(*) FROM covid_case")
}

#[test]
fn refused_load_is_explained_accepted_and_rolled_back() {
    let target = with_fewer_rows();
    let before = cases(&target);

    let refused = target.call(&["run", "etl"]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("refused") && refused.err.contains("--accept-anomalies"), "{}", refused.err);
    assert_eq!(cases(&target), before, "what was published stays");
    let shown = target.ok(&["runs", "show", "latest"]).out;
    let failed = shown.lines().find(|line| line.starts_with("  failed")).unwrap_or_else(|| panic!("{shown}"));
    assert!(failed.contains("are published") && shown.contains("checks       "), "{shown}");
    let details = json(&target, &["runs", "show", "latest"]);
    assert_eq!((&details["status"], &details["checks"][0]["outcome"]), (&"failed".into(), &"failed".into()));
    let checks = details["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["outcome"] == "passed"), "{details}");
    let doctor = target.call(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{}", doctor.out);
    assert!(
        doctor.out.contains("failed   last load") && doctor.out.contains("--accept-anomalies"),
        "{}",
        doctor.out
    );

    target.ok(&["run", "etl", "--accept-anomalies"]);
    assert_ne!(cases(&target), before);
    let accepted = target.ok(&["runs", "show", "latest"]).out;
    assert!(accepted.contains("  accepted"), "{accepted}");
    assert_eq!(releases(&target), [(3, "published".to_owned()), (1, "kept".to_owned())]);
    let listed = target.ok(&["releases"]).out;
    assert!(listed.contains("published") && listed.contains("kept"), "{listed}");

    // Without a terminal only `--yes` says yes.
    let unasked = target.call(&["releases", "rollback"]);
    assert_eq!(unasked.code, Some(2), "{}", unasked.err);
    assert!(
        unasked.err.contains("Publish release 1 ") && unasked.err.contains("target local ("),
        "{}",
        unasked.err
    );
    for (to, why) in [("3", "is published already"), ("2", "is not kept"), ("99", "is not kept")] {
        let wrong = target.call(&["releases", "rollback", "--yes", "--to", to]);
        assert_eq!(wrong.code, Some(2), "{}", wrong.err);
        assert!(wrong.err.contains(why) && wrong.err.contains("hint: "), "{}", wrong.err);
    }
    let rolled_back = target.ok(&["releases", "rollback", "--yes"]);
    assert!(rolled_back.err.contains("covidctl run report"), "{}", rolled_back.err);
    assert_eq!(cases(&target), before);
    assert_eq!(releases(&target), [(3, "rolled-back".to_owned()), (1, "published".to_owned())]);
    let run = &json(&target, &["runs"])[0];
    assert_eq!((&run["kind"], &run["status"]), (&"rollback".into(), &"succeeded".into()));
    let doctor = target.ok(&["doctor"]).out;
    assert!(doctor.contains("warning  rollback"), "{doctor}");

    // The same files are not loaded again, and release 3 can be published again.
    let skipped = target.ok(&["run", "etl"]);
    assert!(skipped.out.contains("skipped") && skipped.err.contains("rolled back"), "{skipped:?}");
    let none = target.call(&["releases", "rollback", "--yes"]);
    assert_eq!(none.code, Some(1), "{}", none.err);
    assert!(none.err.contains("no release before release 1 is kept"), "{}", none.err);
    target.ok(&["releases", "rollback", "--yes", "--to", "3"]);
    assert_ne!(cases(&target), before);
    let shown = target.ok(&["releases", "show"]).out;
    assert!(shown.starts_with("release      3") && shown.contains("provinces"), "{shown}");
}

#[test]
fn releases_of_an_empty_target_say_that_nothing_is_published() {
    let target = Target::new();
    target.ok(&["up"]);
    assert_eq!(target.ok(&["releases"]).out, "nothing is published yet\n");
    assert_eq!(releases(&target), []);
    for words in [&["releases", "show"][..], &["releases", "show", "7"], &["releases", "rollback", "--yes"]] {
        let output = target.call(words);
        assert_eq!(output.code, Some(1), "{words:?}: {}", output.err);
        assert!(output.err.contains("hint: covidctl "), "{words:?}: {}", output.err);
    }
}
