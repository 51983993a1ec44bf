//! The columns of an accepted case that have no value, for the share of nulls per column.

use super::case::Case;
use crate::named_enum::named_enum;

named_enum! {
    /// A column of `covid_case` that may have no value (NULL, or as documented); the name is the column's.
    pub enum Column {
        Sex = "sex",
        Age = "age",
        SymptomsOn = "symptoms_on",
        AdmittedOn = "admitted_on",
        /// False because the file says neither yes nor no.
        Icu = "icu",
        /// False because the file says neither yes nor no.
        Ventilated = "ventilated",
        DiedOn = "died_on",
        DiagnosedOn = "diagnosed_on",
        ResidenceProvince = "residence_province_id",
        ResidenceDepartment = "residence_department_id",
        Classification = "classification",
        /// `classification` is a text, but none of the ministry's four.
        UnknownClassification = "unknown_classification",
    }
}

/// Columns of a row, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing(u16);

impl Missing {
    /// Adds the columns of a case that are NULL, and `icu` and `ventilated` if the file says neither yes nor no.
    #[inline]
    pub(super) fn add_empty(&mut self, case: &Case<'_>, icu: Option<bool>, ventilated: Option<bool>) {
        let bit = |column: Column, is_missing: bool| u16::from(is_missing) << column as u16;
        self.0 |= bit(Column::Sex, case.sex.is_none())
            | bit(Column::Age, case.age.is_none())
            | bit(Column::SymptomsOn, case.symptoms_on.is_none())
            | bit(Column::AdmittedOn, case.admitted_on.is_none())
            | bit(Column::Icu, icu.is_none())
            | bit(Column::Ventilated, ventilated.is_none())
            | bit(Column::DiedOn, case.died_on.is_none())
            | bit(Column::DiagnosedOn, case.diagnosed_on.is_none())
            | bit(Column::ResidenceProvince, case.residence_province_id.is_none())
            | bit(Column::ResidenceDepartment, case.residence_department_id.is_none())
            | bit(Column::Classification, case.classification.is_none());
    }

    #[inline]
    pub const fn note(&mut self, column: Column) {
        self.0 |= 1 << column as u16;
    }

    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Column> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let column = Column::ALL.get(bits.trailing_zeros() as usize).copied();
            bits &= bits.wrapping_sub(1);
            column
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_lists_each_noted_column_once() {
        for (place, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, place, "{column:?}");
            let mut missing = Missing::default();
            missing.note(column);
            missing.note(column);
            assert_eq!(missing.iter().collect::<Vec<_>>(), [column]);
        }
        let mut all = Missing::default();
        Column::ALL.into_iter().rev().for_each(|column| all.note(column));
        assert_eq!(all.iter().collect::<Vec<_>>(), Column::ALL);
        assert_eq!(Missing::default().iter().count(), 0);
    }
}
