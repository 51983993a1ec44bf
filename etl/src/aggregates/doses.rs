//! Counts of doses by week, in bounded memory: by place of residence, sex and age group, and by place of application, vaccine and condition.

use foldhash::HashMap;
use uuid::Uuid;

use super::count;
use super::rows::Rows;
use crate::clean::doses::{Dose, Place, Week};
use crate::clean::encoding::value;
use crate::interner::Interner;

/// Groups per table in memory, in a hash table of 2^19 slots of 17 bytes.
const MAX_GROUPS: usize = 450_000;

/// The tables of the counts, with their columns but `run_id`.
pub const TABLES: [(&str, &str); 2] = [
    (
        "run_dose_count",
        "week_starts_on, residence_province_id, residence_department_id, sex, age_group, dose, doses",
    ),
    (
        "run_dose_application_count",
        "week_starts_on, application_province_id, application_department_id, vaccine, dose, condition, doses",
    ),
];

/// Doses by group.
#[derive(Debug, Default)]
pub struct DoseAggregates {
    residences: HashMap<ResidenceKey, [u32; 1]>,
    applications: HashMap<ApplicationKey, [u32; 1]>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ResidenceKey {
    residence: Place,
    week: Week,
    sex: u16,
    age_group: u16,
    dose: u16,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ApplicationKey {
    application: Place,
    week: Week,
    vaccine: u16,
    dose: u16,
    condition: u16,
}

impl DoseAggregates {
    pub fn add(&mut self, dose: &Dose) {
        let Dose { week, sex, age_group, residence, application, vaccine, dose, condition, .. } = *dose;
        count(&mut self.residences, ResidenceKey { residence, week, sex, age_group, dose }, [true]);
        count(&mut self.applications, ApplicationKey { application, week, vaccine, dose, condition }, [true]);
    }

    /// Returns whether the groups must be written before more doses are added.
    pub fn is_full(&self) -> bool {
        self.residences.len() >= MAX_GROUPS || self.applications.len() >= MAX_GROUPS
    }

    /// Takes all groups out. `texts` has the texts of the doses by number.
    pub fn take<'a>(&'a mut self, run_id: Uuid, texts: &'a Interner) -> [Rows<'a>; 2] {
        let [(residence_table, residence_columns), (application_table, application_columns)] = TABLES;
        [
            Rows::new(residence_table, residence_columns, run_id, self.residences.drain(), |key, row| {
                week_and_place(key.week, key.residence, row);
                for text in [key.sex, key.age_group, key.dose] {
                    value(row, texts.resolve(text));
                }
            }),
            Rows::new(
                application_table,
                application_columns,
                run_id,
                self.applications.drain(),
                |key, row| {
                    week_and_place(key.week, key.application, row);
                    for text in [key.vaccine, key.dose, key.condition] {
                        value(row, texts.resolve(text));
                    }
                },
            ),
        ]
    }
}

fn week_and_place(week: Week, place: Place, row: &mut Vec<u8>) {
    value(row, week.starts_on().map(|day| day.0.to_be_bytes()));
    value(row, place.province().map(i16::to_be_bytes));
    value(row, place.department().map(i32::to_be_bytes));
}
