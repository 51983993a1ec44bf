//! The rules, one function each, in the order of the table in `docs/reference/cleaning-rules.md`.
//!
//! A function returns the value of the column. One that may reject returns an `Option`; one that may repair a value, or find a null that is
//! written as a word, records it in [`Notes`]. The rules for sex, yes and no, and classification are in `categories`.

use super::geography::Geography;
use super::missing::{Column, Missing};
use super::repairs::{Repair, Repairs};
use crate::parse::date::Day;
use crate::parse::field::Field;

/// Repairs, missing columns and null words of an accepted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notes {
    pub repairs: Repairs,
    /// Columns without a value.
    pub missing: Missing,
    /// Columns whose null is written as a word (`NULL`, `nan`, `\N`; `NA` is the ministry's own).
    pub null_words: Missing,
}

impl Notes {
    /// Returns the field's value, or `None` if it is null; records a null that is written as a word.
    #[inline]
    pub(super) fn value<'a>(&mut self, field: Field<'a>, column: Column) -> Option<&'a [u8]> {
        let value = field.value();
        if value.is_none() && !field.0.is_empty() && field.is_null_word() && !field.is(b"NA") {
            self.null_words.note(column);
        }
        value
    }
}

/// The first day of the register.
pub(crate) const FIRST_REGISTRATION: Day = day(2020, 1, 1);

/// The earliest plausible date.
const FIRST_DATE: Day = day(1900, 1, 1);

const MAX_AGE: u64 = 120;

/// The ministry's code for an unspecified province.
pub(super) const UNSPECIFIED_PROVINCE: u64 = 99;

/// Ciudad Autónoma de Buenos Aires.
const CABA: i16 = 2;

/// Tierra del Fuego, Antártida e Islas del Atlántico Sur.
const TIERRA_DEL_FUEGO: i16 = 94;

/// `id_evento_caso`: a positive integer that PostgreSQL's `bigint` can hold.
#[inline]
pub fn case_id(field: Field<'_>) -> Option<i64> {
    field.unsigned().and_then(|id| i64::try_from(id).ok()).filter(|id| *id > 0)
}

/// `fecha_apertura`: from 2020-01-01 to the dataset's date.
#[inline]
pub fn registered_on(field: Field<'_>, dataset_date: Day) -> Option<Day> {
    field.day().filter(|day| (FIRST_REGISTRATION..=dataset_date).contains(day))
}

/// `carga_provincia_id`: one that exists.
#[inline]
pub fn registration_province(field: Field<'_>, geography: &Geography) -> Option<i16> {
    field.code().filter(|code| *code != 0).and_then(|code| geography.province(code))
}

/// `edad` with `edad_años_meses`: completed years, 0 for an age in months.
#[inline]
pub fn age(field: Field<'_>, unit: Field<'_>, notes: &mut Notes) -> Option<i16> {
    if notes.value(field, Column::Age).is_none() {
        notes.repairs.note(Repair::MissingAge);
        return None;
    }
    let Some(age) = field.unsigned().filter(|age| *age <= MAX_AGE) else {
        notes.repairs.note(Repair::AgeOutOfRange);
        return None;
    };
    if unit.is(b"Meses") { Some(0) } else { i16::try_from(age).ok() }
}

/// Another date (`fecha_inicio_sintomas`, `fecha_internacion`, `fecha_fallecimiento`, `fecha_diagnostico`): from 1900 to the day after the
/// dataset's.
#[inline]
pub fn optional_date(
    field: Field<'_>,
    dataset_date: Day,
    (column, invalid): (Column, Repair),
    notes: &mut Notes,
) -> Option<Day> {
    notes.value(field, column)?;
    let last = Day(dataset_date.0 + 1);
    let date = field.day().filter(|day| (FIRST_DATE..=last).contains(day));
    if date.is_none() {
        notes.repairs.note(invalid);
    }
    date
}

/// `residencia_provincia_id`: 99 means unspecified.
#[inline]
pub fn residence_province(field: Field<'_>, geography: &Geography, notes: &mut Notes) -> Option<i16> {
    notes.value(field, Column::ResidenceProvince)?;
    let code = field.code();
    if code == Some(UNSPECIFIED_PROVINCE) {
        return None;
    }
    let province = code.and_then(|code| geography.province(code));
    if province.is_none() {
        notes.repairs.note(Repair::UnknownResidenceProvince);
    }
    province
}

/// `residencia_departamento_id`: a code within the residence province; 0 means unspecified.
#[inline]
pub fn residence_department(
    field: Field<'_>,
    province: Option<i16>,
    geography: &Geography,
    notes: &mut Notes,
) -> Option<i32> {
    notes.value(field, Column::ResidenceDepartment)?;
    department(field, province, geography, || notes.repairs.note(Repair::UnknownResidenceDepartment))
}

/// Parses the code of a department within a province; 0 means unspecified. Calls `on_unknown` for a code that the province does not have.
#[inline]
pub(super) fn department(
    field: Field<'_>,
    province: Option<i16>,
    geography: &Geography,
    on_unknown: impl FnOnce(),
) -> Option<i32> {
    let code = field.code();
    if code == Some(0) {
        return None;
    }
    let department =
        province.zip(code).and_then(|(province, code)| department_in_georef(province, code, geography));
    if department.is_none() {
        on_unknown();
    }
    department
}

/// Returns georef's code of the department that has this code of the ministry in a province.
///
/// Two jurisdictions number differently from georef: CABA's comuna n is georef's 2000 + 7n, and Tierra del Fuego's Ushuaia (14) and
/// Río Grande (7) became 15 and 8 when Tolhuin was founded. If the reference table has the old codes, they are used.
#[inline]
fn department_in_georef(province: i16, code: u64, geography: &Geography) -> Option<i32> {
    let known = |code| geography.department(province, code);
    match (province, code) {
        (CABA, comuna) => known(comuna.checked_mul(7)?),
        (TIERRA_DEL_FUEGO, 14) => known(14).or_else(|| known(15)),
        (TIERRA_DEL_FUEGO, 7) => known(7).or_else(|| known(8)),
        (_, code) => known(code),
    }
}

const fn day(year: i32, month: u32, day: u32) -> Day {
    Day::from_calendar(year, month, day).expect("a real date")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATASET: Day = day(2022, 6, 5);

    fn geography() -> Geography {
        Geography::new([2, 6, 94], [2007, 2049, 2105, 6060, 6441, 94_008, 94_015])
    }

    #[test]
    fn case_ids() {
        let read = |text: &str| case_id(Field(text.as_bytes()));
        assert_eq!(read("1000000"), Some(1_000_000));
        assert_eq!(read("9223372036854775807"), Some(i64::MAX));
        for wrong in ["", "NA", "0", "-1", "1.5", "x", "9223372036854775808", "99999999999999999999"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn registration_dates() {
        let read = |text: &str| registered_on(Field(text.as_bytes()), DATASET).map(|day| day.to_string());
        assert_eq!(read("2020-01-01").as_deref(), Some("2020-01-01"));
        assert_eq!(read("2022-06-05").as_deref(), Some("2022-06-05"));
        for wrong in ["", "NA", "2019-12-31", "2022-06-06", "2021-02-30", "hoy"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn ages() {
        let read = |text: &str, unit: &str| {
            let mut notes = Notes::default();
            let age = age(Field(text.as_bytes()), Field(unit.as_bytes()), &mut notes);
            (age, notes.repairs.iter().next().map(Repair::name))
        };
        assert_eq!(read("0", "Años"), (Some(0), None));
        assert_eq!(read("120", "Años"), (Some(120), None));
        assert_eq!(read("11", "Meses"), (Some(0), None));
        for wrong in ["121", "-1", "2025", "54.5", "cinco", "99999999999999999999"] {
            assert_eq!(read(wrong, "Años"), (None, Some("age_out_of_range")), "{wrong}");
            assert_eq!(read(wrong, "Meses"), (None, Some("age_out_of_range")), "{wrong} months");
        }
        for blank in ["", "NA", " "] {
            assert_eq!(read(blank, "Meses"), (None, Some("missing_age")));
        }
    }

    #[test]
    fn other_dates() {
        let read = |text: &str| {
            let mut notes = Notes::default();
            let rule = (Column::DiedOn, Repair::InvalidDiedOn);
            let date = optional_date(Field(text.as_bytes()), DATASET, rule, &mut notes);
            (date.is_some(), !notes.repairs.is_empty())
        };
        for right in ["1900-01-01", "2019-05-01", "2022-06-05", "2022-06-06"] {
            assert_eq!(read(right), (true, false), "{right}");
        }
        for wrong in ["1899-12-31", "2022-06-07", "2021-13-01", "ayer"] {
            assert_eq!(read(wrong), (false, true), "{wrong}");
        }
        for blank in ["", "NA"] {
            assert_eq!(read(blank), (false, false));
        }
    }

    #[test]
    fn residence_provinces() {
        let read = |text: &str| {
            let mut notes = Notes::default();
            (residence_province(Field(text.as_bytes()), &geography(), &mut notes), !notes.repairs.is_empty())
        };
        assert_eq!(read("02"), (Some(2), false));
        assert_eq!(read("99"), (None, false));
        assert_eq!(read(""), (None, false));
        assert_eq!(read("NA"), (None, false));
        assert_eq!(read("0"), (None, true));
        assert_eq!(read("77"), (None, true));
        assert_eq!(read("CABA"), (None, true));
    }

    #[test]
    fn residence_departments() {
        let read = |text: &str, province: Option<i16>| {
            let mut notes = Notes::default();
            (
                residence_department(Field(text.as_bytes()), province, &geography(), &mut notes),
                !notes.repairs.is_empty(),
            )
        };
        assert_eq!(read("441", Some(6)), (Some(6441), false));
        assert_eq!(read("001", Some(2)), (Some(2007), false));
        assert_eq!(read("007", Some(2)), (Some(2049), false));
        assert_eq!(read("15", Some(2)), (Some(2105), false));
        assert_eq!(read("014", Some(94)), (Some(94_015), false));
        assert_eq!(read("007", Some(94)), (Some(94_008), false));
        let old_codes = Geography::new([94], [94_007, 94_008, 94_014, 94_015]);
        for (code, department) in [(7, 94_007), (8, 94_008), (14, 94_014), (15, 94_015)] {
            assert_eq!(department_in_georef(94, code, &old_codes), Some(department), "the table has {code}");
        }
        assert_eq!(read("441.0", Some(6)), (Some(6441), false));
        for unspecified in ["0", "000", "0.0", "", "NA", "NULL"] {
            assert_eq!(read(unspecified, Some(6)), (None, false));
            assert_eq!(read(unspecified, None), (None, false));
        }
        for (wrong, province) in
            [("442", Some(6)), ("441", None), ("16", Some(2)), ("580", Some(2)), ("x", Some(6))]
        {
            assert_eq!(read(wrong, province), (None, true), "{wrong} in {province:?}");
        }
    }
}
