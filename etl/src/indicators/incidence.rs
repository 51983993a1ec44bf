//! Incidence by province and year, crude and standardised by age.

use std::collections::BTreeMap;

use epidemic::Estimate;
use epidemic::standardisation::{self, standardised_rate, who_weights};

use crate::aggregates::reference_days::{AGES, ReferenceDays};

/// Decades of age, from 0–9 to 90 and more.
pub const DECADES: usize = AGES - 1;

/// People by decade of age.
pub type Population = [u64; DECADES];

/// The incidence of a province in a year of registration, per 100,000 people.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidence {
    /// A province of residence; `None` is the country, with cases of unknown residence.
    pub province: Option<i16>,
    pub year: i32,
    pub confirmed: u64,
    pub population: u64,
    pub crude: f64,
    /// With the WHO standard population, and its 95 % interval.
    pub standardised: Estimate,
}

const PER: f64 = 100_000.0;

/// Returns the incidence of the country and of each province that has a population, in every year with cases.
///
/// Cases of unknown age are taken to have the ages of the others.
pub fn by_province(counts: &ReferenceDays, populations: &BTreeMap<i16, Population>) -> Vec<Incidence> {
    let mut country: BTreeMap<i32, [u64; AGES]> = BTreeMap::new();
    let mut provinces: BTreeMap<(i16, i32), [u64; AGES]> = BTreeMap::new();
    for (&(province, year), cases) in &counts.years {
        let of_province = province.map(|province| provinces.entry((province, year)).or_default());
        for sum in of_province.into_iter().chain([country.entry(year).or_default()]) {
            sum.iter_mut().zip(cases).for_each(|(sum, cases)| *sum += u64::from(*cases));
        }
    }
    let mut people = Population::default();
    for population in populations.values() {
        people.iter_mut().zip(population).for_each(|(sum, people)| *sum += people);
    }
    let country = country.iter().filter_map(|(year, cases)| incidence(None, *year, cases, &people));
    let provinces = provinces.iter().filter_map(|((province, year), cases)| {
        incidence(Some(*province), *year, cases, populations.get(province)?)
    });
    country.chain(provinces).collect()
}

#[expect(clippy::cast_precision_loss, reason = "people and cases are far below 2^53")]
fn incidence(
    province: Option<i16>,
    year: i32,
    cases: &[u64; AGES],
    people: &Population,
) -> Option<Incidence> {
    let lowest: Vec<u8> = (0..DECADES).filter_map(|decade| u8::try_from(decade * 10).ok()).collect();
    let weights = who_weights(&lowest).ok()?;
    let groups: Vec<standardisation::AgeGroup> = cases
        .iter()
        .zip(people)
        .zip(weights)
        .map(|((events, population), weight)| standardisation::AgeGroup {
            events: *events,
            population: *population as f64,
            weight,
        })
        .collect();
    let (confirmed, population): (u64, u64) = (cases.iter().sum(), people.iter().sum());
    let of_known_age = confirmed - cases[DECADES];
    let rate = standardised_rate(&groups).ok()?;
    let factor = PER * if of_known_age > 0 { confirmed as f64 / of_known_age as f64 } else { 1.0 };
    Some(Incidence {
        province,
        year,
        confirmed,
        population,
        crude: PER * confirmed as f64 / population as f64,
        standardised: Estimate {
            value: factor * rate.value,
            low: factor * rate.low,
            high: factor * rate.high,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(cases: [u32; AGES]) -> ReferenceDays {
        let mut counts = ReferenceDays::default();
        counts.years.insert((Some(6), 2021), cases);
        counts.years.insert((None, 2021), [1; AGES]);
        counts.years.insert((Some(99), 2022), [1; AGES]);
        counts
    }

    fn of_province(cases: [u32; AGES], people: Population) -> Incidence {
        let all = by_province(&counts(cases), &[(6, people)].into());
        let rows: Vec<(Option<i16>, i32)> = all.iter().map(|row| (row.province, row.year)).collect();
        assert_eq!(
            rows,
            [(None, 2021), (None, 2022), (Some(6), 2021)],
            "a province without people has no rate"
        );
        all.into_iter().next_back().unwrap()
    }

    #[track_caller]
    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9 * expected, "{value}, expected {expected}");
    }

    #[test]
    fn equal_incidence_at_every_age_is_not_changed() {
        let mut cases = [0; AGES];
        let mut people = Population::default();
        for (number, (cases, people)) in (1..).zip(cases.iter_mut().zip(&mut people)) {
            (*cases, *people) = (5 * number, 1000 * u64::from(number));
        }
        let row = of_province(cases, people);
        near(row.crude, 500.0);
        near(row.standardised.value, 500.0);
        assert!(row.standardised.low < 500.0 && row.standardised.high > 500.0);
        assert_eq!((row.confirmed, row.population), (275, 55_000));
    }

    #[test]
    fn ages_have_the_weights_of_the_who_and_unknown_ones_those_of_the_others() {
        let mut cases = [0; AGES];
        (cases[9], cases[DECADES]) = (10, 10);
        let row = of_province(cases, [1000; DECADES]);
        near(row.crude, 200.0);
        // 90 and over: 0.15 + 0.04 + 0.005 of 100.035 per cent.
        near(row.standardised.value, 2.0 * 1000.0 * 0.195 / 100.035);
    }
}
