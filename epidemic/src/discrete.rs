//! Probabilities and quantiles of unimodal distributions on 0, 1, 2, …, from the ratios of neighbouring probabilities.
//!
//! Terms are summed outwards from the mode, relative to it: nothing underflows, no special function is needed, and the work is
//! proportional to the standard deviation.

/// Terms below this share of the mode's probability are left out.
const NEGLIGIBLE: f64 = 1e-18;

/// A distribution given by its mode and by `ratio(m)` = P(m + 1) / P(m), which falls from the mode on and rises before it.
pub(crate) struct Unimodal<R> {
    pub(crate) mode: u64,
    pub(crate) ratio: R,
}

impl<R: Fn(u64) -> f64> Unimodal<R> {
    /// Returns P(X ≤ at).
    pub(crate) fn lower_probability(&self, at: u64) -> f64 {
        let (first, mut term) = self.first();
        let (mut below, mut above) = (0.0, 0.0);
        let mut value = first;
        while value <= self.mode || term > NEGLIGIBLE {
            *(if value <= at { &mut below } else { &mut above }) += term;
            term *= (self.ratio)(value);
            value += 1;
        }
        below / (below + above)
    }

    /// Returns the smallest x with P(X ≤ x) ≥ p, for each of three ascending probabilities.
    pub(crate) fn quantiles(&self, probabilities: [f64; 3]) -> [u64; 3] {
        let total = self.walk(|_, _| true);
        probabilities.map(|probability| {
            let wanted = probability * total;
            let mut found = self.mode;
            self.walk(|value, sum| {
                found = value;
                sum < wanted
            });
            found
        })
    }

    /// Adds up terms in ascending order for as long as `goes_on` agrees; returns their sum.
    fn walk(&self, mut goes_on: impl FnMut(u64, f64) -> bool) -> f64 {
        let (mut value, mut term) = self.first();
        let mut sum = 0.0;
        while value <= self.mode || term > NEGLIGIBLE {
            sum += term;
            if !goes_on(value, sum) {
                break;
            }
            term *= (self.ratio)(value);
            value += 1;
        }
        sum
    }

    /// Returns the first value that is not negligible, with its term relative to the mode's.
    fn first(&self) -> (u64, f64) {
        let (mut value, mut term) = (self.mode, 1.0);
        while value > 0 && term > NEGLIGIBLE {
            value -= 1;
            term /= (self.ratio)(value);
        }
        (value, term)
    }
}

/// The negative binomial distribution with this mean (above 0) and size: variance = mean + mean² / size.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mode is a whole number from 0")]
pub(crate) fn negative_binomial(mean: f64, size: f64) -> Unimodal<impl Fn(u64) -> f64> {
    let failure = mean / (mean + size);
    let mode = if size > 1.0 { ((size - 1.0) * mean / size).floor() as u64 } else { 0 };
    Unimodal { mode, ratio: move |value| (crate::real(value) + size) / (crate::real(value) + 1.0) * failure }
}

/// The binomial distribution of `trials` with this probability, between 0 and 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mode is a whole number from 0")]
pub(crate) fn binomial(trials: u64, probability: f64) -> Unimodal<impl Fn(u64) -> f64> {
    let odds = probability / (1.0 - probability);
    let mode = (((crate::real(trials) + 1.0) * probability).floor() as u64).min(trials);
    let ratio = move |value: u64| crate::real(trials.saturating_sub(value)) / (crate::real(value) + 1.0) * odds;
    Unimodal { mode, ratio }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_probability_of_binomial_matches_exact_sum() {
        // P(X ≤ 1) for 5 trials at 0.3: 0.7^5 + 5 · 0.3 · 0.7^4.
        let expected = 0.7_f64.powi(5) + 5.0 * 0.3 * 0.7_f64.powi(4);
        assert!((binomial(5, 0.3).lower_probability(1) - expected).abs() < 1e-15);
        assert!((binomial(5, 0.3).lower_probability(5) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn quantiles_of_geometric_match_closed_form() {
        // Size 1 is geometric: P(X ≤ x) = 1 − q^(x + 1), q = mean / (mean + 1).
        let q = 40.0_f64 / 41.0;
        let expected = [0.025_f64, 0.5, 0.975].map(|p| ((-p).ln_1p() / q.ln() - 1.0).ceil());
        let got = negative_binomial(40.0, 1.0).quantiles([0.025, 0.5, 0.975]);
        assert_eq!(got.map(crate::real), expected);
    }

    #[test]
    fn quantiles_of_tiny_mean_are_zero() {
        assert_eq!(negative_binomial(1e-9, 1.0).quantiles([0.025, 0.5, 0.975]), [0, 0, 0]);
    }

    #[test]
    fn quantiles_of_large_mean_approach_normal() {
        let (mean, size) = (1e5_f64, 1e4_f64);
        let sd = (mean + mean * mean / size).sqrt();
        let [low, median, high] = negative_binomial(mean, size).quantiles([0.025, 0.5, 0.975]).map(crate::real);
        assert!((low - (mean - 1.96 * sd)).abs() < 0.03 * sd, "{low}");
        assert!((median - mean).abs() < 0.02 * sd, "{median}");
        assert!((high - (mean + 1.96 * sd)).abs() < 0.03 * sd, "{high}");
    }
}
