//! `etl estimate reproduction`.

use std::path::PathBuf;

use clap::Args;
use epidemic::delay::SerialInterval;
use epidemic::reproduction::{self, Prior};

use super::series::DailyRows;
use super::table::{Table, amount, refuse_double_input};
use super::{Pair, push_line, refused};
use common::failure::Result;

/// Longest serial interval in a file, in days.
const LONGEST_INTERVAL: u64 = 10_000;

/// The arguments of `etl estimate reproduction`.
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
    #[arg(long, value_name = "MEAN,SD", allow_hyphen_values = true)]
    serial_interval_gamma: Option<Pair>,
}

/// Returns one line for each window.
pub(super) fn estimate(arguments: &ReproductionArgs) -> Result<String> {
    if let Some(file) = &arguments.interval.serial_interval {
        refuse_double_input(&arguments.incidence, file)?;
    }
    let table = Table::read(&arguments.incidence)?;
    let incidence = DailyRows::place(&table)?.series("cases", "a number from 0", amount)?;
    let interval = serial_interval(arguments)?;
    let prior = Prior { mean: arguments.prior_mean, sd: arguments.prior_sd };
    let windows = reproduction::estimate(&incidence, &interval, arguments.window, prior)
        .map_err(|error| refused(&arguments.incidence, error))?;
    let mut text = "t_start,t_end,mean,sd,q025,median,q975\n".to_owned();
    for window in windows {
        let of = |value: fn(&reproduction::Posterior) -> f64| {
            window.posterior.as_ref().map(|posterior| value(posterior).to_string())
        };
        push_line(
            &mut text,
            [
                Some(window.start.to_string()),
                Some(window.end.to_string()),
                of(|posterior| posterior.mean),
                of(|posterior| posterior.sd),
                of(|posterior| posterior.q025),
                of(|posterior| posterior.median),
                of(|posterior| posterior.q975),
            ],
        );
    }
    Ok(text)
}

fn serial_interval(arguments: &ReproductionArgs) -> Result<SerialInterval> {
    let Some(path) = &arguments.interval.serial_interval else {
        // Clap asks for one of the two.
        let Pair(mean, sd) = arguments.interval.serial_interval_gamma.unwrap_or(Pair(f64::NAN, f64::NAN));
        return SerialInterval::discretised_gamma(mean, sd)
            .map_err(|error| refused(&arguments.incidence, error));
    };
    let table = Table::read(path)?;
    let probabilities = probabilities(&table)?;
    SerialInterval::new(probabilities).map_err(|error| refused(path, error))
}

/// Reads `day,probability`; days without a row have none.
fn probabilities(table: &Table) -> Result<Vec<f64>> {
    let (day_column, probability_column) = (table.column(&["day"])?, table.column(&["probability"])?);
    let mut probabilities: Vec<Option<f64>> = Vec::new();
    for row in table.rows() {
        let parse = |text: &str| text.parse().ok().filter(|day| *day <= LONGEST_INTERVAL);
        let day: u64 = table.value(row, day_column, "a whole number of days from 0", parse)?;
        let is_share = |share: &f64| *share <= 1.0;
        let share =
            table.value(row, probability_column, "a probability", |text| amount(text).filter(is_share))?;
        let day = usize::try_from(day).unwrap_or_default();
        if probabilities.len() <= day {
            probabilities.resize(day + 1, None);
        }
        if probabilities[day].replace(share).is_some() {
            return Err(super::series::duplicate(table, row, &format!("day {day}")));
        }
    }
    Ok(probabilities.into_iter().map(Option::unwrap_or_default).collect())
}
