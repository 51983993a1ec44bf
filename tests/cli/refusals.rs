//! Folders that cannot be used, and commands that may not be.

use crate::support::{Target, is_root, set_mode};

#[test]
fn unreachable_data_dir_error_has_hint() {
    let target = Target::new();
    let closed = target.data().join("closed");
    std::fs::create_dir_all(&closed).unwrap();
    // Root switches to a user who cannot enter; another user cannot write.
    set_mode(&closed, if is_root() { 0o700 } else { 0o500 });
    let output = target.call(&["up", "--data-dir", closed.join("data").to_str().unwrap()]);
    let (code, hint) = if is_root() { (125, "hint: chmod o+x") } else { (1, "hint: use a folder") };
    assert_eq!(output.code, Some(code), "{}", output.err);
    assert!(output.err.contains(hint), "{}", output.err);
    assert!(output.err.contains(closed.to_str().unwrap()), "{}", output.err);
    assert!(!closed.join("data").exists());
    std::fs::remove_dir_all(target.data()).unwrap();
}

#[test]
fn foreign_directory_is_not_touched() {
    let target = Target::new();
    std::fs::create_dir(target.data()).unwrap();
    std::fs::write(target.data().join("thesis.txt"), "years of work").unwrap();
    for words in [&["up"][..], &["demo", "--headless"]] {
        let output = target.call(words);
        assert_eq!(output.code, Some(2), "{}", output.err);
        assert!(output.err.contains("--data-dir"), "{}", output.err);
    }
    target.ok(&["down", "--delete-data", "--yes"]);
    assert_eq!(std::fs::read_dir(target.data()).unwrap().count(), 1);
}

#[test]
fn read_only_refuses_changes() {
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
        let output = target.command(words).arg("--read-only").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("read-only"), "{words:?}");
    }
    assert!(!target.data().exists());
}

#[test]
fn pg_bin_without_postgresql_is_refused() {
    let target = Target::new();
    let output = target.call(&["up", "--pg-bin", "/nonexistent/bin"]);
    assert_eq!(output.code, Some(2));
    assert!(output.err.contains("/nonexistent/bin"), "{}", output.err);
}
