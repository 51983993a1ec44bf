//! Standard output: readers that leave, disks that are full, colour.

use std::fs::File;
use std::process::Stdio;

use crate::support::{Said, covidctl};

#[test]
fn a_reader_that_leaves_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        covidctl().args(["completions", "bash"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output =
        covidctl().args(["completions", "bash"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr).unwrap().starts_with("error: cannot write to standard output: ")
    );
}

#[test]
fn colour_is_for_terminals_and_for_those_who_insist() {
    let plain: Said = covidctl().args(["--target", "moon", "status"]).output().unwrap().into();
    assert!(!plain.err.contains('\x1b'));
    let painted: Said =
        covidctl().args(["--color", "always", "--target", "moon", "status"]).output().unwrap().into();
    assert!(painted.err.contains('\x1b'));
}

#[test]
fn nothing_that_was_typed_can_steer_the_terminal() {
    let said: Said = covidctl().args(["--target", "a\x1b[2Jb", "status"]).output().unwrap().into();
    assert!(!said.err.contains('\x1b'), "{}", said.err);
    assert!(said.err.contains("a\\u{1b}[2Jb"), "{}", said.err);
}
