//! Days of rows: dates or day numbers become positions in a series without gaps.

use std::collections::HashSet;

use chrono::{Datelike as _, NaiveDate};

use super::table::{Column, Row, Table};
use common::failure::{Failure, Result};

/// No series is longer: a hundred years. A wrong date would take all memory otherwise.
const LONGEST: i64 = 36_525;

/// How a file names days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Dates,
    Numbers,
}

/// The column of days, and how it names them.
#[derive(Clone, Copy)]
pub(super) struct DayColumn {
    column: Column,
    naming: Naming,
}

impl DayColumn {
    /// Finds the column of dates by one of these names, else the one of day numbers, `day`.
    pub(super) fn find(table: &Table, date_names: &[&'static str]) -> Result<Self> {
        if table.find(date_names).is_none() && table.find(&["day"]).is_some() {
            return Ok(Self { column: table.column(&["day"])?, naming: Naming::Numbers });
        }
        let names: Vec<_> = date_names.iter().copied().chain(["day"]).collect();
        Ok(Self { column: table.column(&names)?, naming: Naming::Dates })
    }

    /// Reads the day of a row, as days since some day of the past.
    pub(super) fn read(self, table: &Table, row: &Row) -> Result<i64> {
        let wanted = match self.naming {
            Naming::Dates => "a date such as 2021-03-31",
            Naming::Numbers => "a whole number",
        };
        table.value(row, self.column, wanted, |text| self.parse(text))
    }

    /// Parses a day as this column names it.
    pub(super) fn parse(self, text: &str) -> Option<i64> {
        match self.naming {
            Naming::Dates => text.parse::<NaiveDate>().ok().map(|date| date.num_days_from_ce().into()),
            Naming::Numbers => text.parse::<i32>().ok().map(i64::from),
        }
    }

    /// The name of the column.
    pub(super) fn name(self) -> &'static str {
        self.column.name()
    }

    /// A day as this column names it.
    pub(super) fn shown(self, day: i64) -> String {
        match self.naming {
            Naming::Dates => i32::try_from(day)
                .ok()
                .and_then(NaiveDate::from_num_days_from_ce_opt)
                .map_or_else(|| day.to_string(), |date| date.to_string()),
            Naming::Numbers => day.to_string(),
        }
    }
}

/// Returns the days from the first to the last, both included; refuses more than a hundred years.
pub(super) fn span(table: &Table, days: &DayColumn, first: i64, last: i64) -> Result<usize> {
    let length = last.saturating_sub(first).saturating_add(1);
    match usize::try_from(length) {
        Ok(span) if length <= LONGEST => Ok(span),
        _ => Err(table
            .bad_file(format_args!(
                "the days from {} to {} are more than a hundred years",
                days.shown(first),
                days.shown(last)
            ))
            .hint("correct the first or the last date")),
    }
}

/// The position of each row of a daily series; days without a row are zero.
pub(super) struct DailyRows<'a> {
    table: &'a Table,
    length: usize,
    positions: Vec<usize>,
}

impl<'a> DailyRows<'a> {
    /// Places the rows by their column `date` or `day`, in any order; refuses two rows of one day.
    pub(super) fn place(table: &'a Table) -> Result<Self> {
        let column = DayColumn::find(table, &["date"])?;
        let days = table.rows().iter().map(|row| column.read(table, row)).collect::<Result<Vec<i64>>>()?;
        let mut seen = HashSet::with_capacity(days.len());
        for (row, &day) in table.rows().iter().zip(&days) {
            if !seen.insert(day) {
                return Err(duplicate(table, row, &column.shown(day)));
            }
        }
        let first = days.iter().copied().min().unwrap_or_default();
        let last = days.iter().copied().max().unwrap_or_default();
        let length = span(table, &column, first, last)?;
        // All positions are below the span, which is small.
        let positions =
            days.into_iter().map(|day| usize::try_from(day - first).unwrap_or_default()).collect();
        Ok(Self { table, length, positions })
    }

    /// Reads one column as a series.
    pub(super) fn series<T: Clone + Default>(
        &self,
        name: &'static str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>> {
        let column = self.table.column(&[name])?;
        let mut series = vec![T::default(); self.length];
        for (row, &position) in self.table.rows().iter().zip(&self.positions) {
            series[position] = self.table.value(row, column, wanted, &parse)?;
        }
        Ok(series)
    }
}

/// A failure about a second row of the same day.
pub(super) fn duplicate(table: &Table, row: &Row, what: &str) -> Failure {
    table.bad_row(row, format_args!("{what} is there twice")).hint("keep one row for it")
}
