//! Reproducible random numbers: the same seed and row give the same numbers on every machine.
//!
//! Every row has its own generator, so any row can be generated independently: by several threads, and again for a duplicate.
//! Probabilities are integers, and tables use `+ - * /` only, which IEEE 754 defines exactly.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// A probability in millionths.
pub(crate) type PerMillion = u32;

/// Independent streams, so that planting a defect does not change the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RngStream {
    /// Rows are even, their defects odd: the streams have three bits.
    Dose = 0,
    Case = 1,
    Defect = 2,
    Corruption = 3,
    Id = 4,
    Laboratory = 5,
    LaboratoryDefect = 6,
    Vaccination = 7,
}

/// The generator of one row.
pub(crate) struct RowRng(Xoshiro256PlusPlus);

impl RowRng {
    pub(crate) fn new(seed: u64, purpose: RngStream, row: u64) -> Self {
        // Hashes the row, so that the states of neighbouring rows share no words.
        let scattered = (row << 3 | purpose as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let state = (scattered ^ scattered >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ seed.rotate_left(17);
        Self(Xoshiro256PlusPlus::seed_from_u64(state))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a number in `0..bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    pub(crate) fn chance(&mut self, probability: PerMillion) -> bool {
        self.below(1_000_000) < u64::from(probability)
    }

    pub(crate) fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    #[expect(clippy::cast_possible_truncation, reason = "the result is below a usize")]
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }
}

/// Samples an index with given weights from one random number, in constant time (Walker's alias method as Vose builds it).
pub(crate) struct AliasTable {
    slots: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Slot {
    threshold: u32,
    alias: u32,
}

impl AliasTable {
    /// At least one weight must be positive; none may be negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "tables are short and their scaled weights stay between 0 and 2^32"
    )]
    pub(crate) fn new(weights: &[f64]) -> Self {
        const FULL: f64 = 4_294_967_296.0;
        let scale = weights.len() as f64 / weights.iter().sum::<f64>();
        let mut share: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let mut slots: Vec<Slot> =
            (0..weights.len()).map(|index| Slot { threshold: u32::MAX, alias: index as u32 }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..share.len()).partition(|&index| share[index] < 1.0);
        while let (Some(&giver), Some(poor)) = (large.last(), small.pop()) {
            slots[poor] = Slot { threshold: (share[poor] * FULL) as u32, alias: giver as u32 };
            share[giver] -= 1.0 - share[poor];
            if share[giver] < 1.0 {
                large.pop();
                small.push(giver);
            }
        }
        Self { slots }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of one draw")]
    pub(crate) fn pick(&self, rng: &mut RowRng) -> usize {
        let bits = rng.bits();
        let index = (((bits >> 32) * self.slots.len() as u64) >> 32) as usize;
        let slot = self.slots[index];
        if (bits as u32) < slot.threshold { index } else { slot.alias as usize }
    }
}

/// Interpolates totals of consecutive bands (months, age groups) over their units (days, years): linearly between the middles of
/// two bands, then scaled to the exact total of each.
#[expect(clippy::cast_precision_loss, reason = "bands are a few hundred units long")]
pub(crate) fn spread(bands: &[(f64, usize)]) -> Vec<f64> {
    let mean = |band: usize| bands[band].0 / bands[band].1 as f64;
    let mut units = Vec::with_capacity(bands.iter().map(|band| band.1).sum());
    for (band, &(total, length)) in bands.iter().enumerate() {
        let here = mean(band);
        let before = mean(band.saturating_sub(1));
        let after = mean((band + 1).min(bands.len() - 1));
        let line: Vec<f64> = (0..length)
            .map(|unit| (unit as f64 + 0.5) / length as f64)
            .map(|at| {
                if at < 0.5 {
                    before * (0.5 - at) + here * (0.5 + at)
                } else {
                    here * (1.5 - at) + after * (at - 0.5)
                }
            })
            .collect();
        let sum: f64 = line.iter().sum();
        let scale = if sum > 0.0 { total / sum } else { 0.0 };
        units.extend(line.iter().map(|value| value * scale));
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_independent_numbers() {
        let draw = |seed, row| RowRng::new(seed, RngStream::Case, row).bits();
        assert_eq!(draw(1, 5), draw(1, 5));
        assert_ne!(draw(1, 5), draw(2, 5));
        let mut seen: Vec<u64> = (0..100_000).map(|row| draw(7, row)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn alias_table_samples_by_weight() {
        let weighted = AliasTable::new(&[1.0, 0.0, 2.0, 7.0]);
        let mut counts = [0_u32; 4];
        for row in 0..100_000 {
            counts[weighted.pick(&mut RowRng::new(3, RngStream::Case, row))] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, expected) in counts.into_iter().zip([10_000, 0, 20_000, 70_000]) {
            assert!(count.abs_diff(expected) < 700, "{counts:?}");
        }
    }

    #[test]
    fn interpolate_keeps_totals_without_steps() {
        let units = spread(&[(10.0, 10), (100.0, 10), (20.0, 10)]);
        for (band, total) in [10.0, 100.0, 20.0].into_iter().enumerate() {
            let sum: f64 = units[band * 10..][..10].iter().sum();
            assert!((sum - total).abs() < 1e-9);
        }
        assert!(units[9] > 1.0 && units[10] < 10.0);
    }
}
