//! The command line of `cargo xtask`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Development tasks
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,

    /// Folder of PostgreSQL's binaries [default: PATH, then the newest of `/usr/lib/postgresql/*/bin`]
    #[arg(long, global = true, env = "COVIDCTL_PG_BIN", value_name = "FOLDER")]
    pub(crate) pg_bin: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Install the prerequisites of the tests, then run all checks and tests
    ///
    /// With a filter after `--`, only the matching tests run, and no checks.
    Test {
        /// Run the tests without the checks
        #[arg(long)]
        only_tests: bool,

        /// Arguments of `cargo test`: parts of test names, or flags
        #[arg(last = true, value_name = "FILTER")]
        filter: Vec<String>,
    },
    /// Check formatting, lints, documentation and licences
    Check,
    /// Lint the CloudFormation templates, the Dockerfile and the workflows
    Lint,
    /// Create and delete every stack in an AWS emulator; check the permissions of roles and the diagram of the stacks
    Stacks {
        /// Draw the diagram `docs/pictures/stacks.svg` instead
        #[arg(long)]
        draw: bool,
    },
    /// Fuzz the readers of untrusted bytes
    Fuzz {
        /// Targets [default: all]
        targets: Vec<String>,

        /// Time for each target, in seconds
        #[arg(long, default_value_t = 60, value_name = "N")]
        seconds: u64,
    },
    /// Check the concurrent parts of the tunnel with a model checker
    Model,
    /// Print the packages that the tests need
    #[command(name = "needs")]
    Prerequisites,
    /// Draw the screens and write the page of keys for the documentation
    Pictures,
    /// Build the documentation as a site with search
    Docs,
    /// Build the files of a release: binary, archive, packages, licences, list of components, checksums
    Package {
        /// Platform of the files, such as `x86_64-apple-darwin`, whose programs run on this one [default: this platform]
        #[arg(long, value_name = "TRIPLE")]
        target: Option<String>,

        /// Binary to package [default: build the profile `dist`]
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Compare the performance with that of other programs
    Bench {
        #[command(subcommand)]
        what: Benchmark,

        /// Binary to measure [default: build the release profile]
        #[arg(long, global = true, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(crate) enum Benchmark {
    /// Compare `etl run` with `psql \copy`, DuckDB, Polars and pandas
    Etl(EtlBench),
    /// Compare `etl run` on a register of doses with DuckDB
    Doses(DosesBench),
    /// Compare `covidctl tunnel` with `ssh -L`, on the loopback and at 150 ms
    Tunnel(TunnelBench),
    /// Compare `covidctl logs` with `aws logs filter-log-events` and awslogs
    Logs(LogsBench),
    /// Compare `covidctl logs --file` with jq, and measure the first page and the patterns of large files
    LogFiles(LogFilesBench),
    /// Measure the screens: frame times, search, log throughput, start-up and idle load
    Tui,
}

#[derive(Args)]
pub(crate) struct EtlBench {
    /// Rows of the generated input
    #[arg(long, default_value_t = 3_000_000, value_name = "N", conflicts_with = "full")]
    pub(crate) rows: u64,

    /// Measure only `etl run`, with the 30 million rows of the national file
    #[arg(long)]
    pub(crate) full: bool,

    /// Measurements per program, of which the median is reported [default: 3, or 1 with `--full`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: Option<u32>,
}

#[derive(Args)]
pub(crate) struct DosesBench {
    /// Doses of the generated register
    #[arg(long, default_value_t = 20_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rows: u64,

    /// Measurements per program, of which the median is reported
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,
}

#[derive(Args)]
pub(crate) struct TunnelBench {
    /// Measurements per program at 150 ms; seven times as many on the loopback
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,

    /// Data transferred on the loopback, in MiB; an eighth of it at 150 ms
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u64).range(8..=65536))]
    pub(crate) mebibytes: u64,

    /// Skip the measurements at 150 ms, which take ten minutes
    #[arg(long)]
    pub(crate) loopback: bool,
}

#[derive(Args)]
pub(crate) struct LogsBench {
    /// Total events in four log groups
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(4..=1_000_000))]
    pub(crate) events: u64,

    /// Measurements per program, of which the median is reported
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,
}

#[derive(Args)]
pub(crate) struct LogFilesBench {
    /// Size of the file, in MiB
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=65536))]
    pub(crate) mebibytes: u64,

    /// Measurements per program, of which the median is reported
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeats: u32,
}

impl EtlBench {
    pub(crate) fn rows(&self) -> u64 {
        if self.full { 30_000_000 } else { self.rows }
    }

    pub(crate) fn repeats(&self) -> u32 {
        self.repeats.unwrap_or(if self.full { 1 } else { 3 })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_after_two_dashes_reach_cargo_test() {
        let cli = Cli::try_parse_from(["cargo xtask", "test", "--", "clean::", "--nocapture"]).unwrap();
        assert!(matches!(cli.task, Task::Test { filter, .. } if filter == ["clean::", "--nocapture"]));
    }
}
