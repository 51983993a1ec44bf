//! Growth rate and doubling time.
//!
//! Log-linear regression of daily counts, `E[c_t] = exp(α + r t)`, fitted by maximum Poisson likelihood. The variance is φ times the mean
//! (quasi-Poisson): φ is Pearson's χ² over its degrees of freedom, at least 1. The interval of r is `r ± t(0.975, n − 2) · √φ · standard error`.
//! r is per day: 0.1 means that counts grow e^0.1 = 1.105-fold each day. The doubling time is `ln 2 / r` days; a negative one is the time in
//! which counts halve. Use whole weeks, or counts of weekdays and weekends distort the rate.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::error::check_counts;
use crate::{Estimate, InputError, TAILS, days};

/// The limit of Newton steps; a fit that exists needs fewer than ten.
const MAX_STEPS: usize = 100;
/// The fit has converged if neither parameter moves by more.
const TOLERANCE: f64 = 1e-12;
/// The limit of the rate per day; steeper fits have no finite maximum.
const MAX_RATE: f64 = 5.0;
/// Two days would leave no degree of freedom.
const MIN_DAYS: usize = 3;

/// The growth of daily counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The growth rate per day, `r`.
    pub rate: Estimate,
    /// The dispersion φ.
    pub dispersion: f64,
}

impl Growth {
    /// Returns the doubling time in days, negative for halving; `None` if the rate is 0.
    pub fn doubling_time(&self) -> Option<f64> {
        (self.rate.value != 0.0).then(|| std::f64::consts::LN_2 / self.rate.value)
    }

    /// Returns the ends of the doubling time's interval, the lower first; `None` if the interval of the rate contains 0, because then both
    /// growth and decline are possible and the doubling time has no bounded interval.
    pub fn doubling_time_interval(&self) -> Option<(f64, f64)> {
        let (low, high) = (self.rate.low, self.rate.high);
        (low * high > 0.0).then(|| (std::f64::consts::LN_2 / high, std::f64::consts::LN_2 / low))
    }
}

/// Estimates the growth of daily counts; `None` if they have no finite fit, for example if cases are on fewer than two days.
pub fn estimate(counts: &[f64]) -> Result<Option<Growth>, InputError> {
    check_counts(counts)?;
    if counts.len() < MIN_DAYS {
        return Err(InputError::TooShort { days: counts.len(), needed: MIN_DAYS });
    }
    if counts.iter().filter(|&&count| count > 0.0).count() < 2 {
        return Ok(None);
    }
    Ok(fit(counts))
}

/// The Fisher information: sums over the days of 1, t and t², weighted by μ.
struct FisherInformation {
    ones: f64,
    times: f64,
    squares: f64,
}

impl FisherInformation {
    fn determinant(&self) -> f64 {
        self.ones * self.squares - self.times * self.times
    }
}

fn fit(counts: &[f64]) -> Option<Growth> {
    let middle = (days(counts.len()) - 1.0) / 2.0;
    let points = || counts.iter().enumerate().map(|(day, &count)| (days(day) - middle, count));
    let mut level = (counts.iter().sum::<f64>() / days(counts.len())).ln();
    let mut rate = 0.0;
    let log_likelihood = |level: f64, rate: f64| -> f64 {
        points().map(|(t, count)| count * (level + rate * t) - (level + rate * t).exp()).sum()
    };
    for _ in 0..MAX_STEPS {
        let (information, of_level, of_rate) = score(points(), level, rate);
        let determinant = information.determinant();
        if !(determinant.is_finite() && determinant > 0.0) {
            return None;
        }
        let mut step = (
            (information.squares * of_level - information.times * of_rate) / determinant,
            (information.ones * of_rate - information.times * of_level) / determinant,
        );
        let current = log_likelihood(level, rate);
        // A full step can overshoot; the likelihood is concave, so that a shorter step improves it.
        while step.0.abs().max(step.1.abs()) > TOLERANCE
            && !matches!(log_likelihood(level + step.0, rate + step.1), next if next >= current)
        {
            step = (step.0 / 2.0, step.1 / 2.0);
        }
        level += step.0;
        rate += step.1;
        if rate.is_nan() || rate.abs() > MAX_RATE {
            return None;
        }
        if step.0.abs().max(step.1.abs()) <= TOLERANCE {
            return summarise(points(), level, rate, counts.len() - 2);
        }
    }
    None
}

fn score(points: impl Iterator<Item = (f64, f64)>, level: f64, rate: f64) -> (FisherInformation, f64, f64) {
    let mut information = FisherInformation { ones: 0.0, times: 0.0, squares: 0.0 };
    let (mut of_level, mut of_rate) = (0.0, 0.0);
    for (t, count) in points {
        let expected = (level + rate * t).exp();
        information.ones += expected;
        information.times += expected * t;
        information.squares += expected * t * t;
        of_level += count - expected;
        of_rate += (count - expected) * t;
    }
    (information, of_level, of_rate)
}

fn summarise(
    points: impl Iterator<Item = (f64, f64)> + Clone,
    level: f64,
    rate: f64,
    freedom: usize,
) -> Option<Growth> {
    let (information, ..) = score(points.clone(), level, rate);
    let pearson: f64 = points
        .map(|(t, count)| {
            let expected = (level + rate * t).exp();
            (count - expected).powi(2) / expected
        })
        .sum();
    let dispersion = (pearson / days(freedom)).max(1.0);
    let error = (dispersion * information.ones / information.determinant()).sqrt();
    let reach = StudentsT::new(0.0, 1.0, days(freedom)).ok()?.inverse_cdf(TAILS.1) * error;
    let rate = Estimate { value: rate, low: rate - reach, high: rate + reach };
    reach.is_finite().then_some(Growth { rate, dispersion })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_of_exact_growth_returns_its_rate() {
        let counts: Vec<f64> = (0..28).map(|day| 1e6 * (0.07 * f64::from(day)).exp()).collect();
        let growth = estimate(&counts).unwrap().unwrap();
        assert!((growth.rate.value - 0.07).abs() < 1e-10, "{growth:?}");
        assert!((growth.doubling_time().unwrap() - std::f64::consts::LN_2 / 0.07).abs() < 1e-7);
        let (low, high) = growth.doubling_time_interval().unwrap();
        assert!(low < high && low > 0.0);
    }

    #[test]
    fn estimate_of_constant_counts_has_no_doubling_interval() {
        let growth = estimate(&[30.0; 14]).unwrap().unwrap();
        assert!(growth.rate.value.abs() < 1e-10);
        assert!(growth.rate.low < 0.0 && growth.rate.high > 0.0);
        assert_eq!(growth.doubling_time_interval(), None);
    }

    #[test]
    fn estimate_of_decline_has_negative_ascending_interval() {
        let counts: Vec<f64> = (0..21).map(|day| (500.0 * (-0.1 * f64::from(day)).exp()).round()).collect();
        let (low, high) = estimate(&counts).unwrap().unwrap().doubling_time_interval().unwrap();
        assert!(low < high && high < 0.0, "{low} {high}");
    }

    #[test]
    fn estimate_of_weekly_pattern_widens_by_dispersion() {
        let week = [50.0, 160.0, 150.0, 140.0, 130.0, 120.0, 60.0];
        let counts: Vec<f64> = week.into_iter().cycle().take(28).collect();
        assert!(estimate(&counts).unwrap().unwrap().dispersion > 10.0);
    }

    #[test]
    fn estimate_without_finite_fit_is_none() {
        assert_eq!(estimate(&[0.0; 10]), Ok(None));
        assert_eq!(estimate(&[0.0, 0.0, 9.0]), Ok(None));
        assert_eq!(estimate(&[1.0, 2.0]), Err(InputError::TooShort { days: 2, needed: 3 }));
        assert_eq!(estimate(&[1.0, f64::NAN, 2.0]), Err(InputError::InvalidCount { position: 1 }));
    }
}
