//! The rules of `Covid19Determinaciones`: tests by day and laboratory, one function per rule, in the order of the table in
//! `docs/reference/cleaning-rules.md`.
//!
//! A row is a day of a laboratory. A row that cannot be counted is rejected; an unknown province or department is repaired, because the
//! tests still count for the country.

use uuid::Uuid;

use super::encoding::{text, value};
use super::geography::Geography;
use super::rules::FIRST_REGISTRATION;
use super::shared::{department, province, quantity};
use super::years::Period;
use super::{Row, RowCleaner, RowOutcome};
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
    ) -> Result<RowOutcome<Self::Accepted>> {
        let column = &self.columns;
        let field = |index: usize| row.fields.get(row.text, index);
        let Some(day) =
            tested_on(field(column.tested_on), field(column.updated_on), self.period.dataset_date)
        else {
            return Ok(RowOutcome::Rejected("invalid_test_date"));
        };
        if !self.period.years.contain(day) {
            return Ok(RowOutcome::Filtered);
        }
        let Some(tests) = tests(field(column.tests)) else {
            return Ok(RowOutcome::Rejected("invalid_tests"));
        };
        let Some(positives) = positives(field(column.positives)) else {
            return Ok(RowOutcome::Rejected("invalid_positives"));
        };
        if more_positives_than_tests(positives, tests) {
            return Ok(RowOutcome::Rejected("more_positives_than_tests"));
        }
        let mut repairs = Vec::new();
        let province =
            province(field(column.province), &self.geography, "unknown_test_province", &mut repairs);
        let department = department(
            field(column.department),
            province,
            &self.geography,
            "unknown_test_department",
            &mut repairs,
        );
        let words = |column: Option<usize>| {
            column.map(field).filter(|field| field.value().is_some()).map(Field::collapsed)
        };

        encoded.extend_from_slice(&8_i16.to_be_bytes());
        value(encoded, Some(self.run_id.into_bytes()));
        value(encoded, Some(day.0.to_be_bytes()));
        value(encoded, province.map(i16::to_be_bytes));
        value(encoded, department.map(i32::to_be_bytes));
        text(encoded, words(column.funding).as_deref());
        text(encoded, words(column.laboratory).as_deref());
        value(encoded, Some(tests.to_be_bytes()));
        value(encoded, Some(positives.to_be_bytes()));
        Ok(RowOutcome::Accepted(repairs))
    }
}

/// `fecha`: from 2020-01-01 to the date of the row, or else of the line list.
///
/// The ministry's files have days from 2008 on, with a mistyped year whose right value is unknown.
fn tested_on(field: Field<'_>, updated_on: Field<'_>, dataset_date: Day) -> Option<Day> {
    let last = updated_on.day().unwrap_or(dataset_date);
    field.day().filter(|day| (FIRST_REGISTRATION..=last).contains(day))
}

/// `total`: a whole number; the ministry has written some with a dot before the thousands.
fn tests(field: Field<'_>) -> Option<i64> {
    quantity(field)
}

/// `positivos`: a whole number; blank means 0.
fn positives(field: Field<'_>) -> Option<i64> {
    if field.value().is_none() { Some(0) } else { quantity(field) }
}

/// `positivos` above `total` is a contradiction; which of the two is wrong is unknown.
const fn more_positives_than_tests(positives: i64, tests: i64) -> bool {
    positives > tests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::years::Years;
    use crate::parse::record::Records;

    const HEADER: &str = "fecha,codigo indec provincia,codigo_indec_departamento,origen_de_financiamiento,tipo,\
        ultima_actualizacion,total,positivos";

    fn clean(row: &str) -> (RowOutcome<Vec<&'static str>>, usize) {
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
        let outcome = rules
            .clean_row(
                &Row { line: record.line, text: record.raw, fields: records.fields() },
                &mut encoded,
                &mut (),
            )
            .unwrap();
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
            assert_eq!(clean(row), (RowOutcome::Rejected(reason), 0), "{row}");
        }
        assert_eq!(clean("2021-11-01,06,441,Privado,Privado,2022-06-05,,x"), (RowOutcome::Filtered, 0));
        for (row, repairs) in [
            ("2020-11-01,06,441,Privado,Provincial,2020-11-09,1.234,", vec![]),
            ("2020-11-09,06,000,,,2020-11-09,0,0", vec![]),
            ("2020-01-01,97,,Privado,Provincial,2020-11-09,5,5", vec!["unknown_test_province"]),
            ("2022-06-05,06,999,Privado,Provincial,,5,5", vec!["unknown_test_department"]),
        ] {
            let (outcome, bytes) = clean(row);
            assert_eq!(outcome, RowOutcome::Accepted(repairs), "{row}");
            assert!(bytes > 60, "{row}");
        }
    }
}
