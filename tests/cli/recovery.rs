//! Servers that were killed, and what they leave behind.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Target, is_root};

fn killed() -> Target {
    let target = Target::new();
    target.ok(&["up"]);
    target.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
    kill(Pid::from_raw(target.postmaster().unwrap()), Signal::SIGKILL).unwrap();
    // The server's other processes exit on their own and hold this lock until then; on a busy machine, that takes longer than the program
    // waits for.
    let lock = std::fs::File::open(target.data().join("pg/server.lock")).unwrap();
    lock.lock_shared().unwrap();
    target
}

#[test]
fn killed_server_is_recovered_with_its_data() {
    let target = killed();
    let before = target.postmaster();
    assert!(before.is_some(), "its file stays behind");
    assert_eq!(target.component("postgresql")["state"], "failed");
    target.ok(&["up"]);
    assert_ne!(target.postmaster(), before);
    assert_eq!(target.component("postgresql")["state"], "ready");
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn reused_pid_in_pid_file_is_not_mistaken_for_server() {
    let target = killed();
    let file = target.postmaster_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    // This very process is alive, and is no server.
    std::fs::write(&file, format!("{}\n{rest}", std::process::id())).unwrap();
    // PostgreSQL, which root runs as another user, ignores processes of other users.
    if !is_root() {
        let refused = target.call(&["up"]);
        assert_eq!(refused.code, Some(125), "{}", refused.err);
        assert!(refused.err.contains("which now is another program"), "{}", refused.err);
        std::fs::remove_file(&file).unwrap();
    }
    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn empty_pid_file_after_power_loss_is_replaced() {
    let target = killed();
    std::fs::write(target.postmaster_file(), "").unwrap();
    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn down_after_crash_succeeds() {
    let target = killed();
    target.ok(&["down"]);
    target.ok(&["up"]);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}

#[test]
fn interrupted_creation_is_repeated() {
    let target = Target::new();
    target.ok(&["up"]);
    target.ok(&["down"]);
    // As if `initdb` had been killed: the folder has its first name, and half of its content.
    let cluster = target.data().join("pg/cluster");
    std::fs::rename(&cluster, cluster.with_extension("partial")).unwrap();
    std::fs::remove_file(cluster.with_extension("partial").join("PG_VERSION")).unwrap();
    target.ok(&["up"]);
    assert_eq!(target.component("postgresql")["state"], "ready");
}
