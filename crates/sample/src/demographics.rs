//! The joint distribution of sex and age, and the relative fatality of each. Ages are those on the day of the release, as the
//! ministry computes them.

use crate::random::{AliasTable, PerMillion, RowRng, spread};

/// The fields of women, men, and people whose sex is not recorded, as in the tables.
const SEXES: [&str; 3] = ["\"F\",", "\"M\",", "\"NR\","];

/// Confirmed cases in ten-year groups from 0-9 to 100 and more, by sex (Ministerio de Salud, release of 2022-06-05).
const CONFIRMED: [[u32; 11]; 3] = [
    [82_611, 318_855, 946_230, 1_027_136, 859_358, 578_182, 349_442, 183_590, 85_098, 28_561, 1_657],
    [90_586, 280_374, 862_695, 985_713, 809_255, 530_133, 334_381, 175_689, 63_514, 12_144, 572],
    [3_267, 3_883, 7_050, 7_595, 5_925, 3_791, 2_418, 2_096, 2_688, 2_368, 402],
];

/// Discarded and suspected cases in five-year groups from 0-4 to 100-104, and by sex (the same, release of 2021-10-17).
const OTHERS: [u32; 21] = [
    195, 245, 417, 908, 1_306, 1_770, 1_759, 1_427, 1_243, 930, 729, 659, 634, 463, 288, 157, 105, 64, 32, 5,
    1,
];
const OTHERS_BY_SEX: [u32; 3] = [7_161, 6_141, 40];

/// Deaths among 10,000 confirmed cases in ten-year groups, women and men. Measured for 60-64, 70-74 and from 80 (the same,
/// release of 2020-11-14), estimated between; only the proportions matter.
const RISK: [[u32; 11]; 2] = [
    [3, 2, 4, 11, 32, 110, 420, 1_250, 2_400, 3_000, 3_000],
    [4, 2, 6, 19, 59, 210, 770, 1_950, 3_400, 4_300, 4_300],
];

/// Ages are below this.
const AGES: usize = 110;

pub(crate) struct Demographics {
    confirmed: AliasTable,
    others: AliasTable,
    /// Fatality relative to the average confirmed case, in thousandths; by sex and age.
    risk: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    /// Its field: `"F",`.
    pub(crate) sex: &'static str,
    pub(crate) age: u8,
    slot: usize,
}

impl Demographics {
    pub(crate) fn new() -> Self {
        let confirmed: Vec<f64> = CONFIRMED.iter().flat_map(|groups| by_year(groups, 10)).collect();
        let others: Vec<f64> = OTHERS_BY_SEX
            .iter()
            .flat_map(|&sex| by_year(&OTHERS, 5).into_iter().map(move |age| age * f64::from(sex)))
            .collect();
        let raw: Vec<f64> = (0..3 * AGES).map(|slot| f64::from(risk_of(slot / AGES, slot % AGES))).collect();
        let cases: f64 = confirmed.iter().sum();
        let mean = confirmed.iter().zip(&raw).map(|(cases, risk)| cases * risk).sum::<f64>() / cases;
        Self {
            confirmed: AliasTable::new(&confirmed),
            others: AliasTable::new(&others),
            risk: raw.iter().map(|risk| thousandths(risk / mean)).collect(),
        }
    }

    pub(crate) fn draw(&self, rng: &mut RowRng, confirmed: bool) -> Person {
        let slot = if confirmed { &self.confirmed } else { &self.others }.pick(rng);
        Person { sex: SEXES[slot / AGES], age: u8::try_from(slot % AGES).unwrap_or(0), slot }
    }

    /// Returns the fatality of a person, given the average one.
    pub(crate) fn fatality(&self, person: Person, average: PerMillion) -> PerMillion {
        let scaled = u64::from(average) * u64::from(self.risk[person.slot]) / 1000;
        PerMillion::try_from(scaled).unwrap_or(1_000_000).min(900_000)
    }
}

fn by_year(groups: &[u32], years: usize) -> Vec<f64> {
    let bands: Vec<_> = groups.iter().map(|&cases| (f64::from(cases), years)).collect();
    let mut ages = spread(&bands);
    ages.resize(AGES, 0.0);
    ages
}

/// Returns the mean of both sexes if the sex is not recorded.
fn risk_of(sex: usize, age: usize) -> u32 {
    let group = age / 10;
    RISK.get(sex).map_or(u32::midpoint(RISK[0][group], RISK[1][group]), |groups| groups[group])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn thousandths(ratio: f64) -> u32 {
    (ratio * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RngStream;

    fn draw_many(confirmed: bool) -> Vec<Person> {
        let demographics = Demographics::new();
        (0..100_000)
            .map(|row| demographics.draw(&mut RowRng::new(1, RngStream::Case, row), confirmed))
            .collect()
    }

    #[test]
    fn draw_matches_tables_of_sex_and_age() {
        let demographics = draw_many(true);
        let of = |keep: &dyn Fn(&Person) -> bool| demographics.iter().filter(|person| keep(person)).count();
        assert!(of(&|person| person.sex == SEXES[0]).abs_diff(51_600) < 1_000);
        assert!(of(&|person| person.sex == SEXES[2]).abs_diff(480) < 150);
        assert!(of(&|person| (30..40).contains(&person.age)).abs_diff(23_400) < 800);
        assert!(of(&|person| (80..90).contains(&person.age)).abs_diff(1_750) < 250);
        assert!(draw_many(false).iter().filter(|person| person.age < 15).count().abs_diff(6_420) < 500);
    }

    #[test]
    fn fatality_has_given_average_and_rises_with_age() {
        let demographics = Demographics::new();
        let drawn = draw_many(true);
        let total: u64 = drawn.iter().map(|&person| u64::from(demographics.fatality(person, 14_000))).sum();
        assert!((total / drawn.len() as u64).abs_diff(14_000) < 1_000, "{}", total / drawn.len() as u64);
        let risk =
            |age| demographics.fatality(Person { sex: SEXES[1], age, slot: AGES + usize::from(age) }, 14_000);
        assert!(risk(85) > 100 * risk(25));
    }
}
