//! Up, status and down of the local target.

use std::process::Stdio;

use crate::support::Target;

#[test]
fn up_is_idempotent_and_down_stops_everything() {
    let target = Target::new();
    assert_eq!(target.component("postgresql")["state"], "missing");
    target.ok(&["up"]);
    let first = target.postmaster();
    assert!(first.is_some());
    assert_eq!(target.component("postgresql")["state"], "ready");
    assert!(target.data().join("store").is_dir());

    target.ok(&["up"]);
    assert_eq!(target.postmaster(), first, "the running one is used");

    target.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
    target.ok(&["down"]);
    assert_eq!(target.processes(), [""; 0]);
    assert_eq!(target.component("postgresql")["state"], "stopped");
    target.ok(&["down"]);

    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn postgresql_is_private_to_user() {
    let target = Target::new();
    target.ok(&["up"]);
    assert_eq!(target.sql("SHOW listen_addresses"), "127.0.0.1");
    assert_eq!(target.sql("SHOW fsync"), "on");
    assert_eq!(target.sql("SHOW server_encoding"), "UTF8");
    // The server refuses connections without the password.
    let ways = target.sql("SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules");
    assert_eq!(ways, "scram-sha-256");
}

#[test]
fn delete_data_asks_and_deletes_only_own_files() {
    let target = Target::new();
    target.ok(&["up"]);
    std::fs::write(target.data().join("mine.txt"), "mine").unwrap();

    let output = target.call(&["down", "--delete-data"]);
    assert_eq!(output.code, Some(2), "confirmation needs a terminal");
    assert!(
        output.err.contains("--yes") && output.err.contains(target.data().to_str().unwrap()),
        "{}",
        output.err
    );
    assert_eq!(target.component("postgresql")["state"], "ready");

    target.ok(&["down", "--delete-data", "--yes"]);
    let left: Vec<_> =
        std::fs::read_dir(target.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mine.txt"]);
    assert_eq!(target.processes(), [""; 0]);
}

#[test]
fn concurrent_ups_are_serialized() {
    let target = Target::new();
    let start = || target.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let both = [start(), start(), start()].map(|child| child.wait_with_output().unwrap());
    for output in both {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let servers = target.processes();
    assert_eq!(servers.len(), 1, "{servers:?}");
}

#[test]
fn missing_target_errors_have_hints() {
    let target = Target::new();
    for words in [&["runs"][..], &["run", "etl"], &["psql"], &["db", "status"], &["reports"], &["datasets"]] {
        let output = target.call(words);
        assert_eq!((output.code, output.out.as_str()), (Some(125), ""), "{words:?}");
        assert!(output.err.contains("\n\nhint: covidctl up"), "{words:?}: {}", output.err);
    }
    assert!(!target.data().exists(), "asking creates nothing");
}
