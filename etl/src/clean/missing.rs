//! Which columns of a kept row have no value: what the share of nulls per column is counted from.

use super::case::Case;

/// A column of `covid_case` that may be without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// `sex` is NULL.
    Sex,
    /// `age` is NULL.
    Age,
    /// `symptoms_on` is NULL.
    SymptomsOn,
    /// `admitted_on` is NULL.
    AdmittedOn,
    /// `icu` is false because the file says neither yes nor no.
    Icu,
    /// `ventilated` is false because the file says neither yes nor no.
    Ventilated,
    /// `died_on` is NULL.
    DiedOn,
    /// `diagnosed_on` is NULL.
    DiagnosedOn,
    /// `residence_province_id` is NULL.
    ResidenceProvince,
    /// `residence_department_id` is NULL.
    ResidenceDepartment,
    /// `classification` is NULL.
    Classification,
    /// `classification` is a text, but none of the ministry's four.
    UnknownClassification,
}

impl Column {
    /// In the order of the table's columns; the position of each is its number.
    pub const ALL: [Self; 12] = [
        Self::Sex,
        Self::Age,
        Self::SymptomsOn,
        Self::AdmittedOn,
        Self::Icu,
        Self::Ventilated,
        Self::DiedOn,
        Self::DiagnosedOn,
        Self::ResidenceProvince,
        Self::ResidenceDepartment,
        Self::Classification,
        Self::UnknownClassification,
    ];

    /// The column's name in `covid_case`; `unknown_classification` for [`Self::UnknownClassification`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sex => "sex",
            Self::Age => "age",
            Self::SymptomsOn => "symptoms_on",
            Self::AdmittedOn => "admitted_on",
            Self::Icu => "icu",
            Self::Ventilated => "ventilated",
            Self::DiedOn => "died_on",
            Self::DiagnosedOn => "diagnosed_on",
            Self::ResidenceProvince => "residence_province_id",
            Self::ResidenceDepartment => "residence_department_id",
            Self::Classification => "classification",
            Self::UnknownClassification => "unknown_classification",
        }
    }
}

/// Some columns of one row: a bit each.
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

    /// Adds a column.
    #[inline]
    pub const fn note(&mut self, column: Column) {
        self.0 |= 1 << column as u16;
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The columns, in their order.
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
            assert!(missing.is_empty());
            missing.note(column);
            missing.note(column);
            assert!(!missing.is_empty());
            assert_eq!(missing.iter().collect::<Vec<_>>(), [column]);
        }
        let mut all = Missing::default();
        Column::ALL.into_iter().rev().for_each(|column| all.note(column));
        assert_eq!(all.iter().collect::<Vec<_>>(), Column::ALL);
        assert_eq!(Missing::default().iter().count(), 0);
    }
}
