//! Decides which rows have which defect, and writes blocks of rows.
//!
//! The decision depends on the seed and the row number alone. Each defect has one reserved row, evenly spread over the file; the
//! others are random. A row stays one record with any defect.

use std::ops::Range;

use crate::Options;
use crate::case::Population;
use crate::corrupt_row::corrupt_row;
use crate::defect::{Defect, DefectCounts};
use crate::random::{PerMillion, RngStream, RowRng};
use common::failure::Result;

/// Rows that a nearby duplicate looks back, and attempts of a distant one, to find a row that is kept.
const MAX_LOOKUPS: u64 = 64;

pub(crate) struct Block {
    pub(crate) text: Vec<u8>,
    pub(crate) planted: DefectCounts,
}

pub(crate) struct RowWriter {
    pub(crate) population: Population,
    seed: u64,
    rows: u64,
    pub(crate) dirty: PerMillion,
}

impl RowWriter {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a checked share, 0 to 1"
        )]
        let dirty = (options.dirty * 1_000_000.0).ceil() as PerMillion;
        let population = Population::new(options.seed, options.rows)?;
        Ok(Self { population, seed: options.seed, rows: options.rows, dirty })
    }

    pub(crate) fn block(&self, rows: Range<u64>) -> Block {
        let room = usize::try_from(rows.end - rows.start).unwrap_or(0) * 260;
        let mut block = Block { text: Vec::with_capacity(room), planted: DefectCounts::default() };
        for row in rows {
            match self.defect(row) {
                Some(defect) => self.write_dirty(row, defect, &mut block),
                None => self.write_clean(row, &mut block),
            }
        }
        block
    }

    fn write_clean(&self, row: u64, block: &mut Block) {
        if self.population.write_row(row, &mut block.text) {
            block.planted.count(Defect::NoAge);
        }
    }

    fn write_dirty(&self, row: u64, defect: Defect, block: &mut Block) {
        let mut rng = RowRng::new(self.seed, RngStream::Corruption, row);
        let source = if defect.is_duplicate() { self.original(row, defect, &mut rng) } else { Some(row) };
        // At the start of a file there may be no row to repeat.
        let Some(source) = source else {
            return self.write_clean(row, block);
        };
        let mut clean = Vec::with_capacity(512);
        let without_age = self.population.write_row(source, &mut clean);
        block.text.extend(corrupt_row(&clean, defect, &mut rng));
        block.planted.count(defect);
        if without_age && !defect.rejects() && !defect.replaces_age() {
            block.planted.count(Defect::NoAge);
        }
    }

    fn defect(&self, row: u64) -> Option<Defect> {
        if self.dirty == 0 {
            return None;
        }
        if let Some(defect) = self.reserved_defect(row) {
            return Some(defect);
        }
        let mut rng = RowRng::new(self.seed, RngStream::Defect, row);
        rng.chance(self.dirty).then(|| *rng.choose(Defect::ALL))
    }

    /// Returns the defect that the row is reserved for: each has the row in the middle of its part of the file.
    fn reserved_defect(&self, row: u64) -> Option<Defect> {
        let kinds = Defect::ALL.len() as u64;
        let kind = u128::from(row) * u128::from(kinds) / u128::from(self.rows);
        let middle = (2 * kind + 1) * u128::from(self.rows) / (2 * u128::from(kinds));
        let defect = usize::try_from(kind).ok().and_then(|kind| Defect::ALL.get(kind)).copied();
        defect.filter(|_| middle == u128::from(row))
    }

    /// Returns an earlier row that a correct load keeps.
    fn original(&self, row: u64, defect: Defect, rng: &mut RowRng) -> Option<u64> {
        let is_kept = |row: &u64| self.defect(*row).is_none_or(|defect| !defect.rejects());
        if defect == Defect::DuplicateNearby {
            (row.saturating_sub(MAX_LOOKUPS)..row).rev().find(is_kept)
        } else {
            (0..MAX_LOOKUPS).map(|_| rng.below(row)).filter(|&earlier| earlier < row).find(is_kept)
        }
    }
}
