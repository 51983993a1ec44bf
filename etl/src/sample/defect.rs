//! What can be wrong with a row, and what a correct load makes of it.
//!
//! One kind for every case that the cleaning rules tell apart, and for every harmless oddity that a strict reader could trip
//! over. The reasons are those of the tally, so that what was planted can be compared with what a load counted.

/// One kind of dirt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; `values` in `damage` are the examples")]
pub enum Defect {
    TooFewFields,
    TooManyFields,
    StrayQuote,
    InvalidText,
    NoId,
    IdIsZero,
    IdIsNegative,
    IdIsNoNumber,
    IdIsTooLarge,
    NoRegistrationDate,
    RegistrationIsNoDate,
    RegistrationTooEarly,
    RegistrationTooLate,
    RegistrationProvinceZero,
    RegistrationProvinceUnknown,
    /// The case of the row before (or of one shortly before) again, classified otherwise.
    DuplicateNearby,
    /// The same of a row that stands anywhere before.
    DuplicateFarAway,
    NoAge,
    AgeIsNegative,
    AgeIsTooHigh,
    AgeIsAYear,
    AgeHasDecimals,
    MonthsTooHigh,
    InvalidSymptomsDate,
    InvalidAdmissionDate,
    InvalidDeathDate,
    InvalidDiagnosisDate,
    ResidenceProvinceUnknown,
    DepartmentOfAnotherProvince,
    DepartmentOfNoProvince,
    DepartmentUnderUnspecified,
    DepartmentZero,
    ProvinceUnspecified,
    Comuna,
    RioGrande,
    Ushuaia,
    Months,
    SpacesInOutcome,
    NullAsNa,
    NullAsQuotes,
    DatesAtTheLimits,
    BareFields,
    BareLineFeed,
    BlankLine,
    AnotherSex,
    AnotherOutcome,
}

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

impl Defect {
    /// Every kind. In this order they are spread over the file, so that duplicates have rows to repeat.
    pub const ALL: [Self; 46] = [
        Self::TooFewFields,
        Self::TooManyFields,
        Self::StrayQuote,
        Self::InvalidText,
        Self::NoId,
        Self::IdIsZero,
        Self::IdIsNegative,
        Self::IdIsNoNumber,
        Self::IdIsTooLarge,
        Self::NoRegistrationDate,
        Self::RegistrationIsNoDate,
        Self::RegistrationTooEarly,
        Self::RegistrationTooLate,
        Self::RegistrationProvinceZero,
        Self::RegistrationProvinceUnknown,
        Self::DuplicateNearby,
        Self::DuplicateFarAway,
        Self::NoAge,
        Self::AgeIsNegative,
        Self::AgeIsTooHigh,
        Self::AgeIsAYear,
        Self::AgeHasDecimals,
        Self::MonthsTooHigh,
        Self::InvalidSymptomsDate,
        Self::InvalidAdmissionDate,
        Self::InvalidDeathDate,
        Self::InvalidDiagnosisDate,
        Self::ResidenceProvinceUnknown,
        Self::DepartmentOfAnotherProvince,
        Self::DepartmentOfNoProvince,
        Self::DepartmentUnderUnspecified,
        Self::DepartmentZero,
        Self::ProvinceUnspecified,
        Self::Comuna,
        Self::RioGrande,
        Self::Ushuaia,
        Self::Months,
        Self::SpacesInOutcome,
        Self::NullAsNa,
        Self::NullAsQuotes,
        Self::DatesAtTheLimits,
        Self::BareFields,
        Self::BareLineFeed,
        Self::BlankLine,
        Self::AnotherSex,
        Self::AnotherOutcome,
    ];

    /// What becomes of the row.
    pub const fn consequence(self) -> Consequence {
        use Consequence::{Kept, Rejected, Repaired};
        match self {
            Self::TooFewFields | Self::TooManyFields | Self::StrayQuote | Self::InvalidText => {
                Rejected("malformed")
            }
            Self::NoId | Self::IdIsZero | Self::IdIsNegative | Self::IdIsNoNumber | Self::IdIsTooLarge => {
                Rejected("missing_case_id")
            }
            Self::NoRegistrationDate
            | Self::RegistrationIsNoDate
            | Self::RegistrationTooEarly
            | Self::RegistrationTooLate => Rejected("invalid_registration_date"),
            Self::RegistrationProvinceZero | Self::RegistrationProvinceUnknown => {
                Rejected("unknown_registration_province")
            }
            Self::DuplicateNearby | Self::DuplicateFarAway => Rejected("duplicate_case_id"),
            Self::NoAge => Repaired("missing_age"),
            Self::AgeIsNegative
            | Self::AgeIsTooHigh
            | Self::AgeIsAYear
            | Self::AgeHasDecimals
            | Self::MonthsTooHigh => Repaired("age_out_of_range"),
            Self::InvalidSymptomsDate => Repaired("invalid_symptoms_on"),
            Self::InvalidAdmissionDate => Repaired("invalid_admitted_on"),
            Self::InvalidDeathDate => Repaired("invalid_died_on"),
            Self::InvalidDiagnosisDate => Repaired("invalid_diagnosed_on"),
            Self::ResidenceProvinceUnknown => Repaired("unknown_residence_province"),
            Self::DepartmentOfAnotherProvince
            | Self::DepartmentOfNoProvince
            | Self::DepartmentUnderUnspecified => Repaired("unknown_residence_department"),
            Self::DepartmentZero
            | Self::ProvinceUnspecified
            | Self::Comuna
            | Self::RioGrande
            | Self::Ushuaia
            | Self::Months
            | Self::SpacesInOutcome
            | Self::NullAsNa
            | Self::NullAsQuotes
            | Self::DatesAtTheLimits
            | Self::BareFields
            | Self::BareLineFeed
            | Self::BlankLine
            | Self::AnotherSex
            | Self::AnotherOutcome => Kept,
        }
    }

    /// Whether the row is rejected.
    pub const fn rejects(self) -> bool {
        matches!(self.consequence(), Consequence::Rejected(_))
    }

    /// Whether the row gets an age (or none) of the defect's own.
    pub(super) fn replaces_age(self) -> bool {
        self == Self::Months
            || matches!(self.consequence(), Consequence::Repaired("missing_age" | "age_out_of_range"))
    }

    pub(super) const fn is_duplicate(self) -> bool {
        matches!(self, Self::DuplicateNearby | Self::DuplicateFarAway)
    }
}

/// How often each kind was planted.
///
/// A clean sample has some rows without an age too, as the ministry's file does; they count as [`Defect::NoAge`]. Other kinds that
/// are no dirt and occur in every sample (comunas, unknown departments) count only where they were planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted([u64; Defect::ALL.len()]);

impl Default for Planted {
    fn default() -> Self {
        Self([0; Defect::ALL.len()])
    }
}

impl Planted {
    /// How many rows have this defect.
    pub const fn of(&self, defect: Defect) -> u64 {
        self.0[defect as usize]
    }

    /// What the tally of a correct load of all years says, as (consequence, rows) with the reasons in the order of the rules.
    /// Reasons that occur nowhere are left out, and so is what is kept silently.
    pub fn tally(&self) -> Vec<(Consequence, u64)> {
        let mut tally: Vec<(Consequence, u64)> = Vec::new();
        for defect in Defect::ALL {
            let (consequence, rows) = (defect.consequence(), self.of(defect));
            if rows == 0 || consequence == Consequence::Kept {
                continue;
            }
            match tally.last_mut() {
                Some(last) if last.0 == consequence => last.1 += rows,
                _ => tally.push((consequence, rows)),
            }
        }
        tally
    }

    /// How many rows a correct load of all years rejects.
    pub fn rejected(&self) -> u64 {
        Defect::ALL.into_iter().filter(|defect| defect.rejects()).map(|defect| self.of(defect)).sum()
    }

    pub(super) const fn count(&mut self, defect: Defect) {
        self.0[defect as usize] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_at_its_own_place() {
        for (index, defect) in Defect::ALL.into_iter().enumerate() {
            assert_eq!(defect as usize, index);
        }
    }

    #[test]
    fn the_tally_adds_up_what_has_the_same_reason() {
        let mut planted = Planted::default();
        planted.count(Defect::NoId);
        planted.count(Defect::IdIsZero);
        planted.count(Defect::IdIsZero);
        planted.count(Defect::NoAge);
        planted.count(Defect::BlankLine);
        let expected =
            [(Consequence::Rejected("missing_case_id"), 3), (Consequence::Repaired("missing_age"), 1)];
        assert_eq!(planted.tally(), expected);
        assert_eq!(planted.rejected(), 3);
    }
}
