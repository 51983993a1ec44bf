//! Provinces and departments, from the national geography service's (georef) CSVs: small tables that belong to their release.

use std::collections::BTreeMap;
use std::io::Read;

use sqlx::postgres::PgConnection;

use super::copy::BinaryCopy;
use super::georef_rows::for_each;
use super::release::ReleaseId;
use crate::clean::MALFORMED;
use crate::clean::encoding::value;
use crate::clean::geography::Geography;
use crate::dataset::Dataset;
use crate::parse::record::Record;
use crate::tally::RowCounts;
use common::failure::{Failure, Result};

/// A rejected row of a georef file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub dataset: Dataset,
    /// Line in the file, from 1.
    pub line: u64,
    pub reason: &'static str,
    pub raw: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Georef {
    provinces: BTreeMap<i16, String>,
    departments: BTreeMap<i32, (String, i16)>,
    pub rejects: Vec<Reject>,
    rejected_bytes: usize,
}

/// Bytes of rejected rows, which are in memory until the load stores them.
const MAX_REJECTED_BYTES: usize = 16 << 20;

/// Short names for long official ones.
const SHORT_NAMES: [(i16, &str); 2] = [(2, "CABA"), (94, "Tierra del Fuego")];

impl Georef {
    /// Reads `provincias.csv`; `name` is for messages.
    pub fn read_provinces(&mut self, text: &mut dyn Read, name: &str) -> Result<()> {
        for_each(text, name, ["id", "nombre"], |row| {
            let reason = match (row.code::<i16>(0), row.name(1)) {
                _ if !row.record.well_formed => MALFORMED,
                (None | Some(0), _) => "invalid_province_id",
                (_, None) => "missing_name",
                (Some(id), Some(_)) if self.provinces.contains_key(&id) => "duplicate_province_id",
                (Some(id), Some(official)) => {
                    let short = SHORT_NAMES.iter().find(|(province, _)| *province == id);
                    self.provinces.insert(id, short.map_or(official, |(_, name)| (*name).to_owned()));
                    return Ok(());
                }
            };
            self.reject(Dataset::Provinces, &row.record, reason, name)
        })?;
        self.require_rows(Dataset::Provinces, name)
    }

    /// Reads `departamentos.csv`, after the provinces; `name` is for messages.
    pub fn read_departments(&mut self, text: &mut dyn Read, name: &str) -> Result<()> {
        for_each(text, name, ["id", "nombre", "provincia_id"], |row| {
            let province = row.code::<i16>(2).filter(|province| self.provinces.contains_key(province));
            let reason = match (row.code::<i32>(0), row.name(1), province) {
                _ if !row.record.well_formed => MALFORMED,
                (None | Some(0), ..) => "invalid_department_id",
                (_, None, _) => "missing_name",
                (_, _, None) => "unknown_province",
                (Some(id), _, Some(province)) if id / 1000 != i32::from(province) => "unknown_province",
                (Some(id), ..) if self.departments.contains_key(&id) => "duplicate_department_id",
                (Some(id), Some(department), Some(province)) => {
                    self.departments.insert(id, (department, province));
                    return Ok(());
                }
            };
            self.reject(Dataset::Departments, &row.record, reason, name)
        })?;
        self.require_rows(Dataset::Departments, name)
    }

    /// Keeps a rejected row until the load stores it.
    ///
    /// # Errors
    /// If rejected rows need too much memory.
    fn reject(
        &mut self,
        dataset: Dataset,
        Record { line, raw, .. }: &Record<'_>,
        reason: &'static str,
        name: &str,
    ) -> Result<()> {
        self.rejects.push(Reject { dataset, line: *line, reason, raw: raw.to_vec() });
        self.rejected_bytes += raw.len();
        if self.rejected_bytes > MAX_REJECTED_BYTES {
            let what = format!(
                "`{name}` has more than 16 MiB of rejected rows: line {line} is rejected as `{reason}`"
            );
            return Err(Failure::new(what).hint(download_again(dataset)));
        }
        Ok(())
    }

    /// Returns an error if every row of a file is rejected.
    fn require_rows(&self, dataset: Dataset, name: &str) -> Result<()> {
        match self.rejects.iter().find(|reject| reject.dataset == dataset) {
            Some(Reject { line, reason, .. }) if self.counts(dataset).loaded == 0 => {
                let what =
                    format!("every row of `{name}` is rejected: line {line} is rejected as `{reason}`");
                Err(Failure::new(what).hint(download_again(dataset)))
            }
            _ => Ok(()),
        }
    }

    /// Returns the row counts of provinces or departments.
    pub fn counts(&self, dataset: Dataset) -> RowCounts {
        let loaded = match dataset {
            Dataset::Provinces => self.provinces.len(),
            _ => self.departments.len(),
        } as u64;
        let rejected = self.rejects.iter().filter(|reject| reject.dataset == dataset).count() as u64;
        RowCounts { read: loaded + rejected, loaded, rejected, ..RowCounts::default() }
    }

    /// Returns the codes, for the cleaning rules.
    pub fn geography(&self) -> Geography {
        Geography::new(self.provinces.keys().copied(), self.departments.keys().copied())
    }

    /// Fills the reference tables of a new release.
    pub async fn insert(&self, session: &mut PgConnection, release: ReleaseId) -> Result<()> {
        let (mut provinces, mut departments) = (Vec::new(), Vec::new());
        for (id, name) in &self.provinces {
            provinces.extend_from_slice(&2_i16.to_be_bytes());
            value(&mut provinces, Some(id.to_be_bytes()));
            value(&mut provinces, Some(name));
        }
        for (id, (name, province)) in &self.departments {
            departments.extend_from_slice(&3_i16.to_be_bytes());
            value(&mut departments, Some(id.to_be_bytes()));
            value(&mut departments, Some(name));
            value(&mut departments, Some(province.to_be_bytes()));
        }
        for (parent, columns, rows) in [
            ("release_province", "province_id, name", provinces),
            ("release_department", "department_id, name, province_id", departments),
        ] {
            let (table, what) = (release.partition_of(parent), "cannot load provinces and departments");
            let mut copy = BinaryCopy::begin(session, &format!("public.{table}"), columns, what).await?;
            copy.send(&rows).await?;
            copy.finish().await?;
        }
        Ok(())
    }
}

fn download_again(dataset: Dataset) -> String {
    format!("download it again; it is published at {}", dataset.url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(provinces: &str, departments: &str) -> Georef {
        let mut georef = Georef::default();
        georef.read_provinces(&mut provinces.as_bytes(), "provincias.csv").unwrap();
        georef.read_departments(&mut departments.as_bytes(), "departamentos.csv").unwrap();
        georef
    }

    #[test]
    fn read_provinces_shortens_official_names() {
        let georef = read(
            "\"id\",\"nombre\"\r\n\"02\",\"Ciudad Autónoma de Buenos Aires\"\r\n\"06\",\"Buenos Aires\"\r\n\"94\",\"Tierra del Fuego, Antártida e Islas\"\r\n",
            "\"id\",\"nombre\",\"provincia_id\"\r\n\"06441\",\"La Plata\",\"06\"\r\n",
        );
        assert_eq!(
            georef.provinces.values().collect::<Vec<_>>(),
            ["CABA", "Buenos Aires", "Tierra del Fuego"]
        );
        assert_eq!(georef.departments[&6441], ("La Plata".to_owned(), 6));
        assert_eq!(georef.rejects, []);
    }

    #[test]
    fn read_rejects_invalid_rows_with_line_and_reason() {
        let georef = read(
            "id,nombre\r\n06,Buenos Aires\r\n06,Otra\r\nx,Nada\r\n10,\r\n1,2,3\r\n",
            "id,nombre,provincia_id\n06441,La Plata,06\n06441,Otra,06\n02007,Comuna 1,02\n10441,Cruzada,06\n,Nada,06\n",
        );
        let rejects: Vec<_> = georef.rejects.iter().map(|reject| (reject.line, reject.reason)).collect();
        assert_eq!(
            rejects,
            [
                (3, "duplicate_province_id"),
                (4, "invalid_province_id"),
                (5, "missing_name"),
                (6, "malformed"),
                (3, "duplicate_department_id"),
                (4, "unknown_province"),
                (5, "unknown_province"),
                (6, "invalid_department_id"),
            ]
        );
        assert_eq!(georef.rejects[0].raw, b"06,Otra");
    }
}
