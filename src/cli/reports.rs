//! The words of `covidctl reports` and of `covidctl dashboard`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::settings::names;

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
    /// List all, the newest first; `*` marks the latest
    List,
    /// Print the text of one
    Show {
        /// Its name, or the beginning of it; `latest` is the one that `reports/latest.json` names
        #[arg(default_value = "latest")]
        name: String,
    },
    /// Open the page of one in the browser
    Open {
        /// Its name, or the beginning of it; `latest` is the one that `reports/latest.json` names
        #[arg(default_value = "latest")]
        name: String,
    },
    /// Show in which numbers two reports differ
    Compare {
        /// The earlier one, or the beginning of its name; the one before AFTER without
        before: Option<String>,
        /// The later one; the latest without
        #[arg(default_value = "latest")]
        after: String,
    },
    /// Copy the files of one into a folder
    Get {
        /// Its name, or the beginning of it; `latest` is the one that `reports/latest.json` names
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
        /// The read replica as Metabase reaches it: `postgres://covid19_reader:password@host:5432/covid19`; on the target `aws` it is found, with its password
        #[arg(long, env = names::METABASE_DATABASE_URL, value_name = "URL", hide_env_values = true)]
        database_url: Option<String>,
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
