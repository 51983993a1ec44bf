//! The words of the command line. Doc comments are the help.
//!
//! Nothing is decided here: flags that have a place in the file of settings stay optional, and `settings` says what holds.

mod logs;
mod releases;
mod reports;
mod tunnel;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde::{Deserialize, Serialize};

pub use self::logs::Logs;
pub use self::releases::{Releases, ReleasesCommand};
pub use self::reports::{Dashboard, MetabaseArgs, Reports, ReportsCommand};
pub use self::tunnel::{Route, Tunnel, TunnelCommand, TunnelTarget};

use crate::settings::names;
use common::text;
use target::DatabaseServer;
use target::SslMode;

/// The operator's terminal of the Argentine Covid-19 data pipeline
///
/// Without a command: the screens, on the current target. Data go to standard output, everything else to standard error.
/// Exit codes: 0 ok, 1 it ran and failed, 2 usage, 4 credentials, 124 timeout, 125 could not start, 130 interrupted;
/// `run` passes on the job's own code.
#[derive(Debug, Parser)]
#[command(name = "covidctl", version, propagate_version = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do; the screens without one.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Where the pipeline lives: `local` or `aws` [default: local]
    #[arg(long, global = true, env = names::TARGET, value_name = "NAME", hide_env_values = true)]
    pub target: Option<String>,
    /// How data are written [default: text]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// When to use colour [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Answer every question with yes
    #[arg(long, global = true)]
    pub yes: bool,
    /// Refuse whatever would change something
    #[arg(long, global = true, env = names::READ_ONLY, hide_env_values = true)]
    pub read_only: bool,
    /// The file of settings [default: covidctl/config.toml in the platform's config folder]
    #[arg(long, global = true, env = names::CONFIG, value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Where the local target keeps its data [default: /var/lib/covidctl as root, else the user's data folder]
    #[arg(long, global = true, env = names::DATA_DIR, value_name = "FOLDER", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,
    /// The folder of PostgreSQL's programs, where the first one found is not the wanted one
    #[arg(long, global = true, env = names::PG_BIN, value_name = "FOLDER", hide_env_values = true)]
    pub pg_bin: Option<PathBuf>,
    /// The profile for AWS, as all its programs know it
    #[arg(long, global = true, env = names::AWS_PROFILE, value_name = "NAME", hide_env_values = true)]
    pub profile: Option<String>,
    /// The region of AWS
    #[arg(long, global = true, env = names::AWS_REGION, value_name = "NAME", hide_env_values = true)]
    pub region: Option<String>,
    /// One endpoint for all services of AWS, such as an emulator's
    #[arg(long, global = true, env = names::AWS_ENDPOINT_URL, value_name = "URL", hide_env_values = true)]
    pub endpoint_url: Option<String>,
    /// Under which prefix the stacks have written their names into the parameter store [default: /covid19]
    #[arg(long, global = true, env = names::PREFIX, value_name = "PREFIX", hide_env_values = true)]
    pub prefix: Option<String>,
    /// How certain the database's certificate must be, on AWS [default: verify-full]
    #[arg(long, global = true, value_name = "MODE")]
    pub ssl_mode: Option<SslMode>,
    /// The certificate authorities for the database on AWS [default: those of RDS, fetched once]
    #[arg(long, global = true, env = names::SSL_ROOT_CERT, value_name = "FILE", hide_env_values = true)]
    pub ssl_root_cert: Option<PathBuf>,
    /// The variable of <https://no-color.org>, read here so that all settings come in one way.
    #[arg(long, global = true, env = "NO_COLOR", value_name = "ANY", hide = true)]
    pub no_color: Option<String>,
}

/// How data are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people
    Text,
    /// For programs: one document
    Json,
    /// Only for `logs`: the messages alone
    Raw,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole pipeline here: PostgreSQL, a sample, etl, report; on a terminal, with the screens
    Demo(Demo),
    /// Create the target, or start what is there already; on AWS, the stacks
    Up(Up),
    /// Stop the target; its data stay
    Down(Down),
    /// Show the target's parts, with state and age
    Status {
        /// Look again every two seconds; with `--output json` one line each time
        #[arg(long)]
        watch: bool,
    },
    /// Start a job, follow its log and end with its exit code
    Run(Run),
    /// Show what the pipeline logs, all sources together in the order of time
    Logs(Logs),
    /// Stop a run
    Stop {
        /// Its id, or the beginning of it
        run: String,
    },
    /// List the history of runs, or show one with its checks and its tally
    Runs(Runs),
    /// List the releases, show one, or publish an earlier one again
    Releases(Releases),
    /// List, show, open, compare or copy reports
    Reports(Reports),
    /// Set up Metabase from this repository, or compare it
    #[command(subcommand)]
    Dashboard(Dashboard),
    /// List the datasets in the store
    Datasets,
    /// Work on the database
    #[command(subcommand)]
    Db(Db),
    /// Look for what is wrong, check by check, and say what to do about it
    ///
    /// Changes nothing. Ends with 0 where no check has failed, else with 1.
    Doctor(Doctor),
    /// Open psql on the database
    Psql {
        /// Which server; on this machine there is only one
        #[arg(value_enum, default_value = "master")]
        server: DatabaseServer,
        /// Arguments for psql
        #[arg(last = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// Open local ports that lead through the bastion
    ///
    /// The ports stay open while the bastion is away; connections that come then wait for it. Ends with Ctrl-C.
    Tunnel(Box<Tunnel>),
    /// Show every setting and where it comes from
    Config,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write one page per command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Whether a signal is the command's own business, from its beginning to its end.
    pub fn handles_signals(&self) -> bool {
        matches!(self, Self::Tunnel(_) | Self::Psql { .. })
    }
}

/// `covidctl demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Rows of the sample; asking for another number makes another sample [default: 300000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rows: Option<u64>,
    /// Print a summary and the report, and open no screen
    #[arg(long)]
    pub headless: bool,
}

/// `covidctl up`
#[derive(Debug, Args)]
#[command(next_help_heading = "Options on AWS")]
pub struct Up {
    /// A parameter of a stack, such as `OperatorCidr=198.51.100.7/32` or `dashboard.Tasks=1`; what is not named stays as it is
    #[arg(long, value_name = "[STACK.]NAME=VALUE", value_parser = text::assignment)]
    pub parameter: Vec<(String, String)>,
    /// The release that runs, such as `v0.1.0`; without one, the stacks that run something wait for the first
    #[arg(long, value_name = "TAG")]
    pub release: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Templates of your own, called as those in `cloudformation/`
    #[arg(long, value_name = "FOLDER")]
    pub templates: Option<PathBuf>,
}

/// `covidctl down`
#[derive(Debug, Args)]
pub struct Down {
    /// Delete all data of the target too, after a question
    #[arg(long)]
    pub delete_data: bool,
}

/// `covidctl run`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Run {
    /// What to run
    pub job: JobName,
    /// Years of registration to load: `latest`, `all`, or a list such as `2021,2022` [default: latest]
    #[arg(long, env = common::env::YEARS, hide_env_values = true)]
    pub years: Option<String>,
    /// Load although the same dataset is published already
    #[arg(long)]
    pub force: bool,
    /// Publish this load although checks of the publish gate failed
    #[arg(long)]
    pub accept_anomalies: bool,
    /// Stop it after this time, such as `90s`, `30m` or `1h30m`, and end with 124
    #[arg(long, value_name = "TIME", value_parser = text::duration)]
    pub timeout: Option<Duration>,
    /// Start it and return; nothing is followed
    #[arg(long, conflicts_with = "timeout")]
    pub no_wait: bool,
    /// Another environment variable for the job
    #[arg(long, value_name = "NAME=VALUE", value_parser = text::assignment)]
    pub env: Vec<(String, String)>,
    /// Start it although another one is running
    #[arg(long)]
    pub allow_concurrent: bool,
}

/// What `covidctl run` can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JobName {
    /// Fetch the datasets that are new into the store
    Download,
    /// Load the datasets of the store into the database
    Etl,
    /// Write a report
    Report,
    /// Download, load and report, one after the other
    Pipeline,
}

/// `covidctl runs`
#[derive(Debug, Args)]
pub struct Runs {
    /// How many to list, the newest first
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// One of them
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// `covidctl runs …`
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show one run with its checks and its tally
    Show {
        /// Its id, or the beginning of it; `latest` is the newest
        run: String,
    },
}

/// `covidctl doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// From where you reach the bastion [default: what checkip.amazonaws.com says]
    #[arg(long, value_name = "ADDRESS")]
    pub my_address: Option<std::net::Ipv4Addr>,
}

/// `covidctl db …`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Db {
    /// Make the schema, the roles with their passwords, and Metabase's own database; repeated, it changes nothing but the passwords' salt
    ///
    /// On AWS, once after `covidctl up`. The passwords come from Secrets Manager and are shown nowhere.
    Init,
    /// Apply the pending migrations
    Migrate,
    /// List the migrations that were applied
    Status,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
