//! The words of the command line. Doc comments are the help.
//!
//! Nothing is decided here: flags that have a place in the file of settings stay optional, and `settings` says what holds.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::logs::pick;
use crate::logs::when::{self, When};
use crate::settings::names;
use crate::text;
use crate::tunnel::{self, bastion::Bastion, forwarding::Forwarding};

/// The operator's terminal of the Argentine Covid-19 data pipeline
///
/// Data go to standard output, everything else to standard error.
/// Exit codes: 0 ok, 1 it ran and failed, 2 usage, 4 credentials, 124 timeout, 125 could not start, 130 interrupted;
/// `run` passes on the job's own code.
#[derive(Debug, Parser)]
#[command(name = "covidctl", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
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
    /// Run the whole pipeline here: PostgreSQL, a sample, etl, report
    Demo(Demo),
    /// Create the target, or start what is there already
    Up,
    /// Stop the target; its data stay
    Down(Down),
    /// Show the target's parts, with state and age
    Status,
    /// Start a job, follow its log and end with its exit code
    Run(Run),
    /// Show what the pipeline logs, all sources together in the order of time
    Logs(Logs),
    /// Stop a run
    Stop {
        /// Its id, or the beginning of it
        run: String,
    },
    /// List the history of runs, or show one with its tally
    Runs(Runs),
    /// List, show or copy reports
    Reports(Reports),
    /// List the datasets in the store
    Datasets,
    /// Work on the database
    #[command(subcommand)]
    Db(Db),
    /// Open psql on the database
    Psql {
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
        matches!(self, Self::Tunnel(_))
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

/// `covidctl down`
#[derive(Debug, Args)]
pub struct Down {
    /// Delete all data of the target too, after a question
    #[arg(long)]
    pub delete_data: bool,
}

/// `covidctl run`
#[derive(Debug, Args)]
pub struct Run {
    /// What to run
    pub job: JobName,
    /// Years of registration to load: `latest`, `all`, or a list such as `2021,2022` [default: latest]
    #[arg(long, env = etl::env::YEARS, hide_env_values = true)]
    pub years: Option<String>,
    /// Load although the same dataset is published already
    #[arg(long)]
    pub force: bool,
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
    /// Load and report, one after the other
    Pipeline,
}

/// `covidctl logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Which: `lambda`, `etl`, `report`, `metabase`; all without
    #[arg(value_name = "SOURCE", conflicts_with = "run")]
    pub sources: Vec<String>,
    /// Go on with what is logged from now on
    #[arg(short, long)]
    pub follow: bool,
    /// From when on: 10m, 2h30m or 1d ago, 14:30, today, 2026-03-01, "2026-03-01 14:30", 2026-03-01T14:30:00Z [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub since: Option<When>,
    /// Until when, in the same forms
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub until: Option<When>,
    /// Of what is there already, only the last N
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Only this run, from its first line; with --follow until it has ended, and then with its exit code
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Only what the log service finds with this pattern, in CloudWatch's language
    #[arg(long, visible_alias = "filter", value_name = "PATTERN")]
    pub filter_pattern: Option<String>,
    /// Only what matches this regular expression, or one of several
    #[arg(short, long, value_name = "REGEX", value_parser = pick::regex)]
    pub grep: Vec<Regex>,
    /// Nothing that matches this one
    #[arg(short = 'x', long, value_name = "REGEX", value_parser = pick::regex)]
    pub exclude: Vec<Regex>,
    /// With N lines before and after each match
    #[arg(
        short = 'C',
        long,
        value_name = "N",
        requires = "grep",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub context: usize,
    /// Times in UTC
    #[arg(long, conflicts_with = "local")]
    pub utc: bool,
    /// Times in this machine's zone, which is the default
    #[arg(long)]
    pub local: bool,
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
    /// Show one run with its tally
    Show {
        /// Its id, or the beginning of it; `latest` is the newest
        run: String,
    },
}

/// `covidctl reports`
#[derive(Debug, Args)]
pub struct Reports {
    /// One of them; all are listed without
    #[command(subcommand)]
    pub command: Option<ReportsCommand>,
}

/// `covidctl reports …`
#[derive(Debug, Subcommand)]
pub enum ReportsCommand {
    /// List all, the newest first
    List,
    /// Print the text of one
    Show {
        /// Its name, or the beginning of it
        #[arg(default_value = "latest")]
        name: String,
    },
    /// Copy the files of one into a folder
    Get {
        /// Its name, or the beginning of it
        #[arg(default_value = "latest")]
        name: String,
        /// The folder; a new one with the report's name in the current folder by default
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

/// `covidctl db …`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Db {
    /// Apply the pending migrations
    Migrate,
    /// List the migrations that were applied
    Status,
}

/// `covidctl tunnel`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Tunnel {
    /// Only for a command
    #[command(subcommand)]
    pub command: Option<TunnelCommand>,
    /// What leads where.
    #[command(flatten)]
    pub route: Option<Route>,
    /// Write this file once connections are served, and remove it at the end
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// `covidctl tunnel …`
#[derive(Debug, Subcommand)]
pub enum TunnelCommand {
    /// Run a command inside the tunnel, which ends with it
    ///
    /// PGHOST, PGHOSTADDR and PGPORT lead through the first -L. The exit code is the command's own.
    Exec {
        /// What leads where.
        #[command(flatten)]
        route: Route,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<std::ffi::OsString>,
    },
}

/// What leads where, and through whom.
#[derive(Debug, Args)]
pub struct Route {
    /// What leads where, as for `ssh -L`; port 0 is any free one
    #[arg(short = 'L', required = true, value_name = "LOCAL-PORT:HOST:PORT")]
    pub forwardings: Vec<Forwarding>,
    /// Listen on this port instead; with one -L only
    #[arg(long, value_name = "PORT")]
    pub local_port: Option<u16>,
    /// The local address to listen on; any other than this machine's own opens the database to others
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: std::net::IpAddr,
    /// Through whom
    #[arg(long, required = true, value_name = "USER@HOST[:PORT]")]
    pub bastion: Option<Bastion>,
    /// The private key to log in with; without it, the ssh agent and the usual files in ~/.ssh
    #[arg(short = 'i', value_name = "KEY")]
    pub key: Option<PathBuf>,
    /// The fingerprint that the bastion's host key must have, as `ssh-keygen -lf` shows it; pins the key
    #[arg(long, value_name = "SHA256:…")]
    pub host_key: Option<String>,
    /// Use only this cipher: aes256-gcm, aes128-gcm, chacha20-poly1305 or aes256-ctr
    #[arg(long, value_parser = tunnel::cipher)]
    pub cipher: Option<String>,
    /// How long connecting may take, such as `10s`
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = text::duration)]
    pub connect_timeout: Duration,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
