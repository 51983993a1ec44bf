//! The words of `cargo xtask`. Doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Development tasks
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) task: Task,

    /// Folder of PostgreSQL's binaries [default: PATH, then the newest of `/usr/lib/postgresql/*/bin`]
    #[arg(long, global = true, env = "COVIDCTL_PG_BIN", value_name = "FOLDER")]
    pub(crate) pg_bin: Option<PathBuf>,
}

/// One task.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Install what the tests need, then run every check and every test
    ///
    /// With words after `--`, only the tests whose names contain them run, and no other check.
    Test {
        /// Handed to `cargo test`: a part of the tests' names, or its own flags
        #[arg(last = true, value_name = "FILTER")]
        filter: Vec<String>,
    },
    /// Check formatting, lints and documentation; no tests
    Check,
    /// Check the CloudFormation templates, the Dockerfile and the workflows
    Lint,
    /// Create and delete every stack in an emulator of AWS; check what roles may do, and the picture of the stacks
    Stacks {
        /// Draw the picture anew instead, into `docs/pictures/stacks.svg`
        #[arg(long)]
        draw: bool,
    },
    /// Print the packages that the tests need, in one line
    Needs,
    /// Draw the screens anew, as pictures for the documents
    Pictures,
    /// Measure against the competition and print the ratios
    Bench {
        /// What to measure
        #[command(subcommand)]
        what: Benchmark,
    },
}

/// One benchmark.
#[derive(Subcommand)]
pub(crate) enum Benchmark {
    /// `etl run` beside `psql \copy`, DuckDB, Polars and pandas, from the same zip into the same server
    Etl(EtlBench),
    /// `covidctl tunnel` beside `ssh -L`, on the loopback and at 150 ms
    Tunnel(TunnelBench),
    /// `covidctl logs` beside `aws logs filter-log-events` and awslogs, from an emulator
    Logs(LogsBench),
    /// The screens: frames, search, a flood of lines, the first frame, and how idle they are
    Tui(TuiBench),
}

/// How to run `bench etl`.
#[derive(Args)]
pub(crate) struct EtlBench {
    /// Rows of the generated input
    #[arg(long, default_value_t = 3_000_000, value_name = "N", conflicts_with = "full")]
    pub(crate) rows: u64,

    /// The final national file's size, 30 million rows, ours only
    #[arg(long)]
    pub(crate) full: bool,

    /// How often each program is measured; the median counts [default: 3, or 1 with `--full`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: Option<u32>,

    /// Measure this binary, instead of building the release profile's
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
}

/// How to run `bench tunnel`.
#[derive(Args)]
pub(crate) struct TunnelBench {
    /// How often each program is measured over the distance, and seven times as often on the loopback
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,

    /// What is sent through on the loopback; an eighth of it over the distance
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u64).range(8..=65536))]
    pub(crate) mebibytes: u64,

    /// Leave out the distance, where ten minutes go by
    #[arg(long)]
    pub(crate) loopback: bool,

    /// Measure this binary, instead of building the release profile's
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
}

/// How to run `bench logs`.
#[derive(Args)]
pub(crate) struct LogsBench {
    /// Events, in four groups together
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(4..=1_000_000))]
    pub(crate) events: u64,

    /// How often each program is measured; the median counts
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,

    /// Measure this binary, instead of building the release profile's
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
}

/// How to run `bench tui`.
#[derive(Args)]
pub(crate) struct TuiBench {
    /// Start this binary, instead of the release profile's
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
}

impl EtlBench {
    /// Rows of the input.
    pub(crate) fn rows(&self) -> u64 {
        if self.full { 30_000_000 } else { self.rows }
    }

    /// How often each program is measured.
    pub(crate) fn repeats(&self) -> u32 {
        self.repeats.unwrap_or(if self.full { 1 } else { 3 })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn words_after_two_dashes_reach_cargo_test() {
        let cli = Cli::try_parse_from(["cargo xtask", "test", "--", "clean::", "--nocapture"]).unwrap();
        assert!(matches!(cli.task, Task::Test { filter } if filter == ["clean::", "--nocapture"]));
    }
}
