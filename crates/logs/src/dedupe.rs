//! Remembers which events were seen, so that windows may overlap and services may repeat themselves.
//!
//! Only a fingerprint of each id is kept, for as long as a window may still reach back to its event. Whatever the rate of
//! events is, no more than a fixed number is kept: the oldest are forgotten first, and [`Seen::floor`] says up to where, so that
//! nobody looks back further than that.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use super::event::Millis;

/// Events are forgotten in steps of this much time.
const STEP: Millis = 1000;

/// The events that were seen.
#[derive(Debug)]
pub struct Seen {
    most: usize,
    /// Two independent hashes make a fingerprint that two ids in practice never share.
    hashers: (RandomState, RandomState),
    known: HashSet<u128>,
    by_time: BTreeMap<Millis, Vec<u128>>,
    floor: Millis,
}

impl Seen {
    /// Remembers at most this many.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            hashers: Default::default(),
            known: HashSet::new(),
            by_time: BTreeMap::new(),
            floor: Millis::MIN,
        }
    }

    /// Whether the event is new. It is not, the next time.
    pub fn is_new(&mut self, source: usize, event_id: &str, time: Millis) -> bool {
        let key = (source, event_id);
        let fingerprint =
            u128::from(self.hashers.0.hash_one(key)) << 64 | u128::from(self.hashers.1.hash_one(key));
        if !self.known.insert(fingerprint) {
            return false;
        }
        self.by_time.entry(time.div_euclid(STEP)).or_default().push(fingerprint);
        while self.known.len() > self.most {
            let Some((step, fingerprints)) = self.by_time.pop_first() else { break };
            self.drop_step(step, &fingerprints);
        }
        true
    }

    /// Forgets what is older than this; nothing may be asked about it any more.
    pub fn forget_before(&mut self, time: Millis) {
        while let Some(entry) = self.by_time.first_entry() {
            if (*entry.key() + 1) * STEP > time {
                break;
            }
            let (step, fingerprints) = entry.remove_entry();
            self.drop_step(step, &fingerprints);
        }
    }

    fn drop_step(&mut self, step: Millis, fingerprints: &[u128]) {
        for fingerprint in fingerprints {
            self.known.remove(fingerprint);
        }
        self.floor = self.floor.max((step + 1) * STEP);
    }

    /// Everything that was seen from this time on is remembered.
    pub const fn floor(&self) -> Millis {
        self.floor
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_id_in_another_source_is_another_event() {
        let mut seen = Seen::new(10);
        assert!(seen.is_new(0, "a", 0) && seen.is_new(1, "a", 0));
        assert!(!seen.is_new(0, "a", 0));
    }

    #[test]
    fn old_ones_are_forgotten() {
        let mut seen = Seen::new(10);
        for time in 0..5 {
            seen.is_new(0, &time.to_string(), time * 1000);
        }
        seen.forget_before(3500);
        assert_eq!((seen.len(), seen.floor()), (2, 3000));
    }

    proptest! {
        #[test]
        fn from_the_floor_on_it_agrees_with_a_memory_without_limits(
            events in prop::collection::vec((0_usize..3, 0_i64..40_000), 1..200),
            most in 1_usize..50,
        ) {
            let (mut seen, mut model) = (Seen::new(most), HashSet::new());
            for (source, time) in events {
                let expected = model.insert((source, time));
                let floor = seen.floor();
                let new = seen.is_new(source, &time.to_string(), time);
                // What is new is never taken for known; what is known is forgotten only below the floor.
                prop_assert!(new || !expected);
                prop_assert!(time < floor || new == expected);
                prop_assert!(seen.len() <= most);
            }
        }
    }
}
