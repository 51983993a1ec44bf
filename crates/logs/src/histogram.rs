//! Counts events by time and level.

use std::collections::BTreeMap;

use crate::{Millis, Severity};

/// Events of each level, in the order of [`Severity::ALL`], after those without a level.
pub type LevelCounts = [u64; 6];

/// Counts of events in steps of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    step: Millis,
    steps: BTreeMap<Millis, LevelCounts>,
    limit: usize,
}

/// Returns the index of a level in [`LevelCounts`].
pub const fn level_index(level: Option<Severity>) -> usize {
    match level {
        None => 0,
        Some(level) => level as usize + 1,
    }
}

impl Histogram {
    /// Returns an empty histogram with a step in milliseconds. With more than `limit` steps that have events, the step is doubled.
    pub const fn new(step: Millis, limit: usize) -> Self {
        Self { step, steps: BTreeMap::new(), limit }
    }

    /// Returns the step in milliseconds.
    pub const fn step(&self) -> Millis {
        self.step
    }

    /// Returns whether it counts no events.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Counts an event.
    pub fn add(&mut self, time: Millis, level: Option<Severity>) {
        let start = self.start_of(time);
        self.steps.entry(start).or_default()[level_index(level)] += 1;
        while self.steps.len() > self.limit {
            self.coarsen();
        }
    }

    /// Takes back an event that was counted.
    pub fn remove(&mut self, time: Millis, level: Option<Severity>) {
        let start = self.start_of(time);
        if let Some(counts) = self.steps.get_mut(&start) {
            let count = &mut counts[level_index(level)];
            *count = count.saturating_sub(1);
            if counts.iter().all(|count| *count == 0) {
                self.steps.remove(&start);
            }
        }
    }

    /// Returns the steps that have events, with the start of each.
    pub fn steps(&self) -> impl Iterator<Item = (Millis, &LevelCounts)> {
        self.steps.iter().map(|(start, counts)| (*start, counts))
    }

    /// Returns the counts in `parts` equal parts of the time from the first to the last event, and the length of a part.
    pub fn parts(&self, parts: usize) -> (Vec<LevelCounts>, Millis) {
        let mut counts = vec![LevelCounts::default(); parts];
        let (Some((first, _)), Some((last, _))) = (self.steps.first_key_value(), self.steps.last_key_value())
        else {
            return (counts, self.step);
        };
        let wanted = Millis::try_from(parts).unwrap_or(1).max(1);
        let span = last.saturating_sub(*first).saturating_add(self.step);
        // Whole steps, so that equal rates look equal.
        let length = (span.div_euclid(wanted) + Millis::from(span.rem_euclid(wanted) > 0)).max(self.step);
        let length = length.saturating_add(self.step - 1) / self.step * self.step;
        for (start, step) in &self.steps {
            let part = usize::try_from(start.saturating_sub(*first) / length).unwrap_or(0);
            if let Some(part) = counts.get_mut(part) {
                part.iter_mut().zip(step).for_each(|(sum, count)| *sum += count);
            }
        }
        (counts, length)
    }

    const fn start_of(&self, time: Millis) -> Millis {
        time.div_euclid(self.step).saturating_mul(self.step)
    }

    fn coarsen(&mut self) {
        self.step = self.step.saturating_mul(2);
        let mut steps: BTreeMap<Millis, LevelCounts> = BTreeMap::new();
        for (start, counts) in std::mem::take(&mut self.steps) {
            let sums = steps.entry(self.start_of(start)).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        self.steps = steps;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(histogram: &Histogram) -> u64 {
        histogram.steps().flat_map(|(_, counts)| counts).sum()
    }

    #[test]
    fn events_are_counted_by_step_and_level() {
        let mut histogram = Histogram::new(1000, 10);
        for (time, level) in
            [(0, None), (999, Some(Severity::Error)), (1000, Some(Severity::Trace)), (-1, None)]
        {
            histogram.add(time, level);
        }
        let steps: Vec<_> = histogram.steps().map(|(start, counts)| (start, *counts)).collect();
        assert_eq!(steps, [(-1000, [1, 0, 0, 0, 0, 0]), (0, [1, 0, 0, 0, 0, 1]), (1000, [0, 1, 0, 0, 0, 0])]);
        let (parts, length) = histogram.parts(2);
        assert_eq!((parts.len(), length, parts[0].iter().sum::<u64>()), (2, 2000, 3));
    }

    proptest! {
        #[test]
        fn coarsening_and_parts_lose_no_event(times in prop::collection::vec(-100_000_000_000_000..100_000_000_000_000_i64, 0..200), parts in 1..100_usize) {
            let mut histogram = Histogram::new(1000, 16);
            for time in &times {
                histogram.add(*time, None);
            }
            prop_assert_eq!(total(&histogram), times.len() as u64);
            prop_assert!(histogram.steps().count() <= 16);
            let sum: u64 = histogram.parts(parts).0.iter().flatten().sum();
            prop_assert_eq!(sum, times.len() as u64);
            for time in &times {
                histogram.remove(*time, None);
            }
            prop_assert!(histogram.is_empty());
        }
    }
}
