//! The interface of the cleaning rules of all datasets.

use common::failure::Failure;

use crate::parse::fields::Fields;

/// A well-formed row.
pub struct Row<'a> {
    /// Line in the file, from 1.
    pub line: u64,
    pub text: &'a [u8],
    pub fields: &'a Fields,
}

/// Why a row is not accepted.
#[derive(Debug)]
pub enum Excluded {
    /// Its year is not wanted.
    Filtered,
    /// The reason, as in `run_issue.reason`.
    Rejected(&'static str),
    /// The file as a whole cannot be the dataset.
    Failed(Failure),
}

/// The rules of a dataset, for one file.
pub trait RowCleaner: Send + 'static {
    /// What is known of an accepted row besides its encoding.
    type Accepted: Send;
    /// What is collected over the accepted rows of a block.
    type Notes: Default + Send;

    /// Applies every rule to a row, in order; appends an accepted row to `encoded` in COPY's binary format.
    fn clean_row(
        &mut self,
        row: &Row<'_>,
        encoded: &mut Vec<u8>,
        notes: &mut Self::Notes,
    ) -> Result<Self::Accepted, Excluded>;
}
