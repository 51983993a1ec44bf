//! How many rows a load has for each year of registration, and in how many of them each column has no value.

use std::collections::BTreeMap;

use crate::clean::missing::{Column, Missing};
use crate::parse::date::Day;

/// The rows of one year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Year {
    pub rows: u64,
    missing: [u64; Column::ALL.len()],
}

impl Year {
    /// Returns the number of rows in which the column has no value.
    pub const fn missing(&self, column: Column) -> u64 {
        self.missing[column as usize]
    }
}

/// Rows and missing values by year of registration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    years: BTreeMap<i32, Year>,
    /// The days of the year that the last row was in: rows of one year follow each other.
    current: Option<(Day, Day, i32)>,
}

impl Profile {
    #[inline]
    pub fn add(&mut self, registered_on: Day, missing: Missing) {
        let year = match self.current {
            Some((first, last, year)) if (first..=last).contains(&registered_on) => year,
            _ => self.year_of(registered_on),
        };
        let year = self.years.entry(year).or_default();
        year.rows += 1;
        for column in missing.iter() {
            year.missing[column as usize] += 1;
        }
    }

    fn year_of(&mut self, day: Day) -> i32 {
        let year = day.year();
        self.current = Day::from_calendar(year, 1, 1)
            .zip(Day::from_calendar(year, 12, 31))
            .map(|(first, last)| (first, last, year));
        year
    }

    /// Returns the years, ascending.
    pub fn years(&self) -> impl Iterator<Item = (i32, &Year)> {
        self.years.iter().map(|(year, rows)| (*year, rows))
    }

    /// Sets figures that were read back.
    pub fn set(&mut self, year: i32, rows: u64, column: Option<Column>, missing: u64) {
        let year = self.years.entry(year).or_default();
        year.rows = rows;
        if let Some(column) = column {
            year.missing[column as usize] = missing;
        }
    }

    /// Returns the rows and the missing values of a column in the years that `wanted` selects.
    pub fn share(&self, column: Column, wanted: impl Fn(i32) -> bool) -> (u64, u64) {
        self.years()
            .filter(|(year, _)| wanted(*year))
            .fold((0, 0), |(rows, missing), (_, year)| (rows + year.rows, missing + year.missing(column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_counts_rows_and_missing_values_by_year() {
        let day = |year| Day::from_calendar(year, 12, 31).unwrap();
        let mut missing = Missing::default();
        missing.note(Column::Age);
        let mut profile = Profile::default();
        for (year, missing) in [(2020, Missing::default()), (2021, missing), (2020, missing), (2021, missing)]
        {
            profile.add(day(year), missing);
        }
        assert_eq!(profile.share(Column::Age, |year| year == 2020), (2, 1));
        assert_eq!(profile.share(Column::Age, |_| true), (4, 3));
        assert_eq!(profile.share(Column::Sex, |_| true), (4, 0));
    }
}
