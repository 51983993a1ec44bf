//! `cargo xtask test`: all checks and tests, on a temporary PostgreSQL. The output of cargo is passed through and counted.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::postgres::{Binaries, Cluster, THROW_AWAY};
use crate::{checks, output, prerequisites, process, stacks};
use common::failure::{Context as _, Failure, Result};

/// Tests without output for this long are considered hung.
const OUTPUT_TIMEOUT: Duration = Duration::from_mins(8);

/// Variables with folders of external data, and what is skipped without them.
const OPTIONAL_DATA: [(&str, &str); 3] = [
    ("COVID_REAL_DATA", "tests on real rows"),
    ("EPI_REFERENCE", "comparisons of estimates with their reference"),
    ("AWS_ANSWERS", "recorded answers of AWS"),
];

/// Runs all checks and tests, or only the tests; with a filter, only the matching ones.
pub(crate) fn run(pg_bin: Option<&Path>, only_tests: bool, filter: &[String]) -> Result<()> {
    prerequisites::provide(pg_bin)?;
    for (variable, tests) in OPTIONAL_DATA {
        if std::env::var_os(variable).is_none() {
            output::note(&format!("{variable} is not set: {tests} are skipped"));
        }
    }
    if only_tests || !filter.is_empty() {
        return tests(pg_bin, filter).map(|tally| output::note(&tally.to_string()));
    }
    checks::code()?;
    checks::lint()?;
    stacks::conform()?;
    let tally = tests(pg_bin, &[])?;
    checks::documentation()?;
    checks::dependencies()?;
    output::note(&format!("{tally}; formatting, lints, templates and documentation are clean"));
    Ok(())
}

fn tests(pg_bin: Option<&Path>, filter: &[String]) -> Result<Tally> {
    let binaries = Binaries::find(pg_bin)?;
    let (moto, ministack, adapted) = (stacks::moto()?, stacks::ministack()?, stacks::adapted()?);
    let cluster = Cluster::start(&binaries, THROW_AWAY)?;
    output::note("tests");
    process::run(&mut process::cargo("test --workspace --all-features --no-run"))?;
    let mut command = process::cargo("test --workspace --all-features --no-fail-fast --");
    command
        .args(filter)
        .env("TEST_DATABASE_URL", cluster.url("postgres"))
        // For tests that start their own server.
        .env("TEST_PG_BIN", binaries.folder())
        // The interpreter with moto, the program ministack, and the templates adapted to both.
        .env("TEST_MOTO", moto)
        .env("TEST_MINISTACK", ministack.with_file_name("ministack"))
        .env("TEST_STACKS", adapted)
        // The emulators accept any key; prevents the use of real ones.
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .stdout(Stdio::piped());
    let mut cargo = command.spawn().context(|| process::cannot_start(&command))?;
    let Some(stdout) = cargo.stdout.take() else { return Err(Failure::new("`cargo test` has no output")) };
    let Some(text) = copy(stdout, io::stdout(), OUTPUT_TIMEOUT)
        .context(|| "cannot read the output of `cargo test`".to_owned())?
    else {
        process::kill_with_descendants(&mut cargo)?;
        return Err(Failure::new(format!(
            "the tests hang: no output for {} minutes",
            OUTPUT_TIMEOUT.as_secs() / 60
        ))
        .hint("the last lines name the tests that were still running"));
    };
    let tally = Tally::of(&text);
    let status = cargo.wait().context(|| "cannot wait for `cargo test`".to_owned())?;
    if !status.success() {
        return Err(Failure::new(format!("tests failed: {tally}"))
            .hint("run one alone: `cargo xtask test -- part_of_its_name`"));
    }
    if tally.passed == 0 {
        return Err(Failure::new("no test has run").hint("check the filter after `--`"));
    }
    Ok(tally)
}

#[derive(Default, PartialEq, Eq, Debug)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Copies everything to `terminal` and returns it; `None` after a silence of `timeout`.
fn copy(
    mut from: impl Read + AsFd,
    mut terminal: impl Write,
    timeout: Duration,
) -> io::Result<Option<String>> {
    let timeout = PollTimeout::try_from(timeout).map_err(io::Error::other)?;
    let (mut all, mut chunk) = (Vec::new(), [0; 8192]);
    while poll(&mut [PollFd::new(from.as_fd(), PollFlags::POLLIN)], timeout)? > 0 {
        let length = from.read(&mut chunk)?;
        if length == 0 {
            return Ok(Some(String::from_utf8_lossy(&all).into_owned()));
        }
        all.extend_from_slice(&chunk[..length]);
        terminal.write_all(&chunk[..length])?;
        terminal.flush()?;
    }
    Ok(None)
}

impl Tally {
    /// Sums the lines `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn of(output: &str) -> Self {
        let mut tally = Self::default();
        let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
        for part in results.flat_map(|result| result.split(';')) {
            let mut words = part.split(' ').rev();
            let total = match words.next() {
                Some("passed") => &mut tally.passed,
                Some("failed") => &mut tally.failed,
                Some("ignored") => &mut tally.ignored,
                _ => continue,
            };
            *total += words.next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
        }
        tally
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tests passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tally_sums_results() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\
            test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Tally::of(output), Tally { passed: 15, failed: 2, ignored: 1 });
    }

    #[test]
    fn copy_passes_everything_through() {
        let (reader, mut writer) = io::pipe().unwrap();
        std::thread::spawn(move || writer.write_all("año\n".repeat(9999).as_bytes()));
        let mut terminal = Vec::new();
        let copied = copy(reader, &mut terminal, OUTPUT_TIMEOUT).unwrap().unwrap();
        assert_eq!(copied, "año\n".repeat(9999));
        assert_eq!(terminal, copied.as_bytes());
    }

    #[test]
    fn copy_ends_after_silence() {
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(copy(reader, io::sink(), Duration::from_millis(1)).unwrap(), None);
    }
}
