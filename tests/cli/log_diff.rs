//! `covidctl logs diff`: two loads, of which the second one rejects rows that the first one did not have.

use serde_json::Value;

use crate::support::{Target, covidctl};

fn load(target: &Target) -> String {
    let args = ["run", "etl", "--force", "--years", "all", "--accept-anomalies", "--no-wait"];
    let run = target.ok(&args).out.trim().to_owned();
    target.ok(&["logs", "--run", &run, "--follow", "-o", "raw"]);
    run
}

#[test]
fn diff_names_new_rejects_first() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let good = load(&target);
    // Rows of the same files without a date and with an unknown province.
    let store = target.data().join("store");
    let dirty = tempfile::tempdir().unwrap();
    let out = dirty.path().display().to_string();
    let args = ["etl", "sample", "--rows", "2000", "--seed", "1", "--dirty", "0.02", "--out", &out];
    assert!(covidctl().args(args).output().unwrap().status.success());
    for entry in std::fs::read_dir(dirty.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, store.join(path.file_name().unwrap())).unwrap();
    }
    let bad = load(&target);

    let changes: Value =
        serde_json::from_str(&target.ok(&["logs", "diff", &good, &bad, "-o", "json"]).out).unwrap();
    let first = &changes[0];
    assert_eq!((&first["change"], &first["level"]), (&"new".into(), &"WARN".into()), "{changes:#}");
    assert!(first["pattern"].as_str().unwrap().starts_with("rows rejected reason="), "{changes:#}");
    assert_eq!(first["before"], 0);
    let text = target.ok(&["logs", "diff", &good, &bad]).out;
    assert!(text.starts_with("new   WARN "), "{text}");
    assert!(text.lines().nth(1).unwrap().contains("rows rejected reason="), "with its first line: {text}");

    let same = target.ok(&["logs", "diff", &good, &good]);
    assert_eq!(same.out, "");
    assert!(same.err.contains("both runs logged the same patterns"), "{}", same.err);
    assert_eq!(target.ok(&["logs", "diff", &good, &good, "-o", "json"]).out, "[]\n");
    let where_error = target.ok(&["logs", "diff", &good, &bad, "--where", "level = error", "-o", "json"]);
    assert_eq!(where_error.out, "[]\n");
    let unknown = target.call(&["logs", "diff", &good, "99999999"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("there is no log of a run `99999999`"), "{}", unknown.err);
}
