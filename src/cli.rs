//! The words of the command line. Doc comments are the help.
//!
//! Nothing is decided here: flags that have a place in the file of settings stay optional, and `settings` says what holds.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::backend::Server;
use crate::logs::pick;
use crate::logs::when::{self, When};
use crate::settings::{SslMode, names};
use crate::text;
use crate::tunnel::{self, bastion::Bastion, forwarding::Forwarding};

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
    /// List the history of runs, or show one with its tally
    Runs(Runs),
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
        server: Server,
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
    /// Open the page of one in the browser
    Open {
        /// Its name, or the beginning of it
        #[arg(default_value = "latest")]
        name: String,
    },
    /// Show in which numbers two reports differ
    Compare {
        /// The earlier one, or the beginning of its name; the one before the newest without
        before: Option<String>,
        /// The later one; the newest without
        #[arg(default_value = "latest")]
        after: String,
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

/// `covidctl dashboard …`
#[derive(Debug, Subcommand)]
pub enum Dashboard {
    /// Create or change the connection, the columns' names, the questions and the dashboard; repeated, it does nothing
    ///
    /// A fresh Metabase gets its first user. Nothing is ever deleted.
    Apply {
        /// Which Metabase, and who.
        #[command(flatten)]
        metabase: MetabaseArgs,
        /// The read replica as Metabase reaches it: `postgres://covid19_reader:password@host:5432/covid19`
        #[arg(long, env = names::METABASE_DATABASE_URL, value_name = "URL", hide_env_values = true)]
        database_url: String,
    },
    /// Show what is missing or differs; ends with 1 where something does
    Status {
        /// Which Metabase, and who.
        #[command(flatten)]
        metabase: MetabaseArgs,
        /// The read replica as Metabase reaches it; without it, the connection is only looked for
        #[arg(long, env = names::METABASE_DATABASE_URL, value_name = "URL", hide_env_values = true)]
        database_url: Option<String>,
    },
}

/// Which Metabase, and who.
#[derive(Debug, Args)]
pub struct MetabaseArgs {
    /// Its address: that of the load balancer, or of a tunnel to it
    #[arg(long, env = names::METABASE_URL, value_name = "URL", hide_env_values = true)]
    pub url: String,
    /// The administrator's address; on a fresh Metabase, the first user's
    #[arg(long, env = names::METABASE_EMAIL, value_name = "EMAIL", hide_env_values = true)]
    pub email: String,
    /// The administrator's password; better in the environment than on a command line
    #[arg(long, env = names::METABASE_PASSWORD, value_name = "PASSWORD", hide_env_values = true)]
    pub password: String,
    /// The language of names and titles
    #[arg(long = "lang", value_enum, default_value_t)]
    pub language: etl::report::Language,
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

/// `covidctl tunnel`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tunnel {
    /// Only for a command
    #[command(subcommand)]
    pub command: Option<TunnelCommand>,
    /// What leads where.
    #[command(flatten)]
    pub route: Route,
    /// Write this file once connections are served, and remove it at the end
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// `covidctl tunnel …`
#[derive(Debug, Subcommand)]
pub enum TunnelCommand {
    /// Run a command inside the tunnel, which ends with it
    ///
    /// PGHOST, PGHOSTADDR and PGPORT lead through the first target or -L. The exit code is the command's own.
    Exec {
        /// What leads where.
        #[command(flatten)]
        route: Route,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<std::ffi::OsString>,
    },
}

/// A place behind the bastion that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TunnelTarget {
    /// The database that is written to, at port 15432
    Master,
    /// The database that dashboards read, at port 15433
    Replica,
    /// The dashboard, at port 13000
    Metabase,
}

impl TunnelTarget {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Replica => "replica",
            Self::Metabase => "metabase",
        }
    }

    /// Its local port, always the same, so that it can stand in other programs' settings.
    pub const fn local_port(self) -> u16 {
        match self {
            Self::Master => 15432,
            Self::Replica => 15433,
            Self::Metabase => 13000,
        }
    }
}

/// What leads where, and through whom.
#[derive(Debug, Args)]
pub struct Route {
    /// Where to, on AWS: each has a local port of its own that stays the same [default: master, without any -L]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<TunnelTarget>,
    /// What leads where, as for `ssh -L`; port 0 is any free one
    #[arg(short = 'L', value_name = "LOCAL-PORT:HOST:PORT")]
    pub forwardings: Vec<Forwarding>,
    /// Listen on this port instead; where only one thing is forwarded
    #[arg(long, value_name = "PORT")]
    pub local_port: Option<u16>,
    /// The local address to listen on; any other than this machine's own opens the database to others
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: std::net::IpAddr,
    /// Through whom [default: the bastion of the target `aws`]
    #[arg(long, value_name = "USER@HOST[:PORT]")]
    pub bastion: Option<Bastion>,
    /// The private key to log in with; without it, EC2 Instance Connect, the ssh agent and the usual files in ~/.ssh
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
