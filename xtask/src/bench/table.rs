//! The table of measurements.

use super::BenchResult;
use super::measure::approximate;

/// Every competitor in one line: seconds, rows per second, memory, and its time as a multiple of ours.
pub(super) fn render(results: &[BenchResult], rows: u64) -> String {
    let Some(ours) = results.first() else { return String::new() };
    let summary = format!(
        "{} rows read, {} loaded; seconds are the median of {}\n",
        grouped(&rows.to_string()),
        grouped(&ours.rows.to_string()),
        ours.measurements.len()
    );
    let heads = row(["program", "seconds", "loaded/s", "peak MB", "x our time"], "its phases");
    let lines = results.iter().map(|result| {
        let seconds = result.seconds();
        let factor = if result.competitor.loads_a_sample() {
            "a sample".to_owned()
        } else {
            format!("{:.2}", seconds / ours.seconds())
        };
        let cells = [
            result.competitor.name(),
            &format!("{seconds:.2}"),
            &grouped(&format!("{:.0}", result.rows_per_second())),
            &format!("{:.0}", megabytes(result.peak_bytes())),
            &factor,
        ];
        row(cells, &result.phases)
    });
    [summary, heads].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

pub(super) fn megabytes(bytes: u64) -> f64 {
    approximate(bytes) / 1e6
}

fn row(cells: [&str; 5], rest: &str) -> String {
    let [name, numbers @ ..] = cells;
    let numbers = numbers.map(|number| format!("{number:>11}")).concat();
    format!("{name:<14}{numbers}   {rest}").trim_end().to_owned()
}

/// `3000000` as `3,000,000`.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouped_separates_thousands() {
        assert_eq!(["0", "999", "1000", "30000000"].map(grouped), ["0", "999", "1,000", "30,000,000"]);
    }
}
