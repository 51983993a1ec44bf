//! Compares the estimates with those of the reference implementations, on the data in the folder `EPI_REFERENCE`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed test panics, and tests print their figures"
)]
#![expect(clippy::cast_precision_loss, reason = "counts of tests are small")]

use std::path::PathBuf;

use epidemic::delay::{SerialInterval, gamma_density};
use epidemic::reproduction::{Posterior, Prior};
use epidemic::triangle::ReportingTriangle;
use epidemic::{fatality, nowcast, reproduction, seven_day};

/// Returns the folder with reference data. Prints a line if it is not set.
#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
fn reference() -> Option<PathBuf> {
    let folder = std::env::var("EPI_REFERENCE").ok().map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: EPI_REFERENCE is not set");
    }
    folder
}

/// Returns the fields of each row after the header; the files have no quotes.
fn rows(folder: &std::path::Path, name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let fields = |line: &str| line.trim_end().split(',').map(str::to_owned).collect();
    text.lines().skip(1).map(fields).collect()
}

fn column(rows: &[Vec<String>], index: usize) -> Vec<f64> {
    rows.iter().map(|row| row[index].parse().unwrap()).collect()
}

fn assert_windows_match(expected: &[Vec<String>], incidence: &[f64], serial_interval: &SerialInterval) {
    let windows = reproduction::estimate(incidence, serial_interval, 7, Prior::default()).unwrap();
    assert_eq!(windows.len(), 25);
    assert_eq!(windows.len(), expected.len());
    let mut worst = 0.0_f64;
    for (window, row) in windows.iter().zip(expected) {
        assert_eq!([window.start.to_string(), window.end.to_string()], row[..2]);
        let Posterior { mean, sd, q025, median, q975 } = window.posterior.unwrap();
        for (got, expected) in [mean, sd, q025, median, q975].into_iter().zip(&row[2..]) {
            let expected: f64 = expected.parse().unwrap();
            worst = worst.max((got / expected - 1.0).abs());
        }
    }
    println!("{} windows, largest relative difference {worst:.1e}", windows.len());
    assert!(worst < 1e-6);
}

#[test]
fn reproduction_of_flu_2009_equals_epiestim() {
    let Some(folder) = reference() else { return };
    let incidence = column(&rows(&folder, "flu2009_incidence.csv"), 1);
    let given = SerialInterval::new(column(&rows(&folder, "flu2009_serial_interval.csv"), 1)).unwrap();
    assert_windows_match(&rows(&folder, "flu2009_R_nonparametric.csv"), &incidence, &given);
    let gamma = SerialInterval::discretised_gamma(2.6, 1.5).unwrap();
    assert_windows_match(&rows(&folder, "flu2009_R_parametric_2.6_1.5.csv"), &incidence, &gamma);
}

#[test]
fn seven_day_r_equals_rki_to_two_decimals() {
    let Some(folder) = reference() else { return };
    let rows = rows(&folder, "rki_nowcast_R.csv");
    let values = seven_day::estimate(&column(&rows, 1)).unwrap();
    let (mut compared, mut equal) = (0, 0);
    for (row, value) in rows.iter().zip(values) {
        let (Ok(published), Some(value)) = (row[7].parse::<f64>(), value) else { continue };
        compared += 1;
        // A value between two roundings is published as either of them.
        if (value - published).abs() <= 0.005 + 1e-9 {
            equal += 1;
        } else {
            println!("{}: {value:.4}, published {published}", row[0]);
        }
    }
    println!("{equal} of {compared} published values");
    assert!(compared >= 1185 && compared - equal <= 3);
}

#[test]
fn fatality_of_ebola_1976_equals_cfr_to_four_decimals() {
    let Some(folder) = reference() else { return };
    let rows = rows(&folder, "ebola1976.csv");
    let count = |index: usize| rows.iter().map(|row| row[index].parse().unwrap()).collect::<Vec<u64>>();
    let delay = gamma_density(2.40, 3.33, rows.len()).unwrap();
    let fatality = fatality::estimate(&count(1), &count(2), &delay).unwrap();
    let shown = |estimate: Option<epidemic::Estimate>| {
        let estimate = estimate.unwrap();
        format!("{:.4} ({:.4}, {:.4})", estimate.value, estimate.low, estimate.high)
    };
    assert_eq!(shown(fatality.naive), "0.9551 (0.9211, 0.9774)");
    assert_eq!(shown(fatality.corrected), "0.9592 (0.9295, 0.9793)");
}

/// Returns the German hospitalisations by reference day and delay.
fn german_hospitalisations(folder: &std::path::Path, max_delay: usize) -> Vec<Vec<u32>> {
    let mut counts: Vec<Vec<u32>> = Vec::new();
    let mut date = String::new();
    for row in rows(folder, "germany_hospitalisations_by_delay.csv") {
        if row[0] != date {
            date.clone_from(&row[0]);
            counts.push(vec![0; max_delay + 1]);
        }
        let delay: usize = row[1].parse().unwrap();
        if delay <= max_delay {
            counts.last_mut().unwrap()[delay] = row[2].parse().unwrap();
        }
    }
    counts
}

#[test]
fn nowcast_of_german_hospitalisations_covers_final_numbers() {
    let Some(folder) = reference() else { return };
    let max_delay = 40;
    let counts = german_hospitalisations(&folder, max_delay);
    let mut by_age = vec![(0, 0, 0.0, 0.0); max_delay];
    for as_of in 100..counts.len() - max_delay {
        let mut triangle = ReportingTriangle::new(as_of + 1, max_delay).unwrap();
        for (day, row) in counts.iter().enumerate().take(as_of + 1) {
            for (delay, &count) in row.iter().enumerate() {
                triangle.add(day, delay, count);
            }
        }
        for nowcast in nowcast::estimate(&triangle).unwrap() {
            let age = as_of - nowcast.day;
            let Some(of_age) = by_age.get_mut(age) else { continue };
            let arrived: u64 = counts[nowcast.day].iter().copied().map(u64::from).sum();
            of_age.0 += 1;
            of_age.1 += usize::from((nowcast.low..=nowcast.high).contains(&arrived));
            of_age.2 += (nowcast.expected / arrived as f64 - 1.0).abs();
            of_age.3 += (nowcast.high - nowcast.low) as f64 / arrived as f64;
        }
    }
    let (mut all, mut covered) = (0, 0);
    for (age, (count, within, error, width)) in by_age.into_iter().enumerate() {
        (all, covered) = (all + count, covered + within);
        let percent = |sum: f64| 100.0 * sum / f64::from(count);
        if age < 14 || age % 7 == 0 {
            println!(
                "{age} days: coverage {:.1} %, mean absolute error {:.1} %, width {:.1} %",
                percent(f64::from(u32::try_from(within).unwrap())),
                percent(error),
                percent(width)
            );
        }
    }
    let coverage = 100.0 * covered as f64 / f64::from(all);
    println!("coverage {coverage:.1} % of {all}");
    assert!((90.0..=99.0).contains(&coverage));
}
