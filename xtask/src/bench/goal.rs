//! Compares measurements with goals. A missed goal does not change the exit code, because the numbers depend on the machine.

use super::competitor::Competitor;
use super::{BenchResult, table};

/// How many times faster than the better of DuckDB and Polars.
const TIMES_FASTER_THAN_RIVALS: f64 = 3.0;

/// The share of the time that `psql \copy` takes.
const SHARE_OF_COPY: f64 = 0.5;

/// How many times the rows per second of pandas.
const TIMES_PANDAS: f64 = 25.0;

/// Peak memory, whatever the input's size.
const PEAK_MEGABYTES: f64 = 96.0;

/// The final national file's size, on two cores that PostgreSQL uses too.
const FULL_SECONDS: f64 = 90.0;

pub(super) enum Threshold {
    AtLeast(f64),
    AtMost(f64),
}

pub(super) struct Goal {
    pub(super) what: &'static str,
    pub(super) measured: f64,
    pub(super) unit: &'static str,
    pub(super) threshold: Threshold,
}

pub(super) fn render(results: &[BenchResult], full: bool) -> String {
    lines(&goals(results, full))
}

/// Renders goals, one per line.
pub(super) fn lines(goals: &[Goal]) -> String {
    let heads = format!("\n{:<48}{:>12}   {}", "goal", "measured", "wanted");
    let lines = goals.iter().map(Goal::line);
    std::iter::once(heads).chain(lines).collect::<Vec<_>>().join("\n")
}

fn goals(results: &[BenchResult], full: bool) -> Vec<Goal> {
    let Some((ours, others)) = results.split_first() else { return Vec::new() };
    let found = |competitor| others.iter().find(|result| result.competitor == competitor);
    let best_rival = others
        .iter()
        .filter(|result| result.competitor.is_a_rival())
        .map(BenchResult::seconds)
        .min_by(f64::total_cmp);

    let mut goals = Vec::new();
    if let Some(best_rival) = best_rival {
        goals.push(Goal {
            what: "faster than the better of DuckDB and Polars",
            measured: best_rival / ours.seconds(),
            unit: "times",
            threshold: Threshold::AtLeast(TIMES_FASTER_THAN_RIVALS),
        });
    }
    if let Some(copy) = found(Competitor::Copy) {
        goals.push(Goal {
            what: "of the time of psql \\copy of cleaned rows",
            measured: ours.seconds() / copy.seconds(),
            unit: "times",
            threshold: Threshold::AtMost(SHARE_OF_COPY),
        });
    }
    if let Some(pandas) = found(Competitor::Pandas) {
        goals.push(Goal {
            what: "the rows per second of pandas to_sql",
            measured: ours.rows_per_second() / pandas.rows_per_second(),
            unit: "times",
            threshold: Threshold::AtLeast(TIMES_PANDAS),
        });
    }
    goals.push(Goal {
        what: "peak memory of etl run",
        measured: table::megabytes(ours.peak_bytes()),
        unit: "MB",
        threshold: Threshold::AtMost(PEAK_MEGABYTES),
    });
    if full {
        goals.push(Goal {
            what: "the final national file's size, whole",
            measured: ours.seconds(),
            unit: "s",
            threshold: Threshold::AtMost(FULL_SECONDS),
        });
    }
    goals
}

impl Goal {
    fn line(&self) -> String {
        let (words, limit, reached) = match self.threshold {
            Threshold::AtLeast(limit) => ("at least", limit, self.measured >= limit),
            Threshold::AtMost(limit) => ("at most", limit, self.measured <= limit),
        };
        let verdict = if reached { "reached" } else { "missed" };
        let measured = format!("{:.2} {}", self.measured, self.unit);
        format!("{:<48}{measured:>12}   {words} {limit} {}: {verdict}", self.what, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::measure::Measurement;

    fn outcome(competitor: Competitor, seconds: f64, phases: &str) -> BenchResult {
        let measurements = vec![Measurement { seconds, peak_bytes: 90_000_000, cpu_seconds: seconds }];
        BenchResult { competitor, measurements, rows: 1_000_000, same_rows: true, phases: phases.to_owned() }
    }

    #[test]
    fn goals_compare_with_their_thresholds() {
        let results = [
            outcome(Competitor::Etl, 4.0, ""),
            outcome(Competitor::Copy, 7.0, ""),
            outcome(Competitor::DuckDb, 14.0, ""),
            outcome(Competitor::Polars, 13.0, ""),
            outcome(Competitor::Pandas, 9.0, "50000 rows in 5.0 s"),
        ];
        let text = render(&results, false);
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
        let text = render(&[outcome(Competitor::Etl, 91.0, "")], true);
        assert!(text.contains("91.00 s   at most 90 s: missed"), "{text}");
    }
}
