//! Distributions of delays in whole days, from the gamma distribution.

use statrs::distribution::{Continuous as _, Gamma};
use statrs::function::gamma::gamma_lr;

use crate::error::{check_counts, check_positive};
use crate::{InputError, days};

/// The tolerance of the sum of probabilities, which must be 1.
const TOLERANCE: f64 = 0.01;
/// A discretised gamma distribution is cut off if less than this probability is left.
const REMAINDER: f64 = 1e-12;
/// The longest serial interval in days.
const MAX_DAYS: usize = 10_000;

/// The probabilities that a secondary case shows symptoms 0, 1, 2, … days after its primary case; 0 on day 0.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialInterval {
    probabilities: Vec<f64>,
}

impl SerialInterval {
    /// Takes the probabilities of day 0, 1, 2, …
    ///
    /// They are not normalised. Returns an error if one is negative or not a number, if that of day 0 is above 0, or if their sum differs from
    /// 1 by more than 0.01.
    pub fn new(probabilities: Vec<f64>) -> Result<Self, InputError> {
        check_counts(&probabilities)?;
        if probabilities.first().is_some_and(|&on_day_zero| on_day_zero > 0.0) {
            return Err(InputError::ProbabilityOnDayZero);
        }
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > TOLERANCE {
            Err(InputError::NotADistribution { sum })
        } else {
            Ok(Self { probabilities })
        }
    }

    /// Discretises a gamma distribution that is shifted by one day, with this mean and standard deviation in days.
    ///
    /// Day k has the probability ∫ (1 − |k − u|) g(u) du over the two days around k, where g is the shifted density (Cori et al. 2013,
    /// web appendix 11; `discr_si` of `EpiEstim`). The mean must be above 1 day, the standard deviation above 0.
    pub fn discretised_gamma(mean: f64, sd: f64) -> Result<Self, InputError> {
        check_positive("the standard deviation of the serial interval", sd)?;
        if !(mean.is_finite() && mean > 1.0) {
            let name = "the mean of the serial interval";
            return Err(InputError::InvalidParameter { name, allowed: "above 1 day" });
        }
        let (shape, scale) = (((mean - 1.0) / sd).powi(2), sd * sd / (mean - 1.0));
        check_positive("the shape of the serial interval", shape)?;
        check_positive("the scale of the serial interval", scale)?;
        let below = |shape: f64, day: f64| if day > 0.0 { gamma_lr(shape, day / scale) } else { 0.0 };
        let mut probabilities = vec![0.0];
        let mut left = 1.0;
        while left > REMAINDER && probabilities.len() < MAX_DAYS {
            let k = days(probabilities.len());
            let of_days = k * below(shape, k) + (k - 2.0) * below(shape, k - 2.0)
                - 2.0 * (k - 1.0) * below(shape, k - 1.0);
            let of_means =
                2.0 * below(shape + 1.0, k - 1.0) - below(shape + 1.0, k - 2.0) - below(shape + 1.0, k);
            let probability = (of_days + shape * scale * of_means).max(0.0);
            left = if k > mean && probability <= 0.0 { 0.0 } else { left - probability };
            probabilities.push(probability);
        }
        Ok(Self { probabilities })
    }

    /// The probabilities of day 0, 1, 2, …
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The mean in days.
    pub fn mean(&self) -> f64 {
        self.probabilities.iter().enumerate().map(|(day, probability)| days(day) * probability).sum()
    }
}

/// Returns the density of a gamma distribution at 0, 1, 2, … days, `length` values, as `cfr` uses it for the delay from onset to death.
///
/// The shape must be 1 or more: below, the density at 0 days is infinite. The scale is in days.
pub fn gamma_density(shape: f64, scale: f64, length: usize) -> Result<Vec<f64>, InputError> {
    check_positive("the scale of the delay", scale)?;
    match Gamma::new(shape, 1.0 / scale) {
        Ok(gamma) if shape >= 1.0 && shape.is_finite() => {
            Ok((0..length).map(|day| gamma.pdf(days(day))).collect())
        }
        _ => Err(InputError::InvalidParameter { name: "the shape of the delay", allowed: "1 or more" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discretised_gamma_keeps_sum_and_mean() {
        for (mean, sd) in [(2.6, 1.5), (4.7, 2.9), (14.9, 3.9), (7.0, 0.2)] {
            let interval = SerialInterval::discretised_gamma(mean, sd).unwrap();
            let sum: f64 = interval.probabilities().iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{mean}, {sd}: {sum}");
            // The triangle weights keep the mean of the shifted gamma.
            assert!((interval.mean() - mean).abs() < 1e-6, "{mean}, {sd}: {}", interval.mean());
        }
    }

    #[test]
    fn serial_interval_with_bad_values_is_rejected() {
        assert_eq!(SerialInterval::new(vec![0.1, 0.9]), Err(InputError::ProbabilityOnDayZero));
        assert_eq!(SerialInterval::new(vec![0.0, 0.5]), Err(InputError::NotADistribution { sum: 0.5 }));
        assert_eq!(SerialInterval::new(vec![0.0, f64::NAN]), Err(InputError::InvalidCount { position: 1 }));
        assert!(SerialInterval::new(Vec::new()).is_err());
        for (mean, sd) in [(1.0, 1.0), (f64::NAN, 1.0), (3.0, 0.0), (3.0, f64::INFINITY), (1e300, 1e-300)] {
            assert!(SerialInterval::discretised_gamma(mean, sd).is_err(), "{mean}, {sd}");
        }
    }

    #[test]
    fn gamma_density_of_shape_one_is_exponential() {
        let density = gamma_density(1.0, 4.0, 3).unwrap();
        for (day, got) in density.iter().enumerate() {
            assert!((got - (-days(day) / 4.0).exp() / 4.0).abs() < 1e-14);
        }
        assert!(gamma_density(0.5, 4.0, 3).is_err());
        assert!(gamma_density(2.0, -1.0, 3).is_err());
    }
}
