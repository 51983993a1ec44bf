//! The cleaning rules: one function per rule, applied in a fixed order. Pure: no IO, no clock, no shared state.
//!
//! A row is accepted, filtered (its year is not wanted) or rejected for the first reason that applies; an accepted row may have been
//! repaired. Each dataset has a [`RowCleaner`]: [`CaseCleaner`], [`laboratories`], [`vaccinations`]. Duplicate cases are found in `distinct`,
//! which sees the whole file.

pub mod case;
pub mod categories;
pub mod columns;
pub mod encoding;
pub mod geography;
pub mod laboratories;
pub mod missing;
pub mod null_words;
pub mod repairs;
mod row;
pub mod rules;
mod shared;
pub mod vaccinations;
pub mod years;

use std::sync::Arc;

use common::failure::Result;

pub use self::row::{Row, RowCleaner, RowOutcome};
use crate::parse::fields::Fields;
use case::Case;
use columns::Columns;
use geography::Geography;
use missing::{Column, Missing};
use null_words::NullWords;
use repairs::Repairs;
use rules::Notes;
use years::Period;

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

/// The rules of the line list, for one file.
#[derive(Debug)]
pub struct CaseRules {
    /// The positions of the columns in the file.
    pub columns: Columns,
    pub period: Period,
    /// The provinces and departments that exist.
    pub geography: Geography,
}

/// Cleans the line list. Workers share the rules.
#[derive(Debug, Clone)]
pub struct CaseCleaner(pub Arc<CaseRules>);

/// What is known of an accepted case besides its encoding.
#[derive(Debug)]
pub struct AcceptedCase {
    pub case_id: u64,
    pub repairs: Repairs,
    /// Its columns without a value.
    pub missing: Missing,
}

impl RowCleaner for CaseCleaner {
    type Accepted = AcceptedCase;
    type Notes = NullWords;

    #[inline]
    fn clean_row(
        &mut self,
        row: &Row<'_>,
        encoded: &mut Vec<u8>,
        null_words: &mut NullWords,
    ) -> Result<RowOutcome<AcceptedCase>> {
        Ok(match self.0.clean(row.text, row.fields) {
            RowOutcome::Filtered => RowOutcome::Filtered,
            RowOutcome::Rejected(reason) => RowOutcome::Rejected(reason),
            RowOutcome::Accepted((case, notes)) => {
                case.encode(encoded);
                for column in notes.null_words.iter() {
                    let field = row.fields.get(row.text, self.0.columns.source_of(column));
                    null_words.note(column, row.line, field.trimmed());
                }
                let Notes { repairs, missing, .. } = notes;
                RowOutcome::Accepted(AcceptedCase { case_id: case.case_id.unsigned_abs(), repairs, missing })
            }
        })
    }
}

impl CaseRules {
    /// Applies every rule to a row, in order.
    #[inline]
    pub fn clean<'a>(&self, line: &'a [u8], fields: &Fields) -> RowOutcome<(Case<'a>, Notes)> {
        let column = &self.columns;
        let field = |index: usize| fields.get(line, index);

        let Some(case_id) = rules::case_id(field(column.case_id)) else {
            return RowOutcome::Rejected(Rejection::MissingCaseId.name());
        };
        let Some(registered_on) = rules::registered_on(field(column.registered_on), self.period.dataset_date)
        else {
            return RowOutcome::Rejected(Rejection::InvalidRegistrationDate.name());
        };
        if !self.period.years.contain(registered_on) {
            return RowOutcome::Filtered;
        }
        let Some(registration_province_id) =
            rules::registration_province(field(column.registration_province), &self.geography)
        else {
            return RowOutcome::Rejected(Rejection::UnknownRegistrationProvince.name());
        };

        let mut notes = Notes::default();
        let residence_province_id =
            rules::residence_province(field(column.residence_province), &self.geography, &mut notes);
        let icu = categories::yes(field(column.icu), Column::Icu, &mut notes);
        let ventilated = categories::yes(field(column.ventilated), Column::Ventilated, &mut notes);
        let case = Case {
            case_id,
            sex: categories::sex(field(column.sex), &mut notes),
            age: rules::age(field(column.age), field(column.age_unit), &mut notes),
            symptoms_on: rules::symptoms_on(field(column.symptoms_on), self.period.dataset_date, &mut notes),
            registered_on,
            admitted_on: rules::admitted_on(field(column.admitted_on), self.period.dataset_date, &mut notes),
            icu: icu == Some(true),
            ventilated: ventilated == Some(true),
            died_on: rules::died_on(field(column.died_on), self.period.dataset_date, &mut notes),
            diagnosed_on: rules::diagnosed_on(
                field(column.diagnosed_on),
                self.period.dataset_date,
                &mut notes,
            ),
            registration_province_id,
            residence_province_id,
            residence_department_id: rules::residence_department(
                field(column.residence_department),
                residence_province_id,
                &self.geography,
                &mut notes,
            ),
            classification: categories::classification(field(column.classification), &mut notes),
        };
        notes.missing.add_empty(&case, icu, ventilated);
        RowOutcome::Accepted((case, notes))
    }
}

#[cfg(test)]
mod tests {
    use years::Years;

    use super::*;
    use crate::parse::date::Day;
    use crate::parse::header::Header;
    use crate::parse::record::Records;

    const HEADER: &str = "id_evento_caso,sexo,edad,edad_años_meses,fecha_inicio_sintomas,fecha_apertura,fecha_internacion,\
        cuidado_intensivo,asistencia_respiratoria_mecanica,fecha_fallecimiento,fecha_diagnostico,carga_provincia_id,\
        residencia_provincia_id,residencia_departamento_id,clasificacion_resumen,ultima_actualizacion";

    fn clean(row: &str) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
        let header = Header::parse(HEADER.as_bytes(), "x.csv").unwrap();
        let dataset_date = Day::parse(b"2022-06-05").unwrap();
        let rules = CaseRules {
            columns: Columns::find(&header, "x.csv").unwrap(),
            period: Period { years: Years::new(&years::YearsWanted::All, dataset_date), dataset_date },
            geography: Geography::new([6], [6441]),
        };
        let mut records = Records::new(row.as_bytes(), 2, rules.columns.count);
        let record = records.next().unwrap();
        let names = |columns: Missing| columns.iter().map(Column::name).collect();
        match rules.clean(record.raw, records.fields()) {
            RowOutcome::Accepted((_, notes)) => Some((names(notes.missing), names(notes.null_words))),
            RowOutcome::Filtered | RowOutcome::Rejected(_) => None,
        }
    }

    #[test]
    fn clean_reports_columns_without_value() {
        let whole = "1,F,30,Años,2021-05-01,2021-05-02,2021-05-03,SI,NO,2021-05-04,2021-05-05,06,06,441,Confirmado,2022-06-05";
        assert_eq!(clean(whole), Some((vec![], vec![])));
        let empty = "1,,,,,2021-05-02,,,,,,06,,,,2022-06-05";
        let nullable: Vec<_> = Column::ALL[..11].iter().map(|column| column.name()).collect();
        assert_eq!(clean(empty), Some((nullable.clone(), vec![])));
        let words = "1,NULL,nan,,\\N,2021-05-02,null,NaN,\\n,NULL,NULL,06,NULL,NULL,NULL,2022-06-05";
        assert_eq!(clean(words), Some((nullable.clone(), nullable)));
        let repaired =
            "1,F,x,Años,ayer,2021-05-02,,quizás,no,2021-05-04,2021-05-05,06,99,441,Otro,2022-06-05";
        let missing = [
            "age",
            "symptoms_on",
            "admitted_on",
            "icu",
            "residence_province_id",
            "residence_department_id",
            "unknown_classification",
        ];
        assert_eq!(clean(repaired), Some((missing.to_vec(), vec![])));
    }
}
