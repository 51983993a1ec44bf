//! `etl estimate reproduction`.

use std::path::PathBuf;

use clap::Args;
use epidemic::delay::SerialInterval;
use epidemic::reproduction::{self, Posterior, Prior, Window};

use super::input::{Table, amount, ensure_one_standard_input, estimate_error, number_pair};
use super::series::DailyTable;
use common::failure::Result;

/// The longest serial interval in a file, in days.
const MAX_INTERVAL: u64 = 10_000;

#[derive(Debug, Args)]
pub struct ReproductionArgs {
    /// CSV with `cases` beside `date` or `day`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    incidence: PathBuf,

    #[command(flatten)]
    interval: IntervalArgs,

    /// Days of each window
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    window: usize,

    /// Mean of the gamma prior
    #[arg(long, value_name = "R", default_value_t = 5.0)]
    prior_mean: f64,

    /// Standard deviation of the gamma prior
    #[arg(long, value_name = "R", default_value_t = 5.0)]
    prior_sd: f64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct IntervalArgs {
    /// CSV with `day,probability` from day 0; `-` is standard input
    #[arg(long, value_name = "FILE")]
    serial_interval: Option<PathBuf>,

    /// Serial interval as a discretised gamma distribution, by its mean (above 1) and standard deviation in days
    #[arg(long, value_name = "MEAN,SD", allow_hyphen_values = true, value_parser = number_pair)]
    serial_interval_gamma: Option<(f64, f64)>,
}

/// Returns the lines of a CSV with a row for each window.
pub(super) fn estimate(arguments: &ReproductionArgs) -> Result<Vec<String>> {
    if let Some(file) = &arguments.interval.serial_interval {
        ensure_one_standard_input(&arguments.incidence, file)?;
    }
    let table = Table::read(&arguments.incidence)?;
    let incidence = DailyTable::new(&table)?.series("cases", "a number from 0", amount)?;
    let interval = serial_interval(arguments)?;
    let prior = Prior { mean: arguments.prior_mean, sd: arguments.prior_sd };
    let windows = reproduction::estimate(&incidence, &interval, arguments.window, prior)
        .map_err(|error| estimate_error(&arguments.incidence, error))?;
    let line = |Window { start, end, posterior }: Window| match posterior {
        Some(Posterior { mean, sd, q025, median, q975 }) => {
            format!("{start},{end},{mean},{sd},{q025},{median},{q975}")
        }
        None => format!("{start},{end},,,,,"),
    };
    let header = "t_start,t_end,mean,sd,q025,median,q975".to_owned();
    Ok(std::iter::once(header).chain(windows.into_iter().map(line)).collect())
}

fn serial_interval(arguments: &ReproductionArgs) -> Result<SerialInterval> {
    let Some(path) = &arguments.interval.serial_interval else {
        // Clap requires one of the two arguments.
        let (mean, sd) = arguments.interval.serial_interval_gamma.unwrap_or((f64::NAN, f64::NAN));
        return SerialInterval::discretised_gamma(mean, sd)
            .map_err(|error| estimate_error(&arguments.incidence, error));
    };
    let table = Table::read(path)?;
    let probabilities = probabilities(&table)?;
    SerialInterval::new(probabilities).map_err(|error| estimate_error(path, error))
}

/// Reads the columns `day` and `probability`. Days without a row have the probability 0.
fn probabilities(table: &Table) -> Result<Vec<f64>> {
    let (day_column, probability_column) = (table.column(&["day"])?, table.column(&["probability"])?);
    let mut probabilities: Vec<Option<f64>> = Vec::new();
    for row in &table.rows {
        let parse = |text: &str| text.parse().ok().filter(|day| *day <= MAX_INTERVAL);
        let day: u64 = table.parse(row, day_column, "a whole number of days from 0", parse)?;
        let is_share = |share: &f64| *share <= 1.0;
        let share =
            table.parse(row, probability_column, "a probability", |text| amount(text).filter(is_share))?;
        let day = usize::try_from(day).unwrap_or_default();
        if probabilities.len() <= day {
            probabilities.resize(day + 1, None);
        }
        if probabilities[day].replace(share).is_some() {
            return Err(table.duplicate_error(row, format_args!("day {day}")));
        }
    }
    Ok(probabilities.into_iter().map(Option::unwrap_or_default).collect())
}
