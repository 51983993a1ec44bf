//! Snapshots of the help and of common errors of `etl`.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::process::Command;

/// Runs `etl` without any of its environment variables; returns exit code, stdout and stderr.
fn etl(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_etl"))
        .args(arguments)
        .env_clear()
        .env("COLUMNS", "100")
        .env("LOG_FORMAT", "text")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("exit code {}\n{}{}", output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn help_matches_snapshots() {
    for command in ["", "run", "report", "download", "rollback", "migrate", "sample", "estimate"] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let name = if command.is_empty() { "etl" } else { command };
        insta::assert_snapshot!(format!("help_{name}"), etl(&arguments));
    }
}

#[test]
fn errors_match_snapshots() {
    for (name, arguments) in [
        ("missing_store", &["download"][..]),
        ("invalid_store", &["download", "--store-url", "data"]),
        ("relative_store", &["download", "--store-url", "file://data"]),
        ("invalid_percent", &["run", "--max-rejected-percent", "101"]),
        ("invalid_dirty_share", &["sample", "--dirty", "2", "--out", "/nonexistent"]),
        ("too_many_rows", &["sample", "--rows", "99999999999", "--out", "/nonexistent"]),
    ] {
        insta::assert_snapshot!(format!("error_{name}"), etl(arguments));
    }
}
