//! Repairs: bad values of a kept row that were replaced, most of them with NULL. Their names are a contract (`run_issue.reason`).

/// A value that was replaced in a row that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// No age: NULL.
    MissingAge,
    /// Not an integer between 0 and 120: NULL.
    AgeOutOfRange,
    /// Not a date between 1900 and the day after the dataset's: NULL; likewise the next three.
    InvalidSymptomsOn,
    /// See [`Self::InvalidSymptomsOn`].
    InvalidAdmittedOn,
    /// See [`Self::InvalidSymptomsOn`].
    InvalidDiedOn,
    /// See [`Self::InvalidSymptomsOn`].
    InvalidDiagnosedOn,
    /// Neither a province nor the ministry's 99 (unspecified): NULL.
    UnknownResidenceProvince,
    /// None of the residence province's departments: NULL.
    UnknownResidenceDepartment,
}

impl Repair {
    /// In the order of the rules.
    pub const ALL: [Self; 8] = [
        Self::MissingAge,
        Self::AgeOutOfRange,
        Self::InvalidSymptomsOn,
        Self::InvalidAdmittedOn,
        Self::InvalidDiedOn,
        Self::InvalidDiagnosedOn,
        Self::UnknownResidenceProvince,
        Self::UnknownResidenceDepartment,
    ];

    /// The word in `run_issue.reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingAge => "missing_age",
            Self::AgeOutOfRange => "age_out_of_range",
            Self::InvalidSymptomsOn => "invalid_symptoms_on",
            Self::InvalidAdmittedOn => "invalid_admitted_on",
            Self::InvalidDiedOn => "invalid_died_on",
            Self::InvalidDiagnosedOn => "invalid_diagnosed_on",
            Self::UnknownResidenceProvince => "unknown_residence_province",
            Self::UnknownResidenceDepartment => "unknown_residence_department",
        }
    }
}

/// The repairs of one row, each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repairs(u8);

impl Repairs {
    /// Notes one.
    pub const fn note(&mut self, repair: Repair) {
        self.0 |= 1 << repair as u8;
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that were noted.
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
