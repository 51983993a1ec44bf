//! An exact set of case ids in bounded memory.
//!
//! The ministry's ids are dense: a bitmap in pages of 4 KiB holds thirty million in about five megabytes. Ids far apart would need a page
//! each, so the number of pages is limited; the rest goes to `sparse`, which keeps sorted runs in unnamed temporary files.

mod sparse;

use std::collections::hash_map::Entry;
use std::io;

use foldhash::HashMap;
use sparse::Sparse;

const PAGE_BITS: u64 = 4096 * 8;
const PAGE_WORDS: usize = 4096 / 8;

/// 8 MiB: 67 million dense ids, twice as many as there are.
const MAX_PAGES: usize = 2048;

#[derive(Default)]
pub struct SeenIds {
    pages: HashMap<u64, Box<[u64]>>,
    /// Ids without a page, once there are [`MAX_PAGES`].
    sparse: Option<Sparse>,
}

impl SeenIds {
    /// Adds an id; returns false if it is in the set.
    ///
    /// # Errors
    /// If a temporary file cannot be written or read.
    pub fn insert(&mut self, id: u64) -> io::Result<bool> {
        let full = self.pages.len() >= MAX_PAGES;
        let words = match self.pages.entry(id / PAGE_BITS) {
            Entry::Occupied(page) => page.into_mut(),
            Entry::Vacant(_) if full => return self.sparse.get_or_insert_default().insert(id),
            Entry::Vacant(page) => page.insert(vec![0; PAGE_WORDS].into_boxed_slice()),
        };
        let word = &mut words[(id % PAGE_BITS / 64) as usize];
        let mask = 1 << (id % 64);
        let new = *word & mask == 0;
        *word |= mask;
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn insert_is_exact_for_sparse_ids() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let (mut ids, mut model) = (SeenIds::default(), HashSet::new());
        for round in 0..1_500_000_u64 {
            // Mostly new ids all over the range, sometimes one that was there long ago.
            let id = if round % 5 == 4 {
                (round / 2).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            } else {
                random.next_u64()
            };
            assert_eq!(ids.insert(id).unwrap(), model.insert(id), "{id}");
        }
        for id in model.iter().take(20_000) {
            assert!(!ids.insert(*id).unwrap(), "{id} was forgotten");
        }
        assert_eq!(ids.pages.len(), MAX_PAGES, "memory is bounded");
    }

    proptest! {
        #[test]
        fn insert_agrees_with_hash_set(wanted in prop::collection::vec(prop_oneof![0_u64..300, any::<u64>()], 0..300)) {
            let (mut ids, mut model) = (SeenIds::default(), HashSet::new());
            for id in wanted {
                prop_assert_eq!(ids.insert(id).unwrap(), model.insert(id));
            }
        }
    }
}
