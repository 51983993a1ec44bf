//! Quantiles and intervals of the gamma, the binomial and the negative binomial distribution.
//!
//! Probabilities of the discrete distributions are summed outwards from the mode, relative to it, by the ratios of neighbouring terms.
//! Nothing underflows, no special function is needed, and the work is proportional to the standard deviation.

use statrs::distribution::{Continuous as _, ContinuousCDF as _, Gamma, Normal};

use crate::{Estimate, TAILS, to_count, to_f64};

/// Bisections of an interval of length at most 1: more than the bits of an `f64`.
const BISECTIONS: u32 = 60;

/// Returns a proportion with its exact 95 % interval after Clopper and Pearson (1934); `events` are at most `trials`, which are above 0.
pub(crate) fn proportion(events: u64, trials: u64) -> Estimate {
    let value = to_f64(events) / to_f64(trials);
    let at_most = |count: u64, probability: f64| binomial(trials, probability).lower_probability(count);
    // The lower end is the probability at which `events` or more have 2.5 %; the upper end, at which `events` or fewer have.
    let low = events.checked_sub(1).map_or(0.0, |below| bisect(0.0, value, |p| at_most(below, p) > TAILS.1));
    let high = if events == trials { 1.0 } else { bisect(value, 1.0, |p| at_most(events, p) > TAILS.0) };
    Estimate { value, low, high }
}

/// Returns the point between the two ends at which `is_below` turns from true to false.
fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        *(if is_below(middle) { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

/// Terms below this share of the mode's probability are ignored.
const NEGLIGIBLE: f64 = 1e-18;

/// A distribution given by its mode and by `ratio(m)` = P(m + 1) / P(m), which falls from the mode on and rises before it.
pub(crate) struct Unimodal<R> {
    pub(crate) mode: u64,
    pub(crate) ratio: R,
}

impl<R: Fn(u64) -> f64> Unimodal<R> {
    /// Returns P(X ≤ at).
    pub(crate) fn lower_probability(&self, at: u64) -> f64 {
        let (mut below, mut above) = (0.0, 0.0);
        for (value, term) in self.terms() {
            *(if value <= at { &mut below } else { &mut above }) += term;
        }
        below / (below + above)
    }

    /// Returns the median: the smallest x with P(X ≤ x) ≥ 1/2.
    pub(crate) fn median(&self) -> u64 {
        let half = self.total() / 2.0;
        let mut below = 0.0;
        let reached = self.terms().find(|(_, term)| {
            below += term;
            below >= half
        });
        reached.map_or(self.mode, |(value, _)| value)
    }

    /// Returns the ends of the shortest interval that holds at least this probability, which is below 1.
    ///
    /// It grows from the mode, each time to the side on which the next value is more probable.
    pub(crate) fn shortest_interval(&self, probability: f64) -> (u64, u64) {
        let target = probability * self.total();
        let (mut low, mut high) = (self.mode, self.mode);
        let before = |value: u64, term: f64| if value > 0 { term / (self.ratio)(value - 1) } else { 0.0 };
        let (mut below, mut above) = (before(low, 1.0), (self.ratio)(high));
        let mut mass = 1.0;
        while mass < target && below.max(above) > NEGLIGIBLE {
            if above >= below {
                high += 1;
                mass += above;
                above *= (self.ratio)(high);
            } else {
                low -= 1;
                mass += below;
                below = before(low, below);
            }
        }
        (low, high)
    }

    /// Returns the sum of all terms, relative to the mode's.
    fn total(&self) -> f64 {
        self.terms().map(|(_, term)| term).sum()
    }

    /// Returns the values that are not negligible, ascending, with their terms relative to the mode's.
    fn terms(&self) -> impl Iterator<Item = (u64, f64)> {
        let (mut first, mut term) = (self.mode, 1.0);
        while first > 0 && term > NEGLIGIBLE {
            first -= 1;
            term /= (self.ratio)(first);
        }
        let next = move |&(value, term): &(u64, f64)| Some((value + 1, term * (self.ratio)(value)));
        let is_counted = move |&(value, term): &(u64, f64)| value <= self.mode || term > NEGLIGIBLE;
        std::iter::successors(Some((first, term)), next).take_while(is_counted)
    }
}

/// The negative binomial distribution with this mean (above 0) and size: variance = mean + mean² / size.
pub(crate) fn negative_binomial(mean: f64, size: f64) -> Unimodal<impl Fn(u64) -> f64> {
    // In the limit of an infinite size, the Poisson distribution, mean / size is 0.
    let per_size = mean / size;
    let mode = to_count((mean - per_size).max(0.0));
    let factor = per_size / (per_size + 1.0);
    let constant = mean / (per_size + 1.0);
    Unimodal { mode, ratio: move |value| (to_f64(value) * factor + constant) / (to_f64(value) + 1.0) }
}

/// The binomial distribution of `trials` with this probability, between 0 and 1.
pub(crate) fn binomial(trials: u64, probability: f64) -> Unimodal<impl Fn(u64) -> f64> {
    let odds = probability / (1.0 - probability);
    let mode = to_count((to_f64(trials) + 1.0) * probability).min(trials);
    let ratio = move |value: u64| to_f64(trials.saturating_sub(value)) / (to_f64(value) + 1.0) * odds;
    Unimodal { mode, ratio }
}

/// The limit of Newton steps; four are enough from a good start.
const MAX_NEWTON_STEPS: usize = 20;
/// The relative size of the last step: the error after it is about its square.
const NEWTON_TOLERANCE: f64 = 1e-9;

/// Returns the quantile of the gamma distribution with this shape and scale, both above 0.
///
/// The unit-scale quantile is multiplied by the scale, so that tiny scales cost no precision. Returns NaN if the shape is no valid
/// parameter.
pub(crate) fn gamma_quantile(probability: f64, shape: f64, scale: f64) -> f64 {
    let Ok(gamma) = Gamma::new(shape, 1.0) else { return f64::NAN };
    let quantile = approximation(probability, shape).and_then(|start| newton(&gamma, probability, start));
    // The search of statrs is a hundred times slower for large shapes, and its relative accuracy is 1e-9.
    quantile.unwrap_or_else(|| gamma.inverse_cdf(probability)) * scale
}

/// Approximates the quantile after Wilson and Hilferty (1931), because the cube root of a gamma variable is nearly normal. Returns `None` if the root is not
/// above 0.
fn approximation(probability: f64, shape: f64) -> Option<f64> {
    let spread = 1.0 / (9.0 * shape);
    let root = 1.0 - spread + Normal::standard().inverse_cdf(probability) * spread.sqrt();
    (root > 0.0).then(|| shape * root.powi(3))
}

fn newton(gamma: &Gamma, probability: f64, start: f64) -> Option<f64> {
    let mut x = start;
    for _ in 0..MAX_NEWTON_STEPS {
        let step = (gamma.cdf(x) - probability) / gamma.pdf(x);
        x -= step;
        if !(x.is_finite() && x > 0.0) {
            return None;
        }
        if step.abs() <= NEWTON_TOLERANCE * x {
            return Some(x);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportion_without_events_has_closed_form_upper_end() {
        let estimate = proportion(0, 20);
        assert!(estimate.low.abs() < 1e-300);
        assert!((estimate.high - (1.0 - 0.025_f64.powf(0.05))).abs() < 1e-12, "{estimate:?}");
    }

    #[test]
    fn proportion_of_all_has_closed_form_lower_end() {
        let estimate = proportion(20, 20);
        assert!((estimate.low - 0.025_f64.powf(0.05)).abs() < 1e-12, "{estimate:?}");
        assert!((estimate.high - 1.0).abs() < 1e-300);
    }

    #[test]
    fn proportion_of_millions_approaches_normal() {
        let estimate = proportion(200_000, 10_000_000);
        let error = (0.02_f64 * 0.98 / 1e7).sqrt();
        assert!((estimate.low - (0.02 - 1.96 * error)).abs() < 0.02 * error, "{estimate:?}");
        assert!((estimate.high - (0.02 + 1.96 * error)).abs() < 0.02 * error, "{estimate:?}");
    }

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
        assert!((to_f64(geometric.median()) - quantile(0.5)).abs() < 0.5);
        let (low, high) = geometric.shortest_interval(0.95);
        assert!(low == 0 && (to_f64(high) - quantile(0.95)).abs() < 0.5);
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
        assert!((to_f64(low) - (mean - 1.96 * sd)).abs() < 0.03 * sd, "{low}");
        assert!((to_f64(wide.median()) - mean).abs() < 0.02 * sd);
        assert!((to_f64(high) - (mean + 1.96 * sd)).abs() < 0.03 * sd, "{high}");
    }

    /// The distribution function for an integer shape, in closed form: 1 − e^−x Σ x^k / k!.
    fn erlang_cdf(shape: u32, x: f64) -> f64 {
        let mut term = (-x).exp();
        let mut above = term;
        for k in 1..shape {
            term *= x / f64::from(k);
            above += term;
        }
        1.0 - above
    }

    #[test]
    fn gamma_quantile_of_integer_shapes_inverts_closed_form_to_1e_10() {
        for shape in [1, 2, 5, 17, 60, 200] {
            for probability in [0.025, 0.1, 0.5, 0.9, 0.975] {
                let x = gamma_quantile(probability, f64::from(shape), 1.0);
                let step = x * 1e-10;
                let (below, above) = (erlang_cdf(shape, x - step), erlang_cdf(shape, x + step));
                assert!(below <= probability && probability <= above, "shape {shape}, p {probability}: {x}");
            }
        }
    }

    #[test]
    fn gamma_quantile_of_shape_one_is_exponential() {
        for probability in [0.025_f64, 0.5, 0.975] {
            let expected = -(-probability).ln_1p() * 3.5;
            let got = gamma_quantile(probability, 1.0, 3.5);
            assert!((got / expected - 1.0).abs() < 1e-12, "{got} is not {expected}");
        }
    }

    #[test]
    fn gamma_quantile_of_huge_shape_approaches_normal() {
        let shape = 4e6_f64;
        let got = (gamma_quantile(0.975, shape, 1.0) - shape) / shape.sqrt();
        assert!((got - 1.959_963_985).abs() < 2e-3, "{got}");
    }
}
