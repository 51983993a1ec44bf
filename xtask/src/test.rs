//! `cargo xtask test`: all checks and tests, on a temporary PostgreSQL. The output of the tests is passed through and counted.

use std::path::Path;
use std::thread;

use crate::postgres::{Binaries, Cluster, THROW_AWAY};
use crate::test_programs::TestProgram;
use crate::{checks, output, prerequisites, process, stacks, test_programs};
use common::failure::{Failure, Result};

/// Variables that name external data or servers, and what is skipped without them.
const OPTIONAL_DATA: [(&str, &str); 4] = [
    ("COVID_REAL_DATA", "tests on real rows"),
    ("EPI_REFERENCE", "comparisons of estimates with their reference"),
    ("AWS_ANSWERS", "recorded answers of AWS"),
    ("CITUS_URL", "tests on a Citus cluster"),
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
        let tally = tests(pg_bin, test_programs::build()?, filter)?;
        output::note(&tally.to_string());
        return Ok(());
    }
    // The linters use one processor and wait for downloads; cargo uses the rest.
    let (programs, templates) = thread::scope(|scope| {
        let templates = scope.spawn(|| checks::lint().and_then(|()| stacks::conform()));
        let programs = checks::code().and_then(|()| test_programs::build());
        let templates = templates.join().unwrap_or_else(|_| Err(Failure::new("the linters panicked")));
        (programs, templates)
    });
    let programs = programs?;
    templates?;
    let tally = tests(pg_bin, programs, &[])?;
    checks::documentation()?;
    checks::dependencies()?;
    output::note(&format!("{tally}; formatting, lints, templates and documentation are clean"));
    Ok(())
}

fn tests(pg_bin: Option<&Path>, programs: Vec<TestProgram>, filter: &[String]) -> Result<Tally> {
    let binaries = Binaries::find(pg_bin)?;
    let (moto, ministack, adapted) = (stacks::moto()?, stacks::ministack()?, stacks::adapted()?);
    let iam = stacks::iam()?;
    let cluster = Cluster::start(&binaries, THROW_AWAY)?;
    output::note("tests");
    let environment = [
        ("TEST_DATABASE_URL", cluster.url("postgres").into()),
        // For tests that start their own server.
        ("TEST_PG_BIN", binaries.folder().as_os_str().to_owned()),
        // The interpreter with moto, the program ministack, and the templates adapted to both.
        ("TEST_MOTO", moto.into_os_string()),
        ("TEST_MINISTACK", ministack.with_file_name("ministack").into_os_string()),
        ("TEST_STACKS", adapted.into_os_string()),
        // The folder with the evaluator of IAM policies.
        ("TEST_IAM", iam.into_os_string()),
        // The emulators accept any key; prevents the use of real ones.
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
    ];
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for end in test_programs::run(programs, &environment, filter)? {
        tally.add(&end.output);
        if !end.succeeded {
            failed.push(end.name);
        }
    }
    if filter.is_empty()
        && process::run(&mut process::cargo("test --quiet --workspace --all-features --doc")).is_err()
    {
        failed.push("examples in the documentation".to_owned());
    }
    if !failed.is_empty() {
        return Err(Failure::new(format!("tests failed: {tally}; programs: {}", failed.join(", ")))
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

impl Tally {
    /// Adds the lines `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, output: &str) {
        let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
        for part in results.flat_map(|result| result.split(';')) {
            let mut words = part.split(' ').rev();
            let total = match words.next() {
                Some("passed") => &mut self.passed,
                Some("failed") => &mut self.failed,
                Some("ignored") => &mut self.ignored,
                _ => continue,
            };
            *total += words.next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
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
    fn tally_sums_results() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\
            test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let mut tally = Tally::default();
        tally.add(output);
        assert_eq!(tally, Tally { passed: 15, failed: 2, ignored: 1 });
    }
}
