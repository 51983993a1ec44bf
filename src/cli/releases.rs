//! The command line of `covidctl releases`.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Releases {
    /// Lists releases if absent.
    #[command(subcommand)]
    pub command: Option<ReleasesCommand>,
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
