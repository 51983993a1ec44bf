//! A cleaned case, a row of `covid_case`, and its encoding for PostgreSQL's binary COPY.
//!
//! [`COPY_COLUMNS`], [`Case::encode`] and [`Case::decode`] have the fields in the same order; a test reads rows back from a real table.

use std::borrow::Cow;

use super::encoding::{field, value};
use crate::parse::date::Day;

/// The columns that [`Case::encode`] writes.
pub const COPY_COLUMNS: &str = "case_id, sex, age, symptoms_on, registered_on, admitted_on, icu, ventilated, died_on, \
     diagnosed_on, registration_province_id, residence_province_id, residence_department_id, classification";

const COLUMNS: i16 = 14;

/// A cleaned case. The fields are those of the table `covid_case`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<'a> {
    pub case_id: i64,
    pub sex: Option<Cow<'a, [u8]>>,
    pub age: Option<i16>,
    pub symptoms_on: Option<Day>,
    pub registered_on: Day,
    pub admitted_on: Option<Day>,
    pub icu: bool,
    pub ventilated: bool,
    pub died_on: Option<Day>,
    pub diagnosed_on: Option<Day>,
    pub registration_province_id: i16,
    pub residence_province_id: Option<i16>,
    pub residence_department_id: Option<i32>,
    pub classification: Option<Cow<'a, [u8]>>,
}

impl<'a> Case<'a> {
    /// Appends the row in COPY's binary format.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        let day = |day: Day| day.0.to_be_bytes();
        out.extend_from_slice(&COLUMNS.to_be_bytes());
        value(out, Some(self.case_id.to_be_bytes()));
        value(out, self.sex.as_deref());
        value(out, self.age.map(i16::to_be_bytes));
        value(out, self.symptoms_on.map(day));
        value(out, Some(day(self.registered_on)));
        value(out, self.admitted_on.map(day));
        value(out, Some([u8::from(self.icu)]));
        value(out, Some([u8::from(self.ventilated)]));
        value(out, self.died_on.map(day));
        value(out, self.diagnosed_on.map(day));
        value(out, Some(self.registration_province_id.to_be_bytes()));
        value(out, self.residence_province_id.map(i16::to_be_bytes));
        value(out, self.residence_department_id.map(i32::to_be_bytes));
        value(out, self.classification.as_deref());
    }

    /// Decodes what [`Case::encode`] wrote. The result for other bytes is unspecified.
    #[inline]
    pub fn decode(row: &'a [u8]) -> Option<Self> {
        let mut rest = row.strip_prefix(&COLUMNS.to_be_bytes())?;
        let mut next = || field(&mut rest);
        let int = |bytes: &[u8]| bytes.try_into().ok().map(i32::from_be_bytes);
        let small = |bytes: &[u8]| bytes.try_into().ok().map(i16::from_be_bytes);
        let day = |bytes: &[u8]| int(bytes).map(Day);
        let yes = |bytes: &[u8]| bytes == [1];
        Some(Self {
            case_id: i64::from_be_bytes(next()?.try_into().ok()?),
            sex: next().map(Cow::Borrowed),
            age: next().and_then(small),
            symptoms_on: next().and_then(day),
            registered_on: day(next()?)?,
            admitted_on: next().and_then(day),
            icu: yes(next()?),
            ventilated: yes(next()?),
            died_on: next().and_then(day),
            diagnosed_on: next().and_then(day),
            registration_province_id: small(next()?)?,
            residence_province_id: next().and_then(small),
            residence_department_id: next().and_then(int),
            classification: next().map(Cow::Borrowed),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;

    fn case() -> impl Strategy<Value = Case<'static>> {
        let day = || any::<i32>().prop_map(Day);
        let words = || of("\\PC{0,9}".prop_map(|text| Cow::Owned(text.into_bytes())));
        (
            (
                any::<i64>(),
                words(),
                of(any::<i16>()),
                of(day()),
                day(),
                of(day()),
                any::<bool>(),
                any::<bool>(),
            ),
            (of(day()), of(day()), any::<i16>(), of(any::<i16>()), of(any::<i32>()), words()),
        )
            .prop_map(|(person, place)| {
                let (case_id, sex, age, symptoms_on, registered_on, admitted_on, icu, ventilated) = person;
                let (died_on, diagnosed_on, registration, residence_province_id, department, classification) =
                    place;
                Case {
                    case_id,
                    sex,
                    age,
                    symptoms_on,
                    registered_on,
                    admitted_on,
                    icu,
                    ventilated,
                    died_on,
                    diagnosed_on,
                    registration_province_id: registration,
                    residence_province_id,
                    residence_department_id: department,
                    classification,
                }
            })
    }

    proptest! {
        #[test]
        fn encoded_case_round_trips(case in case(), cut in any::<prop::sample::Index>()) {
            let mut row = Vec::new();
            case.encode(&mut row);
            // No piece of a row makes it panic.
            drop(Case::decode(&row[..cut.index(row.len())]));
            prop_assert_eq!(Case::decode(&row), Some(case));
        }
    }
}
