//! `etl estimate nowcast`.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use epidemic::nowcast::{self, Nowcast};
use epidemic::triangle::ReportingTriangle;

use super::input::{Table, count, estimate_error};
use super::series::{self, DayColumn};
use common::failure::{Failure, Result};

/// The largest default of `--max-delay`, in days.
const MAX_DEFAULT_DELAY: usize = 365;

#[derive(Debug, Args)]
pub struct NowcastArgs {
    /// CSV with `reference_date` (or `date`, `day`), `delay_days` (or `delay`) and `count`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    reports: PathBuf,

    /// Longest delay that is counted [default: the longest of the file, at most half of its days]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=1000))]
    max_delay: Option<u64>,

    /// Nowcast as of the end of this day, without later reports [default: the day of the last report]
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
}

/// The number of reports of a reference day with a delay in days.
struct Report {
    day: i64,
    delay: u32,
    count: u32,
}

impl Report {
    fn reported(&self) -> i64 {
        self.day.saturating_add_unsigned(self.delay.into())
    }
}

/// Returns the lines of a CSV with a row for each reference day that may be incomplete.
pub(super) fn estimate(arguments: &NowcastArgs) -> Result<Vec<String>> {
    let table = Table::read(&arguments.reports)?;
    let days = DayColumn::find(&table, &["reference_date", "date"])?;
    let mut reports = read(&table, days)?;
    let as_of = match &arguments.as_of {
        Some(text) => days.parse(text).ok_or_else(|| {
            Failure::usage(format!("`--as-of {text}` is not a day"))
                .hint(format!("give a day as in column `{}`", days.column.name))
        })?,
        None => {
            reports.iter().filter(|report| report.count > 0).map(Report::reported).max().unwrap_or_default()
        }
    };
    reports.retain(|report| report.reported() <= as_of);
    let Some(first) = reports.iter().map(|report| report.day).min() else {
        let failure = table.error(format_args!("no report is known by {}", days.format(as_of)));
        return Err(failure.hint("give a later `--as-of`, or a file with reports"));
    };
    let length = series::span(&table, days, first, as_of)?;
    let max_delay = max_delay(arguments, &reports, length);
    let invalid = |error| estimate_error(&arguments.reports, error);
    let mut triangle = ReportingTriangle::new(length, max_delay).map_err(invalid)?;
    for report in &reports {
        let day = usize::try_from(report.day - first).unwrap_or_default();
        triangle.add(day, report.delay as usize, report.count);
    }
    if triangle.beyond() > 0 {
        tracing::warn!(
            left_out = triangle.beyond(),
            max_delay,
            "reports later than the longest delay are left out"
        );
    }
    let nowcasts = nowcast::estimate(&triangle).map_err(invalid)?;
    let line = |nowcast: &Nowcast| {
        let Nowcast { day, reported, share_reported, expected, low, median, high, .. } = nowcast;
        let day = days.format(first + i64::try_from(*day).unwrap_or_default());
        format!("{day},{reported},{share_reported},{expected},{low},{median},{high}")
    };
    let header = format!("{},reported,share_reported,expected,low,median,high", days.column.name);
    Ok(std::iter::once(header).chain(nowcasts.iter().map(line)).collect())
}

fn read(table: &Table, days: DayColumn) -> Result<Vec<Report>> {
    let (delay_column, count_column) = (table.column(&["delay_days", "delay"])?, table.column(&["count"])?);
    let mut seen = HashSet::with_capacity(table.rows.len());
    let mut reports = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let day = days.read(table, row)?;
        let number = |text: &str| count(text).and_then(|number| u32::try_from(number).ok());
        let delay = table.parse(row, delay_column, "a whole number of days from 0", number)?;
        let count = table.parse(row, count_column, "a whole number from 0", number)?;
        if !seen.insert((day, delay)) {
            let key = format!("{} with delay {delay}", days.format(day));
            return Err(table.duplicate_error(row, key));
        }
        reports.push(Report { day, delay, count });
    }
    Ok(reports)
}

fn max_delay(arguments: &NowcastArgs, reports: &[Report], length: usize) -> usize {
    let longest = || reports.iter().filter(|report| report.count > 0).map(|report| report.delay).max();
    let default = || (longest().unwrap_or_default() as usize).min(length / 2).min(MAX_DEFAULT_DELAY);
    arguments.max_delay.map_or_else(default, |days| usize::try_from(days).unwrap_or(usize::MAX))
}
