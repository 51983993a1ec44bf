//! `etl estimate`: the estimates of the crate `epidemic` on counts in CSV files, without a database or a store.
//!
//! Reads one or two CSV files, prints one CSV to stdout. The estimates themselves are no concern of this module: it reads, refuses
//! what cannot be right, and prints.

mod fatality;
mod nowcast;
mod reproduction;
mod series;
mod table;

use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;

use clap::Subcommand;
use epidemic::InputError;

use common::failure::{Context as _, Failure, Result};

/// What `etl estimate` estimates.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Estimate the reproduction number in sliding windows (Cori et al. 2013)
    Reproduction(reproduction::ReproductionArgs),
    /// Estimate the case fatality, as counted and corrected for the delay to death (Nishiura et al. 2009)
    Fatality(fatality::FatalityArgs),
    /// Estimate the cases of the last days that are not reported yet (chain ladder)
    Nowcast(nowcast::NowcastArgs),
}

/// Computes the estimate and prints it as CSV.
pub fn run(command: &Command) -> Result<()> {
    let text = match command {
        Command::Reproduction(arguments) => reproduction::estimate(arguments),
        Command::Fatality(arguments) => fatality::estimate(arguments),
        Command::Nowcast(arguments) => nowcast::estimate(arguments),
    }?;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader such as `head` has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context(|| "cannot print the estimates".to_owned()),
    }
}

/// Two numbers of a flag, as in `2.6,1.5`.
#[derive(Debug, Clone, Copy)]
struct Pair(f64, f64);

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        text.split_once(',')
            .and_then(|(left, right)| Some(Self(number(left)?, number(right)?)))
            .ok_or("give two numbers with a comma between them, such as 2.6,1.5")
    }
}

/// Turns the crate's error into a failure about this file; parameters come from flags.
fn refused(input: &Path, error: InputError) -> Failure {
    let hint = match error {
        InputError::InvalidParameter { .. } => {
            return Failure::usage(error.to_string())
                .hint("change the flag; `--help` after the command explains each");
        }
        InputError::ProbabilityOnDayZero => "give day 0 the probability 0",
        InputError::NotADistribution { .. } => "give one probability for each day, which add up to 1",
        InputError::TooShort { .. } => "give more days, or a smaller `--window` or `--max-delay`",
        InputError::MoreDeathsThanCases { .. } => "count the deaths among these cases alone",
        _ => "correct the file",
    };
    Failure::new(format!("cannot estimate from {}", table::shown(input))).source(error).hint(hint)
}

/// Appends one line of CSV; a missing value is an empty field.
fn push_line(text: &mut String, fields: impl IntoIterator<Item = Option<String>>) {
    let fields: Vec<String> = fields.into_iter().map(Option::unwrap_or_default).collect();
    text.push_str(&fields.join(","));
    text.push('\n');
}
