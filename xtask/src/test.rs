//! `cargo xtask test`: all checks and tests, on a temporary PostgreSQL. The output of cargo is passed through and counted.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::postgres::{Binaries, Cluster, Settings};
use crate::{checks, lint, output, prerequisites, process, stacks};
use common::failure::{Context as _, Failure, Result};

/// A superuser's URL of the temporary server.
const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

/// PostgreSQL's binaries, for tests that start their own server.
const TEST_PG_BIN: &str = "TEST_PG_BIN";

/// The Python interpreter with the AWS emulator moto.
const TEST_MOTO: &str = "TEST_MOTO";

/// The AWS emulator ministack.
const TEST_MINISTACK: &str = "TEST_MINISTACK";

/// The templates adapted to both emulators.
const TEST_STACKS: &str = "TEST_STACKS";

/// Tests without output for this long are considered hung.
const OUTPUT_TIMEOUT: Duration = Duration::from_mins(8);

/// Variables with folders of external data, and what is skipped without them.
const OPTIONAL_DATA: [(&str, &str); 2] = [
    ("COVID_REAL_DATA", "tests on real rows"),
    ("EPI_REFERENCE", "comparisons of estimates with their reference"),
];

/// Runs all checks and tests, or only the tests that `filter` selects.
pub(crate) fn run(pg_bin: Option<&Path>, filter: &[String]) -> Result<()> {
    prerequisites::provide(pg_bin)?;
    for (variable, tests) in OPTIONAL_DATA {
        if std::env::var_os(variable).is_none() {
            output::note(&format!("{variable} is not set: {tests} are skipped"));
        }
    }
    if !filter.is_empty() {
        return tests(pg_bin, filter).map(|tally| output::note(&tally.to_string()));
    }
    checks::code()?;
    lint::all()?;
    stacks::conform()?;
    let tally = tests(pg_bin, &[])?;
    checks::documentation()?;
    checks::dependencies()?;
    output::note(&format!("{tally}; formatting, lints, templates and documentation are clean"));
    Ok(())
}

fn tests(pg_bin: Option<&Path>, filter: &[String]) -> Result<Tally> {
    let binaries = Binaries::find(pg_bin)?;
    let (moto, ministack, adapted) = (stacks::emulator()?, stacks::ministack()?, stacks::adapted()?);
    let cluster = Cluster::start(&binaries, Settings::ThrowAway)?;
    output::note("tests");
    process::run(&mut process::cargo(["test", "--workspace", "--all-features", "--no-run"]))?;
    let mut command = process::cargo(["test", "--workspace", "--all-features", "--no-fail-fast", "--"]);
    command
        .args(filter)
        .env(TEST_DATABASE_URL, cluster.url("postgres"))
        .env(TEST_PG_BIN, binaries.folder())
        .env(TEST_MOTO, moto)
        .env(TEST_MINISTACK, ministack.with_file_name("ministack"))
        .env(TEST_STACKS, adapted)
        // The emulators accept any key; prevents the use of real ones.
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .stdout(Stdio::piped());
    let mut cargo = command.spawn().context(|| process::cannot_start(&command))?;
    let Some(lines) = cargo.stdout.take() else { return Err(Failure::new("`cargo test` has no output")) };
    let Some(tally) = Tally::of(&chunks(lines), OUTPUT_TIMEOUT, io::stdout())
        .context(|| "cannot read the output of `cargo test`".to_owned())?
    else {
        process::kill_with_descendants(&mut cargo)?;
        return Err(Failure::new(format!(
            "the tests hang: no output for {} minutes",
            OUTPUT_TIMEOUT.as_secs() / 60
        ))
        .hint("the last lines name the tests that were still running"));
    };
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

/// Reads in a thread, so that the caller can wait with a time-out. The thread ends with the reader or the writer.
fn chunks(mut lines: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        loop {
            let mut chunk = vec![0; 8192];
            let read = lines.read(&mut chunk);
            let ended = matches!(read, Ok(0) | Err(_));
            chunk.truncate(*read.as_ref().unwrap_or(&0));
            if sender.send(read.map(|_| chunk)).is_err() || ended {
                return;
            }
        }
    });
    receiver
}

impl Tally {
    /// Copies all chunks to `terminal` and sums the results; returns `None` after the time-out.
    fn of(
        chunks: &Receiver<io::Result<Vec<u8>>>,
        timeout: Duration,
        mut terminal: impl Write,
    ) -> io::Result<Option<Self>> {
        let mut tally = Self::default();
        let mut line = Vec::new();
        loop {
            let chunk = match chunks.recv_timeout(timeout) {
                Ok(chunk) => chunk?,
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Ok(Some(tally)),
            };
            terminal.write_all(&chunk)?;
            terminal.flush()?;
            for byte in chunk {
                if byte == b'\n' {
                    tally.add(&String::from_utf8_lossy(&line));
                    line.clear();
                } else {
                    line.push(byte);
                }
            }
        }
    }

    /// `test result: ok. 12 passed; 0 failed; 1 ignored; …`
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let words: Vec<&str> = result.split([' ', ';']).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
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
    fn tally_sums_results_and_passes_output_through() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\
            test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let mut terminal = Vec::new();
        let tally = Tally::of(&chunks(output.as_bytes()), OUTPUT_TIMEOUT, &mut terminal).unwrap();
        assert_eq!(tally, Some(Tally { passed: 15, failed: 2, ignored: 1 }));
        assert_eq!(String::from_utf8(terminal).unwrap(), output);
    }

    #[test]
    fn tally_is_none_after_timeout() {
        let (reader, _writer) = io::pipe().unwrap();
        let tally = Tally::of(&chunks(reader), Duration::from_millis(1), io::sink()).unwrap();
        assert_eq!(tally, None);
    }
}
