//! Arguments of `covidctl reports` and `covidctl dashboard`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum ReportsCommand {
    /// List reports, newest first; `*` marks the latest
    List,
    /// Print the text of a report
    Show(ReportName),
    /// Open the HTML page of a report in the browser
    Open(ReportName),
    /// Show the numbers that differ between two reports
    Compare {
        /// Name of the earlier report [default: the one before AFTER]
        before: Option<String>,
        /// Name of the later report
        #[arg(default_value = "latest")]
        after: String,
    },
    /// Copy the files of a report to a directory
    Get {
        #[command(flatten)]
        report: ReportName,
        /// Directory to create [default: the report's name]
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct ReportName {
    /// Name of the report, or its beginning; `latest` is the one in `reports/latest.json`
    #[arg(default_value = "latest")]
    pub name: String,
}

#[derive(Debug, Subcommand)]
pub enum Dashboard {
    /// Create or update the connection, the questions and the dashboard
    ///
    /// Safe to repeat. A new Metabase gets its first user. Nothing is deleted.
    Apply {
        #[command(flatten)]
        metabase: MetabaseArgs,
        /// URL of the read replica as Metabase reaches it: `postgres://covid19_reader:password@host:5432/covid19` [default on AWS: discovered]
        #[arg(long, env = "METABASE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
        database_url: Option<String>,
    },
    /// Show what is missing or differs; exits with 1 if anything does
    Status {
        #[command(flatten)]
        metabase: MetabaseArgs,
        /// URL of the read replica as Metabase reaches it; without it, only the existence of the connection is checked
        #[arg(long, env = "METABASE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
        database_url: Option<String>,
    },
}

/// How to log in to Metabase.
#[derive(Debug, Args)]
pub struct MetabaseArgs {
    /// URL of Metabase: the load balancer, or a tunnel to it
    #[arg(long, env = "METABASE_URL", value_name = "URL", hide_env_values = true)]
    pub url: String,
    /// Email of the administrator; on a new Metabase, of the first user
    #[arg(long, env = "METABASE_EMAIL", value_name = "EMAIL", hide_env_values = true)]
    pub email: String,
    /// Password of the administrator; prefer the environment variable
    #[arg(long, env = "METABASE_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub password: String,
    /// Language of names and titles
    #[arg(long = "lang", value_enum, default_value_t)]
    pub language: etl::report::Language,
}
