//! The command line. Doc comments are the help.

mod logs;
mod reports;
mod selftest;
mod suggested;
mod tunnel;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use common::text;

pub use self::logs::{LogSelection, Logs, LogsCommand};
pub use self::reports::{Dashboard, MetabaseArgs, ReportName, ReportsCommand};
pub use self::selftest::{Selftest, SelftestStep};
use self::suggested::Suggested;
pub use self::tunnel::{Route, StartArgs, Tunnel, TunnelCommand};
use crate::settings::Globals;

/// Operate the Argentine Covid-19 data pipeline from the terminal
///
/// Without a command, opens the screens on the current target. Data go to standard output, messages to standard error.
///
/// Exit codes: 0 success, 1 failure, 2 usage error, 4 credentials missing or refused, 124 timeout, 125 not started, 130 interrupted;
/// `run` exits with the exit code of the job.
#[derive(Debug, Parser)]
#[command(name = "covidctl", version = crate::build_info::VERSION, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    /// The screens open if there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole pipeline on this machine: PostgreSQL, sample data, load, report
    Demo {
        /// Rows of the sample; another number replaces the sample [default: 300000]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        rows: Option<u64>,
        /// Print a summary and the report instead of opening the screens
        #[arg(long)]
        headless: bool,
    },
    /// Create or start the target; on AWS, create or update the stacks
    Up(Up),
    /// Stop the target and keep its data
    Down {
        /// Also delete all data of the target, after confirmation
        #[arg(long)]
        delete_data: bool,
    },
    /// Show the components of the target with their state and age
    Status {
        /// Refresh every two seconds; with `--output json`, print a line each time
        #[arg(long)]
        watch: bool,
    },
    /// Start a job, follow its log and exit with its exit code
    Run(Run),
    /// Show the logs of all sources in time order
    Logs(Box<Logs>),
    /// Stop a run
    Stop {
        /// Id of the run, or its beginning
        run: String,
    },
    /// List runs, or show one with its checks, rejects and repairs
    Runs {
        /// Maximum number of runs, newest first
        #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(subcommand)]
        command: Option<RunsCommand>,
    },
    /// List releases, show one, or roll back to an earlier one
    Releases {
        /// Lists releases if absent.
        #[command(subcommand)]
        command: Option<ReleasesCommand>,
    },
    /// List, show, open, compare or copy reports
    Reports {
        /// Lists reports if absent.
        #[command(subcommand)]
        command: Option<ReportsCommand>,
    },
    /// Set up Metabase, or compare it with this version
    #[command(subcommand)]
    Dashboard(Dashboard),
    /// List the datasets in the store
    Datasets,
    /// Set up and migrate the database
    #[command(subcommand)]
    Db(Db),
    /// Check the target and suggest a fix for each problem
    ///
    /// Changes nothing. Exits with 1 if a check failed.
    Doctor {
        /// Public address from which you reach the bastion [default: as reported by checkip.amazonaws.com]
        #[arg(long, value_name = "ADDRESS")]
        my_address: Option<std::net::Ipv4Addr>,
    },
    /// Prove the pipeline on an AWS account
    ///
    /// Deploys it, loads, reads logs, queries, reports, rolls back and deletes it: uses the commands of this program on a small sample, measures each step, and deletes what it created, also after a failure or Ctrl-C.
    /// Stacks that no self-test created are never changed. What was done, and what AWS answered, is written to a directory, without
    /// secrets, account numbers and addresses.
    Selftest(Selftest),
    /// Open psql on the database
    Psql {
        /// Database of the target [default: master, or the first]
        #[arg(value_name = "DATABASE", value_parser = Suggested(&["master", "replica"]), hide_possible_values = true)]
        database: Option<String>,
        /// Log in with an IAM token instead of a password, on AWS [default role: PGUSER, or your user name]
        #[arg(long, value_name = "ROLE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
        iam: Option<String>,
        /// Arguments for psql
        #[arg(last = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// Forward local ports through the bastion
    ///
    /// The ports stay open while the bastion is unreachable; new connections wait for it. Ends with Ctrl-C.
    Tunnel(Box<Tunnel>),
    /// Describe a pipeline that is already in an AWS account, as a new target
    ///
    /// Looks for bastions, databases, tasks, functions and logs, and prints their description for the configuration file. Reads only, and names
    /// each right that is missing. On a terminal, asks what belongs to the pipeline.
    Adopt(Adopt),
    /// List the targets that can be selected
    Targets,
    /// Show every setting and where it was set
    Config,
    /// Show the version with its commit and date
    Version(VersionArgs),
    /// Print shell completions
    Completions { shell: Shell },
    /// Print the manual page
    Man {
        /// Write a page for each command to this directory instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Returns whether the command handles signals itself.
    pub fn handles_signals(&self) -> bool {
        matches!(self, Self::Tunnel(_) | Self::Psql { .. } | Self::Selftest(_))
    }
}

#[derive(Debug, Args)]
pub struct VersionArgs {
    /// Ask the repository whether a later release exists; the only use of the network by this command
    #[arg(long)]
    pub check: bool,
    /// URL of the repository, such as `https://github.com/OWNER/NAME` [default: the one that released this program]
    #[arg(long, env = "COVIDCTL_REPOSITORY", value_name = "URL", hide_env_values = true)]
    pub repository: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options on AWS")]
pub struct Up {
    /// Stack parameter, such as `OperatorCidr=198.51.100.7/32` or `dashboard.Tasks=1`; others keep their value
    #[arg(long, value_name = "[STACK.]NAME=VALUE", value_parser = text::assignment)]
    pub parameter: Vec<(String, String)>,
    /// Tag of every resource, such as `team=data`; others are kept
    #[arg(long, value_name = "KEY=VALUE", value_parser = text::assignment)]
    pub tag: Vec<(String, String)>,
    /// Software release to run, such as `v0.1.0`; without one, stacks that need an image are left out
    #[arg(long, value_name = "TAG")]
    pub release: Option<String>,
    /// Show the changes without applying them
    #[arg(long)]
    pub dry_run: bool,
    /// Directory of templates to use instead of the built-in ones; same file names as in `cloudformation/`
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Adopt {
    /// Name of the new target
    #[arg(default_value = "prod")]
    pub name: String,
    /// Write the description to the configuration file
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Run {
    /// Job to run: `download`, `etl`, `report`, all of them as `pipeline`, or a job that the configuration file describes
    #[arg(value_parser = Suggested(&["download", "etl", "report", PIPELINE]), hide_possible_values = true)]
    pub job: String,
    /// Years of registration to load: `latest`, `all`, or a list such as `2021,2022` [default: latest]
    #[arg(long, env = common::env::YEARS, hide_env_values = true)]
    pub years: Option<String>,
    /// Load even if the same dataset is already published
    #[arg(long)]
    pub force: bool,
    /// Publish even if checks of the publish gate fail
    #[arg(long)]
    pub accept_anomalies: bool,
    /// Stop the job after this time, such as `90s`, `30m` or `1h30m`, and exit with 124
    #[arg(long, value_name = "TIME", value_parser = text::duration)]
    pub timeout: Option<Duration>,
    /// Start the job and exit without following it
    #[arg(long, conflicts_with = "timeout")]
    pub no_wait: bool,
    /// Additional environment variable for the job
    #[arg(long, value_name = "NAME=VALUE", value_parser = text::assignment)]
    pub env: Vec<(String, String)>,
    /// Start the job even if another one is running
    #[arg(long)]
    pub allow_concurrent: bool,
}

/// The name of the jobs of the pipeline in sequence.
pub const PIPELINE: &str = "pipeline";

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show a run with its checks, rejects and repairs
    Show {
        /// Id of the run, or its beginning; `latest` is the newest
        run: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum ReleasesCommand {
    /// List releases, newest first
    List {
        /// Maximum number of releases
        #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show a release with its datasets and the checks of its load
    Show {
        /// Number of the release [default: the published one]
        #[arg(value_name = "RELEASE")]
        release: Option<i32>,
    },
    /// Publish an earlier release again, after confirmation
    ///
    /// Runs as a job of the target. The files of the replaced release are loaded again only when they change, or with
    /// `covidctl run etl --force`.
    Rollback {
        /// Release to publish [default: the newest kept before the published one]
        #[arg(long, value_name = "RELEASE")]
        to: Option<i32>,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Db {
    /// Create the schema, the roles and Metabase's database
    ///
    /// Needed once on AWS, after `covidctl up`; safe to repeat. Passwords come from Secrets Manager and are never shown.
    Init,
    /// Apply pending migrations
    Migrate,
    /// List applied migrations
    Status,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn command_line_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
