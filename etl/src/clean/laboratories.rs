//! The rules of `Covid19Determinaciones`: tests by day and laboratory, in the order of the table in `docs/reference/cleaning-rules.md`.
//!
//! A row is a day of a laboratory. A row that cannot be counted is rejected; an unknown province or department is repaired, because the
//! tests still count for the country.

use uuid::Uuid;

use super::encoding::value;
use super::geography::Geography;
use super::rules::{FIRST_REGISTRATION, department};
use super::shared::{province, quantity};
use super::years::Period;
use super::{Excluded, Row, RowCleaner};
use crate::parse::date::Day;
use crate::parse::field::Field;
use crate::parse::header::Header;
use common::failure::Result;

/// The columns that [`Laboratories`] writes, of the table `test_count`.
pub const COPY_COLUMNS: &str =
    "run_id, tested_on, province_id, department_id, funding, laboratory, tests, positives";

/// The positions of the columns in a file.
struct Columns {
    tested_on: usize,
    province: usize,
    department: usize,
    tests: usize,
    positives: usize,
    updated_on: usize,
    funding: Option<usize>,
    laboratory: Option<usize>,
}

/// Cleans the tests dataset.
pub struct Laboratories {
    columns: Columns,
    run_id: Uuid,
    /// The date is for rows without `ultima_actualizacion`.
    period: Period,
    geography: Geography,
}

impl Laboratories {
    /// Returns the cleaner of a file with this header; `name` is for messages.
    pub fn new(
        header: &Header,
        name: &str,
        run_id: Uuid,
        period: Period,
        geography: Geography,
    ) -> Result<Self> {
        let [tested_on, province, department, tests, positives, updated_on] = header.positions(
            [
                "fecha",
                "codigo_indec_provincia",
                "codigo_indec_departamento",
                "total",
                "positivos",
                "ultima_actualizacion",
            ],
            name,
        )?;
        let funding = header.position(&["origen_financiamiento", "origen_de_financiamiento"]);
        let laboratory = header.position(&["tipo"]);
        let columns =
            Columns { tested_on, province, department, tests, positives, updated_on, funding, laboratory };
        Ok(Self { columns, run_id, period, geography })
    }
}

impl RowCleaner for Laboratories {
    type Accepted = Vec<&'static str>;
    type Notes = ();

    fn clean_row(
        &mut self,
        row: &Row<'_>,
        encoded: &mut Vec<u8>,
        (): &mut (),
    ) -> Result<Self::Accepted, Excluded> {
        let Self { columns, run_id, period, geography } = self;
        let field = |index: usize| row.fields.get(row.text, index);
        let day = tested_on(field(columns.tested_on), field(columns.updated_on), period.dataset_date)
            .ok_or(Excluded::Rejected("invalid_test_date"))?;
        if !period.years.contain(day) {
            return Err(Excluded::Filtered);
        }
        // The ministry has written some numbers with a dot before the thousands.
        let tests = quantity(field(columns.tests)).ok_or(Excluded::Rejected("invalid_tests"))?;
        let positives = positives(field(columns.positives)).ok_or(Excluded::Rejected("invalid_positives"))?;
        if positives > tests {
            // Which of the two is wrong is unknown.
            return Err(Excluded::Rejected("more_positives_than_tests"));
        }
        let mut repairs = Vec::new();
        let province = province(field(columns.province), geography, "unknown_test_province", &mut repairs);
        let code = field(columns.department);
        let department = code
            .value()
            .and_then(|_| department(code, province, geography, || repairs.push("unknown_test_department")));
        let words = |column: Option<usize>| {
            column.map(field).filter(|field| field.value().is_some()).map(Field::collapsed)
        };

        encoded.extend_from_slice(&8_i16.to_be_bytes());
        value(encoded, Some(run_id.into_bytes()));
        value(encoded, Some(day.0.to_be_bytes()));
        value(encoded, province.map(i16::to_be_bytes));
        value(encoded, department.map(i32::to_be_bytes));
        value(encoded, words(columns.funding));
        value(encoded, words(columns.laboratory));
        value(encoded, Some(tests.to_be_bytes()));
        value(encoded, Some(positives.to_be_bytes()));
        Ok(repairs)
    }
}

/// `fecha`: from 2020-01-01 to the date of the row, or else of the line list.
///
/// The ministry's files have days from 2008 on, with a mistyped year whose right value is unknown.
fn tested_on(field: Field<'_>, updated_on: Field<'_>, dataset_date: Day) -> Option<Day> {
    let last = updated_on.day().unwrap_or(dataset_date);
    field.day().filter(|day| (FIRST_REGISTRATION..=last).contains(day))
}

/// `positivos`: a whole number; blank means 0.
fn positives(field: Field<'_>) -> Option<i64> {
    if field.value().is_none() { Some(0) } else { quantity(field) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::years::Years;
    use crate::parse::record::Records;

    const HEADER: &str = "fecha,codigo indec provincia,codigo_indec_departamento,origen_de_financiamiento,tipo,\
        ultima_actualizacion,total,positivos";

    /// Returns the repairs, or why the row is excluded, and the bytes of its encoding.
    fn clean(row: &str) -> (Result<Vec<&'static str>, &'static str>, usize) {
        let header = Header::parse(HEADER.as_bytes(), "x.csv").unwrap();
        let dataset_date = Day::parse(b"2022-06-05").unwrap();
        let years = Years::new(&"2020,2022".parse().unwrap(), dataset_date);
        let geography = Geography::new([6], [6441]);
        let mut rules =
            Laboratories::new(&header, "x.csv", Uuid::nil(), Period { years, dataset_date }, geography)
                .unwrap();
        let mut records = Records::new(row.as_bytes(), 2, header.columns());
        let record = records.next().unwrap();
        let mut encoded = Vec::new();
        let row = Row { line: record.line, text: record.raw, fields: records.fields() };
        let outcome = rules.clean_row(&row, &mut encoded, &mut ()).map_err(|excluded| match excluded {
            Excluded::Filtered => "filtered",
            Excluded::Rejected(reason) => reason,
            Excluded::Failed(failure) => panic!("{failure}"),
        });
        (outcome, encoded.len())
    }

    #[test]
    fn clean_row_names_reason_and_encodes_accepted_rows_alone() {
        for (row, reason) in [
            ("2008-08-13,06,441,Privado,Privado,2020-11-09,5,1", "invalid_test_date"),
            ("2020-11-10,06,441,Privado,Privado,2020-11-09,5,1", "invalid_test_date"),
            ("2022-06-06,06,441,Privado,Privado,,5,1", "invalid_test_date"),
            ("2020-11-01,06,441,Privado,Privado,2020-11-09,,1", "invalid_tests"),
            ("2020-11-01,06,441,Privado,Privado,2020-11-09,5.5,1", "invalid_tests"),
            ("2020-11-01,06,441,Privado,Privado,2020-11-09,5,-1", "invalid_positives"),
            ("2020-11-01,06,441,Privado,Privado,2020-11-09,5,6", "more_positives_than_tests"),
        ] {
            assert_eq!(clean(row), (Err(reason), 0), "{row}");
        }
        assert_eq!(clean("2021-11-01,06,441,Privado,Privado,2022-06-05,,x"), (Err("filtered"), 0));
        for (row, repairs) in [
            ("2020-11-01,06,441,Privado,Provincial,2020-11-09,1.234,", vec![]),
            ("2020-11-09,06,000,,,2020-11-09,0,0", vec![]),
            ("2020-01-01,97,,Privado,Provincial,2020-11-09,5,5", vec!["unknown_test_province"]),
            ("2022-06-05,06,999,Privado,Provincial,,5,5", vec!["unknown_test_department"]),
        ] {
            let (outcome, bytes) = clean(row);
            assert_eq!(outcome, Ok(repairs), "{row}");
            assert!(bytes > 60, "{row}");
        }
    }
}
