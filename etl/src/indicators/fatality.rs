//! Case fatality by age, corrected for the delay to death.
//!
//! The delay is that of this registry: from the reference day to death, of the deaths whose reference day was at least [`MAX_DEATH_DELAY`] days ago, so
//! that no later death can be missing. With few such deaths it is the published one.

use epidemic::delay::gamma_density;
use epidemic::fatality;

use super::model::{AgeFatality, AgeGroup, DelayToDeath, Period};
use crate::aggregates::reference_days::{AGES, MAX_DEATH_DELAY, ReferenceDays};

/// The deaths from which the delay of the registry is used.
const MIN_DEATHS: u64 = 100;
/// From onset to death: mean 17.8 days, coefficient of variation 0.45. Verity et al. (2020), *Lancet Infectious Diseases* 20(6):669–677.
const PUBLISHED: (f64, f64) = (17.8, 0.45);

pub(super) fn by_age(counts: &ReferenceDays, period: Period) -> Vec<AgeFatality> {
    let (probabilities, delay) = delay_to_death(counts, period);
    let days = period.last + 1;
    let group = |age: AgeGroup, positions: &[usize]| {
        let of_day = |day: usize| positions.iter().map(|at| u64::from(counts.ages[*at].get(day))).sum();
        let cases: Vec<u64> = (0..days).map(of_day).collect();
        let mut deaths = vec![0; days];
        // Only the sum of the deaths enters.
        deaths[days - 1] = positions.iter().map(|at| u64::from(counts.died[*at])).sum();
        let fatality = fatality::estimate(&cases, &deaths, &probabilities).ok()?;
        (fatality.cases > 0).then_some(AgeFatality { age, fatality, delay })
    };
    let groups = (0..AGES).map(|at| {
        let decade = i16::try_from(at).ok().filter(|_| at < AGES - 1);
        (decade.map_or(AgeGroup::Unknown, AgeGroup::Decade), vec![at])
    });
    let all = (AgeGroup::All, (0..AGES).collect());
    groups.chain([all]).filter_map(|(age, positions)| group(age, &positions)).collect()
}

/// Returns the probabilities of death after 0, 1, 2, … days among those who die.
#[expect(clippy::cast_precision_loss, reason = "counts of deaths are far below 2^53")]
fn delay_to_death(counts: &ReferenceDays, period: Period) -> (Vec<f64>, DelayToDeath) {
    let mut by_days = [0_u64; MAX_DEATH_DELAY + 1];
    for day in 0..(period.last + 1).saturating_sub(MAX_DEATH_DELAY) {
        for (total, &deaths) in by_days.iter_mut().zip(&counts.deaths.get(day)) {
            *total += u64::from(deaths);
        }
    }
    let deaths: u64 = by_days.iter().sum();
    if deaths < MIN_DEATHS {
        let (mean, variation) = PUBLISHED;
        let shape = 1.0 / (variation * variation);
        let density = gamma_density(shape, mean / shape, MAX_DEATH_DELAY + 1).unwrap_or_default();
        return (density, DelayToDeath { mean, deaths: 0 });
    }
    let probabilities: Vec<f64> = by_days.iter().map(|&after| after as f64 / deaths as f64).collect();
    let mean = probabilities.iter().enumerate().map(|(days, probability)| days as f64 * probability).sum();
    (probabilities, DelayToDeath { mean, deaths })
}
