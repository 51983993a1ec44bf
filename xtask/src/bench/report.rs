//! The results of `bench etl`: a table of the measurements, and the goals.

use common::text::thousands;

use super::BenchResult;
use super::competitor::Competitor;
use super::goal::{at_least, at_most};
use super::measure::approximate;

/// Renders one line per program: seconds, rows per second, memory, and its time as a multiple of that of `etl run`.
pub(super) fn table(results: &[BenchResult], rows: u64) -> String {
    let Some(ours) = results.first() else { return String::new() };
    let mut lines = vec![
        format!(
            "{} rows read, {} loaded; seconds are the median of {}\n",
            grouped(approximate(rows)),
            grouped(approximate(ours.rows)),
            ours.measurements.len()
        ),
        row(["program", "seconds", "loaded/s", "peak MB", "x our time"], "its phases"),
    ];
    for result in results {
        let seconds = result.seconds();
        let factor = if result.competitor.loads_a_sample() {
            "a sample".to_owned()
        } else {
            format!("{:.2}", seconds / ours.seconds())
        };
        let cells = [
            result.competitor.name(),
            &format!("{seconds:.2}"),
            &grouped(result.rows_per_second()),
            &format!("{:.0}", megabytes(result)),
            &factor,
        ];
        lines.push(row(cells, &result.phases));
    }
    lines.join("\n")
}

/// Compares the results with the goals, one per line.
pub(super) fn goals(results: &[BenchResult], full: bool) -> Vec<String> {
    let Some((ours, others)) = results.split_first() else { return Vec::new() };
    let found = |competitor| others.iter().find(|result| result.competitor == competitor);
    let rivals = [Competitor::DuckDb, Competitor::Polars].into_iter().filter_map(found);

    let mut goals = Vec::new();
    if let Some(best) = rivals.map(BenchResult::seconds).min_by(f64::total_cmp) {
        let times = best / ours.seconds();
        goals.push(at_least("faster than the better of DuckDB and Polars", times, 3.0, "times"));
    }
    if let Some(copy) = found(Competitor::Copy) {
        let share = ours.seconds() / copy.seconds();
        goals.push(at_most("of the time of psql \\copy of cleaned rows", share, 0.5, "times"));
    }
    if let Some(pandas) = found(Competitor::Pandas) {
        let times = ours.rows_per_second() / pandas.rows_per_second();
        goals.push(at_least("the rows per second of pandas to_sql", times, 25.0, "times"));
    }
    goals.push(at_most("peak memory of etl run", megabytes(ours), 96.0, "MB"));
    if full {
        // On two cores, which PostgreSQL uses too.
        goals.push(at_most("the final national file's size, whole", ours.seconds(), 90.0, "s"));
    }
    goals
}

fn megabytes(result: &BenchResult) -> f64 {
    approximate(result.peak_bytes()) / 1e6
}

fn row(cells: [&str; 5], rest: &str) -> String {
    let [name, numbers @ ..] = cells;
    let numbers = numbers.map(|number| format!("{number:>11}")).concat();
    format!("{name:<14}{numbers}   {rest}").trim_end().to_owned()
}

/// Rounds a number; formats it with thousands separators.
fn grouped(number: f64) -> String {
    format!("{number:.0}").parse().map(thousands).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Measurement;

    fn result(competitor: Competitor, seconds: f64, phases: &str) -> BenchResult {
        let measurements = vec![Measurement { seconds, peak_bytes: 90_000_000, cpu_seconds: seconds }];
        BenchResult { competitor, measurements, rows: 1_000_000, same_rows: true, phases: phases.to_owned() }
    }

    #[test]
    fn goals_compare_with_their_thresholds() {
        let results = [
            result(Competitor::Etl, 4.0, ""),
            result(Competitor::Copy, 7.0, ""),
            result(Competitor::DuckDb, 14.0, ""),
            result(Competitor::Polars, 13.0, ""),
            result(Competitor::Pandas, 9.0, "50000 rows in 5.0 s"),
        ];
        let text = goals(&results, false).join("\n");
        for line in [
            "faster than the better of DuckDB and Polars       3.25 times   at least 3 times: reached",
            "of the time of psql \\copy of cleaned rows         0.57 times   at most 0.5 times: missed",
            "the rows per second of pandas to_sql             25.00 times   at least 25 times: reached",
            "peak memory of etl run                              90.00 MB   at most 96 MB: reached",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn full_size_has_goal_of_its_own() {
        let text = goals(&[result(Competitor::Etl, 91.0, "")], true).join("\n");
        assert!(text.contains("91.00 s   at most 90 s: missed"), "{text}");
    }
}
