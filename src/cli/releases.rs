//! The words of `covidctl releases`.

use clap::{Args, Subcommand};

/// `covidctl releases`
#[derive(Debug, Args)]
pub struct Releases {
    /// One of them; they are listed without
    #[command(subcommand)]
    pub command: Option<ReleasesCommand>,
}

/// `covidctl releases …`
#[derive(Debug, Subcommand)]
pub enum ReleasesCommand {
    /// List the releases, the newest first
    List {
        /// How many to list
        #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one release with its datasets and the checks of its load
    Show {
        /// Its number; the published one without
        #[arg(value_name = "RELEASE")]
        release: Option<i32>,
    },
    /// Publish an earlier release again, after a question
    ///
    /// Runs as a job of the target and is recorded like a run. The files of the replaced release are not loaded again until they
    /// change, or with `covidctl run etl --force`.
    Rollback {
        /// The release to publish [default: the newest kept before the published one]
        #[arg(long, value_name = "RELEASE")]
        to: Option<i32>,
    },
}
