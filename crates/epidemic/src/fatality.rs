//! Case fatality: the share of cases that die, naive and corrected for the delay to death.
//!
//! During an epidemic some of the cases that will die are still alive, so deaths / cases is too low. Nishiura, Klinkenberg, Roberts and
//! Heesterbeek (2009), *`PLoS` ONE* 4(8): with cases c and the delay f from onset to death, `Σ_t Σ_j c_(t−j) f_j` cases have a known outcome. This is
//! the underestimation factor u times all cases. Deaths are then binomial among these cases.
//!
//! The likelihood, its switch and its grid are those of `cfr_static` in the R package `cfr`: binomial, or Poisson from 100 cases on if
//! the fatality is below 5 %; the estimate is the maximum on a grid of 0.0001, and the interval spans the points of the grid whose
//! log-likelihood is within 1.92 of it. Below a fatality of 0.002 the grid is finer, so that two digits are left.

use statrs::function::gamma::ln_gamma;

use crate::{Estimate, InputError, distribution, to_count, to_f64};

/// The number of cases from which a low fatality is estimated by the Poisson likelihood.
const MIN_POISSON_CASES: u64 = 100;
/// The fatality below which it is.
const MAX_POISSON_FATALITY: f64 = 0.05;
/// Steps of the grid between 0 and 1.
const GRID_STEPS: u64 = 10_000;
/// An estimate below this number of steps gets a finer grid.
const MIN_STEPS: u64 = 20;
/// Steps of the finest grid.
const MAX_GRID_STEPS: u64 = 1_000_000_000_000;
/// Half of the 95 % quantile of χ² with one degree of freedom, rounded as `cfr` rounds it.
const LIKELIHOOD_DROP: f64 = 1.92;

/// Fatality before and after the correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fatality {
    /// All cases.
    pub cases: u64,
    /// All deaths.
    pub deaths: u64,
    /// Expected cases with known outcome.
    pub outcomes: f64,
    /// Deaths / cases, with the exact interval; `None` without cases.
    pub naive: Option<Estimate>,
    /// Corrected for the delay; `None` if fewer outcomes are expected than deaths were counted, or without outcomes.
    pub corrected: Option<Estimate>,
}

impl Fatality {
    /// The share of cases whose outcome is known, `u`; `None` without cases.
    pub fn underestimation(&self) -> Option<f64> {
        (self.cases > 0).then(|| self.outcomes / to_f64(self.cases))
    }
}

/// Estimates the fatality from cases and deaths of the same days and the distribution of the delay from onset to death.
///
/// `delay` has the probabilities of 0, 1, 2, … days; days beyond it have none. Returns an error if the series differ in length, if there are more deaths than
/// cases, or if a probability is negative or not a number.
pub fn estimate(cases: &[u64], deaths: &[u64], delay: &[f64]) -> Result<Fatality, InputError> {
    crate::error::check_counts(delay)?;
    if cases.len() != deaths.len() {
        return Err(InputError::LengthMismatch { left: cases.len(), right: deaths.len() });
    }
    let outcomes = expected_outcomes(cases, delay);
    let (cases, deaths) = (cases.iter().sum::<u64>(), deaths.iter().sum::<u64>());
    if deaths > cases {
        return Err(InputError::MoreDeathsThanCases { deaths, cases });
    }
    let naive = (cases > 0).then(|| distribution::proportion(deaths, cases));
    Ok(Fatality { cases, deaths, outcomes, naive, corrected: corrected(cases, deaths, outcomes) })
}

/// Returns the expected number of cases with a known outcome by the last day.
fn expected_outcomes(cases: &[u64], delay: &[f64]) -> f64 {
    // Each case counts with the probability that its delay is over by the last day.
    let mut probability = 0.0;
    let mut outcomes = 0.0;
    for (ago, &count) in cases.iter().rev().enumerate() {
        probability += delay.get(ago).copied().unwrap_or(0.0);
        outcomes += to_f64(count) * probability;
    }
    outcomes
}

fn corrected(cases: u64, deaths: u64, outcomes: f64) -> Option<Estimate> {
    let whole_outcomes = outcomes.round_ties_even();
    if whole_outcomes < 1.0 || outcomes < to_f64(deaths) {
        return None;
    }
    let fatality = to_f64(deaths) / whole_outcomes;
    let died = to_f64(deaths);
    let is_poisson = cases >= MIN_POISSON_CASES && fatality < MAX_POISSON_FATALITY;
    // Terms that do not depend on the fatality are left out: the interval needs differences only.
    let log_likelihood = |p: f64| {
        if is_poisson {
            times_ln(died, p * whole_outcomes) - p * whole_outcomes - ln_gamma(died + 1.0)
        } else {
            times_ln(died, p) + times_ln(outcomes - died, 1.0 - p)
        }
    };
    Some(on_grid(fatality, log_likelihood))
}

/// Returns x ln y, with 0 ln 0 = 0.
fn times_ln(x: f64, y: f64) -> f64 {
    if x > 0.0 { x * y.ln() } else { 0.0 }
}

/// Finds the maximum and the interval of a likelihood with one maximum, near `about`, on the points 1, 2, … of the grid.
fn on_grid(about: f64, log_likelihood: impl Fn(f64) -> f64) -> Estimate {
    let mut steps = GRID_STEPS;
    while about > 0.0 && (about * to_f64(steps)) < to_f64(MIN_STEPS) && steps < MAX_GRID_STEPS {
        steps *= 10;
    }
    let at = |point: u64| log_likelihood(to_f64(point) / to_f64(steps));
    // Rounding moves `about` by less than a step for each thousand outcomes, so the maximum is found by climbing.
    let mut best = to_count(about * to_f64(steps)).clamp(1, steps);
    while best < steps && at(best + 1) > at(best) {
        best += 1;
    }
    while best > 1 && at(best - 1) > at(best) {
        best -= 1;
    }
    let threshold = at(best) - LIKELIHOOD_DROP;
    let low = 1 + last_point(1, best, |point| at(point) < threshold);
    let high = to_f64(last_point(best + 1, steps + 1, |point| at(point) >= threshold)) / to_f64(steps);
    if about > 0.0 {
        Estimate { value: to_f64(best) / to_f64(steps), low: to_f64(low) / to_f64(steps), high }
    } else {
        // The grid starts above 0, which only matters without deaths.
        Estimate { value: 0.0, low: 0.0, high }
    }
}

/// Returns the last point from `first` on, before `end`, that meets `condition`; `first - 1` if none does.
fn last_point(first: u64, end: u64, condition: impl Fn(u64) -> bool) -> u64 {
    let (mut first, mut end) = (first, end);
    while first < end {
        let middle = u64::midpoint(first, end);
        if condition(middle) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    first - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrected_matches_exhaustive_search_of_the_grid() {
        // Found by evaluating the likelihood on all 10,000 points.
        for (cases, deaths, outcomes, expected) in [
            (20_000, 300, 20_000.0, "0.0150 0.0134 0.0167"),
            (20_000, 300, 15_234.7, "0.0197 0.0176 0.0220"),
            (80, 2, 61.4, "0.0326 0.0055 0.0971"),
            (99, 3, 88.5, "0.0339 0.0086 0.0855"),
            (100, 3, 88.5, "0.0341 0.0085 0.0883"),
            (5_000, 400, 4_321.6, "0.0926 0.0842 0.1014"),
            (10_000_000, 200_000, 9.5e6, "0.0211 0.0210 0.0211"),
            (100, 0, 90.2, "0.0000 0.0000 0.0214"),
        ] {
            let Estimate { value, low, high } = corrected(cases, deaths, outcomes).unwrap();
            assert_eq!(format!("{value:.4} {low:.4} {high:.4}"), expected, "{deaths} of {cases}");
        }
    }

    #[test]
    fn corrected_of_rare_deaths_has_two_digits() {
        let estimate = corrected(3_000_000, 450, 2_900_000.0).unwrap();
        assert!((estimate.value - 450.0 / 2.9e6).abs() < 1e-6, "{estimate:?}");
        assert!(
            estimate.low > 1.3e-4 && estimate.low < estimate.value && estimate.high < 1.8e-4,
            "{estimate:?}"
        );
    }

    #[test]
    fn corrected_without_enough_outcomes_is_none() {
        assert_eq!(corrected(100, 50, 40.0), None);
        assert_eq!(corrected(100, 0, 0.4), None);
        assert_eq!(corrected(0, 0, 0.0), None);
    }

    #[test]
    fn estimate_counts_outcomes_by_the_last_day() {
        let fatality = estimate(&[10, 0, 20], &[0, 0, 2], &[0.0, 0.5, 0.25, 0.25]).unwrap();
        // Ten cases with three quarters of the delay over, twenty with none.
        assert!((fatality.outcomes - 7.5).abs() < 1e-12);
        assert!((fatality.underestimation().unwrap() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn estimate_of_inconsistent_series_is_rejected() {
        assert_eq!(estimate(&[1], &[1, 0], &[1.0]), Err(InputError::LengthMismatch { left: 1, right: 2 }));
        assert_eq!(
            estimate(&[1], &[2], &[1.0]),
            Err(InputError::MoreDeathsThanCases { deaths: 2, cases: 1 })
        );
        assert_eq!(estimate(&[1], &[1], &[f64::NAN]), Err(InputError::InvalidCount { position: 0 }));
    }
}
