//! Repairs: bad values of an accepted case that were replaced, most of them with NULL.

use crate::named_enum::named_enum;

named_enum! {
    /// A replaced value; the name is the value of `run_issue.reason`.
    pub enum Repair {
        /// No age: NULL.
        MissingAge = "missing_age",
        /// Not an integer between 0 and 120: NULL.
        AgeOutOfRange = "age_out_of_range",
        /// Not a date between 1900 and the day after the dataset's: NULL; likewise the next three.
        InvalidSymptomsOn = "invalid_symptoms_on",
        InvalidAdmittedOn = "invalid_admitted_on",
        InvalidDiedOn = "invalid_died_on",
        InvalidDiagnosedOn = "invalid_diagnosed_on",
        /// Neither a province nor the ministry's 99 (unspecified): NULL.
        UnknownResidenceProvince = "unknown_residence_province",
        /// None of the residence province's departments: NULL.
        UnknownResidenceDepartment = "unknown_residence_department",
    }
}

/// The repairs of a row, each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repairs(u8);

impl Repairs {
    pub const fn note(&mut self, repair: Repair) {
        self.0 |= 1 << repair as u8;
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Repair> {
        Repair::ALL.into_iter().filter(move |repair| self.0 & (1 << *repair as u8) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_keep_each_repair_once() {
        let mut repairs = Repairs::default();
        assert!(repairs.is_empty());
        Repair::ALL.into_iter().chain(Repair::ALL).for_each(|repair| repairs.note(repair));
        assert_eq!(repairs.iter().collect::<Vec<_>>(), Repair::ALL);
    }
}
