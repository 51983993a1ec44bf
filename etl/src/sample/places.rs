//! Provinces and departments: read from two small tables, and chosen as often as the ministry's files name them.
//!
//! The texts of a place are made once, ready to be copied into a row. Where the names and codes of the line list differ
//! from those of georef (CABA's comunas, Tierra del Fuego, some spellings), the line list's are used for cases and
//! georef's for the georef files.

use std::str::FromStr;

use super::random::{Draws, PerMillion, Weighted};
use common::failure::{Context, Failure, Result};

const PROVINCES: &str = include_str!("provinces.tsv");
const DEPARTMENTS: &str = include_str!("departments.tsv");

/// Rows of residents of no known province to 2020-11-14, and confirmed in 2022 (1.5 %; Ministerio de Salud).
const UNSPECIFIED_ROWS: (f64, f64) = (7_647.0, 52_000.0);

/// The georef id of the city of Buenos Aires.
const CABA: &str = "02";
/// The georef id of the province of Buenos Aires.
const BUENOS_AIRES: &str = "06";

/// A province as both sources know it; fields are those of `provinces.tsv`.
pub(super) struct Province {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) georef_name: &'static str,
    pub(super) preposition: &'static str,
    pub(super) iso: &'static str,
    pub(super) latitude: &'static str,
    pub(super) longitude: &'static str,
    pub(super) source: &'static str,
    rows: f64,
    rows_without_department: f64,
    confirmed: f64,
    elsewhere: PerMillion,
}

/// A department as both sources know it; fields are those of `departments.tsv`.
pub(super) struct Department {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) latitude: &'static str,
    pub(super) longitude: &'static str,
    pub(super) share: &'static str,
    rows: f64,
    name_in_cases: &'static str,
}

impl Department {
    /// The id of its province.
    pub(super) fn province(&self) -> &'static str {
        &self.id[..2]
    }

    /// The three digits that the line list has for it.
    fn code_in_cases(&self) -> String {
        let code = self.id[2..].parse().unwrap_or(0);
        let code: u32 = match self.id {
            "94008" => 7,
            "94015" => 14,
            _ if self.province() == CABA => code / 7,
            _ => code,
        };
        format!("{code:03}")
    }
}

/// A place of residence, as the texts of its columns.
pub(super) struct Residence {
    /// `"Buenos Aires","La Matanza",`
    pub(super) names: String,
    /// `"06",`
    pub(super) province_id: String,
    /// `"427",`
    pub(super) department_id: String,
}

impl Residence {
    fn new(province: (&str, &str), department: (&str, &str)) -> Self {
        Self {
            names: format!("\"{}\",\"{}\",", province.1, department.1),
            province_id: format!("\"{}\",", province.0),
            department_id: format!("\"{}\",", department.0),
        }
    }
}

/// A province where cases are registered, as the texts of its columns.
pub(super) struct Registry {
    /// `"Buenos Aires",`
    pub(super) name: String,
    /// `"06",`
    pub(super) id: String,
}

/// The departments of one province with their weights.
struct Homes {
    residences: Vec<Residence>,
    choice: Weighted,
}

/// All places, and how often each is named.
pub(super) struct Places {
    pub(super) provinces: Vec<Province>,
    pub(super) departments: Vec<Department>,
    registries: Vec<Registry>,
    /// As the provinces, then "unspecified".
    homes: Vec<Homes>,
    early: Weighted,
    late: Weighted,
    caba: usize,
    buenos_aires: usize,
}

impl Places {
    /// Reads the tables that are part of the program.
    pub(super) fn read() -> Result<Self> {
        let provinces = table(PROVINCES, province)?;
        let departments = table(DEPARTMENTS, department)?;
        let mut homes: Vec<Homes> =
            provinces.iter().map(|province| homes_in(province, &departments)).collect();
        homes.push(Homes {
            residences: vec![Residence::new(("99", UNKNOWN), ("0", UNKNOWN))],
            choice: Weighted::new(&[1.0]),
        });
        let weights = |value: fn(&Province) -> f64, unspecified: f64| {
            let mut weights: Vec<f64> = provinces.iter().map(value).collect();
            weights.push(unspecified);
            Weighted::new(&weights)
        };
        let position = |id: &str| provinces.iter().position(|province| province.id == id).unwrap_or(0);
        Ok(Self {
            registries: provinces
                .iter()
                .map(|province| Registry {
                    name: format!("\"{}\",", province.name),
                    id: format!("\"{}\",", province.id),
                })
                .collect(),
            homes,
            early: weights(|province| province.rows, UNSPECIFIED_ROWS.0),
            late: weights(|province| province.confirmed, UNSPECIFIED_ROWS.1),
            caba: position(CABA),
            buenos_aires: position(BUENOS_AIRES),
            provinces,
            departments,
        })
    }

    /// Where somebody lives, and where the case was registered.
    pub(super) fn draw(&self, draws: &mut Draws, late: bool) -> (&Residence, &Registry) {
        let province = if late { &self.late } else { &self.early }.pick(draws);
        let home = &self.homes[province];
        let residence = &home.residences[home.choice.pick(draws)];
        (residence, &self.registries[self.registered_in(province, draws)])
    }

    /// Most are registered at home; the others mostly in the capital, which has the laboratories.
    fn registered_in(&self, home: usize, draws: &mut Draws) -> usize {
        let elsewhere = self.provinces.get(home).map_or(1_000_000, |province| province.elsewhere);
        if !draws.chance(elsewhere) {
            return home;
        }
        // Of those registered elsewhere (releases of 2020-06-25 and 2021-10-17): of Buenos Aires 97 % in CABA, of CABA
        // 90 % in Buenos Aires, of the others about 60 % in CABA.
        let (usual, share) = if home == self.caba {
            (self.buenos_aires, 900_000)
        } else if home == self.buenos_aires {
            (self.caba, 970_000)
        } else {
            (self.caba, 600_000)
        };
        if draws.chance(share) { usual } else { draws.index(self.registries.len()) }
    }
}

const UNKNOWN: &str = "SIN ESPECIFICAR";

fn homes_in(province: &Province, departments: &[Department]) -> Homes {
    let place = (province.id, province.name);
    let mut residences = vec![Residence::new(place, ("0", UNKNOWN))];
    let mut weights = vec![province.rows_without_department];
    for department in departments.iter().filter(|department| department.province() == province.id) {
        residences.push(Residence::new(place, (&department.code_in_cases(), department.name_in_cases)));
        weights.push(department.rows);
    }
    Homes { residences, choice: Weighted::new(&weights) }
}

/// The lines of a table that are no comments, each made into a value.
fn table<T>(text: &'static str, make: fn(&[&'static str]) -> Result<T>) -> Result<Vec<T>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| make(&line.split('\t').collect::<Vec<_>>()))
        .collect()
}

fn province(fields: &[&'static str]) -> Result<Province> {
    let &[
        id,
        name,
        georef_name,
        preposition,
        iso,
        latitude,
        longitude,
        source,
        rows,
        none,
        confirmed,
        elsewhere,
    ] = fields
    else {
        return Err(bad_line(fields));
    };
    Ok(Province {
        id,
        name,
        georef_name,
        preposition,
        iso,
        latitude,
        longitude,
        source,
        rows: number(rows)?,
        rows_without_department: number(none)?,
        confirmed: number(confirmed)?,
        elsewhere: number::<PerMillion>(elsewhere)? * 1000,
    })
}

fn department(fields: &[&'static str]) -> Result<Department> {
    let (&[id, name, latitude, longitude, share, rows], renamed) = fields.split_at(fields.len().min(6))
    else {
        return Err(bad_line(fields));
    };
    let name_in_cases = renamed.first().copied().unwrap_or(name);
    Ok(Department { id, name, latitude, longitude, share, rows: number(rows)?, name_in_cases })
}

fn bad_line(fields: &[&str]) -> Failure {
    Failure::new(format!("the built-in table of places has a broken line: {}", fields.join(" | ")))
}

fn number<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(text: &str) -> Result<T> {
    text.parse().context(|| format!("the built-in table of places has `{text}` for a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_complete() {
        let places = Places::read().unwrap();
        assert_eq!((places.provinces.len(), places.departments.len()), (24, 529));
        for department in &places.departments {
            assert!(places.provinces.iter().any(|province| province.id == department.province()));
        }
        let in_province = |id| places.departments.iter().filter(|found| found.province() == id).count();
        assert_eq!([in_province("06"), in_province("02"), in_province("94")], [135, 15, 5]);
    }

    #[test]
    fn the_line_list_has_codes_of_its_own() {
        let places = Places::read().unwrap();
        let residence = |id: &str| {
            let department = places.departments.iter().find(|department| department.id == id).unwrap();
            (department.code_in_cases(), department.name_in_cases)
        };
        assert_eq!(residence("02007"), ("001".to_owned(), "COMUNA 01"));
        assert_eq!(residence("02105"), ("015".to_owned(), "COMUNA 15"));
        assert_eq!(residence("94008"), ("007".to_owned(), "Río Grande"));
        assert_eq!(residence("94015"), ("014".to_owned(), "Ushuaia"));
        assert_eq!(residence("06371"), ("371".to_owned(), "General San Martín"));
        assert_eq!(residence("06427"), ("427".to_owned(), "La Matanza"));
    }
}
