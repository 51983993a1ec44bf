//! Aggregates for reports, computed while the cases are loaded: about a hundredth of the rows, without a second pass over the table.
//!
//! SQL functions of the migrations (`count_cases()` and others) compute the same for loads by older versions; tests compare the two. Pure, but for
//! the temporary files of `group_counts`: `load::counts` and `load::dose_counts` write the aggregates.

mod contradictions;
pub mod doses;
mod group_counts;
pub mod reference_days;
mod rows;

use std::hash::Hash;

use foldhash::HashMap;
use uuid::Uuid;

use self::contradictions::{CONFIRMED, Contradictions};
use self::reference_days::ReferenceDays;
pub use self::rows::Rows;
use crate::clean::case::Case;
use crate::clean::encoding::value;
use crate::interner::Interner;
use crate::parse::date::Day;

/// Keys per table in memory, in a hash table of 2^18 slots; a year of the whole country fits. Beyond it, rows are written in between, and a
/// key may have several rows, which queries add up.
const MAX_KEYS: usize = 220_000;

/// Counts of cases by key.
#[derive(Debug, Default)]
pub struct CaseAggregates {
    interner: Interner,
    /// Cases, admitted, in intensive care, ventilated, died.
    cases: HashMap<CaseKey, [u32; 5]>,
    /// Confirmed, died.
    places: HashMap<PlaceKey, [u32; 2]>,
    /// Confirmed.
    delays: HashMap<DelayKey, [u32; 1]>,
    contradictions: Contradictions,
    reference_days: ReferenceDays,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CaseKey {
    registered_on: Day,
    residence_province_id: Option<i16>,
    sex: u16,
    age_decade: Option<i16>,
    classification: u16,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PlaceKey {
    registered_on: Day,
    registration_province_id: i16,
    residence_province_id: Option<i16>,
    residence_department_id: Option<i32>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DelayKey {
    registered_on: Day,
    symptoms_on: Option<Day>,
}

impl CaseAggregates {
    /// Adds a case.
    pub fn add(&mut self, case: &Case<'_>) {
        let died = case.died_on.is_some();
        let key = CaseKey {
            registered_on: case.registered_on,
            residence_province_id: case.residence_province_id,
            sex: self.interner.intern(case.sex.as_deref()),
            age_decade: case.age.map(|age| (age / 10).min(9)),
            classification: self.interner.intern(case.classification.as_deref()),
        };
        count(&mut self.cases, key, [true, case.admitted_on.is_some(), case.icu, case.ventilated, died]);
        self.contradictions.add(case);
        self.reference_days.add(case);
        if case.classification.as_deref() == Some(CONFIRMED) {
            self.add_confirmed(case);
        }
    }

    fn add_confirmed(&mut self, case: &Case<'_>) {
        let registered_on = case.registered_on;
        let key = PlaceKey {
            registered_on,
            registration_province_id: case.registration_province_id,
            residence_province_id: case.residence_province_id,
            residence_department_id: case.residence_department_id,
        };
        count(&mut self.places, key, [true, case.died_on.is_some()]);
        count(&mut self.delays, DelayKey { registered_on, symptoms_on: case.symptoms_on }, [true]);
    }

    /// Returns whether the rows must be written before more cases are added.
    pub fn is_full(&self) -> bool {
        let lines = [self.cases.len(), self.places.len(), self.delays.len()];
        lines.into_iter().any(|lines| lines >= MAX_KEYS) || self.interner.is_full()
    }

    /// Takes out the counts that the estimates are computed from.
    pub fn take_reference_days(&mut self) -> ReferenceDays {
        std::mem::take(&mut self.reference_days)
    }

    /// Takes all rows out, except contradictions.
    pub fn take(&mut self, run_id: Uuid) -> [Rows<'_>; 3] {
        let interner = std::mem::take(&mut self.interner);
        let case_columns = "registered_on, residence_province_id, sex, age_decade, classification, \
                            cases, admitted, icu, ventilated, died";
        let place_columns = "registered_on, registration_province_id, residence_province_id, residence_department_id, \
                             confirmed, died";
        let delay_columns = "registered_on, symptoms_on, confirmed";
        [
            Rows::new("case_count", case_columns, run_id, self.cases.drain(), move |key, row| {
                value(row, Some(key.registered_on.0.to_be_bytes()));
                value(row, key.residence_province_id.map(i16::to_be_bytes));
                value(row, interner.resolve(key.sex));
                value(row, key.age_decade.map(i16::to_be_bytes));
                value(row, interner.resolve(key.classification));
            }),
            Rows::new("place_count", place_columns, run_id, self.places.drain(), |key, row| {
                value(row, Some(key.registered_on.0.to_be_bytes()));
                value(row, Some(key.registration_province_id.to_be_bytes()));
                value(row, key.residence_province_id.map(i16::to_be_bytes));
                value(row, key.residence_department_id.map(i32::to_be_bytes));
            }),
            Rows::new("delay_count", delay_columns, run_id, self.delays.drain(), |key, row| {
                value(row, Some(key.registered_on.0.to_be_bytes()));
                value(row, key.symptoms_on.map(|day| day.0.to_be_bytes()));
            }),
        ]
    }

    /// Returns the number of cases for every contradiction, also if it is 0.
    pub fn contradictions(&self, run_id: Uuid) -> Rows<'_> {
        let columns = "contradiction, cases";
        Rows::new("contradiction_count", columns, run_id, self.contradictions.by_name(), |name, row| {
            value(row, Some(name.as_bytes()));
        })
    }
}

/// Adds 1 to each number of a key that applies.
fn count<Key: Eq + Hash, const N: usize>(lines: &mut HashMap<Key, [u32; N]>, key: Key, applies: [bool; N]) {
    let numbers = lines.entry(key).or_insert([0; N]);
    for (number, applies) in numbers.iter_mut().zip(applies) {
        *number += u32::from(applies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(day: i32, sex: &'static str) -> Case<'static> {
        Case {
            case_id: 1,
            sex: Some(sex.as_bytes().into()),
            age: Some(120),
            symptoms_on: None,
            registered_on: Day(day),
            admitted_on: Some(Day(day)),
            icu: true,
            ventilated: false,
            died_on: None,
            diagnosed_on: None,
            registration_province_id: 6,
            residence_province_id: None,
            residence_department_id: None,
            classification: Some(CONFIRMED.into()),
        }
    }

    fn bytes(counts: &mut CaseAggregates) -> [usize; 3] {
        counts.take(Uuid::nil()).map(|rows| rows.pieces.map(|piece| piece.len()).sum())
    }

    #[test]
    fn add_counts_equal_keys_together() {
        let mut counts = CaseAggregates::default();
        for sex in ["F", "M", "F"] {
            counts.add(&case(8000, sex));
        }
        let mut numbers: Vec<_> = counts.cases.values().copied().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [[1, 1, 1, 0, 0], [2, 2, 2, 0, 0]]);
        assert!(counts.cases.keys().all(|key| key.age_decade == Some(9)));
        assert_eq!(counts.places.into_values().collect::<Vec<_>>(), [[3, 0]]);
        assert_eq!(counts.delays.into_values().collect::<Vec<_>>(), [[3]]);
    }

    #[test]
    fn take_empties_aggregates_but_keeps_contradictions() {
        let mut counts = CaseAggregates::default();
        counts.add(&Case { admitted_on: None, ..case(8000, "F") });
        assert!(bytes(&mut counts).into_iter().all(|bytes| bytes > 0));
        assert_eq!(bytes(&mut counts), [0; 3]);
        assert!(
            counts.contradictions.by_name().any(|(_, [cases])| cases == 1),
            "in intensive care, not admitted"
        );
    }

    #[test]
    fn is_full_bounds_keys() {
        let mut counts = CaseAggregates::default();
        let mut day = 0;
        while !counts.is_full() {
            counts.add(&case(day, "F"));
            day += 1;
        }
        assert_eq!(usize::try_from(day).unwrap(), MAX_KEYS);
        drop(counts.take(Uuid::nil()));
        assert!(!counts.is_full());
    }
}
