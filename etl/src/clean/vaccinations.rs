//! The rules of `Covid19VacunasAgrupadas`: cumulative doses by jurisdiction and vaccine, in the order of the table in
//! `docs/reference/cleaning-rules.md`.
//!
//! A row of the file has a column for each kind of dose and becomes a row of the table for each of them. The file has no date.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::encoding::value;
use super::geography::Geography;
use super::shared::{province, quantity};
use super::{Excluded, Row, RowCleaner};
use crate::parse::field::Field;
use crate::parse::header::Header;
use common::failure::{Failure, Result};

/// The columns that [`Vaccinations`] writes, of the table `vaccination_count`.
pub const COPY_COLUMNS: &str = "run_id, province_id, vaccine, dose, doses";

/// The column and the value of `vaccination_count.dose` for each kind of dose. Files before December 2021 have the first two.
pub const DOSES: [(&str, &str); 5] = [
    ("primera_dosis_cantidad", "first"),
    ("segunda_dosis_cantidad", "second"),
    ("dosis_unica_cantidad", "single"),
    ("dosis_adicional_cantidad", "additional"),
    ("dosis_refuerzo_cantidad", "booster"),
];

/// Bounds the memory for duplicates; more than there are jurisdictions and vaccines.
const MAX_ROWS: usize = 20_000;

/// Bounds the bytes of a vaccine's name; the longest has 40.
const MAX_NAME_LENGTH: usize = 200;

/// Cleans the vaccinations dataset.
pub struct Vaccinations {
    province: usize,
    vaccine: usize,
    doses: Vec<(usize, &'static str)>,
    run_id: Uuid,
    geography: Geography,
    name: String,
    seen: BTreeSet<(Option<i16>, Vec<u8>)>,
}

impl Vaccinations {
    /// Returns the cleaner of a file with this header; `name` is for messages.
    pub fn new(header: &Header, name: &str, run_id: Uuid, geography: Geography) -> Result<Self> {
        let [province, vaccine, _] = header
            .positions(["jurisdiccion_codigo_indec", "vacuna_nombre", "primera_dosis_cantidad"], name)?;
        let doses =
            DOSES.iter().filter_map(|(column, dose)| Some((header.position(&[column])?, *dose))).collect();
        Ok(Self { province, vaccine, doses, run_id, geography, name: name.to_owned(), seen: BTreeSet::new() })
    }
}

impl RowCleaner for Vaccinations {
    type Accepted = Vec<&'static str>;
    type Notes = ();

    fn clean_row(
        &mut self,
        row: &Row<'_>,
        encoded: &mut Vec<u8>,
        (): &mut (),
    ) -> Result<Self::Accepted, Excluded> {
        let field = |index: usize| row.fields.get(row.text, index);
        let vaccine = vaccine(field(self.vaccine)).ok_or(Excluded::Rejected("invalid_vaccine"))?;
        let mut counted = Vec::with_capacity(self.doses.len());
        for (column, dose) in &self.doses {
            // Blank if the dose is not counted.
            if field(*column).value().is_some() {
                let doses = quantity(field(*column)).ok_or(Excluded::Rejected("invalid_doses"))?;
                counted.push((*dose, doses));
            }
        }
        let mut repairs = Vec::new();
        let province =
            province(field(self.province), &self.geography, "unknown_vaccination_province", &mut repairs);
        if !self.seen.insert((province, vaccine.clone())) {
            return Err(Excluded::Rejected("duplicate_vaccine"));
        }
        if self.seen.len() > MAX_ROWS {
            let failure = Failure::new(format!("`{}` has more than {MAX_ROWS} rows", self.name));
            return Err(Excluded::Failed(
                failure.hint("this is no table of jurisdictions and vaccines; check the file"),
            ));
        }
        for (dose, doses) in counted {
            encoded.extend_from_slice(&5_i16.to_be_bytes());
            value(encoded, Some(self.run_id.into_bytes()));
            value(encoded, province.map(i16::to_be_bytes));
            value(encoded, Some(&vaccine));
            value(encoded, Some(dose));
            value(encoded, Some(doses.to_be_bytes()));
        }
        Ok(repairs)
    }
}

/// `vacuna_nombre`: any name, with white space collapsed.
fn vaccine(field: Field<'_>) -> Option<Vec<u8>> {
    field.value().map(|_| field.collapsed().into_owned()).filter(|name| name.len() <= MAX_NAME_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::record::Records;

    /// Returns the repairs of each row, or why it is rejected.
    fn clean(header: &str, rows: &str) -> Vec<Result<Vec<&'static str>, &'static str>> {
        let header = Header::parse(header.as_bytes(), "x.csv").unwrap();
        let geography = Geography::new([6, 14], []);
        let mut rules = Vaccinations::new(&header, "x.csv", Uuid::nil(), geography).unwrap();
        let mut records = Records::new(rows.as_bytes(), 2, header.columns());
        let mut outcomes = Vec::new();
        while let Some(record) = records.next() {
            let row = Row { line: record.line, text: record.raw, fields: records.fields() };
            let outcome = rules.clean_row(&row, &mut Vec::new(), &mut ());
            outcomes.push(outcome.map_err(|excluded| match excluded {
                Excluded::Rejected(reason) => reason,
                other => panic!("{other:?}"),
            }));
        }
        outcomes
    }

    #[test]
    fn clean_row_names_reason_and_keeps_first_row_of_vaccine() {
        let header = "\"jurisdiccion_codigo_indec\",\"jurisdiccion_nombre\",\"vacuna_nombre\",dosis_unica_cantidad,\
            primera_dosis_cantidad,segunda_dosis_cantidad,dosis_adicional_cantidad,dosis_refuerzo_cantidad";
        let rows = "\"06\",\"Buenos Aires\",\"Sputnik V\",0,5,4,3,2\n\
            06,Buenos Aires,\" Sputnik  V \",0,5,4,3,2\n\
            14,Córdoba,Sputnik V,,1.234,,,\n\
            14,Córdoba,,0,1,1,1,1\n\
            14,Córdoba,Moderna,0,1,x,1,1\n\
            97,Montevideo,Moderna,0,1,1,1,1\n\
            99,S.I.,Pfizer,0,1,1,1,1\n";
        assert_eq!(
            clean(header, rows),
            [
                Ok(vec![]),
                Err("duplicate_vaccine"),
                Ok(vec![]),
                Err("invalid_vaccine"),
                Err("invalid_doses"),
                Ok(vec!["unknown_vaccination_province"]),
                Ok(vec![]),
            ]
        );
    }

    #[test]
    fn clean_row_accepts_older_file_with_two_kinds_of_doses() {
        let header = "jurisdiccion_codigo_indec,jurisdiccion_nombre,vacuna_nombre,primera_dosis_cantidad,segunda_dosis_cantidad";
        assert_eq!(clean(header, "06,Buenos Aires,Sputnik V,5,4\n"), [Ok(vec![])]);
    }

    #[test]
    fn new_refuses_other_file() {
        let header = Header::parse(b"fecha,total", "x.csv").unwrap();
        let failure = Vaccinations::new(&header, "x.csv", Uuid::nil(), Geography::default()).err().unwrap();
        assert!(failure.to_string().contains("`jurisdiccion_codigo_indec`"), "{failure}");
    }
}
