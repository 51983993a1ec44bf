//! The cleaning rules: one function per rule, applied in a fixed order. Pure: no IO, no clock; workers share no state but the numbers of texts.
//!
//! A row is accepted, filtered (its year is not wanted) or rejected for the first reason that applies; an accepted row may have been
//! repaired. Each dataset has a [`RowCleaner`]: [`CaseCleaner`], [`laboratories`], [`vaccinations`],
//! [`doses`]. Duplicate cases are found in `distinct`,
//! which sees the whole file.

pub mod case;
pub mod categories;
pub mod columns;
pub mod doses;
pub mod encoding;
pub mod geography;
pub mod laboratories;
pub mod missing;
pub mod null_words;
pub mod repairs;
mod row;
pub mod rules;
mod shared;
pub mod texts;
pub mod vaccinations;
pub mod years;

use std::sync::Arc;

pub use self::row::{Excluded, Row, RowCleaner};
use crate::parse::fields::Fields;
use case::Case;
use columns::{Columns, CsvColumn};
use geography::Geography;
use missing::{Column, Missing};
use null_words::NullWords;
use repairs::{Repair, Repairs};
use rules::Notes;
use years::Period;

/// Increases whenever a change of the rules, or of the estimates, changes what is loaded from the same files: an unchanged dataset is then loaded again.
pub const RULES_VERSION: i32 = 4;

/// The reason for a row with a wrong number of fields, broken quoting or invalid text.
pub const MALFORMED: &str = "malformed";

/// The reason for a case whose id an earlier row of the file has.
pub const DUPLICATE_CASE_ID: &str = "duplicate_case_id";

/// The rules of the line list, for one file.
#[derive(Debug)]
pub struct CaseRules {
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
    /// Columns without a value.
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
    ) -> Result<AcceptedCase, Excluded> {
        let (case, notes) = self.0.clean(row.text, row.fields)?;
        case.encode(encoded);
        for column in notes.null_words.iter() {
            let field = row.fields.get(row.text, self.0.columns.position(CsvColumn::of(column)));
            null_words.note(column, row.line, field.trimmed());
        }
        let Notes { repairs, missing, .. } = notes;
        Ok(AcceptedCase { case_id: case.case_id.unsigned_abs(), repairs, missing })
    }
}

impl CaseRules {
    /// Applies every rule to a row, in order.
    #[inline]
    pub fn clean<'a>(&self, line: &'a [u8], fields: &Fields) -> Result<(Case<'a>, Notes), Excluded> {
        let Self { columns, period: Period { years, dataset_date }, geography } = self;
        let field = |column| fields.get(line, columns.position(column));

        let case_id =
            rules::case_id(field(CsvColumn::CaseId)).ok_or(Excluded::Rejected("missing_case_id"))?;
        let registered_on = rules::registered_on(field(CsvColumn::RegisteredOn), *dataset_date)
            .ok_or(Excluded::Rejected("invalid_registration_date"))?;
        if !years.contain(registered_on) {
            return Err(Excluded::Filtered);
        }
        let registration_province_id =
            rules::registration_province(field(CsvColumn::RegistrationProvince), geography)
                .ok_or(Excluded::Rejected("unknown_registration_province"))?;

        let mut notes = Notes::default();
        let residence_province_id =
            rules::residence_province(field(CsvColumn::ResidenceProvince), geography, &mut notes);
        let icu = categories::yes(field(CsvColumn::Icu), Column::Icu, &mut notes);
        let ventilated = categories::yes(field(CsvColumn::Ventilated), Column::Ventilated, &mut notes);
        let mut date = |source, rule| rules::optional_date(field(source), *dataset_date, rule, &mut notes);
        let symptoms_on = date(CsvColumn::SymptomsOn, (Column::SymptomsOn, Repair::InvalidSymptomsOn));
        let admitted_on = date(CsvColumn::AdmittedOn, (Column::AdmittedOn, Repair::InvalidAdmittedOn));
        let died_on = date(CsvColumn::DiedOn, (Column::DiedOn, Repair::InvalidDiedOn));
        let diagnosed_on = date(CsvColumn::DiagnosedOn, (Column::DiagnosedOn, Repair::InvalidDiagnosedOn));
        let case = Case {
            case_id,
            sex: categories::sex(field(CsvColumn::Sex), &mut notes),
            age: rules::age(field(CsvColumn::Age), field(CsvColumn::AgeUnit), &mut notes),
            symptoms_on,
            registered_on,
            admitted_on,
            icu: icu == Some(true),
            ventilated: ventilated == Some(true),
            died_on,
            diagnosed_on,
            registration_province_id,
            residence_province_id,
            residence_department_id: rules::residence_department(
                field(CsvColumn::ResidenceDepartment),
                residence_province_id,
                geography,
                &mut notes,
            ),
            classification: categories::classification(field(CsvColumn::Classification), &mut notes),
        };
        notes.missing.add_empty(&case, icu, ventilated);
        Ok((case, notes))
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
        let (_, notes) = rules.clean(record.raw, records.fields()).ok()?;
        Some((names(notes.missing), names(notes.null_words)))
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
