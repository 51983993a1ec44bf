//! What happened to the rows of a run: counts per dataset, kind and reason. Only counts; the rows themselves go to
//! `rejected_row`.

use std::collections::BTreeMap;

use crate::dataset::Dataset;

/// What became of a row that was not simply loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The row is not in the tables; it is kept in `rejected_row`.
    Rejected,
    /// The row is in the tables, with a value replaced.
    Repaired,
}

impl Kind {
    /// The word in `run_issue.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Repaired => "repaired",
        }
    }
}

/// The counts of one run. `read = filtered + loaded + rejected` for the cases, always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows of the line list, without header and empty lines.
    pub read: u64,
    /// Rows of years that are not wanted.
    pub filtered: u64,
    /// Rows that the table holds in the end.
    pub loaded: u64,
    issues: BTreeMap<(Dataset, Kind, &'static str), u64>,
}

/// What became of the rows of one dataset; `read = filtered + loaded + rejected`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the file, without header and empty lines.
    pub read: u64,
    /// Rows of years that are not wanted.
    pub filtered: u64,
    /// Rows that the table got.
    pub loaded: u64,
    /// Rows that it did not get.
    pub rejected: u64,
    /// Repairs; a row may have several.
    pub repaired: u64,
}

impl Counts {
    /// Adds those of another part of the same file.
    pub const fn add(&mut self, other: Self) {
        self.read += other.read;
        self.filtered += other.filtered;
        self.loaded += other.loaded;
        self.rejected += other.rejected;
        self.repaired += other.repaired;
    }
}

impl Tally {
    /// Counts `rows` more for a reason.
    pub fn count(&mut self, dataset: Dataset, kind: Kind, reason: &'static str, rows: u64) {
        if rows > 0 {
            *self.issues.entry((dataset, kind, reason)).or_default() += rows;
        }
    }

    /// Adds the reasons of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (dataset, kind, reason, rows) in other.issues() {
            self.count(dataset, kind, reason, rows);
        }
    }

    /// Rejected rows of the line list.
    pub fn rejected(&self) -> u64 {
        self.total(Dataset::Cases, Kind::Rejected)
    }

    /// Repairs in the line list; a row may have several.
    pub fn repaired(&self) -> u64 {
        self.total(Dataset::Cases, Kind::Repaired)
    }

    /// All counts of the line list.
    pub fn cases(&self) -> Counts {
        let Self { read, filtered, loaded, .. } = *self;
        Counts { read, filtered, loaded, rejected: self.rejected(), repaired: self.repaired() }
    }

    /// Every reason with its count, in a fixed order.
    pub fn issues(&self) -> impl Iterator<Item = (Dataset, Kind, &'static str, u64)> {
        self.issues.iter().map(|((dataset, kind, reason), rows)| (*dataset, *kind, *reason, *rows))
    }

    /// How many rows of a dataset were rejected, or repairs made in it.
    pub fn total(&self, of: Dataset, wanted: Kind) -> u64 {
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
    fn totals_are_of_the_line_list_alone() {
        let mut tally = Tally::default();
        tally.count(Dataset::Cases, Kind::Rejected, "malformed", 2);
        tally.count(Dataset::Cases, Kind::Rejected, "malformed", 1);
        tally.count(Dataset::Provinces, Kind::Rejected, "malformed", 5);
        tally.count(Dataset::Cases, Kind::Repaired, "missing_age", 4);
        tally.count(Dataset::Cases, Kind::Repaired, "age_out_of_range", 0);
        assert_eq!((tally.rejected(), tally.repaired()), (3, 4));
        assert_eq!(tally.issues().count(), 3);
    }
}
