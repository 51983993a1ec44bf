//! What the Data screen knows: what is published, how large it is, its curve, and what was rejected on the way.

use chrono::NaiveDate;
use uuid::Uuid;

use super::list::Cursor;
use super::remote::Remote;
use crate::db::checks::RunCheck;
use crate::db::runs::Issue;
use target::Run;

/// A table of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its rows, exactly.
    pub rows: i64,
    /// With indexes, in bytes.
    pub size: i64,
}

/// The charts of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charts {
    /// Confirmed cases by the day on which a week began, in order, without gaps.
    pub weeks: Vec<(NaiveDate, i64)>,
    /// Confirmed cases by province of residence, the most first; without a name where none was given.
    pub provinces: Vec<(Option<String>, i64)>,
}

/// What the question about data is answered with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The load that is published; none before the first one.
    pub published: Option<Run>,
    /// The last load, if the publish gate refused it.
    pub refused: Option<Run>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The optional datasets that the load left out, and why: `tests missing`.
    pub left_out: Vec<String>,
    /// What the publish gate found in that load.
    pub checks: Vec<RunCheck>,
    /// The tally of that load.
    pub issues: Vec<Issue>,
    /// Absent where the question named this load as known.
    pub charts: Option<Charts>,
}

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its line in the file.
    pub line: i64,
    /// As it stood there.
    pub raw: String,
}

/// The rejected rows that were opened.
#[derive(Debug, Clone)]
pub struct Page {
    /// Of which dataset.
    pub dataset: String,
    /// Why they were rejected.
    pub reason: String,
    /// They.
    pub rows: Remote<Vec<Rejected>>,
    /// Where one is.
    pub cursor: Cursor,
}

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// The answer.
    pub answer: Remote<Box<Answer>>,
    /// Where one is among the reasons.
    pub cursor: Cursor,
    /// What is opened.
    pub page: Option<Page>,
}

impl Data {
    /// The load whose charts are known.
    pub fn known(&self) -> Option<Uuid> {
        let answer = self.answer.last.as_ref()?;
        answer.charts.as_ref().and(answer.published.as_ref()).map(|run| run.run_id)
    }

    /// Rejects and repairs, the rejects first.
    pub fn issues(&self) -> Vec<&Issue> {
        let mut issues: Vec<&Issue> = self.answer.last.iter().flat_map(|answer| &answer.issues).collect();
        issues.sort_by_key(|issue| (issue.kind != "rejected", std::cmp::Reverse(issue.rows)));
        issues
    }
}
