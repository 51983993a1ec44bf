//! What reports ask for again and again, counted while the cases pass by: some hundredth of the rows, and no second reading of
//! the table.
//!
//! What is counted stands a second time in SQL, in `count_cases()` and its siblings of the migrations: they count where a load by an
//! older release has left no counts, and the tests compare the two. This is pure: no IO, no clock. How counts reach the
//! database is for `load::counts` to say.

mod contradictions;
mod lines;
mod words;

use std::hash::Hash;

use foldhash::HashMap;
use uuid::Uuid;

use crate::clean::case::Case;
use contradictions::Contradictions;
pub use lines::Rows;
use lines::{CaseKey, DelayKey, PlaceKey};
use words::Words;

/// So many lines of one kind are held at most, in a table of 2^18 places; those of a year of the whole country fit. Where there are more, some are written
/// in between, and a key may then have several lines: whoever asks adds them up.
const MOST_LINES: usize = 220_000;

/// The classification whose cases are counted by place and by delay.
const CONFIRMED: &[u8] = b"Confirmado";

/// Counts of cases. A line is a key and its numbers.
#[derive(Debug, Default)]
pub struct Counts {
    words: Words,
    /// Cases, admitted, in intensive care, ventilated, died.
    cases: HashMap<CaseKey, [u32; 5]>,
    /// Confirmed, died.
    places: HashMap<PlaceKey, [u32; 2]>,
    /// Confirmed.
    delays: HashMap<DelayKey, [u32; 1]>,
    contradictions: Contradictions,
}

impl Counts {
    /// Counts one case.
    pub fn add(&mut self, case: &Case<'_>) {
        let died = case.died_on.is_some();
        let key = CaseKey {
            registered_on: case.registered_on,
            residence_province_id: case.residence_province_id,
            sex: self.words.number(case.sex.as_deref()),
            age_decade: case.age.map(|age| (age / 10).min(9)),
            classification: self.words.number(case.classification.as_deref()),
        };
        count(&mut self.cases, key, [true, case.admitted_on.is_some(), case.icu, case.ventilated, died]);
        self.contradictions.add(case);
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

    /// Whether the lines should be written before more is counted.
    pub fn is_full(&self) -> bool {
        let lines = [self.cases.len(), self.places.len(), self.delays.len()];
        lines.into_iter().any(|lines| lines >= MOST_LINES) || self.words.is_full()
    }

    /// Takes all lines out, but those of the contradictions.
    pub fn take(&mut self, run_id: Uuid) -> [Rows<'_>; 3] {
        let words = std::mem::take(&mut self.words);
        [
            Rows::new(run_id, words, self.cases.drain()),
            Rows::new(run_id, Words::default(), self.places.drain()),
            Rows::new(run_id, Words::default(), self.delays.drain()),
        ]
    }

    /// How many cases contradict themselves: a line for each way to do so, also where it has none. To be asked for once, in the
    /// end.
    pub fn contradictions(&self, run_id: Uuid) -> Rows<'_> {
        Rows::new(run_id, Words::default(), self.contradictions.lines())
    }
}

/// Adds one to each of a key's numbers that applies.
fn count<Key: Eq + Hash, const N: usize>(lines: &mut HashMap<Key, [u32; N]>, key: Key, applies: [bool; N]) {
    let numbers = lines.entry(key).or_insert([0; N]);
    for (number, applies) in numbers.iter_mut().zip(applies) {
        *number += u32::from(applies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::date::Day;

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

    fn bytes(counts: &mut Counts) -> [usize; 3] {
        counts.take(Uuid::nil()).map(|rows| rows.pieces.map(|piece| piece.len()).sum())
    }

    #[test]
    fn equal_keys_share_a_line() {
        let mut counts = Counts::default();
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
    fn what_was_taken_out_is_counted_no_more_but_contradictions_stay() {
        let mut counts = Counts::default();
        counts.add(&Case { admitted_on: None, ..case(8000, "F") });
        assert!(bytes(&mut counts).into_iter().all(|bytes| bytes > 0));
        assert_eq!(bytes(&mut counts), [0; 3]);
        assert!(
            counts.contradictions.lines().any(|(_, [cases])| cases == 1),
            "in intensive care, not admitted"
        );
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut counts = Counts::default();
        let mut day = 0;
        while !counts.is_full() {
            counts.add(&case(day, "F"));
            day += 1;
        }
        assert_eq!(usize::try_from(day).unwrap(), MOST_LINES);
        drop(counts.take(Uuid::nil()));
        assert!(!counts.is_full());
    }
}
