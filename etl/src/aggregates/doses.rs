//! Counts of doses by week: by place of residence, sex and age group, and by place of application, vaccine and condition.

use std::io;

use super::group_counts::GroupCounts;
use crate::clean::doses::{Dose, Place, Week};
use crate::clean::encoding::value;
use crate::interner::Interner;

/// The tables of the counts, with their columns but `run_id` and `doses`.
pub const TABLES: [(&str, &str); 2] = [
    (
        "run_dose_count",
        "week_starts_on, residence_province_id, residence_department_id, sex, age_group, dose",
    ),
    (
        "run_dose_application_count",
        "week_starts_on, application_province_id, application_department_id, vaccine, condition, dose",
    ),
];

/// Doses by group.
#[derive(Debug, Default)]
pub struct DoseAggregates {
    residences: GroupCounts,
    applications: GroupCounts,
}

impl DoseAggregates {
    /// Counts a dose.
    ///
    /// # Errors
    /// If a temporary file cannot be written or read.
    #[inline]
    pub fn add(&mut self, dose: &Dose) -> io::Result<()> {
        let Dose { week, sex, age_group, residence, application, vaccine, dose, condition, .. } = *dose;
        self.residences.add(Group { place: residence, week, texts: [sex, age_group, dose] }.key())?;
        self.applications.add(Group { place: application, week, texts: [vaccine, condition, dose] }.key())
    }

    /// Returns the counts of each of [`TABLES`].
    pub fn into_tables(self) -> [GroupCounts; 2] {
        [self.residences, self.applications]
    }
}

/// The key of a count. Texts are numbers of the interner that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    place: Place,
    week: Week,
    texts: [u16; 3],
}

/// The bits of a part of the key: an interner has at most 1,000 texts, a place is at most [`Place::LAST`].
const TEXT_BITS: u32 = 10;
const WEEK_BITS: u32 = u16::BITS;

impl Group {
    fn key(self) -> u64 {
        let texts = self.texts.iter().fold(0, |key, text| key << TEXT_BITS | u64::from(*text));
        (u64::from(self.place.0) << WEEK_BITS | u64::from(self.week.0)) << (3 * TEXT_BITS) | texts
    }

    #[expect(clippy::cast_possible_truncation, reason = "each part is masked or was as small in `key`")]
    pub fn of_key(key: u64) -> Self {
        let part = |shift: u32, bits: u32| key >> shift & ((1 << bits) - 1);
        let text = |place: u32| part(place * TEXT_BITS, TEXT_BITS) as u16;
        Self {
            place: Place((key >> (3 * TEXT_BITS + WEEK_BITS)) as u32),
            week: Week(part(3 * TEXT_BITS, WEEK_BITS) as u16),
            texts: [text(2), text(1), text(0)],
        }
    }

    /// Appends the values of the columns of [`TABLES`] in COPY's binary format.
    pub fn encode(self, texts: &Interner, row: &mut Vec<u8>) {
        value(row, self.week.starts_on().map(|day| day.0.to_be_bytes()));
        value(row, self.place.province().map(i16::to_be_bytes));
        value(row, self.place.department().map(i32::to_be_bytes));
        for text in self.texts {
            value(row, texts.resolve(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_keeps_every_part() {
        for (place, week, texts) in [
            (0, 0, [0; 3]),
            (94_028, 1_400, [1, 2, 3]),
            (Place::LAST, u16::MAX, [1_000, 0, 1_000]),
            (99_999, 1, [0, 1_000, 0]),
        ] {
            let group = Group { place: Place(place), week: Week(week), texts };
            assert_eq!(Group::of_key(group.key()), group);
        }
    }
}
