//! The exact interval of a proportion.

use crate::{Estimate, TAILS, discrete, to_f64};

/// Halvings of an interval of length at most 1: more than a double has bits.
const HALVINGS: u32 = 60;

/// Returns a proportion with its exact 95 % interval after Clopper and Pearson (1934); `events` are at most `trials`, which are above 0.
pub(crate) fn proportion(events: u64, trials: u64) -> Estimate {
    let value = to_f64(events) / to_f64(trials);
    let at_most =
        |count: u64, probability: f64| discrete::binomial(trials, probability).lower_probability(count);
    // The lower end is the probability at which `events` or more have 2.5 %; the upper end, at which `events` or fewer have.
    let low = events.checked_sub(1).map_or(0.0, |below| bisect(0.0, value, |p| at_most(below, p) > TAILS.1));
    let high = if events == trials { 1.0 } else { bisect(value, 1.0, |p| at_most(events, p) > TAILS.0) };
    Estimate { value, low, high }
}

/// Returns where `is_below` turns from true to false between the two ends.
fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        *(if is_below(middle) { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
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
}
