//! The instantaneous reproduction number R with a credible interval.
//!
//! R is the number of people that one infected person infects on average, if conditions stay as they are in the window. Above 1 the
//! epidemic grows. After Cori, Ferguson, Fraser and Cauchemez (2013), *American Journal of Epidemiology* 178(9): with incidence `I`, serial
//! interval w and total infectiousness `Λ_t = Σ_s w_s I_(t−s)`, R is constant within a window and `I_t` is Poisson with mean `R Λ_t`. A gamma
//! prior of shape a and scale b gives a gamma posterior of shape `a + Σ I_t` and scale `1 / (1/b + Σ Λ_t)`, both sums over the window.
//!
//! Cases of the first day are imported: they infect others and were infected elsewhere. So windows start on day 2 at the earliest. A window
//! that ends before one mean serial interval is over has no estimate, as in `EpiEstim`.
//!
//! The cases of the last days are a nowcast, whose error is not Poisson. [`estimate_nowcast`] adds it: with standard deviations σ of the cases of
//! the window, the posterior keeps its mean and its squared coefficient of variation becomes `1 / shape + (Σ σ_t / Σ I_t)²`. The errors of the days of
//! one window are added as if they were perfectly correlated, because delays change for all of them; the nowcasts in Λ are taken as known.

use crate::delay::SerialInterval;
use crate::distribution::gamma_quantile;
use crate::error::{check_counts, check_positive};
use crate::{InputError, TAILS, days};

/// The gamma prior of R, by its mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
}

impl Default for Prior {
    /// Mean 5 and standard deviation 5 (Cori et al. 2013): wide, and high enough that an epidemic is not called over too early.
    fn default() -> Self {
        Self { mean: 5.0, sd: 5.0 }
    }
}

/// The estimate of one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// The first day of the window; days count from 1.
    pub start: usize,
    /// The last day of the window.
    pub end: usize,
    /// The posterior; `None` if the window ends within the first mean serial interval.
    pub posterior: Option<Posterior>,
}

/// A summary of the posterior of R.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Posterior {
    pub mean: f64,
    pub sd: f64,
    pub q025: f64,
    pub median: f64,
    pub q975: f64,
}

impl Posterior {
    /// Summarises a gamma distribution.
    fn gamma(shape: f64, scale: f64) -> Self {
        Self {
            mean: shape * scale,
            sd: shape.sqrt() * scale,
            q025: gamma_quantile(TAILS.0, shape, scale),
            median: gamma_quantile(0.5, shape, scale),
            q975: gamma_quantile(TAILS.1, shape, scale),
        }
    }
}

/// Returns the total infectiousness `Λ_t` of each day: past cases, weighted by the serial interval.
pub fn total_infectiousness(incidence: &[f64], serial_interval: &SerialInterval) -> Vec<f64> {
    let weights = serial_interval.probabilities();
    (0..incidence.len())
        .map(|day| {
            weights.iter().zip(incidence[..=day].iter().rev()).map(|(weight, cases)| weight * cases).sum()
        })
        .collect()
}

/// Estimates R for every window of `length` days, from the one that starts on day 2 to the one that ends on the last day.
///
/// `incidence` has the cases of each day; they need not be whole numbers, so a nowcast can be used. Allocates the infectiousness and the
/// result, one value per day each. Returns an error for a negative count, a length of 0, a series of fewer than `length + 1` days, or a
/// prior that is not above 0.
pub fn estimate(
    incidence: &[f64],
    serial_interval: &SerialInterval,
    length: usize,
    prior: Prior,
) -> Result<Vec<Window>, InputError> {
    estimate_nowcast(incidence, &vec![0.0; incidence.len()], serial_interval, length, prior)
}

/// Estimates R as [`estimate`] does, from nowcast cases and their standard deviations, which are 0 for days that are complete.
///
/// Returns an error also if the two series differ in length or a standard deviation is negative.
pub fn estimate_nowcast(
    incidence: &[f64],
    deviations: &[f64],
    serial_interval: &SerialInterval,
    length: usize,
    prior: Prior,
) -> Result<Vec<Window>, InputError> {
    check_counts(incidence)?;
    check_counts(deviations)?;
    if incidence.len() != deviations.len() {
        return Err(InputError::LengthMismatch { left: incidence.len(), right: deviations.len() });
    }
    check_positive("the mean of the prior", prior.mean)?;
    check_positive("the standard deviation of the prior", prior.sd)?;
    if length == 0 {
        return Err(InputError::InvalidParameter { name: "the window", allowed: "at least 1 day" });
    }
    let needed = length.saturating_add(1);
    if incidence.len() < needed {
        return Err(InputError::TooShort { days: incidence.len(), needed });
    }
    let (prior_shape, prior_scale) = ((prior.mean / prior.sd).powi(2), prior.sd.powi(2) / prior.mean);
    let infectiousness = total_infectiousness(incidence, serial_interval);
    let earliest_end = serial_interval.mean();
    let windows = incidence.windows(length).zip(infectiousness.windows(length)).enumerate().skip(1);
    Ok(windows
        .map(|(first, (cases, infectiousness))| {
            let end = first + length;
            let total: f64 = cases.iter().sum();
            let mut shape = prior_shape + total;
            let mut scale = 1.0 / (1.0 / prior_scale + infectiousness.iter().sum::<f64>());
            let deviation: f64 = deviations[first..end].iter().sum();
            if deviation > 0.0 && total > 0.0 {
                let mean = shape * scale;
                shape = 1.0 / (1.0 / shape + (deviation / total).powi(2));
                scale = mean / shape;
            }
            let posterior = (days(end) > earliest_end).then(|| Posterior::gamma(shape, scale));
            Window { start: first + 1, end, posterior }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_day() -> SerialInterval {
        SerialInterval::new(vec![0.0, 1.0]).unwrap()
    }

    #[test]
    fn total_infectiousness_weighs_past_cases_alone() {
        let interval = SerialInterval::new(vec![0.0, 0.25, 0.75]).unwrap();
        assert_eq!(total_infectiousness(&[4.0, 8.0, 100.0], &interval), [0.0, 1.0, 5.0]);
    }

    #[test]
    fn estimate_of_doubling_cases_approaches_two() {
        let incidence: Vec<f64> = (0..12).map(|day| 1e6 * 2.0_f64.powi(day)).collect();
        let windows = estimate(&incidence, &next_day(), 3, Prior::default()).unwrap();
        assert_eq!((windows.len(), windows[0].start, windows[0].end), (9, 2, 4));
        assert!((windows[8].posterior.unwrap().mean - 2.0).abs() < 1e-6);
    }

    #[test]
    fn estimate_nowcast_adds_relative_error_of_the_window() {
        let (incidence, mut deviations) = (vec![1e8; 20], vec![0.0; 20]);
        deviations[17..].fill(1e7);
        let windows = estimate_nowcast(&incidence, &deviations, &next_day(), 3, Prior::default()).unwrap();
        let last = windows.last().unwrap().posterior.unwrap();
        assert!((last.mean - 1.0).abs() < 1e-6 && (last.sd - 0.1).abs() < 1e-4, "{last:?}");
        let exact = estimate(&incidence, &next_day(), 3, Prior::default()).unwrap();
        assert_eq!(windows[..14], exact[..14]);
        assert!(estimate_nowcast(&incidence, &deviations[1..], &next_day(), 3, Prior::default()).is_err());
    }

    #[test]
    fn estimate_of_bad_input_is_rejected() {
        let of = |incidence: &[f64], length, mean, sd| {
            estimate(incidence, &next_day(), length, Prior { mean, sd })
        };
        assert_eq!(of(&[1.0, -1.0], 1, 5.0, 5.0), Err(InputError::InvalidCount { position: 1 }));
        assert_eq!(of(&[1.0; 7], 7, 5.0, 5.0), Err(InputError::TooShort { days: 7, needed: 8 }));
        for (length, mean, sd) in [(0, 5.0, 5.0), (1, 0.0, 5.0), (1, 5.0, f64::NAN), (1, f64::INFINITY, 5.0)]
        {
            assert!(matches!(of(&[1.0; 9], length, mean, sd), Err(InputError::InvalidParameter { .. })));
        }
    }
}
