//! `cargo xtask bench log-files`: compares `covidctl logs --file` with jq on one large file of JSON lines, and measures the first page and
//! the patterns.
//!
//! Both programs select the same lines, which are compared; only a difference fails the benchmark.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::goal::{self, at_least, at_most};
use super::input;
use super::measure::{self, Measurement};
use crate::cli::LogFilesBench;
use crate::{output, process};
use common::failure::{Context as _, Failure, Result};

/// Lines of the file whose patterns are found.
const PATTERN_LINES: u64 = 1_000_000;

/// Lines of a screen.
const PAGE: u32 = 50;

/// One line in this many is an error.
const ERROR_SHARE: u64 = 97;

pub(crate) fn run(binary: Option<&Path>, options: &LogFilesBench) -> Result<()> {
    let covidctl = input::program(binary, "covidctl")?;
    if Command::new("jq").arg("--version").output().is_err() {
        return Err(Failure::new("jq is not installed").hint("apt-get install jq"));
    }
    let scratch = input::scratch()?;
    let [big, million] = ["big.jsonl", "million.jsonl"].map(|name| scratch.path().join(name));
    output::note(&format!("writing {} MiB of JSON lines", options.mebibytes));
    write_lines(&big, |bytes, _| bytes >= options.mebibytes << 20)?;
    write_lines(&million, |_, lines| lines >= PATTERN_LINES)?;

    let ours = covidctl.display();
    let out = |name: &str| scratch.path().join(name).display().to_string();
    let (our_lines, jq_lines) = (out("covidctl.out"), out("jq.out"));
    let select =
        format!("{ours} logs --file {} --where 'level = \"ERROR\"' -o raw > {our_lines}", big.display());
    let jq = format!("jq -c 'select(.level == \"ERROR\")' {} > {jq_lines}", big.display());
    let page = format!("{ours} logs --file {} | head -n {PAGE}", big.display());
    let patterns =
        format!("{ours} logs patterns --file {} -o json > {}", million.display(), out("patterns.json"));
    let median = |name: &str, line: &str| -> Result<Vec<Measurement>> {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        (1..=options.repeats)
            .map(|round| {
                output::note(&format!("round {round} of {}: {name}", options.repeats));
                measure::run(&command, scratch.path()).map(|(measurement, _)| measurement)
            })
            .collect()
    };
    let ours = median("covidctl logs --file --where", &select)?;
    let jq = median("jq", &jq)?;
    let page = median("first page", &page)?;
    let patterns = median("patterns", &patterns)?;
    let seconds = |all: &[Measurement]| measure::median(all.iter().map(|m| m.seconds));
    let peak = ours.iter().map(|m| m.peak_bytes).max().unwrap_or_default() >> 20;
    output::result(&format!("covidctl {:.2} s, jq {:.2} s", seconds(&ours), seconds(&jq)));
    output::result(&goal::lines(&[
        at_least("times as fast as jq", seconds(&jq) / seconds(&ours), 10.0, "times"),
        at_most("peak memory", f64::from(u32::try_from(peak).unwrap_or(u32::MAX)), 64.0, "MB"),
        at_most("first page of the file", seconds(&page) * 1000.0, 200.0, "ms"),
        at_most("patterns of 1 million lines", seconds(&patterns), 2.0, "s"),
    ]));
    same(Path::new(&our_lines), Path::new(&jq_lines))
}

/// Writes lines like those of the pipeline until there are enough bytes or lines.
fn write_lines(path: &PathBuf, is_enough: impl Fn(u64, u64) -> bool) -> Result<()> {
    let context = || format!("cannot write `{}`", path.display());
    let mut file = BufWriter::new(File::create(path).context(context)?);
    let (mut bytes, mut number) = (0, 0_u64);
    while !is_enough(bytes, number) {
        let (minutes, seconds) = (number / 60_000 % 1440, number / 1000 % 60);
        let level = match number {
            number if number.is_multiple_of(ERROR_SHARE) => "ERROR",
            number if number.is_multiple_of(7) => "WARN",
            _ => "INFO",
        };
        let message =
            ["block cleaned", "rows rejected", "batch copied", "cannot reach the server", "checks passed"];
        let message = message[usize::try_from(number % 5).unwrap_or(0)];
        let line = format!(
            "{{\"timestamp\":\"2026-03-02T{:02}:{:02}:{seconds:02}.{:03}Z\",\"level\":\"{level}\",\"fields\":{{\"message\":\"{message}\",\"rows\":{},\"reason\":\"malformed\",\"first\":\"line {number}: 7,F,SI,2020-06-0{}\"}},\"target\":\"etl::cases\"}}\n",
            minutes / 60,
            minutes % 60,
            number % 1000,
            number * 31 % 100_000,
            number % 9 + 1,
        );
        file.write_all(line.as_bytes()).context(context)?;
        bytes += line.len() as u64;
        number += 1;
    }
    file.flush().context(context)
}

/// Checks that both programs printed the same lines.
fn same(ours: &Path, jq: &Path) -> Result<()> {
    let mut command = Command::new("cmp");
    command.arg(ours).arg(jq);
    process::run(&mut command)?;
    output::note("the same lines");
    Ok(())
}
