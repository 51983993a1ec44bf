//! What every dataset's rules have in common: a row in, an outcome out.

use common::failure::Result;

use crate::parse::fields::Fields;

/// A well-formed row.
pub struct Row<'a> {
    /// Line in the file, from 1.
    pub line: u64,
    pub text: &'a [u8],
    pub fields: &'a Fields,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome<A> {
    Accepted(A),
    /// Its year is not wanted.
    Filtered,
    /// The reason, as in `run_issue.reason`.
    Rejected(&'static str),
}

/// The rules of a dataset, for one file.
pub trait RowCleaner: Send + 'static {
    /// What is known of an accepted row besides its encoding.
    type Accepted: Send;
    /// What is collected over the accepted rows of a block.
    type Notes: Default + Send;

    /// Applies every rule to a row, in order; appends an accepted row to `encoded` in COPY's binary format.
    ///
    /// # Errors
    /// If the file as a whole cannot be the dataset.
    fn clean_row(
        &mut self,
        row: &Row<'_>,
        encoded: &mut Vec<u8>,
        notes: &mut Self::Notes,
    ) -> Result<RowOutcome<Self::Accepted>>;
}
