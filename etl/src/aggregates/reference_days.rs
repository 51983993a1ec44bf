//! Confirmed cases by reference day: the day of first symptoms, or of registration if the symptoms have no usable date.
//!
//! Dense tables instead of hashed keys: their size depends on the days since 2020 and the provinces alone, 0.25 MB for each province and 900 days.

use foldhash::HashMap;

use super::contradictions::CONFIRMED;
use crate::clean::case::Case;
use crate::clean::rules::FIRST_REGISTRATION;
use crate::parse::date::Day;

/// The longest delay from symptoms to registration that is counted, in days; 99 % of the delays of 2020 are within 17 days.
pub const MAX_DELAY: usize = 60;
/// The longest delay to death that is counted, in days.
pub const MAX_DEATH_DELAY: usize = 120;
/// Decades of age, from 0–9 to 90 and more, and unknown age.
pub const AGES: usize = 11;
/// Provinces that are counted, about four times as many as there are; cases of others count as of unknown residence, which bounds the memory.
const MAX_PROVINCES: usize = 100;
/// Tables grow by this many days.
const GROWTH: usize = 64;

/// The counts that the estimates are computed from.
#[derive(Debug, Default)]
pub struct ReferenceDays {
    /// Cases of any classification by day of registration.
    pub registered: PerDay<u32>,
    /// By province of residence; `None` is unknown.
    pub provinces: HashMap<Option<i16>, Onsets>,
    /// Confirmed cases by province of residence, year of registration, and age.
    pub years: HashMap<(Option<i16>, i32), [u32; AGES]>,
    /// Confirmed cases by age.
    pub ages: [PerDay<u32>; AGES],
    /// Deaths by age.
    pub died: [u32; AGES],
    /// Deaths by reference day and days to death; those after more days are in the last place.
    pub deaths: PerDay<[u32; MAX_DEATH_DELAY + 2]>,
}

/// The confirmed cases of a province.
#[derive(Debug, Clone, Default)]
pub struct Onsets {
    /// By day of symptoms and days until registration; those after more days are in the last place.
    pub dated: PerDay<[u32; MAX_DELAY + 2]>,
    /// By day of registration, without a date of symptoms, or with one after the registration.
    pub undated: PerDay<u32>,
}

/// Values by day. A day counts from the first day of the register.
#[derive(Debug, Clone)]
pub struct PerDay<T>(Vec<T>);

impl<T> Default for PerDay<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A value of a day that can be empty.
pub trait Empty: Copy {
    const EMPTY: Self;

    fn add(&mut self, other: &Self);
}

impl Empty for u32 {
    const EMPTY: Self = 0;

    fn add(&mut self, other: &Self) {
        *self += other;
    }
}

impl<const N: usize> Empty for [u32; N] {
    const EMPTY: Self = [0; N];

    fn add(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(number, other)| *number += other);
    }
}

impl<T: Empty> PerDay<T> {
    /// Returns the value of a day, which is empty beyond the table.
    pub fn get(&self, day: usize) -> T {
        self.0.get(day).copied().unwrap_or(T::EMPTY)
    }

    /// Returns the number of days of the table.
    pub fn days(&self) -> usize {
        self.0.len()
    }

    /// Adds the values of another table day by day.
    pub fn add(&mut self, other: &Self) {
        if let Some(last) = other.0.len().checked_sub(1) {
            self.entry(last);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(value, other)| value.add(other));
    }

    fn entry(&mut self, day: usize) -> &mut T {
        if day >= self.0.len() {
            let length = (day + 1).next_multiple_of(GROWTH);
            self.0.reserve_exact(length - self.0.len());
            self.0.resize(length, T::EMPTY);
        }
        &mut self.0[day]
    }
}

/// Returns the number of a day; `None` before the register.
pub fn day_number(day: Day) -> Option<usize> {
    usize::try_from(day.0 - FIRST_REGISTRATION.0).ok()
}

/// Returns the day of a number.
pub fn day_of(number: usize) -> Day {
    Day(FIRST_REGISTRATION.0.saturating_add(i32::try_from(number).unwrap_or(i32::MAX)))
}

impl ReferenceDays {
    /// Counts a case; only its registration, if it is not confirmed.
    pub fn add(&mut self, case: &Case<'_>) {
        let Some(registered) = day_number(case.registered_on) else { return };
        *self.registered.entry(registered) += 1;
        if case.classification.as_deref() == Some(CONFIRMED) {
            self.add_confirmed(case, registered);
        }
    }

    fn add_confirmed(&mut self, case: &Case<'_>, registered: usize) {
        let province = case
            .residence_province_id
            .filter(|id| self.provinces.len() < MAX_PROVINCES || self.provinces.contains_key(&Some(*id)));
        let onsets = self.provinces.entry(province).or_default();
        let delay = case.symptoms_on.and_then(|day| usize::try_from(case.registered_on.0 - day.0).ok());
        let reference = if let (Some(delay), Some(symptoms)) = (delay, case.symptoms_on.and_then(day_number))
        {
            onsets.dated.entry(symptoms)[delay.min(MAX_DELAY + 1)] += 1;
            symptoms
        } else {
            *onsets.undated.entry(registered) += 1;
            registered
        };
        let age =
            case.age.and_then(|age| usize::try_from(age / 10).ok()).map_or(AGES - 1, |decade| decade.min(9));
        *self.ages[age].entry(reference) += 1;
        self.years.entry((province, case.registered_on.year())).or_default()[age] += 1;
        if let Some(died) = case.died_on {
            self.died[age] += 1;
            let days = usize::try_from(died.0 - day_of(reference).0).unwrap_or(0);
            self.deaths.entry(reference)[days.min(MAX_DEATH_DELAY + 1)] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(registered: usize, symptoms: Option<i32>, died: Option<i32>) -> Case<'static> {
        let relative = |days: i32| Day(day_of(registered).0 + days);
        Case {
            case_id: 1,
            sex: None,
            age: Some(95),
            symptoms_on: symptoms.map(relative),
            registered_on: day_of(registered),
            admitted_on: None,
            icu: false,
            ventilated: false,
            died_on: died.map(relative),
            diagnosed_on: None,
            registration_province_id: 6,
            residence_province_id: Some(6),
            residence_department_id: None,
            classification: Some(CONFIRMED.into()),
        }
    }

    #[test]
    fn confirmed_case_counts_on_its_reference_day() {
        let mut counts = ReferenceDays::default();
        for case in [
            case(100, Some(-3), Some(10)),
            case(100, Some(-90), None),
            // Symptoms after the registration, or before the register, date nothing.
            case(100, Some(2), Some(-1)),
            case(100, None, None),
            case(100, Some(-200), None),
        ] {
            counts.add(&case);
        }
        let onsets = &counts.provinces[&Some(6)];
        assert_eq!(
            (onsets.dated.get(97)[3], onsets.dated.get(10)[MAX_DELAY + 1], onsets.undated.get(100)),
            (1, 1, 3)
        );
        assert_eq!([10, 97, 100].map(|day| counts.ages[9].get(day)), [1, 1, 3]);
        assert_eq!((counts.died[9], counts.deaths.get(97)[13], counts.deaths.get(100)[0]), (2, 1, 1));
    }

    #[test]
    fn tables_do_not_grow_with_cases() {
        let mut counts = ReferenceDays::default();
        for _ in 0..1000 {
            counts.add(&Case { classification: None, ..case(899, None, None) });
        }
        assert!(counts.provinces.is_empty());
        assert_eq!(
            (counts.registered.days(), counts.registered.get(899), counts.registered.get(9999)),
            (960, 1000, 0)
        );
    }
}
