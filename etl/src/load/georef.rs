//! Provinces and departments, from the national geography service's (georef) CSVs: small tables that belong to their release.

use std::collections::BTreeMap;
use std::io::Read;

use csv::ByteRecord;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::release::ReleaseId;
use crate::clean::geography::Geography;
use crate::database::OrSqlFail as _;
use crate::dataset::Dataset;
use crate::failure::{OrFail as _, Result};
use crate::parse::field::Field;
use crate::parse::header::Header;
use crate::tally::{Counts, Kind, Tally};

/// A row of a georef file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// In which file.
    pub dataset: Dataset,
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: &'static str,
    /// Its text.
    pub raw: Vec<u8>,
}

/// What the two files say.
#[derive(Debug, Default)]
pub struct Georef {
    provinces: BTreeMap<i16, String>,
    departments: BTreeMap<i32, (String, i16)>,
    /// Rows that could not be used.
    pub rejects: Vec<Reject>,
}

/// The names that people use, where the official one is a sentence.
const SPOKEN_NAMES: [(i16, &str); 2] = [(2, "CABA"), (94, "Tierra del Fuego")];

impl Georef {
    /// Reads `provincias.csv`. `name` is the file, for messages.
    pub fn read_provinces(&mut self, text: &mut dyn Read, name: &str) -> Result<()> {
        let rows = Rows::read(text, name, ["id", "nombre"])?;
        for row in rows {
            let [id, province] = &row.fields;
            let reason = match (id.as_deref().and_then(code), province) {
                _ if row.malformed => "malformed",
                (None | Some(0), _) => "invalid_province_id",
                (_, None) => "missing_name",
                (Some(id), Some(_)) if self.provinces.contains_key(&id) => "duplicate_province_id",
                (Some(id), Some(official)) => {
                    let spoken = SPOKEN_NAMES
                        .iter()
                        .find(|(spoken, _)| *spoken == id)
                        .map(|(_, name)| (*name).to_owned());
                    self.provinces.insert(id, spoken.unwrap_or_else(|| official.clone()));
                    continue;
                }
            };
            self.reject(Dataset::Provinces, row, reason);
        }
        Ok(())
    }

    /// Reads `departamentos.csv`, after the provinces. `name` is the file, for messages.
    pub fn read_departments(&mut self, text: &mut dyn Read, name: &str) -> Result<()> {
        let rows = Rows::read(text, name, ["id", "nombre", "provincia_id"])?;
        for row in rows {
            let [id, department, province] = &row.fields;
            let province = province
                .as_deref()
                .and_then(code::<i16>)
                .filter(|province| self.provinces.contains_key(province));
            let reason = match (id.as_deref().and_then(code::<i32>), department, province) {
                _ if row.malformed => "malformed",
                (None | Some(0), ..) => "invalid_department_id",
                (_, None, _) => "missing_name",
                (_, _, None) => "unknown_province",
                (Some(id), _, Some(province)) if id / 1000 != i32::from(province) => "unknown_province",
                (Some(id), ..) if self.departments.contains_key(&id) => "duplicate_department_id",
                (Some(id), Some(name), Some(province)) => {
                    self.departments.insert(id, (name.clone(), province));
                    continue;
                }
            };
            self.reject(Dataset::Departments, row, reason);
        }
        Ok(())
    }

    fn reject<const N: usize>(&mut self, dataset: Dataset, row: Row<N>, reason: &'static str) {
        self.rejects.push(Reject { dataset, line: row.line, reason, raw: row.raw });
    }

    /// Counts the rejects.
    pub fn count(&self, tally: &mut Tally) {
        for reject in &self.rejects {
            tally.count(reject.dataset, Kind::Rejected, reject.reason, 1);
        }
    }

    /// What became of the rows of one of the two files.
    pub fn counts(&self, dataset: Dataset) -> Counts {
        let loaded = match dataset {
            Dataset::Provinces => self.provinces.len(),
            _ => self.departments.len(),
        } as u64;
        let rejected = self.rejects.iter().filter(|reject| reject.dataset == dataset).count() as u64;
        Counts { read: loaded + rejected, loaded, rejected, ..Counts::default() }
    }

    /// The codes, for the cleaning rules.
    pub fn geography(&self) -> Geography {
        Geography::new(self.provinces.keys().copied(), self.departments.keys().copied())
    }

    /// Fills the reference tables of a new release.
    pub async fn insert(&self, session: &mut PgConnection, release: ReleaseId) -> Result<()> {
        const WHAT: &str = "cannot load provinces and departments";
        let id = release.0;
        let (ids, names): (Vec<_>, Vec<_>) =
            self.provinces.iter().map(|(id, name)| (*id, name.clone())).unzip();
        let statement = format!(
            "INSERT INTO public.release_province_{id} (province_id, name)
             SELECT * FROM unnest($1::smallint[], $2::text[])"
        );
        sqlx::query(AssertSqlSafe(statement))
            .bind(ids)
            .bind(names)
            .execute(&mut *session)
            .await
            .or_sql_fail(WHAT)?;
        let (ids, names, provinces) = self.department_columns();
        let statement = format!(
            "INSERT INTO public.release_department_{id} (department_id, name, province_id)
             SELECT * FROM unnest($1::integer[], $2::text[], $3::smallint[])"
        );
        sqlx::query(AssertSqlSafe(statement))
            .bind(ids)
            .bind(names)
            .bind(provinces)
            .execute(session)
            .await
            .or_sql_fail(WHAT)
            .map(drop)
    }

    fn department_columns(&self) -> (Vec<i32>, Vec<String>, Vec<i16>) {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for (id, (name, province)) in &self.departments {
            columns.0.push(*id);
            columns.1.push(name.clone());
            columns.2.push(*province);
        }
        columns
    }
}

/// A code, leading zeros or not.
fn code<T: TryFrom<u64>>(text: &str) -> Option<T> {
    Field(text.as_bytes()).unsigned().and_then(|code| code.try_into().ok())
}

/// One row with the wanted fields; `None` for a blank one.
struct Row<const N: usize> {
    line: u64,
    raw: Vec<u8>,
    malformed: bool,
    fields: [Option<String>; N],
}

struct Rows;

impl Rows {
    /// Reads a small file whole.
    fn read<const N: usize>(text: &mut dyn Read, name: &str, wanted: [&str; N]) -> Result<Vec<Row<N>>> {
        let mut content = Vec::new();
        text.take(16 << 20).read_to_end(&mut content).or_fail(|| format!("cannot read `{name}`"))?;
        let start = content.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let end = memchr::memchr(b'\n', &content[start..]).map_or(content.len(), |end| start + end);
        let header = content[start..end].trim_ascii();
        if header.is_empty() {
            return Err(crate::parse::header::empty(name));
        }
        let header = Header::parse(header, name)?;
        let positions = header.positions(wanted, name)?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(content.as_slice());
        let (mut record, mut rows) = (ByteRecord::new(), Vec::new());
        let (mut line, mut counted) = (1, 0);
        let failed = || format!("cannot read `{name}`");
        while {
            let start = reader.position().clone();
            let more = reader.read_byte_record(&mut record).or_fail(failed)?;
            if more {
                let field = |at: usize| record.get(at).and_then(|bytes| Field(bytes).value());
                let fields =
                    positions.map(|at| field(at).map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
                let text =
                    |position: &csv::Position| usize::try_from(position.byte()).unwrap_or(content.len());
                let row = &content[text(&start)..text(reader.position())];
                // The library's own count is one behind where lines end in CRLF.
                let begin = text(&start) + row.iter().take_while(|byte| b"\r\n".contains(byte)).count();
                line += memchr::memchr_iter(b'\n', &content[counted..begin]).count() as u64;
                counted = begin;
                let raw = row.trim_ascii().to_vec();
                let malformed =
                    record.len() != header.columns() || std::str::from_utf8(record.as_slice()).is_err();
                rows.push(Row { line, raw, malformed, fields });
            }
            more
        } {}
        Ok(rows)
    }
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
    fn names_are_those_that_people_use() {
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
    fn what_cannot_be_used_is_rejected_with_its_line() {
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
