//! What a correct load counts of a file.

use crate::defect::Consequence;

/// What one of the optional files contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// The number of rows; blank lines do not count.
    pub rows: u64,
    /// What a correct load of all years counts, without [`Consequence::Kept`].
    pub planted: Vec<(Consequence, u64)>,
}

impl FileSummary {
    pub(crate) fn count(&mut self, consequence: Consequence) {
        self.rows += 1;
        if consequence != Consequence::Kept {
            self.plant(consequence, 1);
        }
    }

    pub(crate) fn plant(&mut self, consequence: Consequence, more: u64) {
        match self.planted.iter_mut().find(|(counted, _)| *counted == consequence) {
            Some((_, rows)) => *rows += more,
            None => self.planted.push((consequence, more)),
        }
    }
}
