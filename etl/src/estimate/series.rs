//! Daily series without gaps, from rows with dates or day numbers.

use std::collections::HashSet;

use chrono::{Datelike as _, NaiveDate};

use super::input::{Column, Row, Table};
use common::failure::Result;

/// The longest series in days, a hundred years: a wrong date would exhaust the memory otherwise.
const MAX_DAYS: i64 = 36_525;

/// The column of days, which has dates or day numbers.
#[derive(Clone, Copy)]
pub(super) struct DayColumn {
    pub(super) column: Column,
    has_dates: bool,
}

impl DayColumn {
    /// Finds the column of dates by one of these names, or else the column `day` of day numbers.
    pub(super) fn find(table: &Table, date_names: &[&'static str]) -> Result<Self> {
        let has_dates = table.find(date_names).is_some() || table.find(&["day"]).is_none();
        let names: Vec<_> = date_names.iter().copied().chain(["day"]).collect();
        let column = if has_dates { table.column(&names) } else { table.column(&["day"]) }?;
        Ok(Self { column, has_dates })
    }

    /// Reads the day of a row as a number of days.
    pub(super) fn read(self, table: &Table, row: &Row) -> Result<i64> {
        let expected = if self.has_dates { "a date such as 2021-03-31" } else { "a whole number" };
        table.parse(row, self.column, expected, |text| self.parse(text))
    }

    /// Parses a day in the format of this column.
    pub(super) fn parse(self, text: &str) -> Option<i64> {
        if self.has_dates {
            text.parse::<NaiveDate>().ok().map(|date| date.num_days_from_ce().into())
        } else {
            text.parse::<i32>().ok().map(i64::from)
        }
    }

    /// Formats a day in the format of this column.
    pub(super) fn format(self, day: i64) -> String {
        let date =
            i32::try_from(day).ok().filter(|_| self.has_dates).and_then(NaiveDate::from_num_days_from_ce_opt);
        date.map_or_else(|| day.to_string(), |date| date.to_string())
    }
}

/// Returns the number of days from the first to the last; fails if it is above [`MAX_DAYS`].
pub(super) fn span(table: &Table, days: DayColumn, first: i64, last: i64) -> Result<usize> {
    let length = last.saturating_sub(first).saturating_add(1);
    match usize::try_from(length) {
        Ok(span) if length <= MAX_DAYS => Ok(span),
        _ => Err(table
            .error(format_args!(
                "the days from {} to {} are more than a hundred years",
                days.format(first),
                days.format(last)
            ))
            .hint("correct the first or the last date")),
    }
}

/// A table with one row for each day. Days without a row count as zero.
pub(super) struct DailyTable<'a> {
    table: &'a Table,
    length: usize,
    positions: Vec<usize>,
}

impl<'a> DailyTable<'a> {
    /// Takes the days from the column `date` or `day`, in any order; fails if a day has two rows.
    pub(super) fn new(table: &'a Table) -> Result<Self> {
        let column = DayColumn::find(table, &["date"])?;
        let days = table.rows.iter().map(|row| column.read(table, row)).collect::<Result<Vec<i64>>>()?;
        let mut seen = HashSet::with_capacity(days.len());
        for (row, &day) in table.rows.iter().zip(&days) {
            if !seen.insert(day) {
                return Err(table.duplicate_error(row, column.format(day)));
            }
        }
        let first = days.iter().copied().min().unwrap_or_default();
        let last = days.iter().copied().max().unwrap_or_default();
        let length = span(table, column, first, last)?;
        let positions =
            days.into_iter().map(|day| usize::try_from(day - first).unwrap_or_default()).collect();
        Ok(Self { table, length, positions })
    }

    /// Reads one column as a series.
    pub(super) fn series<T: Clone + Default>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>> {
        let column = self.table.column(&[name])?;
        let mut series = vec![T::default(); self.length];
        for (row, &position) in self.table.rows.iter().zip(&self.positions) {
            series[position] = self.table.parse(row, column, expected, &parse)?;
        }
        Ok(series)
    }
}
