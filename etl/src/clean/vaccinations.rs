//! The rules of `Covid19VacunasAgrupadas`: doses that were given so far, by jurisdiction and vaccine; one function per rule, in the
//! order of the table in `docs/reference/cleaning-rules.md`.
//!
//! A row of the file has a column for each kind of dose and becomes a row of the table for each of them. The file has no date.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::encoding::{text, value};
use super::geography::Geography;
use super::optional::{Judge, Outcome, province, quantity};
use crate::parse::field::Field;
use crate::parse::fields::Fields;
use crate::parse::header::Header;
use common::failure::{Failure, Result};

/// The columns that [`Vaccinations`] writes, of the table `vaccination_count`.
pub const COPY_COLUMNS: &str = "run_id, province_id, vaccine, dose, doses";

/// The ministry's column and our word for each kind of dose. Until December 2021 there were the first two.
pub const DOSES: [(&str, &str); 5] = [
    ("primera_dosis_cantidad", "first"),
    ("segunda_dosis_cantidad", "second"),
    ("dosis_unica_cantidad", "single"),
    ("dosis_adicional_cantidad", "additional"),
    ("dosis_refuerzo_cantidad", "booster"),
];

/// More jurisdictions and vaccines than there are; what was seen is remembered, and memory has a bound.
const MOST_ROWS: usize = 20_000;

/// The same for one of them, in bytes: the longest of the ministry's has 40.
const LONGEST_NAME: usize = 200;

/// The rules, and what they need to know besides the row.
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
    /// For a file with this header. `name` is the file, for messages.
    pub fn new(header: &Header, name: &str, run_id: Uuid, geography: Geography) -> Result<Self> {
        let [province, vaccine, _] = header
            .positions(["jurisdiccion_codigo_indec", "vacuna_nombre", "primera_dosis_cantidad"], name)?;
        let doses =
            DOSES.iter().filter_map(|(column, dose)| Some((header.position(&[column])?, *dose))).collect();
        Ok(Self { province, vaccine, doses, run_id, geography, name: name.to_owned(), seen: BTreeSet::new() })
    }
}

impl Judge for Vaccinations {
    fn judge(&mut self, line: &[u8], fields: &Fields, encoded: &mut Vec<u8>) -> Result<Outcome> {
        let field = |index: usize| fields.get(line, index);
        let Some(vaccine) = vaccine(field(self.vaccine)) else {
            return Ok(Outcome::Rejected("invalid_vaccine"));
        };
        let mut counted = Vec::with_capacity(self.doses.len());
        for (column, dose) in &self.doses {
            match doses(field(*column)) {
                Ok(Some(doses)) => counted.push((*dose, doses)),
                Ok(None) => {}
                Err(Unreadable) => return Ok(Outcome::Rejected("invalid_doses")),
            }
        }
        let mut repairs = Vec::new();
        let province =
            province(field(self.province), &self.geography, "unknown_vaccination_province", &mut repairs);
        if !self.seen.insert((province, vaccine.clone())) {
            return Ok(Outcome::Rejected("duplicate_vaccine"));
        }
        if self.seen.len() > MOST_ROWS {
            return Err(Failure::new(format!("`{}` has more than {MOST_ROWS} rows", self.name))
                .hint("this is no table of jurisdictions and vaccines: check what was put there"));
        }
        for (dose, doses) in counted {
            encoded.extend_from_slice(&5_i16.to_be_bytes());
            value(encoded, Some(self.run_id.into_bytes()));
            value(encoded, province.map(i16::to_be_bytes));
            text(encoded, Some(&vaccine));
            text(encoded, Some(dose.as_bytes()));
            value(encoded, Some(doses.to_be_bytes()));
        }
        Ok(Outcome::Kept(repairs))
    }
}

/// `vacuna_nombre`: any text that can be a name, stray white space removed.
fn vaccine(field: Field<'_>) -> Option<Vec<u8>> {
    field.value().map(|_| field.collapsed().into_owned()).filter(|name| name.len() <= LONGEST_NAME)
}

/// What stands where a number should.
#[derive(Debug, PartialEq, Eq)]
struct Unreadable;

/// `…_cantidad`: a whole number, or nothing where there is none.
fn doses(field: Field<'_>) -> Result<Option<i64>, Unreadable> {
    match field.value() {
        None => Ok(None),
        Some(_) => quantity(field).map(Some).ok_or(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::record::Records;

    fn judge(header: &str, rows: &str) -> Vec<Outcome> {
        let header = Header::parse(header.as_bytes(), "x.csv").unwrap();
        let geography = Geography::new([6, 14], []);
        let mut rules = Vaccinations::new(&header, "x.csv", Uuid::nil(), geography).unwrap();
        let mut records = Records::new(rows.as_bytes(), 2, header.columns());
        let mut outcomes = Vec::new();
        while let Some(record) = records.next() {
            outcomes.push(rules.judge(record.raw, records.fields(), &mut Vec::new()).unwrap());
        }
        outcomes
    }

    #[test]
    fn each_rule_has_its_reason_and_the_first_row_of_a_vaccine_stays() {
        let header = "\"jurisdiccion_codigo_indec\",\"jurisdiccion_nombre\",\"vacuna_nombre\",dosis_unica_cantidad,\
            primera_dosis_cantidad,segunda_dosis_cantidad,dosis_adicional_cantidad,dosis_refuerzo_cantidad";
        let rows = "\"06\",\"Buenos Aires\",\"Sputnik V\",0,5,4,3,2\n\
            06,Buenos Aires,\" Sputnik  V \",0,5,4,3,2\n\
            14,Córdoba,Sputnik V,,1.234,,,\n\
            14,Córdoba,,0,1,1,1,1\n\
            14,Córdoba,Moderna,0,1,x,1,1\n\
            97,Montevideo,Moderna,0,1,1,1,1\n\
            99,S.I.,Pfizer,0,1,1,1,1\n";
        let kept = |repairs: &[&'static str]| Outcome::Kept(repairs.to_vec());
        assert_eq!(
            judge(header, rows),
            [
                kept(&[]),
                Outcome::Rejected("duplicate_vaccine"),
                kept(&[]),
                Outcome::Rejected("invalid_vaccine"),
                Outcome::Rejected("invalid_doses"),
                kept(&["unknown_vaccination_province"]),
                kept(&[]),
            ]
        );
    }

    #[test]
    fn the_older_file_has_two_kinds_of_doses() {
        let header = "jurisdiccion_codigo_indec,jurisdiccion_nombre,vacuna_nombre,primera_dosis_cantidad,segunda_dosis_cantidad";
        assert_eq!(judge(header, "06,Buenos Aires,Sputnik V,5,4\n"), [Outcome::Kept(vec![])]);
    }

    #[test]
    fn a_file_of_anything_else_is_refused() {
        let header = Header::parse(b"fecha,total", "x.csv").unwrap();
        let failure = Vaccinations::new(&header, "x.csv", Uuid::nil(), Geography::default()).err().unwrap();
        assert!(failure.to_string().contains("`jurisdiccion_codigo_indec`"), "{failure}");
    }
}
