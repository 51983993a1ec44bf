//! Introduces a defect into the text of a clean row; other fields stay as they are.
//!
//! Only defects that readers agree about are included. An unclosed quote, for example, is not: readers differ in the number of
//! lines that it swallows.

use crate::calendar::{RELEASED, date};
use crate::defect::Defect;
use crate::geography::UNSPECIFIED;
use crate::random::RowRng;

const ID: usize = 0;
const SEX: usize = 1;
const AGE: usize = 2;
const AGE_UNIT: usize = 3;
const RESIDENCE_PROVINCE: usize = 5;
const RESIDENCE_DEPARTMENT: usize = 6;
const REGISTRATION_PROVINCE: usize = 7;
const SYMPTOMS: usize = 8;
const REGISTERED: usize = 9;
const ADMITTED: usize = 11;
const DEAD: usize = 14;
const DIED: usize = 15;
const REGISTRATION_PROVINCE_ID: usize = 17;
const CLASSIFICATION: usize = 19;
const OUTCOME: usize = 20;
const RESIDENCE_PROVINCE_ID: usize = 21;
const DIAGNOSED: usize = 22;
const RESIDENCE_DEPARTMENT_ID: usize = 23;

/// Invalid dates, and dates before 1900 or more than a day after the release.
const INVALID_DATES: [&str; 7] =
    ["2202-03-04", "1899-12-31", "0000-00-00", "2021-02-30", "15/03/2021", "2022-06-07", "s/d"];

const NULLS: [&[u8]; 3] = [b"", b"\"\"", b"NA"];

/// The raw fields of a row, quotes included.
struct Row<'a> {
    fields: Vec<Vec<u8>>,
    end: &'static [u8],
    rng: &'a mut RowRng,
}

/// Returns a clean row, which ends in CRLF, with the defect. For duplicates, `clean` is the original.
pub(crate) fn corrupt_row(clean: &[u8], defect: Defect, rng: &mut RowRng) -> Vec<u8> {
    // Clean fields contain no commas.
    let line = clean.strip_suffix(b"\r\n").unwrap_or(clean);
    let fields: Vec<Vec<u8>> = line.split(|&byte| byte == b',').map(<[u8]>::to_vec).collect();
    let mut row = Row { fields, end: b"\r\n", rng };
    row.corrupt(defect);
    let mut text = row.fields.join(&b',');
    text.extend_from_slice(row.end);
    text
}

impl Row<'_> {
    fn corrupt(&mut self, defect: Defect) {
        match defect {
            Defect::TooFewFields => {
                let left = 12 + self.rng.index(13);
                self.fields.truncate(left);
            }
            Defect::TooManyFields => self.fields.push(b"\"\"".to_vec()),
            Defect::StrayQuote => self.raw(OUTCOME, b"\"Descar\"ta\"do\""),
            Defect::InvalidText => self.raw(OUTCOME, b"\"Confirmado\xF3\""),
            Defect::NoId => self.any_raw(ID, &NULLS),
            Defect::IdIsZero => self.set(ID, "0"),
            Defect::IdIsNegative => self.fields[ID].insert(1, b'-'),
            Defect::IdIsNoNumber => self.any(ID, &["s/d", "12a45", "id 1234567"]),
            Defect::IdIsTooLarge => self.any(ID, &["9223372036854775808", "92233720368547758080"]),
            Defect::NoRegistrationDate => self.raw(REGISTERED, b""),
            Defect::RegistrationIsNoDate => {
                self.any(REGISTERED, &["2021-02-29", "31/12/2021", "2022-13-01", "ayer"]);
            }
            Defect::RegistrationTooEarly => self.any(REGISTERED, &["2019-12-31", "1921-04-08", "0001-01-01"]),
            Defect::RegistrationTooLate => self.any(REGISTERED, &["2022-06-06", "2202-01-14"]),
            Defect::RegistrationProvinceZero => {
                self.set(REGISTRATION_PROVINCE, UNSPECIFIED);
                self.any(REGISTRATION_PROVINCE_ID, &["0", "00"]);
            }
            Defect::RegistrationProvinceUnknown => self.any(REGISTRATION_PROVINCE_ID, &["97", "03"]),
            Defect::DuplicateNearby | Defect::DuplicateFarAway => {
                self.set(CLASSIFICATION, "Caso sospechoso - No Activo - Sin muestra");
                self.set(OUTCOME, "Sospechoso");
            }
            Defect::NoAge => self.any_raw(AGE, &NULLS),
            Defect::AgeIsNegative => self.age("-5", "Años"),
            Defect::AgeIsTooHigh => self.age("121", "Años"),
            Defect::AgeIsAYear => self.age("2025", "Años"),
            Defect::AgeHasDecimals => self.age("54.5", "Años"),
            Defect::MonthsTooHigh => self.age("150", "Meses"),
            Defect::Months => self.age("7", "Meses"),
            Defect::InvalidSymptomsDate => self.any(SYMPTOMS, &INVALID_DATES),
            Defect::InvalidAdmissionDate => self.any(ADMITTED, &INVALID_DATES),
            Defect::InvalidDeathDate => {
                self.set(DEAD, "SI");
                self.any(DIED, &INVALID_DATES);
            }
            Defect::InvalidDiagnosisDate => self.any(DIAGNOSED, &INVALID_DATES),
            Defect::ResidenceProvinceUnknown => self.residence(["Montevideo", UNSPECIFIED, "97", "0"]),
            // As in the ministry's files: Campana is in Buenos Aires.
            Defect::DepartmentOfAnotherProvince => self.residence(["Jujuy", "Campana", "38", "126"]),
            Defect::DepartmentOfNoProvince => self.residence(["Córdoba", "Atlántida", "14", "999"]),
            Defect::DepartmentUnderUnspecified => self.residence([UNSPECIFIED, "Capital", "99", "007"]),
            Defect::DepartmentZero => self.residence(["Córdoba", UNSPECIFIED, "14", "0"]),
            Defect::ProvinceUnspecified => self.residence([UNSPECIFIED, UNSPECIFIED, "99", "0"]),
            Defect::Comuna => self.residence(["CABA", "COMUNA 14", "02", "014"]),
            Defect::RioGrande => self.residence(["Tierra del Fuego", "Río Grande", "94", "007"]),
            Defect::Ushuaia => self.residence(["Tierra del Fuego", "Ushuaia", "94", "014"]),
            Defect::SpacesInOutcome => {
                self.any(OUTCOME, &[" Confirmado", "Descartado  ", "  Sospechoso ", "Sin   Clasificar"]);
            }
            Defect::NullAsNa => self.null_as(&[b"NA", b"\"NA\""]),
            Defect::NullAsQuotes => self.null_as(&[b"\"\""]),
            Defect::DatesAtTheLimits => {
                self.set(SYMPTOMS, "1900-01-01");
                self.set(DIAGNOSED, &date(RELEASED + 1).to_string());
            }
            Defect::BareFields => {
                for field in &mut self.fields {
                    field.retain(|&byte| byte != b'"');
                }
            }
            Defect::BareLineFeed => self.end = b"\n",
            Defect::BlankLine => self.end = b"\r\n\r\n",
            Defect::AnotherSex => self.any(SEX, &["X", "NB"]),
            Defect::AnotherOutcome => self.set(OUTCOME, "Sin Clasificar"),
        }
    }

    fn age(&mut self, age: &str, unit: &str) {
        self.set(AGE, age);
        self.set(AGE_UNIT, unit);
    }

    /// Sets the names of province and department, and their codes.
    fn residence(&mut self, values: [&str; 4]) {
        let columns =
            [RESIDENCE_PROVINCE, RESIDENCE_DEPARTMENT, RESIDENCE_PROVINCE_ID, RESIDENCE_DEPARTMENT_ID];
        for (column, value) in columns.into_iter().zip(values) {
            self.set(column, value);
        }
    }

    /// Writes every null, and the symptoms date and department, in another spelling.
    fn null_as(&mut self, spellings: &[&[u8]]) {
        let spelling = *self.rng.choose(spellings);
        self.fields[SYMPTOMS].clear();
        self.fields[RESIDENCE_DEPARTMENT_ID].clear();
        for field in self.fields.iter_mut().filter(|field| field.is_empty()) {
            field.extend_from_slice(spelling);
        }
    }

    fn set(&mut self, column: usize, value: &str) {
        self.raw(column, format!("\"{value}\"").as_bytes());
    }

    fn any(&mut self, column: usize, values: &[&str]) {
        let value = *self.rng.choose(values);
        self.set(column, value);
    }

    fn any_raw(&mut self, column: usize, values: &[&[u8]]) {
        let value = *self.rng.choose(values);
        self.raw(column, value);
    }

    fn raw(&mut self, column: usize, value: &[u8]) {
        value.clone_into(&mut self.fields[column]);
    }
}
