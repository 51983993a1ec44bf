//! The state of the Data screen.

use chrono::NaiveDate;
use uuid::Uuid;

use super::list::Cursor;
use super::remote::Remote;
use crate::tui::domain::{Issue, Run, RunCheck};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    pub name: String,
    pub rows: i64,
    /// In bytes, with indexes.
    pub size: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charts {
    /// Confirmed cases by the first day of the week, in order and without gaps.
    pub weeks: Vec<(NaiveDate, i64)>,
    /// Confirmed cases by province of residence, largest first; `None` collects cases without a province.
    pub provinces: Vec<(Option<String>, i64)>,
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
    pub issues: Vec<Issue>,
    /// Left out if the request named this load's charts as known.
    pub charts: Option<Charts>,
}

impl DataSummary {
    /// Rejects, then repairs; the most frequent first.
    fn sorted_issues(&self) -> Vec<&Issue> {
        let mut issues: Vec<&Issue> = self.issues.iter().collect();
        issues.sort_by_key(|issue| (issue.kind != "rejected", std::cmp::Reverse(issue.rows)));
        issues
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The line number in the source file.
    pub line: i64,
    pub raw: String,
}

/// Rows of one dataset that were rejected for one reason.
#[derive(Debug, Clone)]
pub struct RejectedPage {
    pub dataset: String,
    pub reason: String,
    pub rows: Remote<Vec<RejectedRow>>,
    pub cursor: Cursor,
}

#[derive(Debug, Clone, Default)]
pub struct Data {
    pub summary: Remote<Box<DataSummary>>,
    /// The cursor in the list of issues.
    pub cursor: Cursor,
    pub page: Option<RejectedPage>,
}

impl Data {
    /// The load whose charts are known.
    pub fn known_charts(&self) -> Option<Uuid> {
        let summary = self.summary.value.as_ref()?;
        summary.charts.as_ref().and(summary.published.as_ref()).map(|run| run.run_id)
    }

    pub fn issues(&self) -> Vec<&Issue> {
        self.summary.value.as_ref().map(|summary| summary.sorted_issues()).unwrap_or_default()
    }
}
