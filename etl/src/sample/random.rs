//! Chance that is the same everywhere: the same seed and row give the same draws on every machine, for ever.
//!
//! Every row has a generator of its own, so any row can be made (again) without the ones before it: that is what lets
//! several threads work on one file and lets a duplicate repeat a row from gigabytes ago. Probabilities are whole
//! numbers (per million) and tables are built with `+ - * /` only, which IEEE 754 fixes to the last bit.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// A probability in millionths.
pub(super) type PerMillion = u32;

/// What the draws are for; each purpose has its own stream, so that planting a defect leaves the rows as they were.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Case = 1,
    Defect = 2,
    Damage = 3,
    Id = 4,
    Laboratory = 5,
    LaboratoryDefect = 6,
    Vaccination = 7,
}

/// The draws of one row.
pub(super) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    pub(super) fn new(seed: u64, purpose: Purpose, row: u64) -> Self {
        // Neighbouring rows must not share state words, so the row is scattered before the generator expands it.
        let scattered = (row << 3 | purpose as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let state = (scattered ^ scattered >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ seed.rotate_left(17);
        Self(Xoshiro256PlusPlus::seed_from_u64(state))
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    pub(super) fn chance(&mut self, probability: PerMillion) -> bool {
        self.below(1_000_000) < u64::from(probability)
    }

    /// One of these, each as likely as the others.
    pub(super) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    #[expect(clippy::cast_possible_truncation, reason = "the result is below a usize")]
    pub(super) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }
}

/// Picks an index with given weights from one draw, in constant time (Walker's alias method as Vose builds it).
pub(super) struct Weighted {
    slots: Vec<Slot>,
}

/// A slot keeps its own index below the threshold and gives the rest of its share to the alias.
#[derive(Clone, Copy)]
struct Slot {
    threshold: u32,
    alias: u32,
}

impl Weighted {
    /// At least one weight must be positive; none may be negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "tables are short and their scaled weights stay between 0 and 2^32"
    )]
    pub(super) fn new(weights: &[f64]) -> Self {
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
    pub(super) fn pick(&self, draws: &mut Draws) -> usize {
        let bits = draws.bits();
        let index = (((bits >> 32) * self.slots.len() as u64) >> 32) as usize;
        let slot = self.slots[index];
        if (bits as u32) < slot.threshold { index } else { slot.alias as usize }
    }
}

/// Spreads totals of consecutive bands (months, age groups) over their units (days, years) without steps at the borders.
///
/// Between the middles of two bands the value goes in a straight line; then each band is scaled to its exact total.
#[expect(clippy::cast_precision_loss, reason = "bands are a few hundred units long")]
pub(super) fn spread(bands: &[(f64, usize)]) -> Vec<f64> {
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
    fn rows_have_their_own_draws() {
        let draw = |seed, row| Draws::new(seed, Purpose::Case, row).bits();
        assert_eq!(draw(1, 5), draw(1, 5));
        assert_ne!(draw(1, 5), draw(2, 5));
        let mut seen: Vec<u64> = (0..100_000).map(|row| draw(7, row)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn weights_are_kept() {
        let weighted = Weighted::new(&[1.0, 0.0, 2.0, 7.0]);
        let mut counts = [0_u32; 4];
        for row in 0..100_000 {
            counts[weighted.pick(&mut Draws::new(3, Purpose::Case, row))] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, expected) in counts.into_iter().zip([10_000, 0, 20_000, 70_000]) {
            assert!(count.abs_diff(expected) < 700, "{counts:?}");
        }
    }

    #[test]
    fn spreading_keeps_each_total_and_has_no_steps() {
        let units = spread(&[(10.0, 10), (100.0, 10), (20.0, 10)]);
        for (band, total) in [10.0, 100.0, 20.0].into_iter().enumerate() {
            let sum: f64 = units[band * 10..][..10].iter().sum();
            assert!((sum - total).abs() < 1e-9);
        }
        assert!(units[9] > 1.0 && units[10] < 10.0);
    }
}
