//! Decides which rows are dirty, and how; writes blocks of rows with and without dirt.
//!
//! The decision depends on the seed and the row's number alone. One row of every kind has its place, evenly spread over the file;
//! the others fall where chance puts them. A row stays one record, whatever happens to it, so a sample has as many records
//! as rows were asked for.

use std::ops::Range;

use super::Options;
use super::case::Population;
use super::damage::damage;
use super::defect::{Defect, Planted};
use super::random::{Draws, PerMillion, Purpose};
use common::failure::Result;

/// Rows that a near duplicate looks back, and attempts that a far one has, to find a row that is kept.
const LOOKS: u64 = 64;

/// Some consecutive rows as text.
pub(super) struct Block {
    pub(super) text: Vec<u8>,
    pub(super) planted: Planted,
}

/// Writes any rows of a sample.
pub(super) struct Writer {
    pub(super) population: Population,
    seed: u64,
    rows: u64,
    pub(super) dirty: PerMillion,
}

impl Writer {
    pub(super) fn new(options: &Options) -> Result<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a checked share, 0 to 1"
        )]
        let dirty = (options.dirty * 1_000_000.0).ceil() as PerMillion;
        let population = Population::new(options.seed, options.rows)?;
        Ok(Self { population, seed: options.seed, rows: options.rows, dirty })
    }

    /// The rows of a range.
    pub(super) fn block(&self, rows: Range<u64>) -> Block {
        let room = usize::try_from(rows.end - rows.start).unwrap_or(0) * 260;
        let mut block = Block { text: Vec::with_capacity(room), planted: Planted::default() };
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
        let mut draws = Draws::new(self.seed, Purpose::Damage, row);
        let source = if defect.is_duplicate() { self.original(row, defect, &mut draws) } else { Some(row) };
        // Near the start of a file there may be nothing to repeat yet.
        let Some(source) = source else {
            return self.write_clean(row, block);
        };
        let mut clean = Vec::with_capacity(512);
        let ageless = self.population.write_row(source, &mut clean);
        block.text.extend(damage(&clean, defect, &mut draws));
        block.planted.count(defect);
        if ageless && !defect.rejects() && !defect.replaces_age() {
            block.planted.count(Defect::NoAge);
        }
    }

    /// The defect that a row is meant to have.
    fn defect(&self, row: u64) -> Option<Defect> {
        if self.dirty == 0 {
            return None;
        }
        if let Some(defect) = self.appointed(row) {
            return Some(defect);
        }
        let mut draws = Draws::new(self.seed, Purpose::Defect, row);
        draws.chance(self.dirty).then(|| *draws.one_of(&Defect::ALL))
    }

    /// Each kind has one row that must have it: the one in the middle of its part of the file.
    fn appointed(&self, row: u64) -> Option<Defect> {
        let kinds = Defect::ALL.len() as u64;
        let kind = u128::from(row) * u128::from(kinds) / u128::from(self.rows);
        let middle = (2 * kind + 1) * u128::from(self.rows) / (2 * u128::from(kinds));
        let defect = usize::try_from(kind).ok().and_then(|kind| Defect::ALL.get(kind)).copied();
        defect.filter(|_| middle == u128::from(row))
    }

    /// An earlier row that a correct load keeps.
    fn original(&self, row: u64, defect: Defect, draws: &mut Draws) -> Option<u64> {
        let is_kept = |row: &u64| self.defect(*row).is_none_or(|defect| !defect.rejects());
        if defect == Defect::DuplicateNearby {
            (row.saturating_sub(LOOKS)..row).rev().find(is_kept)
        } else {
            (0..LOOKS).map(|_| draws.below(row)).filter(|&earlier| earlier < row).find(is_kept)
        }
    }
}
