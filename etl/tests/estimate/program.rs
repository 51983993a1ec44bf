//! The program, its files and what it printed.

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

    /// Runs `etl estimate` in the folder, so that arguments name files as they are.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &str, input: &[u8]) -> Ended {
        run(self.0.path().to_path_buf(), arguments, input)
    }
}

fn run(folder: PathBuf, arguments: &str, input: &[u8]) -> Ended {
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
    // A program that refuses its arguments closes its input without reading it.
    drop(child.stdin.take().unwrap().write_all(input));
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        printed: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) printed: String,
    pub(crate) said: String,
}

impl Ended {
    /// The header and the rows of a run that succeeded.
    pub(crate) fn table(&self) -> (String, Vec<Vec<String>>) {
        assert_eq!(self.code, Some(0), "{self:?}");
        let mut lines = self.printed.lines();
        let header = lines.next().unwrap().to_owned();
        (header, lines.map(|line| line.split(',').map(str::to_owned).collect()).collect())
    }

    /// Checks that the run failed with this code, printed nothing, and said this, with a hint.
    #[track_caller]
    pub(crate) fn assert_refused(&self, code: i32, said: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.printed, "");
        assert!(self.said.contains(said), "{} does not say: {said}", self.said);
        assert!(self.said.contains("hint: "), "{} has no hint", self.said);
    }
}
