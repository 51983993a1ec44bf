//! What a case must be: one named function per rule (`rules`), applied in a fixed order.
//!
//! A row is kept, filtered (its year is not wanted) or rejected for the first reason that applies; a kept row may have been repaired.
//! Duplicates are not found here, because that needs the whole file: see `distinct`. The two optional datasets have rules of their own
//! beside those of the cases (`laboratories`, `vaccinations`). This is pure: no IO, no clock, no shared state.

pub mod case;
pub mod categories;
pub mod columns;
pub mod encoding;
pub mod geography;
pub mod laboratories;
pub mod missing;
pub mod null_words;
pub mod optional;
pub mod repairs;
pub mod rules;
pub mod vaccinations;
pub mod years;

use crate::parse::date::Day;
use crate::parse::fields::Fields;
use case::Case;
use columns::Columns;
use geography::Geography;
use missing::Column;
use rules::Notes;
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
    Kept(Case<'a>, Notes),
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

        let mut notes = Notes::default();
        let residence_province_id =
            rules::residence_province(field(column.residence_province), &self.geography, &mut notes);
        let icu = categories::yes(field(column.icu), Column::Icu, &mut notes);
        let ventilated = categories::yes(field(column.ventilated), Column::Ventilated, &mut notes);
        let case = Case {
            case_id,
            sex: categories::sex(field(column.sex), &mut notes),
            age: rules::age(field(column.age), field(column.age_unit), &mut notes),
            symptoms_on: rules::symptoms_on(field(column.symptoms_on), self.dataset_date, &mut notes),
            registered_on,
            admitted_on: rules::admitted_on(field(column.admitted_on), self.dataset_date, &mut notes),
            icu: icu == Some(true),
            ventilated: ventilated == Some(true),
            died_on: rules::died_on(field(column.died_on), self.dataset_date, &mut notes),
            diagnosed_on: rules::diagnosed_on(field(column.diagnosed_on), self.dataset_date, &mut notes),
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
        Verdict::Kept(case, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::Header;
    use crate::parse::record::Records;

    const HEADER: &str = "id_evento_caso,sexo,edad,edad_años_meses,fecha_inicio_sintomas,fecha_apertura,fecha_internacion,\
        cuidado_intensivo,asistencia_respiratoria_mecanica,fecha_fallecimiento,fecha_diagnostico,carga_provincia_id,\
        residencia_provincia_id,residencia_departamento_id,clasificacion_resumen,ultima_actualizacion";

    fn judge(row: &str) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
        let header = Header::parse(HEADER.as_bytes(), "x.csv").unwrap();
        let dataset_date = Day::parse(b"2022-06-05").unwrap();
        let rules = Rules {
            columns: Columns::find(&header, "x.csv").unwrap(),
            dataset_date,
            years: Years::new(&years::YearsWanted::All, dataset_date),
            geography: Geography::new([6], [6441]),
        };
        let mut records = Records::new(row.as_bytes(), 2, rules.columns.count);
        let record = records.next().unwrap();
        let names = |columns: missing::Missing| columns.iter().map(Column::name).collect();
        match rules.judge(record.raw, records.fields()) {
            Verdict::Kept(_, notes) => Some((names(notes.missing), names(notes.null_words))),
            Verdict::Filtered | Verdict::Rejected(_) => None,
        }
    }

    #[test]
    fn judge_reports_the_columns_without_a_value() {
        let whole = "1,F,30,Años,2021-05-01,2021-05-02,2021-05-03,SI,NO,2021-05-04,2021-05-05,06,06,441,Confirmado,2022-06-05";
        assert_eq!(judge(whole), Some((vec![], vec![])));
        let empty = "1,,,,,2021-05-02,,,,,,06,,,,2022-06-05";
        let nullable: Vec<_> = Column::ALL[..11].iter().map(|column| column.name()).collect();
        assert_eq!(judge(empty), Some((nullable.clone(), vec![])));
        let words = "1,NULL,nan,,\\N,2021-05-02,null,NaN,\\n,NULL,NULL,06,NULL,NULL,NULL,2022-06-05";
        assert_eq!(judge(words), Some((nullable.clone(), nullable)));
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
        assert_eq!(judge(repaired), Some((missing.to_vec(), vec![])));
    }
}
