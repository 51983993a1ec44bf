//! One cleaned case, as it stands in `covid_case`, and its encoding for PostgreSQL's binary COPY.
//!
//! The order of the fields here, of [`COPY_COLUMNS`] and of [`Case::encode`] is one order; a test reads rows back from a real table.

use std::borrow::Cow;

use super::encoding::{text, value};
use crate::parse::date::Day;

/// The columns that [`Case::encode`] writes.
pub const COPY_COLUMNS: &str = "case_id, sex, age, symptoms_on, registered_on, admitted_on, icu, ventilated, died_on, \
     diagnosed_on, registration_province_id, residence_province_id, residence_department_id, classification";

const COLUMNS: i16 = 14;

/// A cleaned case. The fields are those of the table `covid_case`.
#[expect(missing_docs, reason = "the columns are documented in the schema")]
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

impl Case<'_> {
    /// Appends the row in COPY's binary format.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        let day = |day: Day| day.0.to_be_bytes();
        out.extend_from_slice(&COLUMNS.to_be_bytes());
        value(out, Some(self.case_id.to_be_bytes()));
        text(out, self.sex.as_deref());
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
        text(out, self.classification.as_deref());
    }
}
