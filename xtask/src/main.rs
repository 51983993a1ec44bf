//! Development tasks: `cargo xtask test`, `check`, `lint`, `stacks`, `needs`, `pictures` and `bench`.
//!
//! Each task installs what it needs, so that it runs in a fresh clone. This crate builds in seconds: of the workspace it depends on
//! `common` alone.

mod bench;
mod checks;
mod cli;
mod lint;
mod output;
mod pictures;
mod postgres;
mod prerequisites;
mod process;
mod stacks;
mod test;
mod tools;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Benchmark, Cli, Task};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.task {
        Task::Test { filter } => test::run(cli.pg_bin.as_deref(), &filter),
        Task::Check => checks::all(),
        Task::Lint => lint::all(),
        Task::Stacks { draw: false } => stacks::conform(),
        Task::Stacks { draw: true } => stacks::draw(),
        Task::Prerequisites => {
            prerequisites::list();
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
            output::failure(&failure);
            ExitCode::from(failure.exit().code())
        }
    }
}
