//! Builds the test programs of the workspace and runs several at a time: many wait for processes, servers and clocks.
//!
//! The output of a program is shown when it has ended.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;

use crate::{output, process};
use common::failure::{Context as _, Failure, Result};

/// Programs that run at the same time. They wait more than they compute.
const WORKERS: usize = 3;

/// Programs that take longest. They are started first, so that none is left alone at the end.
const LONGEST: [&str; 4] = ["covidctl aws", "etl faults", "etl load", "aws aws"];

/// Programs without output for this long are considered hung.
const OUTPUT_TIMEOUT: Duration = Duration::from_mins(8);

pub(crate) struct TestProgram {
    /// `package target`
    name: String,
    path: PathBuf,
    /// The folder of the package.
    folder: PathBuf,
}

pub(crate) struct ProgramEnd {
    pub(crate) name: String,
    pub(crate) output: String,
    pub(crate) succeeded: bool,
}

/// A message of cargo about what it has built.
#[derive(Deserialize)]
struct Message {
    /// `path+file:///folder#name@version`, without a name if it is that of the folder.
    package_id: Option<String>,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds all test programs. Those that take longest come first, then those of integration tests.
pub(crate) fn build() -> Result<Vec<TestProgram>> {
    let arguments = "test --workspace --all-features --no-run --message-format json-render-diagnostics";
    let mut cargo = process::cargo(arguments);
    let built = cargo.stderr(Stdio::inherit()).output().context(|| process::cannot_start(&cargo))?;
    if !built.status.success() {
        return Err(Failure::new("the tests cannot be built"));
    }
    let mut programs: Vec<(bool, TestProgram)> =
        String::from_utf8_lossy(&built.stdout).lines().filter_map(program).collect();
    let rank = |name: &str| LONGEST.iter().position(|longest| *longest == name).unwrap_or(LONGEST.len());
    programs.sort_by_key(|(is_integration_test, program)| (rank(&program.name), !is_integration_test));
    Ok(programs.into_iter().map(|(_, program)| program).collect())
}

/// Returns the program in a message of cargo, and whether it is one of integration tests.
fn program(message: &str) -> Option<(bool, TestProgram)> {
    let Message { package_id, executable, manifest_path, target, profile } =
        serde_json::from_str(message).ok()?;
    let (path, manifest, target) = (executable?, manifest_path?, target?);
    let folder = manifest.parent()?.to_path_buf();
    let named =
        package_id.as_deref().and_then(|id| id.rsplit_once('#')?.1.split_once('@')).map(|(name, _)| name);
    let package = named
        .map_or_else(|| folder.file_name().unwrap_or_default().to_string_lossy().into_owned(), str::to_owned);
    let name = format!("{package} {}", target.name);
    let is_integration_test = target.kind.iter().any(|kind| kind == "test");
    profile.filter(|profile| profile.test).map(|_| (is_integration_test, TestProgram { name, path, folder }))
}

/// Runs the programs with the filter.
pub(crate) fn run(
    programs: Vec<TestProgram>,
    environment: &[(&str, OsString)],
    filter: &[String],
) -> Result<Vec<ProgramEnd>> {
    let queue = Mutex::new(VecDeque::from(programs));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        let mut ends = Vec::new();
        while let Some(program) = next() {
            ends.push(program.run(environment, filter)?);
        }
        Ok(ends)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let mut ends = Vec::new();
        for worker in workers {
            let done: Result<Vec<ProgramEnd>> =
                worker.join().unwrap_or_else(|_| Err(Failure::new("a worker panicked")));
            ends.extend(done?);
        }
        Ok(ends)
    })
}

impl TestProgram {
    fn run(self, environment: &[(&str, OsString)], filter: &[String]) -> Result<ProgramEnd> {
        let begun = Instant::now();
        let (reader, writer) = io::pipe().context(|| "cannot open a pipe".to_owned())?;
        let errors = writer.try_clone().context(|| "cannot open a pipe".to_owned())?;
        let mut command = Command::new(&self.path);
        command
            .args(filter)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors);
        let mut child = command.spawn().context(|| process::cannot_start(&command))?;
        // The command holds the ends of the pipe for writing.
        drop(command);
        let Some(text) =
            read_to_end(reader, OUTPUT_TIMEOUT).context(|| "cannot read the output of tests".to_owned())?
        else {
            process::kill_with_descendants(&mut child)?;
            let minutes = OUTPUT_TIMEOUT.as_secs() / 60;
            return Err(Failure::new(format!(
                "the tests `{}` hang: no output for {minutes} minutes",
                self.name
            )));
        };
        let status = child.wait().context(|| "cannot wait for tests".to_owned())?;
        show(&self.name, begun.elapsed(), &text)?;
        Ok(ProgramEnd { name: self.name, output: text, succeeded: status.success() })
    }
}

/// Shows the output of a program as a whole.
fn show(name: &str, time: Duration, text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    output::note(&format!("{name}, {} s", time.as_secs()));
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context(|| "cannot show the output of tests".to_owned())
}

/// Reads everything; `None` after a silence of `timeout`.
fn read_to_end(mut from: PipeReader, timeout: Duration) -> io::Result<Option<String>> {
    let timeout = PollTimeout::try_from(timeout).map_err(io::Error::other)?;
    let (mut all, mut chunk) = (Vec::new(), [0; 8192]);
    while poll(&mut [PollFd::new(from.as_fd(), PollFlags::POLLIN)], timeout)? > 0 {
        let length = from.read(&mut chunk)?;
        if length == 0 {
            return Ok(Some(String::from_utf8_lossy(&all).into_owned()));
        }
        all.extend_from_slice(&chunk[..length]);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn program_is_found_in_message_about_a_test() {
        let message = |profile: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///w/etl#0.1.0","manifest_path":"/w/etl/Cargo.toml","target":{{"kind":["test"],"name":"load"}},
                     "profile":{{"test":{profile}}},"executable":"/w/target/load-1"}}"#
            )
        };
        let (is_integration_test, found) = program(&message("true")).unwrap();
        assert_eq!((found.name.as_str(), found.folder.as_path()), ("etl load", Path::new("/w/etl")));
        assert!(is_integration_test && program(&message("false")).is_none());
        assert!(program(r#"{"reason":"build-finished","success":true}"#).is_none());
    }

    #[test]
    fn read_to_end_returns_everything_or_ends_after_silence() {
        let (reader, mut writer) = io::pipe().unwrap();
        thread::spawn(move || writer.write_all("año\n".repeat(9999).as_bytes()));
        assert_eq!(read_to_end(reader, OUTPUT_TIMEOUT).unwrap().unwrap(), "año\n".repeat(9999));
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(read_to_end(reader, Duration::from_millis(1)).unwrap(), None);
    }
}
