//! Development tasks: `cargo xtask test`, `check`, `lint`, `stacks`, `needs`, `pictures` and `bench`.
//!
//! The only commands to remember. Each one prepares what it needs, so that a fresh clone on a fresh machine can run it.
//! This crate must build in seconds and whatever state the others are in: it depends on no other crate of the workspace,
//! and shares two files with `etl` instead, so that names and messages still have one home.

mod bench;
mod checks;
mod cli;
mod lint;
mod needs;
mod pictures;
mod postgres;
mod process;
mod say;
mod stacks;
mod tests_run;
mod tools;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Benchmark, Cli, Task};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.task {
        Task::Test { filter } => tests_run::run(cli.pg_bin.as_deref(), &filter),
        Task::Check => checks::all(),
        Task::Lint => lint::all(),
        Task::Stacks { draw: false } => stacks::conform(),
        Task::Stacks { draw: true } => stacks::draw(),
        Task::Needs => {
            needs::list();
            Ok(())
        }
        Task::Pictures => pictures::draw(),
        Task::Bench { what: Benchmark::Etl(options) } => bench::etl(cli.pg_bin.as_deref(), &options),
        Task::Bench { what: Benchmark::Tunnel(options) } => bench::tunnel(&options),
        Task::Bench { what: Benchmark::Logs(options) } => bench::logs(&options),
        Task::Bench { what: Benchmark::Tui(options) } => bench::screens(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&failure);
            ExitCode::from(failure.exit().code())
        }
    }
}
