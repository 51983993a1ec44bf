//! Directly age-standardised rates.
//!
//! The rate of each age group, weighted by a standard population: `Σ w_i d_i / n_i`. Two populations of different age become
//! comparable. The interval is that of Fay and Feuer (1997), *Statistics in Medicine* 16: gamma quantiles that match mean and variance of the
//! weighted sum of Poisson counts; it is conservative for few events.

use crate::distribution::gamma_quantile;
use crate::error::check_counts;
use crate::{Estimate, InputError, TAILS};

/// Years in each group of the WHO standard population.
const YEARS: u8 = 5;

/// The WHO world standard population 2000–2025 in per cent: ages 0–4, 5–9, … 95–99, and 100 or more (Ahmad et al. 2001, GPE discussion
/// paper 31, table 4). The published numbers are rounded and add up to 100.035.
pub const WHO_STANDARD: [f64; 21] = [
    8.86, 8.69, 8.60, 8.47, 8.22, 7.93, 7.61, 7.15, 6.59, 6.04, 5.37, 4.55, 3.72, 2.96, 2.21, 1.52, 0.91,
    0.44, 0.15, 0.04, 0.005,
];

/// Returns the WHO weights of coarser age groups, from their lowest ages: `[0, 10, 20]` stands for 0–9, 10–19, and 20 or more.
///
/// The ages must start at 0, ascend, and be multiples of 5 up to 100.
pub fn who_weights(lowest_ages: &[u8]) -> Result<Vec<f64>, InputError> {
    let is_multiple = lowest_ages.iter().all(|age| age % YEARS == 0 && *age <= 100);
    if lowest_ages.first() != Some(&0)
        || !lowest_ages.is_sorted_by(|left, right| left < right)
        || !is_multiple
    {
        let allowed = "ascending multiples of 5 from 0 to 100";
        return Err(InputError::InvalidParameter { name: "the lowest ages", allowed });
    }
    let first = |age: &u8| usize::from(age / YEARS);
    let ends = lowest_ages.iter().skip(1).map(first).chain([WHO_STANDARD.len()]);
    Ok(lowest_ages.iter().zip(ends).map(|(age, end)| WHO_STANDARD[first(age)..end].iter().sum()).collect())
}

/// One age group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgeGroup {
    /// Cases or deaths.
    pub events: u64,
    /// People, or person-years.
    pub population: f64,
    /// The group's part of the standard population; any unit, the sum is normalised.
    pub weight: f64,
}

/// Returns the standardised rate per person (or person-year) with its interval.
///
/// Returns an error if a group with weight or events has no population, if a value is negative or not a number, or if no group has weight.
pub fn standardised_rate(groups: &[AgeGroup]) -> Result<Estimate, InputError> {
    for (position, group) in groups.iter().enumerate() {
        check_counts(&[group.population, group.weight]).map_err(|_| InputError::InvalidCount { position })?;
        if group.population <= 0.0 && (group.weight > 0.0 || group.events > 0) {
            return Err(InputError::EmptyPopulation { position });
        }
    }
    let weights: f64 = groups.iter().map(|group| group.weight).sum();
    if !(weights > 0.0 && weights.is_finite()) {
        return Err(InputError::InvalidParameter {
            name: "the sum of the weights",
            allowed: "a number above 0",
        });
    }
    let (mut rate, mut variance, mut largest) = (0.0, 0.0, 0.0_f64);
    for group in groups.iter().filter(|group| group.weight > 0.0) {
        let of_event = group.weight / weights / group.population;
        rate += of_event * crate::to_f64(group.events);
        variance += of_event * of_event * crate::to_f64(group.events);
        largest = largest.max(of_event);
    }
    let low = if rate > 0.0 { matched(TAILS.0, rate, variance) } else { 0.0 };
    // One more event in the group with the largest weight per event.
    let high = matched(TAILS.1, rate + largest, variance + largest * largest);
    Ok(Estimate { value: rate, low, high })
}

/// Returns the quantile of the gamma distribution with this mean and variance.
fn matched(probability: f64, mean: f64, variance: f64) -> f64 {
    gamma_quantile(probability, mean * mean / variance, variance / mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_weights_of_decades_add_up_to_the_standard() {
        let weights = who_weights(&[0, 10, 20, 30, 40, 50, 60, 70, 80]).unwrap();
        assert!((weights[0] - 17.55).abs() < 1e-12);
        assert!((weights.iter().sum::<f64>() - 100.035).abs() < 1e-9);
        for bad in [&[][..], &[5, 10], &[0, 10, 10], &[0, 7], &[0, 105]] {
            assert!(who_weights(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn standardised_rate_of_one_group_has_exact_poisson_interval() {
        // For one group the interval is Garwood's: for 10 events, 4.7954 to 18.3904.
        let group = AgeGroup { events: 10, population: 1000.0, weight: 3.0 };
        let rate = standardised_rate(&[group]).unwrap();
        assert!((rate.value - 0.01).abs() < 1e-15);
        assert!((rate.low * 1000.0 - 4.795_389).abs() < 1e-5, "{rate:?}");
        assert!((rate.high * 1000.0 - 18.390_36).abs() < 1e-4, "{rate:?}");
    }

    #[test]
    fn standardised_rate_with_own_age_structure_is_crude_rate() {
        let groups = [(5, 700.0), (20, 200.0), (40, 100.0)].map(|(events, population)| AgeGroup {
            events,
            population,
            weight: population,
        });
        let rate = standardised_rate(&groups).unwrap();
        assert!((rate.value - 65.0 / 1000.0).abs() < 1e-15);
        assert!(rate.low < rate.value && rate.value < rate.high);
    }

    #[test]
    fn standardised_rate_without_events_starts_at_zero() {
        let rate = standardised_rate(&[AgeGroup { events: 0, population: 100.0, weight: 1.0 }]).unwrap();
        assert!(rate.value == 0.0 && rate.low == 0.0);
        // One group without events: −ln 0.025 / population.
        assert!((rate.high - 0.036_888_794_541).abs() < 1e-9, "{rate:?}");
    }

    #[test]
    fn standardised_rate_of_invalid_groups_is_rejected() {
        let group =
            |events, population, weight| standardised_rate(&[AgeGroup { events, population, weight }]);
        assert_eq!(group(1, 0.0, 1.0), Err(InputError::EmptyPopulation { position: 0 }));
        assert_eq!(group(1, -5.0, 1.0), Err(InputError::InvalidCount { position: 0 }));
        assert!(group(1, 5.0, 0.0).is_err());
        assert!(standardised_rate(&[]).is_err());
    }
}
