//! Reports after they were made: the latest, opened in a browser, compared.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::Target;

/// A target that has folders and no server, with these reports in its store.
fn with_reports(reports: &[(&str, Value)]) -> Target {
    let target = Target::new();
    for folder in ["store/reports", "store/runs", "logs", "processes"] {
        std::fs::create_dir_all(target.data().join(folder)).unwrap();
    }
    // What says that the folder is a target.
    std::fs::write(target.data().join("covidctl.json"), "{}").unwrap();
    for (name, rows) in reports {
        let folder = target.data().join("store/reports").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let columns = json!([
            { "name": "year", "kind": "number", "names_line": true },
            { "name": "confirmed", "kind": "count", "names_line": false },
        ]);
        let document =
            json!({ "questions": [{ "name": "confirmed_by_year", "columns": columns, "rows": rows }] });
        std::fs::write(folder.join("report.json"), document.to_string()).unwrap();
        std::fs::write(folder.join("report.html"), "<!doctype html>").unwrap();
        std::fs::write(folder.join("report.txt"), "text").unwrap();
    }
    target
}

/// A folder with an `xdg-open` that notes what it is given.
fn opener(at: &Path) -> String {
    std::fs::create_dir_all(at).unwrap();
    let program = at.join("xdg-open");
    std::fs::write(&program, format!("#!/bin/sh\nprintf %s \"$1\" > '{}'\n", at.join("opened").display()))
        .unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    at.display().to_string()
}

#[test]
fn reports_open_opens_page_and_prints_path() {
    let target = with_reports(&[("20250101_000000_a", json!([]))]);
    let programs = target.data().join("bin");
    let path = opener(&programs);
    let output = target.command(&["reports", "open", "2025"]).env("PATH", path).output().unwrap();
    let page = target.data().join("store/reports/20250101_000000_a/report.html").display().to_string();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), page);
    assert_eq!(output.status.code(), Some(0));
    // The browser is not waited for.
    let opened = || std::fs::read_to_string(programs.join("opened")).unwrap_or_default();
    while opened() != page {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn reports_open_without_browser_names_file() {
    let target = with_reports(&[("20250101_000000_a", json!([]))]);
    let output = target.command(&["reports", "open", "2025"]).env("PATH", "/nonexistent").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("hint: open `") && text.contains("report.html` in a browser"), "{text}");
}

#[test]
fn reports_compare_defaults_to_latest_and_previous() {
    let target = with_reports(&[
        ("20250101_000000_a", json!([[2020, 1], [2021, 5]])),
        ("20250201_000000_b", json!([[2020, 7], [2021, 5000]])),
        ("20250301_000000_c", json!([[2020, 7], [2021, 7200]])),
    ]);
    let text = target.ok(&["reports", "compare"]).out;
    assert!(text.contains("20250201_000000_b") && text.contains("20250301_000000_c"), "{text}");
    assert!(text.contains("2021  confirmed   5,000  7,200  +2,200"), "{text}");
    assert!(!text.contains("2020"), "what is the same is not shown: {text}");
    let json: Value =
        serde_json::from_str(&target.ok(&["reports", "compare", "202501", "202502", "-o", "json"]).out)
            .unwrap();
    assert_eq!(json["questions"][0]["changes"].as_array().unwrap().len(), 2);
    assert_eq!(target.call(&["reports", "compare", "2024"]).code, Some(1));
    let alone = with_reports(&[("20250101_000000_a", json!([]))]).call(&["reports", "compare"]);
    assert!(alone.code == Some(1) && alone.err.contains("hint: covidctl run report"), "{}", alone.err);
}

#[test]
fn reports_show_follows_pointer_and_list_marks_it() {
    let target = with_reports(&[("20250101_000000_a", json!([])), ("20250201_000000_b", json!([]))]);
    let pointer = target.data().join("store/reports/latest.json");
    let name = |args: &[&str]| serde_json::from_str::<Value>(&target.ok(args).out).unwrap()["name"].clone();
    assert_eq!(name(&["reports", "show", "-o", "json"]), "20250201_000000_b", "no pointer: the newest");

    let run = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
    std::fs::write(&pointer, json!({ "folder": "20250101_000000_a", "run_id": run }).to_string()).unwrap();
    assert_eq!(name(&["reports", "show", "-o", "json"]), "20250101_000000_a");
    let listed = target.ok(&["reports"]).out;
    let marked: Vec<_> = listed.lines().filter(|line| line.contains('*')).collect();
    assert!(marked.len() == 1 && marked[0].starts_with("20250101_000000_a"), "{listed}");

    std::fs::write(&pointer, json!({ "folder": "../runs", "run_id": run }).to_string()).unwrap();
    let refused = target.call(&["reports", "show"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("names no folder under `reports/`"), "{}", refused.err);
    assert!(refused.err.contains("hint: covidctl run report"), "{}", refused.err);
}
