//! Learns from past nowcasts how much the local level should count, and how much further than chance they were off.

use statrs::function::gamma::ln_gamma;

/// A past nowcast of one day, beside what was reported since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PastNowcast {
    /// What was known then.
    pub(crate) known: Known,
    /// The share of the reports still to come that was due since.
    pub(crate) due: f64,
    /// Reports that came since.
    pub(crate) came: f64,
}

/// What is known of one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Known {
    /// Cases reported so far.
    pub(crate) reported: f64,
    /// The share of cases that is reported by now.
    pub(crate) share: f64,
    /// The local level in cases per day, above 0.
    pub(crate) level: f64,
}

impl Known {
    /// The weight of the level in cases: a share of the reports that it lets expect, at least one case.
    fn prior_shape(self, credibility: f64) -> f64 {
        (credibility * (1.0 - self.share) * self.level).max(LEAST_CASES)
    }

    /// Reports that are expected to come.
    pub(crate) fn missing(self, credibility: f64) -> f64 {
        let shape = self.prior_shape(credibility);
        (self.reported + shape) * (1.0 - self.share) / (self.share + shape / self.level)
    }

    /// Size of the negative binomial distribution of the reports to come.
    pub(crate) fn size(self, learned: Learned) -> f64 {
        1.0 / (1.0 / (self.reported + self.prior_shape(learned.credibility)) + learned.excess)
    }
}

/// What past nowcasts taught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Learned {
    /// The weight of the local level, in units of the share that is reported.
    pub(crate) credibility: f64,
    /// The variance beyond chance, as a share of the squared mean.
    pub(crate) excess: f64,
}

impl Learned {
    /// Without past: the chain ladder and chance.
    pub(crate) const NOTHING: Self = Self { credibility: 0.0, excess: 0.0 };
}

/// The smallest weight of the level, in cases.
const LEAST_CASES: f64 = 1.0;
/// The weights that are tried.
const CREDIBILITIES: [f64; 4] = [0.0, 0.1, 0.3, 1.0];
/// The range of the excess, and the accuracy of its logarithm.
const LEAST_EXCESS: f64 = 1e-6;
const MOST_EXCESS: f64 = 4.0;
const ACCURACY: f64 = 0.05;
/// The golden section.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// Returns the credibility and excess that make the past most likely; none without past.
pub(crate) fn learn(past: &[PastNowcast]) -> Option<Learned> {
    if past.is_empty() {
        return None;
    }
    let fits = CREDIBILITIES.into_iter().map(|credibility| fit_excess(past, credibility));
    fits.max_by(|(left, _), (right, _)| left.total_cmp(right)).map(|(_, learned)| learned)
}

/// Fits the excess for one credibility; returns the log-likelihood beside it.
fn fit_excess(past: &[PastNowcast], credibility: f64) -> (f64, Learned) {
    let log_likelihood = |log_excess: f64| -> f64 {
        let learned = Learned { credibility, excess: log_excess.exp() };
        past.iter().map(|past| log_probability(past, learned)).sum()
    };
    let (mut low, mut high) = (LEAST_EXCESS.ln(), MOST_EXCESS.ln());
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
    (of_left.max(of_right), Learned { credibility, excess: f64::midpoint(low, high).exp() })
}

/// The logarithm of the negative binomial probability of what came, without the part that depends on nothing learned.
fn log_probability(past: &PastNowcast, learned: Learned) -> f64 {
    let expected = past.known.missing(learned.credibility) * past.due;
    let size = past.known.size(learned);
    let total = size + expected;
    ln_gamma(past.came + size) - ln_gamma(size)
        + size * (size / total).ln()
        + past.came * (expected / total).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nowcasts with half of 2000 cases reported, after which these came.
    fn past(came: &[f64]) -> Vec<PastNowcast> {
        let known = Known { reported: 1000.0, share: 0.5, level: 2000.0 };
        came.iter().map(|&came| PastNowcast { known, due: 1.0, came }).collect()
    }

    #[test]
    fn learn_from_exact_past_finds_little_excess() {
        let learned = learn(&past(&[1000.0, 1001.0, 999.0, 1000.0])).unwrap();
        assert!(learned.excess < 1e-5, "{learned:?}");
    }

    #[test]
    fn learn_from_scattered_past_matches_its_moments() {
        // Mean 1000, standard deviation 200: the excess over mean and chance is near 0.04.
        let learned = learn(&past(&[800.0, 1200.0].repeat(20))).unwrap();
        assert!((learned.excess / 0.039 - 1.0).abs() < 0.15, "{learned:?}");
    }

    #[test]
    fn learn_relies_on_level_if_early_reports_say_little() {
        // Early reports vary, what comes later does not.
        let early = [40.0, 400.0, 100.0, 20.0, 250.0, 90.0];
        let past: Vec<_> = early
            .iter()
            .map(|&reported| PastNowcast {
                known: Known { reported, share: 0.1, level: 1000.0 },
                due: 1.0,
                came: 900.0,
            })
            .collect();
        assert!(learn(&past).unwrap().credibility >= 1.0);
    }

    #[test]
    fn learn_without_past_is_none() {
        assert_eq!(learn(&[]), None);
    }
}
