//! Defects that a dirty sample contains, and what a correct load does with each.
//!
//! There is one defect for every case that the cleaning rules distinguish, and for every harmless oddity that a strict reader could
//! reject. The reasons are those of the load's tally, so that planted and counted rows can be compared.

use Consequence::{Kept, Rejected, Repaired};

/// What a correct load does with a row that has a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The row is rejected, for this reason.
    Rejected(&'static str),
    /// The row is kept, and one repair is counted for this reason.
    Repaired(&'static str),
    /// The row is kept, and nothing is counted.
    Kept,
}

/// Declares the defects in the order in which they are spread over the file: duplicates need earlier rows to repeat.
macro_rules! defects {
    ($($consequence:expr => $($(#[$doc:meta])* $name:ident),+;)+) => {
        /// One kind of defect; `corrupt_row` has the examples.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Defect { $($($(#[$doc])* $name,)+)+ }

        impl Defect {
            /// Every defect, in the order of declaration.
            pub(crate) const ALL: &'static [Self] = &[$($(Self::$name,)+)+];

            pub(crate) const fn consequence(self) -> Consequence {
                match self { $($(Self::$name)|+ => $consequence,)+ }
            }
        }
    };
}

defects! {
    Rejected("malformed") => TooFewFields, TooManyFields, StrayQuote, InvalidText;
    Rejected("missing_case_id") => NoId, IdIsZero, IdIsNegative, IdIsNoNumber, IdIsTooLarge;
    Rejected("invalid_registration_date") =>
        NoRegistrationDate, RegistrationIsNoDate, RegistrationTooEarly, RegistrationTooLate;
    Rejected("unknown_registration_province") => RegistrationProvinceZero, RegistrationProvinceUnknown;
    Rejected("duplicate_case_id") =>
        /// Repeats the case of one of the preceding rows with another classification.
        DuplicateNearby,
        /// Repeats the case of any earlier row with another classification.
        DuplicateFarAway;
    Repaired("missing_age") => NoAge;
    Repaired("age_out_of_range") => AgeIsNegative, AgeIsTooHigh, AgeIsAYear, AgeHasDecimals, MonthsTooHigh;
    Repaired("invalid_symptoms_on") => InvalidSymptomsDate;
    Repaired("invalid_admitted_on") => InvalidAdmissionDate;
    Repaired("invalid_died_on") => InvalidDeathDate;
    Repaired("invalid_diagnosed_on") => InvalidDiagnosisDate;
    Repaired("unknown_residence_province") => ResidenceProvinceUnknown;
    Repaired("unknown_residence_department") =>
        DepartmentOfAnotherProvince, DepartmentOfNoProvince, DepartmentUnderUnspecified;
    Kept =>
        DepartmentZero, ProvinceUnspecified, Comuna, RioGrande, Ushuaia, Months, SpacesInOutcome, NullAsNa, NullAsQuotes,
        DatesAtTheLimits, BareFields, BareLineFeed, BlankLine, AnotherSex, AnotherOutcome;
}

impl Defect {
    pub(crate) const fn rejects(self) -> bool {
        matches!(self.consequence(), Rejected(_))
    }

    /// Whether the defect sets the age of the row, or removes it.
    pub(crate) fn replaces_age(self) -> bool {
        self == Self::Months || matches!(self.consequence(), Repaired("missing_age" | "age_out_of_range"))
    }

    pub(crate) const fn is_duplicate(self) -> bool {
        matches!(self, Self::DuplicateNearby | Self::DuplicateFarAway)
    }
}

/// The number of rows with each defect.
///
/// A clean sample has some rows without an age, as the ministry's file does; they count as `Defect::NoAge`. Other oddities that
/// occur in every sample (comunas, unknown departments) count only if they were planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefectCounts([u64; Defect::ALL.len()]);

impl Default for DefectCounts {
    fn default() -> Self {
        Self([0; Defect::ALL.len()])
    }
}

impl DefectCounts {
    pub(crate) const fn of(&self, defect: Defect) -> u64 {
        self.0[defect as usize]
    }

    /// The tally of a correct load of all years, in the order of the rules, without reasons that do not occur and without
    /// [`Consequence::Kept`].
    pub fn tally(&self) -> Vec<(Consequence, u64)> {
        let mut tally: Vec<(Consequence, u64)> = Vec::new();
        for &defect in Defect::ALL {
            let (consequence, rows) = (defect.consequence(), self.of(defect));
            match tally.last_mut() {
                _ if rows == 0 || consequence == Kept => {}
                Some(last) if last.0 == consequence => last.1 += rows,
                _ => tally.push((consequence, rows)),
            }
        }
        tally
    }

    /// The number of rows that a correct load of all years rejects.
    pub fn rejected(&self) -> u64 {
        Defect::ALL.iter().filter(|defect| defect.rejects()).map(|&defect| self.of(defect)).sum()
    }

    pub(crate) const fn count(&mut self, defect: Defect) {
        self.0[defect as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (total, rows) in self.0.iter_mut().zip(other.0) {
            *total += rows;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tally_sums_rows_with_same_reason() {
        let mut counts = DefectCounts::default();
        counts.count(Defect::NoId);
        counts.count(Defect::IdIsZero);
        counts.count(Defect::IdIsZero);
        counts.count(Defect::NoAge);
        counts.count(Defect::BlankLine);
        assert_eq!(counts.tally(), [(Rejected("missing_case_id"), 3), (Repaired("missing_age"), 1)]);
        assert_eq!(counts.rejected(), 3);
    }
}
