//! The same operations on every target: a fake in memory, the local target, AWS in an emulator, and a foreign pipeline in it.
//!
//! The harness is our own, because the local target starts this very program as its jobs, as it starts `covidctl` elsewhere.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod aws;
mod end_to_end;
mod fake;
mod foreign;
mod local;

#[path = "../aws/support/mod.rs"]
#[expect(dead_code, reason = "the tests of the target `aws` use more of it")]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "etl") {
        return etl::cli::main(words.into_iter().skip(1));
    }
    // Cargo hands on any number of filters, as its own harness takes them; this one takes one.
    let (flags, filters): (Vec<String>, Vec<String>) =
        words.iter().map(|word| word.to_string_lossy().into_owned()).partition(|word| word.starts_with('-'));
    let arguments = Arguments::from_iter(filters.iter().take(1).chain(&flags));
    let filters = &filters[1..];
    let mut trials = vec![
        trial("fake_target_runs_end_to_end", || {
            Box::pin(async { end_to_end::run(&fake::Stage::new()).await })
        }),
        trial("local_target_runs_end_to_end", || {
            Box::pin(async { end_to_end::run(&local::Stage::new()).await })
        }),
        trial("aws_target_runs_end_to_end", || {
            Box::pin(async { end_to_end::run(&aws::Stage::new().await).await })
        }),
        trial("foreign_target_runs_end_to_end", || Box::pin(foreign::run())),
    ];
    trials.retain(|trial| filters.is_empty() || filters.iter().any(|filter| trial.name().contains(filter)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Told = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn trial(name: &str, tell: fn() -> Told) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(tell());
        Ok(())
    })
}
