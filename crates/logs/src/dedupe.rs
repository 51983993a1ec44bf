//! Remembers the ids of seen events, so that windows may overlap and services may repeat themselves.
//!
//! Only a fingerprint of each id is kept, at most a fixed number of them. The oldest are forgotten first; windows must not reach
//! back behind [`SeenEvents::floor`].

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use crate::Millis;

/// Granularity in which events are forgotten.
const STEP: Millis = 1000;

#[derive(Debug)]
pub(crate) struct SeenEvents {
    capacity: usize,
    /// Two independent 64-bit hashes make a fingerprint without collisions in practice.
    hashers: (RandomState, RandomState),
    fingerprints: HashSet<u128>,
    by_time: BTreeMap<Millis, Vec<u128>>,
    floor: Millis,
}

impl SeenEvents {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            hashers: Default::default(),
            fingerprints: HashSet::new(),
            by_time: BTreeMap::new(),
            floor: Millis::MIN,
        }
    }

    /// Adds an event; returns false if it is already known.
    pub(crate) fn insert(&mut self, source: usize, event_id: &str, time: Millis) -> bool {
        let key = (source, event_id);
        let fingerprint =
            u128::from(self.hashers.0.hash_one(key)) << 64 | u128::from(self.hashers.1.hash_one(key));
        if !self.fingerprints.insert(fingerprint) {
            return false;
        }
        self.by_time.entry(time.div_euclid(STEP)).or_default().push(fingerprint);
        while self.fingerprints.len() > self.capacity {
            let Some((step, forgotten)) = self.by_time.pop_first() else { break };
            self.forget(step, &forgotten);
        }
        true
    }

    /// Forgets the events before this time.
    pub(crate) fn forget_before(&mut self, time: Millis) {
        while let Some(entry) = self.by_time.first_entry() {
            if (*entry.key() + 1) * STEP > time {
                break;
            }
            let (step, forgotten) = entry.remove_entry();
            self.forget(step, &forgotten);
        }
    }

    fn forget(&mut self, step: Millis, fingerprints: &[u128]) {
        for fingerprint in fingerprints {
            self.fingerprints.remove(fingerprint);
        }
        self.floor = self.floor.max((step + 1) * STEP);
    }

    /// Returns the time from which on every seen event is remembered.
    pub(crate) const fn floor(&self) -> Millis {
        self.floor
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.fingerprints.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn insert_same_id_of_other_source_is_new() {
        let mut seen = SeenEvents::new(10);
        assert!(seen.insert(0, "a", 0) && seen.insert(1, "a", 0));
        assert!(!seen.insert(0, "a", 0));
    }

    #[test]
    fn forget_before_raises_floor() {
        let mut seen = SeenEvents::new(10);
        for time in 0..5 {
            seen.insert(0, &time.to_string(), time * 1000);
        }
        seen.forget_before(3500);
        assert_eq!((seen.len(), seen.floor()), (2, 3000));
    }

    proptest! {
        #[test]
        fn insert_at_or_above_floor_agrees_with_unbounded_set(
            events in prop::collection::vec((0_usize..3, 0_i64..40_000), 1..200),
            capacity in 1_usize..50,
        ) {
            let (mut seen, mut model) = (SeenEvents::new(capacity), HashSet::new());
            for (source, time) in events {
                let expected = model.insert((source, time));
                let floor = seen.floor();
                let new = seen.insert(source, &time.to_string(), time);
                // A new event is never reported as known; a known one is forgotten only below the floor.
                prop_assert!(new || !expected);
                prop_assert!(time < floor || new == expected);
                prop_assert!(seen.len() <= capacity);
            }
        }
    }
}
