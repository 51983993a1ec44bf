//! `etl estimate fatality`.

use std::path::PathBuf;

use clap::Args;
use epidemic::Estimate;
use epidemic::delay::gamma_density;
use epidemic::fatality;

use super::series::DailyRows;
use super::table::{Table, count};
use super::{Pair, push_line, refused};
use common::failure::Result;

/// The arguments of `etl estimate fatality`.
#[derive(Debug, Args)]
pub struct FatalityArgs {
    /// CSV with `cases` and `deaths` beside `date` or `day`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    incidence: PathBuf,

    /// Delay from onset to death as a gamma distribution, by its shape (1 or more) and scale in days
    #[arg(long, value_name = "SHAPE,SCALE", allow_hyphen_values = true)]
    delay_gamma: Pair,
}

/// Returns one line for the naive and one for the corrected fatality.
pub(super) fn estimate(arguments: &FatalityArgs) -> Result<String> {
    let table = Table::read(&arguments.incidence)?;
    let rows = DailyRows::place(&table)?;
    let cases = rows.series("cases", "a whole number from 0", count)?;
    let deaths = rows.series("deaths", "a whole number from 0", count)?;
    let Pair(shape, scale) = arguments.delay_gamma;
    let fatality = gamma_density(shape, scale, cases.len())
        .and_then(|delay| fatality::estimate(&cases, &deaths, &delay))
        .map_err(|error| refused(&arguments.incidence, error))?;
    if fatality.corrected.is_none() {
        tracing::warn!(
            deaths = fatality.deaths,
            known_outcomes = fatality.outcomes,
            "no corrected fatality: fewer outcomes are expected than deaths were counted, or none"
        );
    }
    let mut text = "estimate,fatality,low,high\n".to_owned();
    for (name, estimate) in [("naive", fatality.naive), ("corrected", fatality.corrected)] {
        let of = |value: fn(Estimate) -> f64| estimate.map(|estimate| value(estimate).to_string());
        let fields = [
            Some(name.to_owned()),
            of(|estimate| estimate.value),
            of(|estimate| estimate.low),
            of(|estimate| estimate.high),
        ];
        push_line(&mut text, fields);
    }
    Ok(text)
}
