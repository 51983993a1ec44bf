//! Fits how much further than chance past nowcasts were off.

use statrs::function::gamma::ln_gamma;

/// A past nowcast beside what was reported since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PastNowcast {
    /// Reports that were expected to come.
    pub(crate) expected: f64,
    /// Reports that came.
    pub(crate) came: f64,
    /// Size of the negative binomial distribution if delays were exactly as estimated.
    pub(crate) size: f64,
}

/// The range of the excess variance (the reciprocal of a size) and its logarithms' accuracy.
const LEAST_EXCESS: f64 = 1e-6;
const MOST_EXCESS: f64 = 4.0;
const ACCURACY: f64 = 1e-3;
/// The golden section.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// Combines the variance of chance with the excess: the reciprocals of sizes add up.
pub(crate) fn combined_size(size: f64, excess: f64) -> f64 {
    1.0 / (1.0 / size + excess)
}

/// Returns the excess variance that makes the past most likely: `variance = mean + mean² (1 / size + excess)`.
///
/// None without past nowcasts that expected something.
pub(crate) fn fit_excess(past: &[PastNowcast]) -> Option<f64> {
    past.iter().find(|past| past.expected > 0.0)?;
    let log_likelihood = |log_excess: f64| -> f64 {
        let excess = log_excess.exp();
        past.iter().filter(|past| past.expected > 0.0).map(|past| log_probability(past, excess)).sum()
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
    Some(f64::midpoint(low, high).exp())
}

/// The logarithm of the negative binomial probability, without the part that does not depend on the excess.
fn log_probability(past: &PastNowcast, excess: f64) -> f64 {
    let size = combined_size(past.size, excess);
    let total = size + past.expected;
    ln_gamma(past.came + size) - ln_gamma(size)
        + size * (size / total).ln()
        + past.came * (past.expected / total).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(expected: f64, came: &[f64]) -> Vec<PastNowcast> {
        came.iter().map(|&came| PastNowcast { expected, came, size: 1e6 }).collect()
    }

    #[test]
    fn fit_excess_of_exact_past_is_least() {
        let excess = fit_excess(&past(100.0, &[100.0, 101.0, 99.0, 100.0])).unwrap();
        assert!(excess < 1e-5, "{excess}");
    }

    #[test]
    fn fit_excess_of_scattered_past_matches_its_moments() {
        // Mean 1000, standard deviation 200: excess (200² − 1000) / 1000².
        let scattered = [800.0, 1200.0].repeat(20);
        let excess = fit_excess(&past(1000.0, &scattered)).unwrap();
        assert!((excess / 0.039 - 1.0).abs() < 0.1, "{excess}");
    }

    #[test]
    fn fit_excess_without_expectation_is_none() {
        assert_eq!(fit_excess(&past(0.0, &[0.0, 1.0])), None);
        assert_eq!(fit_excess(&[]), None);
    }
}
