//! `etl estimate`: applies the estimates of the crate `epidemic` to counts in CSV files, without a database or a store.
//!
//! Reads and validates one or two CSV files and returns one CSV.

mod fatality;
mod input;
mod nowcast;
mod reproduction;
mod series;

use clap::Subcommand;
use common::failure::Result;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Estimate the reproduction number in sliding windows (Cori et al. 2013)
    Reproduction(reproduction::ReproductionArgs),
    /// Estimate the case fatality, as counted and corrected for the delay to death (Nishiura et al. 2009)
    Fatality(fatality::FatalityArgs),
    /// Estimate the cases of the last days that are not reported yet (chain ladder)
    Nowcast(nowcast::NowcastArgs),
}

/// Computes the estimate and returns it as CSV.
pub fn run(command: &Command) -> Result<String> {
    let lines = match command {
        Command::Reproduction(arguments) => reproduction::estimate(arguments),
        Command::Fatality(arguments) => fatality::estimate(arguments),
        Command::Nowcast(arguments) => nowcast::estimate(arguments),
    };
    Ok(lines?.join("\n") + "\n")
}
