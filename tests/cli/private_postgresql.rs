//! The private PostgreSQL in adverse conditions: it starts, or is refused with exit code 125, and no server is harmed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Finished, Target, covidctl, is_root, set_mode};

fn up_in(folder: &Path) -> Finished {
    covidctl().arg("--data-dir").arg(folder).arg("up").output().unwrap().into()
}

#[track_caller]
fn assert_refused(finished: &Finished, reason: &str) {
    assert_eq!(finished.code, Some(125), "{}", finished.err);
    assert!(finished.err.contains(reason) && finished.err.contains("hint: "), "{}", finished.err);
}

#[test]
fn unsuitable_names_are_refused_before_anything_starts() {
    let target = Target::new();
    let parent = target.data().parent().unwrap().to_owned();
    let component = "x".repeat(240);
    let long = [component.as_str(); 4].join("/");
    for (name, reason) in [
        (&b"a\xf1o"[..], "UTF-8"),
        (b"a\nb", "line breaks"),
        (b"a\x1b[31m", "line breaks"),
        (long.as_bytes(), "bytes"),
    ] {
        let refused = up_in(&parent.join(OsStr::from_bytes(name)));
        assert_refused(&refused, reason);
        assert!(!refused.err.contains('\u{1b}'), "{:?}", refused.err);
    }
    assert_eq!(std::fs::read_dir(parent).unwrap().count(), 0);
}

#[test]
fn unusual_names_are_accepted() {
    let target = Target::new();
    let folder = target.data().join("con espacios y ñandú — $x 'q' %41");
    let finished = up_in(&folder);
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let down = covidctl().arg("--data-dir").arg(&folder).args(["down", "--delete-data", "--yes"]).status();
    assert!(down.unwrap().success());
}

#[test]
fn folders_that_others_can_write_to_are_refused() {
    let target = Target::new();
    let shared = target.data();
    std::fs::create_dir(&shared).unwrap();
    for (folder, mode) in [(shared.clone(), 0o777), (shared.clone(), 0o1777), (shared.join("data"), 0o777)] {
        set_mode(&shared, mode);
        assert_refused(&up_in(&folder), "every user can write to");
    }
    set_mode(&shared, 0o755);
}

#[test]
fn temporary_folder_is_not_needed() {
    let target = Target::new();
    let output = target.command(&["up"]).env("TMPDIR", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(target.sql("SELECT 1"), "1");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the wrappers come first in the caller's PATH")]
fn program_that_only_works_in_the_callers_environment_is_not_used() {
    let target = Target::new();
    let wrappers = target.data().with_file_name("wrappers");
    std::fs::create_dir(&wrappers).unwrap();
    for program in ["postgres", "initdb"] {
        let wrapper = wrappers.join(program);
        std::fs::write(&wrapper, format!("#!/bin/sh\n: \"${{SOME_SHIM:?}}\"\nexec {program} \"$@\"\n"))
            .unwrap();
        set_mode(&wrapper, 0o755);
    }
    let path = format!("{}:{}", wrappers.display(), std::env::var("PATH").unwrap());
    let output = target.command(&["up"]).env("SOME_SHIM", "1").env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(wrappers).unwrap();
}

#[test]
fn other_spelling_of_the_folder_finds_the_running_server() {
    let target = Target::new();
    target.ok(&["up"]);
    let server = target.postmaster();
    let link = target.data().with_file_name("link");
    symlink(target.data(), &link).unwrap();
    for folder in [link.clone(), target.data().join("../data/."), link.join("../data")] {
        let finished = up_in(&folder);
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        assert!(!finished.err.contains("recovering"), "{}", finished.err);
        assert_eq!(target.postmaster(), server);
    }
    std::fs::remove_file(link).unwrap();
}

#[test]
fn reason_of_server_that_does_not_start_is_its_own() {
    let target = Target::new();
    target.ok(&["up"]);
    target.ok(&["down"]);
    let settings = target.data().join("pg/cluster/postgresql.auto.conf");
    std::fs::write(&settings, "shared_buffers = 'many'\n").unwrap();
    let refused = target.call(&["up"]);
    assert_refused(&refused, "invalid value for parameter \"shared_buffers\": \"many\"");
    std::fs::write(&settings, "").unwrap();
    target.ok(&["up"]);
}

/// A server of the target's cluster that was started by hand: only the environment names the folder.
struct ByHand(Child);

impl ByHand {
    fn start(target: &Target) -> Self {
        let cluster = target.data().join("pg/cluster");
        let owner = cluster.metadata().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Command::new(postgres(target));
        server.args(["-c", &format!("port={port}"), "-c", "unix_socket_directories="]);
        server
            .env_clear()
            .env("PGDATA", &cluster)
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        if is_root() {
            server.uid(owner.uid()).gid(owner.gid());
        }
        let server = Self(server.spawn().unwrap());
        while !std::fs::read_to_string(target.postmaster_file()).is_ok_and(|text| text.contains("ready")) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        server
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGINT).unwrap();
        self.0.wait().unwrap();
    }
}

/// Returns the server's program, as `doctor` has found it.
fn postgres(target: &Target) -> String {
    let checks: serde_json::Value =
        serde_json::from_str(&target.call(&["doctor", "-o", "json"]).out).unwrap();
    let checks = checks["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == "postgresql").unwrap();
    format!("{}/postgres", found["detail"].as_str().unwrap().split('`').nth(1).unwrap())
}

#[test]
fn server_started_by_hand_is_refused_and_not_harmed() {
    let target = Target::new();
    target.ok(&["up"]);
    target.ok(&["down"]);
    let mut server = ByHand::start(&target);
    let file = std::fs::read(target.postmaster_file()).unwrap();
    for words in [&["up"][..], &["down"], &["down", "--delete-data", "--yes"], &["demo", "--headless"]] {
        assert_refused(&target.call(words), "another PostgreSQL server uses");
    }
    assert!(target.component("postgresql")["detail"].as_str().unwrap().contains("by hand"));
    assert_eq!(std::fs::read(target.postmaster_file()).unwrap(), file);
    assert!(server.0.try_wait().unwrap().is_none());
    drop(server);
    target.ok(&["up"]);
}

#[test]
fn server_in_another_process_namespace_is_refused_and_not_harmed() {
    if !is_root() {
        eprintln!("skipped: only root can create a process namespace");
        return;
    }
    let target = Target::new();
    target.ok(&["up"]);
    target.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
    let before = std::fs::read(target.postmaster_file()).unwrap();
    for words in [&["up"][..], &["down"], &["demo", "--headless"]] {
        let mut apart = Command::new("unshare");
        apart.args(["--pid", "--ipc", "--fork", "--mount-proc"]).arg(env!("CARGO_BIN_EXE_covidctl"));
        apart.arg("--data-dir").arg(target.data()).args(words);
        assert_refused(&apart.output().unwrap().into(), "another PostgreSQL server uses");
    }
    assert_eq!(std::fs::read(target.postmaster_file()).unwrap(), before);
    assert_eq!(target.sql("SELECT n FROM kept"), "7");
}
