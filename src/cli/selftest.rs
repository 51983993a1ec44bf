//! The arguments of `covidctl selftest`.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use common::text;
use serde::Serialize;

#[derive(Debug, Args)]
pub struct Selftest {
    /// Steps to take, in their own order [default: all]
    #[arg(value_enum, value_name = "STEP")]
    pub steps: Vec<SelftestStep>,
    /// Stack parameter, such as `OperatorCidr=198.51.100.7/32`
    #[arg(long, value_name = "[STACK.]NAME=VALUE", value_parser = text::assignment)]
    pub parameter: Vec<(String, String)>,
    /// Software release to run, such as `v0.1.0`
    #[arg(long, value_name = "TAG")]
    pub release: Option<String>,
    /// Shell command that publishes the release to the new registry; without one, the release has to be there or confirmed
    #[arg(long, value_name = "COMMAND")]
    pub publish: Option<String>,
    /// Directory of templates to use instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
    /// Rows of the sample that is loaded
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub rows: u64,
    /// Keep what was created, which continues to be billed
    #[arg(long)]
    pub keep: bool,
    /// Directory of the results [default: covidctl-selftest-TIME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A step, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelftestStep {
    /// Create the stacks that need no release
    Deploy,
    /// Set up the database through the bastion
    Database,
    /// Create the stacks that run the release
    Release,
    /// Load two samples, one after the other
    Run,
    /// Read the log of the load
    Logs,
    /// Query the database through the bastion
    Tunnel,
    /// Write a report
    Report,
    /// Publish the first sample again
    Rollback,
    /// Delete everything that a self-test created
    CleanUp,
}

impl SelftestStep {
    /// Returns whether the step changes the account or the data.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Logs | Self::Tunnel)
    }
}

impl fmt::Display for SelftestStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
