//! Folders that cannot be used, and commands that may not be.

use crate::support::{Target, is_root, set_mode};

#[test]
fn a_folder_out_of_reach_is_named_with_what_to_do() {
    let target = Target::new();
    let closed = target.data().join("closed");
    std::fs::create_dir_all(&closed).unwrap();
    // Root steps down to a user who cannot enter; anybody else cannot write.
    set_mode(&closed, if is_root() { 0o700 } else { 0o500 });
    let said = target.call(&["up", "--data-dir", closed.join("data").to_str().unwrap()]);
    let (code, hint) = if is_root() { (125, "hint: chmod o+x") } else { (1, "hint: name a folder") };
    assert_eq!(said.code, Some(code), "{}", said.err);
    assert!(said.err.contains(hint), "{}", said.err);
    assert!(said.err.contains(closed.to_str().unwrap()), "{}", said.err);
    assert!(!closed.join("data").exists());
    std::fs::remove_dir_all(target.data()).unwrap();
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let target = Target::new();
    std::fs::create_dir(target.data()).unwrap();
    std::fs::write(target.data().join("thesis.txt"), "years of work").unwrap();
    for words in [&["up"][..], &["demo", "--headless"]] {
        let said = target.call(words);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains("--data-dir"), "{}", said.err);
    }
    target.ok(&["down", "--delete-data", "--yes"]);
    assert_eq!(std::fs::read_dir(target.data()).unwrap().count(), 1);
}

#[test]
fn read_only_forbids_what_changes_something() {
    let target = Target::new();
    for words in [
        &["up"][..],
        &["down"],
        &["demo"],
        &["run", "etl"],
        &["releases", "rollback", "--yes"],
        &["stop", "1"],
        &["db", "migrate"],
        &["down", "--delete-data", "--yes"],
    ] {
        let said = target.command(words).arg("--read-only").output().unwrap();
        assert_eq!(said.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&said.stderr).contains("read-only"), "{words:?}");
    }
    assert!(!target.data().exists());
}

#[test]
fn a_folder_without_postgresql_is_refused_by_name() {
    let target = Target::new();
    let said = target.call(&["up", "--pg-bin", "/nonexistent/bin"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("/nonexistent/bin"), "{}", said.err);
}
