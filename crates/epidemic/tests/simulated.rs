//! Coverage of the 95 % intervals of nowcasts of simulated releases, whose delays and final numbers are known.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed test panics, and tests print their figures"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of tests are small"
)]

use epidemic::nowcast;
use epidemic::triangle::ReportingTriangle;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// The longest delay, the days of a release, and the days between releases.
const MAX_DELAY: usize = 28;
const FIRST_RELEASE: usize = 100;
const LAST_RELEASE: usize = 149;
const RELEASE_STEP: usize = 7;
const DAYS: usize = LAST_RELEASE + MAX_DELAY + 1;
/// Epidemics of each scenario.
const EPIDEMICS: u64 = 20;
/// Rows with a smaller missing share are not counted: their intervals nearly always cover the final number, with any method.
const MIN_MISSING: f64 = 0.01;

/// How cases occur and are reported.
struct Scenario {
    name: &'static str,
    /// Mean cases of a day.
    level: fn(usize) -> f64,
    /// Mean delay of a case of that day, in days.
    mean_delay: fn(usize) -> f64,
    /// The share of a day's reports that is made on that day; the rest waits for the next day.
    reports_on: fn(usize) -> f64,
    /// Excess variance of the cases of a day: 0 is Poisson.
    excess: f64,
}

struct Random(Xoshiro256PlusPlus);

impl Random {
    /// Draws a uniform number between 0 and 1, both excluded.
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Draws a Poisson number by counting exponential waiting times.
    fn poisson(&mut self, mean: f64) -> u32 {
        let (mut time, mut count) = (0.0, 0);
        loop {
            time -= self.uniform().ln();
            if time > mean {
                return count;
            }
            count += 1;
        }
    }

    /// Draws the delay of a case: geometric in days, then extended by days without reports.
    fn delay(&mut self, scenario: &Scenario, day: usize) -> usize {
        let mean = (scenario.mean_delay)(day);
        let waited = self.uniform().ln() / (mean / (mean + 1.0)).ln();
        let mut delay = waited as usize;
        while delay < MAX_DELAY && self.uniform() > (scenario.reports_on)(day + delay) {
            delay += 1;
        }
        delay
    }
}

/// Returns cases by reference day and delay.
fn simulate(scenario: &Scenario, seed: u64) -> Vec<Vec<u32>> {
    let mut random = Random(Xoshiro256PlusPlus::seed_from_u64(seed));
    let mut counts = vec![vec![0; MAX_DELAY + 1]; DAYS];
    for (day, counts) in counts.iter_mut().enumerate() {
        let spread = (random.normal() * scenario.excess.sqrt() - scenario.excess / 2.0).exp();
        for _ in 0..random.poisson((scenario.level)(day) * spread) {
            let delay = random.delay(scenario, day);
            if let Some(count) = counts.get_mut(delay) {
                *count += 1;
            }
        }
    }
    counts
}

/// Returns the reports known at the end of a day.
fn release(counts: &[Vec<u32>], as_of: usize) -> ReportingTriangle {
    let mut triangle = ReportingTriangle::new(as_of + 1, MAX_DELAY).unwrap();
    for (day, row) in counts.iter().enumerate().take(as_of + 1) {
        for (delay, &count) in row.iter().enumerate() {
            triangle.add(day, delay, count);
        }
    }
    triangle
}

/// Returns the share of intervals that cover the final number and the relative error of the expectation, both in percent.
fn measure(scenario: &Scenario) -> (f64, f64) {
    let (mut rows, mut covered, mut error, mut total) = (0.0, 0.0, 0.0, 0.0);
    for seed in 0..EPIDEMICS {
        let counts = simulate(scenario, seed);
        for as_of in (FIRST_RELEASE..=LAST_RELEASE).step_by(RELEASE_STEP) {
            for nowcast in nowcast::estimate(&release(&counts, as_of)).unwrap() {
                if nowcast.share_reported > 1.0 - MIN_MISSING {
                    continue;
                }
                let arrived: u64 = counts[nowcast.day].iter().copied().map(u64::from).sum();
                rows += 1.0;
                covered += f64::from(u8::from((nowcast.low..=nowcast.high).contains(&arrived)));
                error += nowcast.expected - arrived as f64;
                total += arrived as f64;
            }
        }
    }
    let (coverage, bias) = (100.0 * covered / rows, 100.0 * error / total);
    println!("{}: coverage {coverage:.1} % of {rows}, bias {bias:+.1} %", scenario.name);
    (coverage, bias)
}

const ALWAYS: fn(usize) -> f64 = |_| 1.0;
/// Few reports on Saturday, fewer on Sunday.
const WEEKDAYS: fn(usize) -> f64 = |day| [1.0, 1.0, 1.0, 1.0, 1.0, 0.4, 0.1][day % 7];

#[test]
fn intervals_of_simulated_releases_cover_90_to_99_percent() {
    let stable: fn(usize) -> f64 = |_| 5.0;
    let scenarios = [
        Scenario { name: "stable", level: |_| 200.0, mean_delay: stable, reports_on: ALWAYS, excess: 0.0 },
        Scenario {
            name: "varying cases",
            level: |_| 200.0,
            mean_delay: stable,
            reports_on: ALWAYS,
            excess: 0.1,
        },
        Scenario {
            name: "weekdays",
            level: |day| 300.0 * [1.1, 1.2, 1.1, 1.1, 1.0, 0.8, 0.7][day % 7],
            mean_delay: stable,
            reports_on: WEEKDAYS,
            excess: 0.02,
        },
        Scenario {
            name: "few cases, many zeros",
            level: |_| 1.5,
            mean_delay: stable,
            reports_on: ALWAYS,
            excess: 0.0,
        },
        Scenario {
            name: "growth",
            level: |day| 3.0 * (0.035 * day as f64).exp(),
            mean_delay: stable,
            reports_on: ALWAYS,
            excess: 0.02,
        },
        Scenario {
            name: "decline",
            level: |day| 1500.0 * (-0.035 * day as f64).exp(),
            mean_delay: stable,
            reports_on: WEEKDAYS,
            excess: 0.02,
        },
        Scenario {
            name: "delays that become longer",
            level: |_| 300.0,
            mean_delay: |day| 4.0 + 3.0 * day as f64 / DAYS as f64,
            reports_on: WEEKDAYS,
            excess: 0.02,
        },
    ];
    for (scenario, (coverage, bias)) in scenarios.iter().map(|scenario| (scenario, measure(scenario))) {
        assert!((90.0..=99.0).contains(&coverage), "{}: coverage {coverage:.1} %", scenario.name);
        assert!(bias.abs() < 10.0, "{}: bias {bias:.1} %", scenario.name);
    }
}
