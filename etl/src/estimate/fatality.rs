//! `etl estimate fatality`.

use std::path::PathBuf;

use clap::Args;
use epidemic::Estimate;
use epidemic::delay::gamma_density;
use epidemic::fatality;

use super::input::{Table, count, estimate_error, number_pair};
use super::series::DailyTable;
use common::failure::Result;

#[derive(Debug, Args)]
pub struct FatalityArgs {
    /// CSV with `cases` and `deaths` beside `date` or `day`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    incidence: PathBuf,

    /// Delay from onset to death as a gamma distribution, by its shape (1 or more) and scale in days
    #[arg(long, value_name = "SHAPE,SCALE", allow_hyphen_values = true, value_parser = number_pair)]
    delay_gamma: (f64, f64),
}

/// Returns the lines of a CSV with a row each for the naive and the corrected fatality.
pub(super) fn estimate(arguments: &FatalityArgs) -> Result<Vec<String>> {
    let table = Table::read(&arguments.incidence)?;
    let rows = DailyTable::new(&table)?;
    let cases = rows.series("cases", "a whole number from 0", count)?;
    let deaths = rows.series("deaths", "a whole number from 0", count)?;
    let (shape, scale) = arguments.delay_gamma;
    let fatality = gamma_density(shape, scale, cases.len())
        .and_then(|delay| fatality::estimate(&cases, &deaths, &delay))
        .map_err(|error| estimate_error(&arguments.incidence, error))?;
    if fatality.corrected.is_none() {
        tracing::warn!(
            deaths = fatality.deaths,
            known_outcomes = fatality.outcomes,
            "no corrected fatality: the expected number of outcomes is 0 or below the number of deaths"
        );
    }
    let line = |name: &str, estimate: Option<Estimate>| match estimate {
        Some(Estimate { value, low, high }) => format!("{name},{value},{low},{high}"),
        None => format!("{name},,,"),
    };
    let (naive, corrected) = (line("naive", fatality.naive), line("corrected", fatality.corrected));
    Ok(vec!["estimate,fatality,low,high".to_owned(), naive, corrected])
}
