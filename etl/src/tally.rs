//! Counts of rejected and repaired rows per dataset and reason. The rows themselves go to `rejected_row`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::named_enum::named_enum;

named_enum! {
    /// The name is the value of `run_issue.kind`.
    pub enum IssueKind {
        /// The row is not loaded; it is kept in `rejected_row`.
        Rejected = "rejected",
        /// The row is loaded with a value replaced.
        Repaired = "repaired",
    }
}

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows of the line list, without header and blank lines.
    pub read: u64,
    /// Rows of years that are not wanted.
    pub filtered: u64,
    /// Rows of the table.
    pub loaded: u64,
    issues: BTreeMap<(Dataset, IssueKind, &'static str), u64>,
}

/// Row counts of a dataset; `read = filtered + loaded + rejected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows of the file, without header and blank lines.
    pub read: u64,
    /// Rows of years that are not wanted.
    pub filtered: u64,
    pub loaded: u64,
    pub rejected: u64,
    /// Repairs; a row may have several.
    pub repaired: u64,
}

impl Tally {
    pub fn count(&mut self, dataset: Dataset, kind: IssueKind, reason: &'static str, rows: u64) {
        if rows > 0 {
            *self.issues.entry((dataset, kind, reason)).or_default() += rows;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (dataset, kind, reason, rows) in other.issues() {
            self.count(dataset, kind, reason, rows);
        }
    }

    /// Returns the counts of the line list.
    pub fn cases(&self) -> RowCounts {
        let [rejected, repaired] = IssueKind::ALL.map(|kind| self.total(Dataset::Cases, kind));
        RowCounts { read: self.read, filtered: self.filtered, loaded: self.loaded, rejected, repaired }
    }

    /// Returns every reason with its count, in a fixed order.
    pub fn issues(&self) -> impl Iterator<Item = (Dataset, IssueKind, &'static str, u64)> {
        self.issues.iter().map(|((dataset, kind, reason), rows)| (*dataset, *kind, *reason, *rows))
    }

    /// Returns the rejected rows or repairs of a dataset.
    pub fn total(&self, of: Dataset, wanted: IssueKind) -> u64 {
        self.issues()
            .filter(|(dataset, kind, ..)| (*dataset, *kind) == (of, wanted))
            .map(|issue| issue.3)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_counts_line_list_alone() {
        let mut tally = Tally::default();
        tally.count(Dataset::Cases, IssueKind::Rejected, "malformed", 2);
        tally.count(Dataset::Cases, IssueKind::Rejected, "malformed", 1);
        tally.count(Dataset::Provinces, IssueKind::Rejected, "malformed", 5);
        tally.count(Dataset::Cases, IssueKind::Repaired, "missing_age", 4);
        tally.count(Dataset::Cases, IssueKind::Repaired, "age_out_of_range", 0);
        assert_eq!((tally.cases().rejected, tally.cases().repaired), (3, 4));
        assert_eq!(tally.issues().count(), 3);
    }
}
