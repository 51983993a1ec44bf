//! Standard output: readers that leave, disks that are full, colour.

use std::fs::File;
use std::process::Stdio;

use crate::support::{Finished, covidctl};

#[test]
fn closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        covidctl().args(["completions", "bash"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output =
        covidctl().args(["completions", "bash"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr).unwrap().starts_with("error: cannot write to standard output: ")
    );
}

#[test]
fn color_is_for_terminals_unless_forced() {
    let plain: Finished = covidctl().args(["-o", "raw", "status"]).output().unwrap().into();
    assert!(!plain.err.contains('\x1b'));
    let painted: Finished =
        covidctl().args(["--color", "always", "-o", "raw", "status"]).output().unwrap().into();
    assert!(painted.err.contains('\x1b'));
}

#[test]
fn escape_sequences_in_arguments_are_escaped() {
    let text: Finished = covidctl().args(["--target", "a\x1b[2Jb", "status"]).output().unwrap().into();
    assert!(!text.err.contains('\x1b'), "{}", text.err);
    assert!(text.err.contains("a\\u{1b}[2Jb"), "{}", text.err);
}
