//! Servers that were killed, and what they leave behind.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::Target;

fn killed() -> Target {
    let target = Target::new();
    target.ok(&["up"]);
    target.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
    kill(Pid::from_raw(target.postmaster().unwrap()), Signal::SIGKILL).unwrap();
    target
}

#[test]
fn a_killed_server_is_recovered_with_its_data() {
    let target = killed();
    let before = target.postmaster();
    assert!(before.is_some(), "its file stays behind");
    assert_eq!(target.part("postgresql")["state"], "failed");
    target.ok(&["up"]);
    assert_ne!(target.postmaster(), before);
    assert_eq!(target.part("postgresql")["state"], "ready");
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn a_process_id_that_somebody_else_has_now_does_not_fool_it() {
    let target = killed();
    let file = target.postmaster_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    // This very process is alive, and is no server.
    std::fs::write(&file, format!("{}\n{rest}", std::process::id())).unwrap();
    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn an_empty_file_of_a_machine_that_went_down_does_not_stop_it() {
    let target = killed();
    std::fs::write(target.postmaster_file(), "").unwrap();
    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn down_after_a_crash_is_no_error() {
    let target = killed();
    target.ok(&["down"]);
    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn an_interrupted_creation_is_done_again() {
    let target = Target::new();
    target.ok(&["up"]);
    target.ok(&["down"]);
    // As if `initdb` had been killed: the folder has its first name, and half of its content.
    let cluster = target.data().join("pg/cluster");
    std::fs::rename(&cluster, cluster.with_extension("partial")).unwrap();
    std::fs::remove_file(cluster.with_extension("partial").join("PG_VERSION")).unwrap();
    target.ok(&["up"]);
    assert_eq!(target.part("postgresql")["state"], "ready");
}
