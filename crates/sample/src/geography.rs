//! Provinces and departments, with the frequencies of the ministry's files.
//!
//! The line list and georef differ in some names and codes (CABA's comunas, Tierra del Fuego, some spellings): cases use those of
//! the line list, the georef files use georef's. Fields of rows are precomputed.

use serde::Deserialize;

use crate::random::{AliasTable, RowRng};
use crate::table;
use common::failure::Result;

/// Rows without a known province of residence: to 2020-11-14, and confirmed in 2022 (1.5 %; Ministerio de Salud).
const UNSPECIFIED_ROWS: (f64, f64) = (7_647.0, 52_000.0);

/// The georef ids of the city and the province of Buenos Aires.
const CABA: &str = "02";
const BUENOS_AIRES: &str = "06";

/// The name of an unknown province or department.
pub(crate) const UNSPECIFIED: &str = "SIN ESPECIFICAR";

/// A line of `provinces.tsv`.
#[derive(Deserialize)]
pub(crate) struct Province {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) georef_name: String,
    pub(crate) preposition: String,
    pub(crate) iso: String,
    pub(crate) latitude: String,
    pub(crate) longitude: String,
    pub(crate) source: String,
    rows: f64,
    rows_without_department: f64,
    confirmed: f64,
    /// Per mille.
    registered_elsewhere: u32,
    /// In thousands.
    pub(crate) population: u64,
}

/// A line of `departments.tsv`.
#[derive(Deserialize)]
pub(crate) struct Department {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) latitude: String,
    pub(crate) longitude: String,
    pub(crate) share: String,
    rows: f64,
    /// If it is not `name`.
    #[serde(default)]
    name_in_cases: Option<String>,
}

impl Department {
    pub(crate) fn province(&self) -> &str {
        &self.id[..2]
    }

    /// Returns the code of three digits that the line list uses.
    fn code_in_cases(&self) -> String {
        let code = self.id[2..].parse().unwrap_or(0);
        let code: u32 = match self.id.as_str() {
            "94008" => 7,
            "94015" => 14,
            _ if self.province() == CABA => code / 7,
            _ => code,
        };
        format!("{code:03}")
    }

    fn name_in_cases(&self) -> &str {
        self.name_in_cases.as_ref().unwrap_or(&self.name)
    }
}

/// The fields of a department of residence.
pub(crate) struct Residence {
    /// `"Buenos Aires","La Matanza",`
    pub(crate) names: String,
    /// `"06",`
    pub(crate) province_id: String,
    /// `"427",`
    pub(crate) department_id: String,
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

/// The fields of a province of registration.
pub(crate) struct Registry {
    /// `"Buenos Aires",`
    pub(crate) name: String,
    /// `"06",`
    pub(crate) id: String,
}

struct DepartmentChoice {
    residences: Vec<Residence>,
    choice: AliasTable,
}

pub(crate) struct Geography {
    pub(crate) provinces: Vec<Province>,
    pub(crate) departments: Vec<Department>,
    registries: Vec<Registry>,
    /// By province; the last one is "unspecified".
    departments_by_province: Vec<DepartmentChoice>,
    early: AliasTable,
    late: AliasTable,
    caba: usize,
    buenos_aires: usize,
}

impl Geography {
    /// Reads the embedded tables.
    pub(crate) fn read() -> Result<Self> {
        let provinces: Vec<Province> = table(include_str!("provinces.tsv"))?;
        let departments: Vec<Department> = table(include_str!("departments.tsv"))?;
        let mut departments_by_province: Vec<DepartmentChoice> =
            provinces.iter().map(|province| departments_in(province, &departments)).collect();
        departments_by_province.push(DepartmentChoice {
            residences: vec![Residence::new(("99", UNSPECIFIED), ("0", UNSPECIFIED))],
            choice: AliasTable::new(&[1.0]),
        });
        let weights = |value: fn(&Province) -> f64, unspecified: f64| {
            let mut weights: Vec<f64> = provinces.iter().map(value).collect();
            weights.push(unspecified);
            AliasTable::new(&weights)
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
            departments_by_province,
            early: weights(|province| province.rows, UNSPECIFIED_ROWS.0),
            late: weights(|province| province.confirmed, UNSPECIFIED_ROWS.1),
            caba: position(CABA),
            buenos_aires: position(BUENOS_AIRES),
            provinces,
            departments,
        })
    }

    /// Returns where the case lives, and where it was registered.
    pub(crate) fn draw(&self, rng: &mut RowRng, late: bool) -> (&Residence, &Registry) {
        let province = if late { &self.late } else { &self.early }.pick(rng);
        let home = &self.departments_by_province[province];
        let residence = &home.residences[home.choice.pick(rng)];
        (residence, &self.registries[self.registered_in(province, rng)])
    }

    /// Returns the province of registration: mostly the one of residence, else mostly the capital, which has the laboratories.
    fn registered_in(&self, home: usize, rng: &mut RowRng) -> usize {
        let registered_elsewhere =
            self.provinces.get(home).map_or(1_000_000, |province| province.registered_elsewhere * 1000);
        if !rng.chance(registered_elsewhere) {
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
        if rng.chance(share) { usual } else { rng.index(self.registries.len()) }
    }
}

fn departments_in(province: &Province, departments: &[Department]) -> DepartmentChoice {
    let place = (province.id.as_str(), province.name.as_str());
    let mut residences = vec![Residence::new(place, ("0", UNSPECIFIED))];
    let mut weights = vec![province.rows_without_department];
    for department in departments.iter().filter(|department| department.province() == province.id) {
        residences.push(Residence::new(place, (&department.code_in_cases(), department.name_in_cases())));
        weights.push(department.rows);
    }
    DepartmentChoice { residences, choice: AliasTable::new(&weights) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_all_provinces_and_departments() {
        let geography = Geography::read().unwrap();
        assert_eq!((geography.provinces.len(), geography.departments.len()), (24, 529));
        for department in &geography.departments {
            assert!(geography.provinces.iter().any(|province| province.id == department.province()));
        }
        let in_province = |id| geography.departments.iter().filter(|found| found.province() == id).count();
        assert_eq!([in_province("06"), in_province("02"), in_province("94")], [135, 15, 5]);
    }

    #[test]
    fn department_has_code_of_the_line_list() {
        let geography = Geography::read().unwrap();
        let residence = |id: &str| {
            let department = geography.departments.iter().find(|department| department.id == id).unwrap();
            (department.code_in_cases(), department.name_in_cases().to_owned())
        };
        assert_eq!(residence("02007"), ("001".to_owned(), "COMUNA 01".to_owned()));
        assert_eq!(residence("02105"), ("015".to_owned(), "COMUNA 15".to_owned()));
        assert_eq!(residence("94008"), ("007".to_owned(), "Río Grande".to_owned()));
        assert_eq!(residence("94015"), ("014".to_owned(), "Ushuaia".to_owned()));
        assert_eq!(residence("06371"), ("371".to_owned(), "General San Martín".to_owned()));
        assert_eq!(residence("06427"), ("427".to_owned(), "La Matanza".to_owned()));
    }
}
