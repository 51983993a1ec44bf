//! `cargo xtask fuzz`: runs libFuzzer on the readers of untrusted bytes, with `cargo-fuzz` and the stable toolchain.
//!
//! Inputs that reach new code are kept in `fuzz/corpus`, failing ones in `fuzz/artifacts`; neither is committed. `fuzz/seeds` is.

use std::process::Command;

use crate::{output, process, tools};
use common::failure::{Context as _, Failure, Result};

const CARGO_FUZZ: &str = "0.13.1";

/// Limits of an input: its length, the memory of the process in MB, and the seconds that it may take, which a busy machine stretches.
const LIMITS: [&str; 3] = ["-max_len=262144", "-rss_limit_mb=1024", "-timeout=60"];

/// Runs each target, or only those named, for a time.
pub(crate) fn run(only: &[String], seconds: u64) -> Result<()> {
    let all = targets()?;
    if let Some(unknown) = only.iter().find(|target| !all.contains(target)) {
        return Err(Failure::usage(format!("there is no fuzz target `{unknown}`"))
            .hint(format!("use one of {}", all.join(", "))));
    }
    let program = tools::cargo("cargo-fuzz", CARGO_FUZZ)?;
    let folder = process::workspace().join("fuzz");
    for target in all.iter().filter(|target| only.is_empty() || only.contains(target)) {
        output::note(&format!("fuzzing {target} for {seconds} s"));
        let [corpus, seeds] = ["corpus", "seeds"].map(|kind| folder.join(kind).join(target));
        std::fs::create_dir_all(&corpus).context(|| format!("cannot create `{}`", corpus.display()))?;
        let mut fuzz = Command::new(&program);
        // The code has no `unsafe`, so that the address sanitizer, which needs a nightly compiler, would find nothing more.
        fuzz.args(["run", "--sanitizer", "none", "--fuzz-dir"])
            .arg(&folder)
            .arg(target)
            .arg(corpus)
            .arg(seeds);
        fuzz.arg("--").args(LIMITS).args([&format!("-max_total_time={seconds}"), "-print_final_stats=1"]);
        process::run(&mut fuzz).map_err(|failure| {
            failure.hint("the failing input is in fuzz/artifacts: make it a test, then mend the reader")
        })?;
    }
    Ok(())
}

/// Returns the names of the targets.
fn targets() -> Result<Vec<String>> {
    let seeds = process::workspace().join("fuzz/seeds");
    let entries = std::fs::read_dir(&seeds).context(|| format!("cannot read `{}`", seeds.display()))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
