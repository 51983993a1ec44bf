//! The state of the Data screen.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Cursor, Remote};
use crate::tui::domain::{Issue, Run, RunCheck};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    pub name: String,
    pub rows: i64,
    /// In bytes, with indexes.
    pub size: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Charts {
    /// Confirmed cases by the first day of the week, in order and without gaps.
    pub weeks: Vec<(NaiveDate, i64)>,
    /// Confirmed cases by province of residence, largest first; `None` collects cases without a province.
    pub provinces: Vec<(Option<String>, i64)>,
    /// The latest reproduction number of the country: mean and 95 % interval.
    pub reproduction_number: Option<(f64, f64, f64)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct DataSummary {
    /// The load that built the published release.
    pub published: Option<Run>,
    /// The latest load, if the publish gate rejected it.
    pub refused: Option<Run>,
    pub tables: Vec<TableSize>,
    /// Optional datasets missing from the published load, with their status: `tests missing`.
    pub left_out: Vec<String>,
    pub checks: Vec<RunCheck>,
    /// Rejects, then repairs; the most frequent first.
    pub issues: Vec<Issue>,
    /// Left out if the request named this load's charts as known.
    pub charts: Option<Charts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The line number in the source file.
    pub line: i64,
    pub raw: String,
}

#[derive(Debug, Clone, Default)]
pub struct Data {
    pub summary: Remote<Box<DataSummary>>,
    /// The cursor in the list of issues.
    pub cursor: Cursor,
    /// The issue whose rejected rows are open.
    pub page: Option<Issue>,
    pub rejected: Remote<Vec<RejectedRow>>,
    pub page_cursor: Cursor,
}

impl Data {
    /// The load whose charts are known.
    pub fn known_charts(&self) -> Option<Uuid> {
        let summary = self.summary.value.as_ref()?;
        summary.charts.as_ref().and(summary.published.as_ref()).map(|run| run.run_id)
    }

    pub fn issues(&self) -> &[Issue] {
        self.summary.value.as_ref().map_or(&[], |summary| &summary.issues)
    }
}
