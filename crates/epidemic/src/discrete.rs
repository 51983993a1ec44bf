//! Probabilities and intervals of unimodal distributions on 0, 1, 2, …, from the ratios of neighbouring probabilities.
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

    /// Returns the median: the smallest x with P(X ≤ x) ≥ 1/2.
    pub(crate) fn median(&self) -> u64 {
        let half = self.total() / 2.0;
        let (mut value, mut term) = self.first();
        let mut below = term;
        while below < half && (value < self.mode || term > NEGLIGIBLE) {
            term *= (self.ratio)(value);
            below += term;
            value += 1;
        }
        value
    }

    /// Returns the ends of the shortest interval that holds at least this probability, which is below 1.
    ///
    /// It grows from the mode, each time to the side where the next value is more probable.
    pub(crate) fn shortest_interval(&self, probability: f64) -> (u64, u64) {
        let wanted = probability * self.total();
        let (mut low, mut high) = (self.mode, self.mode);
        let before = |value: u64, term: f64| if value > 0 { term / (self.ratio)(value - 1) } else { 0.0 };
        let (mut below, mut above) = (before(low, 1.0), (self.ratio)(high));
        let mut held = 1.0;
        while held < wanted && below.max(above) > NEGLIGIBLE {
            if above >= below {
                high += 1;
                held += above;
                above *= (self.ratio)(high);
            } else {
                low -= 1;
                held += below;
                below = before(low, below);
            }
        }
        (low, high)
    }

    /// Returns the sum of all terms, relative to the mode's.
    fn total(&self) -> f64 {
        let (mut value, mut term) = self.first();
        let mut sum = 0.0;
        while value <= self.mode || term > NEGLIGIBLE {
            sum += term;
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
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mode is a whole number from 0"
)]
pub(crate) fn negative_binomial(mean: f64, size: f64) -> Unimodal<impl Fn(u64) -> f64> {
    // In the limit of an infinite size, the Poisson distribution, mean / size is 0.
    let per_size = mean / size;
    let mode = (mean - per_size).floor().max(0.0) as u64;
    let factor = per_size / (per_size + 1.0);
    let constant = mean / (per_size + 1.0);
    Unimodal {
        mode,
        ratio: move |value| (crate::to_f64(value) * factor + constant) / (crate::to_f64(value) + 1.0),
    }
}

/// The binomial distribution of `trials` with this probability, between 0 and 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mode is a whole number from 0"
)]
pub(crate) fn binomial(trials: u64, probability: f64) -> Unimodal<impl Fn(u64) -> f64> {
    let odds = probability / (1.0 - probability);
    let mode = (((crate::to_f64(trials) + 1.0) * probability).floor() as u64).min(trials);
    let ratio =
        move |value: u64| crate::to_f64(trials.saturating_sub(value)) / (crate::to_f64(value) + 1.0) * odds;
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
    fn median_and_interval_of_geometric_match_closed_form() {
        // Size 1 is geometric: P(X ≤ x) = 1 − q^(x + 1), q = mean / (mean + 1); its shortest interval starts at 0.
        let q = 40.0_f64 / 41.0;
        let quantile = |p: f64| ((-p).ln_1p() / q.ln() - 1.0).ceil();
        let geometric = negative_binomial(40.0, 1.0);
        assert!((crate::to_f64(geometric.median()) - quantile(0.5)).abs() < 0.5);
        let (low, high) = geometric.shortest_interval(0.95);
        assert!(low == 0 && (crate::to_f64(high) - quantile(0.95)).abs() < 0.5);
    }

    #[test]
    fn interval_of_tiny_mean_is_zero() {
        let rare = negative_binomial(1e-9, 1.0);
        assert_eq!((rare.median(), rare.shortest_interval(0.95)), (0, (0, 0)));
    }

    #[test]
    fn interval_of_binomial_ends_at_the_trials() {
        assert_eq!(binomial(3, 0.99).shortest_interval(0.999), (2, 3));
    }

    #[test]
    fn interval_of_large_mean_approaches_normal() {
        let (mean, size) = (1e5_f64, 1e4_f64);
        let sd = (mean + mean * mean / size).sqrt();
        let wide = negative_binomial(mean, size);
        let (low, high) = wide.shortest_interval(0.95);
        assert!((crate::to_f64(low) - (mean - 1.96 * sd)).abs() < 0.03 * sd, "{low}");
        assert!((crate::to_f64(wide.median()) - mean).abs() < 0.02 * sd);
        assert!((crate::to_f64(high) - (mean + 1.96 * sd)).abs() < 0.03 * sd, "{high}");
    }
}
