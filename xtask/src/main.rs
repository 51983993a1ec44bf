//! Development tasks: `cargo xtask test`, `check`, `lint`, `stacks`, `fuzz`, `model`, `needs`, `pictures`, `docs`,
//! `package` and `bench`.
//!
//! Each task installs what it needs, so that it runs in a fresh clone. This crate builds in seconds: of the workspace it depends on
//! `common` alone.

mod bench;
mod checks;
mod cli;
mod docs;
mod fuzz;
mod model;
mod output;
mod package;
mod postgres;
mod prerequisites;
mod process;
mod stacks;
mod test;
mod test_programs;
mod tools;

use std::process::ExitCode;

use clap::Parser as _;
use common::failure::Result;

use crate::cli::{Benchmark, Cli, Task};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure);
            ExitCode::from(failure.exit().code())
        }
    }
}

fn run(Cli { task, pg_bin }: Cli) -> Result<()> {
    let pg_bin = pg_bin.as_deref();
    match task {
        Task::Test { only_tests, filter } => test::run(pg_bin, only_tests, &filter),
        Task::Check => checks::all(),
        Task::Lint => checks::lint(),
        Task::Stacks { draw: false } => stacks::conform(),
        Task::Stacks { draw: true } => stacks::run("draw.py"),
        Task::Prerequisites => {
            prerequisites::list();
            Ok(())
        }
        Task::Fuzz { targets, seconds } => fuzz::run(&targets, seconds),
        Task::Model => model::run(),
        Task::Docs => docs::run(),
        Task::Package { target, binary } => package::run(target, binary),
        Task::Pictures => {
            process::run(&mut process::cargo(
                "run --package covidctl --example pictures -- docs/pictures docs/reference",
            ))?;
            output::note("the pictures are in docs/pictures, the keys in docs/reference");
            Ok(())
        }
        Task::Bench { what, binary } => {
            let binary = binary.as_deref();
            match what {
                Benchmark::Etl(options) => bench::etl(pg_bin, binary, &options),
                Benchmark::Doses(options) => bench::doses(pg_bin, binary, &options),
                Benchmark::Tunnel(options) => bench::tunnel(binary, &options),
                Benchmark::Logs(options) => bench::logs(binary, &options),
                Benchmark::LogFiles(options) => bench::log_files(binary, &options),
                Benchmark::Tui => bench::screens(binary),
            }
        }
    }
}
