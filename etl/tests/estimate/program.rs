//! Runs `etl estimate` on input files.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with input files.
pub(crate) struct Inputs(TempDir);

impl Inputs {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    /// Runs `etl estimate` in the folder, so that arguments are file names.
    pub(crate) fn run(&self, arguments: &str) -> Output {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &str, input: &[u8]) -> Output {
        run(self.0.path().to_path_buf(), arguments, input)
    }
}

fn run(folder: PathBuf, arguments: &str, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_etl"))
        .arg("estimate")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env("LOG_FORMAT", "text")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that rejects its arguments closes its input without reading it.
    drop(child.stdin.take().unwrap().write_all(input));
    let output = child.wait_with_output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Returns header and rows of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn table(&self) -> (String, Vec<Vec<String>>) {
        assert_eq!(self.code, Some(0), "{self:?}");
        let mut lines = self.stdout.lines();
        let header = lines.next().unwrap().to_owned();
        (header, lines.map(|line| line.split(',').map(str::to_owned).collect()).collect())
    }

    /// Checks that the run failed with this code and message, with a hint, and printed nothing.
    #[track_caller]
    pub(crate) fn assert_rejected(&self, code: i32, message: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "");
        assert!(self.stderr.contains(message), "{} does not contain: {message}", self.stderr);
        assert!(self.stderr.contains("hint: "), "{} has no hint", self.stderr);
    }
}
