//! What a case must be: one named function per rule (`rules`), applied in a fixed order.
//!
//! A row is kept, filtered (its year is not wanted) or rejected for the first reason that applies; a kept row may have been repaired.
//! Duplicates are not found here, because that needs the whole file: see `distinct`. The two optional datasets have rules of their own
//! beside those of the cases (`laboratories`, `vaccinations`). This is pure: no IO, no clock, no shared state.

pub mod case;
pub mod columns;
pub mod encoding;
pub mod geography;
pub mod laboratories;
pub mod optional;
pub mod rules;
pub mod vaccinations;
pub mod years;

use crate::parse::date::Day;
use crate::parse::fields::Fields;
use case::Case;
use columns::Columns;
use geography::Geography;
use rules::Repairs;
use years::Years;

/// Increases whenever a change of the rules changes what is loaded from the same files: an unchanged dataset is then loaded again.
pub const RULES_VERSION: i32 = 2;

/// Why a row of the line list is not in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// Wrong number of fields, broken quoting or invalid text.
    Malformed,
    /// No case id, or not a positive integer of 64 bits.
    MissingCaseId,
    /// No registration date, not a date, or outside 2020-01-01 … the dataset's date.
    InvalidRegistrationDate,
    /// A registration province that does not exist.
    UnknownRegistrationProvince,
    /// A row with the same case id was already kept.
    DuplicateCaseId,
}

impl Rejection {
    /// In the order of the rules.
    pub const ALL: [Self; 5] = [
        Self::Malformed,
        Self::MissingCaseId,
        Self::InvalidRegistrationDate,
        Self::UnknownRegistrationProvince,
        Self::DuplicateCaseId,
    ];

    /// The word in `run_issue.reason` and `rejected_row.reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::MissingCaseId => "missing_case_id",
            Self::InvalidRegistrationDate => "invalid_registration_date",
            Self::UnknownRegistrationProvince => "unknown_registration_province",
            Self::DuplicateCaseId => "duplicate_case_id",
        }
    }
}

/// What the rules say of one well-formed row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Load it.
    Kept(Case<'a>, Repairs),
    /// Its year is not wanted.
    Filtered,
    /// It cannot be loaded.
    Rejected(Rejection),
}

/// Everything that the rules need to know besides the row.
#[derive(Debug)]
pub struct Rules {
    /// Where the columns stand in this file.
    pub columns: Columns,
    /// `ultima_actualizacion`: no date of the dataset can be later (by more than a day).
    pub dataset_date: Day,
    /// The wanted years of registration.
    pub years: Years,
    /// The provinces and departments that exist.
    pub geography: Geography,
}

impl Rules {
    /// Applies every rule to one row, in order.
    #[inline]
    pub fn judge<'a>(&self, line: &'a [u8], fields: &Fields) -> Verdict<'a> {
        let column = &self.columns;
        let field = |index: usize| fields.get(line, index);

        let Some(case_id) = rules::case_id(field(column.case_id)) else {
            return Verdict::Rejected(Rejection::MissingCaseId);
        };
        let Some(registered_on) = rules::registered_on(field(column.registered_on), self.dataset_date) else {
            return Verdict::Rejected(Rejection::InvalidRegistrationDate);
        };
        if !self.years.contain(registered_on) {
            return Verdict::Filtered;
        }
        let Some(registration_province_id) =
            rules::registration_province(field(column.registration_province), &self.geography)
        else {
            return Verdict::Rejected(Rejection::UnknownRegistrationProvince);
        };

        let mut repairs = Repairs::default();
        let residence_province_id =
            rules::residence_province(field(column.residence_province), &self.geography, &mut repairs);
        let case = Case {
            case_id,
            sex: rules::sex(field(column.sex)),
            age: rules::age(field(column.age), field(column.age_unit), &mut repairs),
            symptoms_on: rules::symptoms_on(field(column.symptoms_on), self.dataset_date, &mut repairs),
            registered_on,
            admitted_on: rules::admitted_on(field(column.admitted_on), self.dataset_date, &mut repairs),
            icu: rules::yes(field(column.icu)),
            ventilated: rules::yes(field(column.ventilated)),
            died_on: rules::died_on(field(column.died_on), self.dataset_date, &mut repairs),
            diagnosed_on: rules::diagnosed_on(field(column.diagnosed_on), self.dataset_date, &mut repairs),
            registration_province_id,
            residence_province_id,
            residence_department_id: rules::residence_department(
                field(column.residence_department),
                residence_province_id,
                &self.geography,
                &mut repairs,
            ),
            classification: rules::classification(field(column.classification)),
        };
        Verdict::Kept(case, repairs)
    }
}
