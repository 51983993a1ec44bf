//! Calibrates the nowcast on past nowcasts: the weight of the local level, and the overdispersion of the interval.

use statrs::function::gamma::ln_gamma;

/// A past nowcast of one day and the reports since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PastNowcast {
    pub(crate) day: IncompleteDay,
    /// The share of the missing reports that was due since.
    pub(crate) share_due: f64,
    /// Reports that arrived since.
    pub(crate) arrived: f64,
}

/// A day with reports still to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct IncompleteDay {
    /// Cases reported so far.
    pub(crate) reported: f64,
    /// The share of cases that is reported by now.
    pub(crate) share: f64,
    /// The local level in cases per day, above 0.
    pub(crate) level: f64,
}

impl IncompleteDay {
    /// Returns the weight of the level in cases: a share of the reports expected from it, at least one case.
    fn prior_shape(self, credibility: f64) -> f64 {
        (credibility * (1.0 - self.share) * self.level).max(MIN_CASES)
    }

    /// Returns the expected number of reports still to come.
    pub(crate) fn missing(self, credibility: f64) -> f64 {
        let shape = self.prior_shape(credibility);
        (self.reported + shape) * (1.0 - self.share) / (self.share + shape / self.level)
    }

    /// Returns the size of the negative binomial distribution of the reports to come.
    pub(crate) fn size(self, calibration: Calibration) -> f64 {
        1.0 / (1.0 / (self.reported + self.prior_shape(calibration.credibility)) + calibration.overdispersion)
    }
}

/// The parameters that are estimated from past nowcasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Calibration {
    /// The weight of the local level: cases for each report expected from it.
    pub(crate) credibility: f64,
    /// The variance beyond chance, as a share of the squared mean.
    pub(crate) overdispersion: f64,
}

impl Calibration {
    /// The calibration without past nowcasts: the chain ladder and chance.
    pub(crate) const NONE: Self = Self { credibility: 0.0, overdispersion: 0.0 };
}

/// The smallest weight of the level, in cases.
const MIN_CASES: f64 = 1.0;
/// The candidate weights.
const CREDIBILITIES: [f64; 4] = [0.0, 0.1, 0.3, 1.0];
/// The range of the overdispersion, and the accuracy of its logarithm.
const MIN_OVERDISPERSION: f64 = 1e-6;
const MAX_OVERDISPERSION: f64 = 4.0;
const ACCURACY: f64 = 0.05;
/// The ratio of the golden-section search.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// Returns the credibility and overdispersion of highest likelihood; `None` without past nowcasts.
pub(crate) fn calibrate(past: &[PastNowcast]) -> Option<Calibration> {
    if past.is_empty() {
        return None;
    }
    let fits = CREDIBILITIES.into_iter().map(|credibility| fit_overdispersion(past, credibility));
    fits.max_by(|(left, _), (right, _)| left.total_cmp(right)).map(|(_, calibration)| calibration)
}

/// Fits the overdispersion for one credibility; returns the log-likelihood and the calibration.
fn fit_overdispersion(past: &[PastNowcast], credibility: f64) -> (f64, Calibration) {
    let log_likelihood = |log_overdispersion: f64| -> f64 {
        let calibration = Calibration { credibility, overdispersion: log_overdispersion.exp() };
        past.iter().map(|past| log_probability(past, calibration)).sum()
    };
    let (mut low, mut high) = (MIN_OVERDISPERSION.ln(), MAX_OVERDISPERSION.ln());
    let inner = |low: f64, high: f64| (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut of_left, mut of_right) = (log_likelihood(left), log_likelihood(right));
    while high - low > ACCURACY {
        if of_left > of_right {
            (high, right, of_right) = (right, left, of_left);
            left = inner(low, high).0;
            of_left = log_likelihood(left);
        } else {
            (low, left, of_left) = (left, right, of_right);
            right = inner(low, high).1;
            of_right = log_likelihood(right);
        }
    }
    (of_left.max(of_right), Calibration { credibility, overdispersion: f64::midpoint(low, high).exp() })
}

/// Returns the logarithm of the negative binomial probability of the reports that arrived, without the terms that no calibration changes.
fn log_probability(past: &PastNowcast, calibration: Calibration) -> f64 {
    let expected = past.day.missing(calibration.credibility) * past.share_due;
    let size = past.day.size(calibration);
    let total = size + expected;
    ln_gamma(past.arrived + size) - ln_gamma(size)
        + size * (size / total).ln()
        + past.arrived * (expected / total).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nowcasts with half of 2000 cases reported, after which these arrived.
    fn past(arrived: &[f64]) -> Vec<PastNowcast> {
        let day = IncompleteDay { reported: 1000.0, share: 0.5, level: 2000.0 };
        arrived.iter().map(|&arrived| PastNowcast { day, share_due: 1.0, arrived }).collect()
    }

    #[test]
    fn calibrate_from_exact_past_finds_little_overdispersion() {
        let calibration = calibrate(&past(&[1000.0, 1001.0, 999.0, 1000.0])).unwrap();
        assert!(calibration.overdispersion < 1e-5, "{calibration:?}");
    }

    #[test]
    fn calibrate_from_scattered_past_matches_its_moments() {
        // Mean 1000, standard deviation 200: the overdispersion over mean and chance is near 0.04.
        let calibration = calibrate(&past(&[800.0, 1200.0].repeat(20))).unwrap();
        assert!((calibration.overdispersion / 0.039 - 1.0).abs() < 0.15, "{calibration:?}");
    }

    #[test]
    fn calibrate_relies_on_level_if_early_reports_vary() {
        // Early reports vary, what comes later does not.
        let early = [40.0, 400.0, 100.0, 20.0, 250.0, 90.0];
        let past: Vec<_> = early
            .iter()
            .map(|&reported| PastNowcast {
                day: IncompleteDay { reported, share: 0.1, level: 1000.0 },
                share_due: 1.0,
                arrived: 900.0,
            })
            .collect();
        assert!(calibrate(&past).unwrap().credibility >= 1.0);
    }

    #[test]
    fn calibrate_without_past_is_none() {
        assert_eq!(calibrate(&[]), None);
    }
}
