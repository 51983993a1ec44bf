//! Case ids in the order of the ministry's file: sorted as text, so 1000000 < 10000000 < 999999.
//!
//! Ids increase with the date of registration, with gaps (other notifiable events share the sequence), so a file sorted as text
//! jumps between years. The id at a rank of that order is computed without sorting.

/// The first id; the ministry's sequence was here in March 2020.
const FIRST: u64 = 750_000;
/// The number of ids in the national file: 11 for 10 rows (Ministerio de Salud: 10,000,000 was reached on 2021-04-08).
const NATIONAL: u64 = 33_000_000;
/// Prefixes of five digits, whose first ranks are precomputed; further digits are searched one by one.
const PREFIXES: std::ops::Range<u64> = 10_000..100_000;

/// A range of ids, ordered as text.
pub(crate) struct CaseIds {
    last: u64,
    /// The first rank of each prefix of five digits.
    starts: Vec<u64>,
}

impl CaseIds {
    /// Returns the national range, or a longer one for more rows than the national file has.
    pub(crate) fn for_rows(rows: u64) -> Self {
        let last = FIRST + NATIONAL.max(rows + rows / 10) - 1;
        let mut next = 0;
        let starts = PREFIXES
            .map(|prefix| {
                let start = next;
                next += with_prefix(prefix, last);
                start
            })
            .collect();
        Self { last, starts }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.last - FIRST + 1
    }

    /// Returns the id at a rank (`0..len`) of the text order.
    pub(crate) fn at(&self, rank: u64) -> u64 {
        let index = self.starts.partition_point(|&start| start <= rank).saturating_sub(1);
        let mut left = rank - self.starts[index];
        let mut id = PREFIXES.start + index as u64;
        // Prefixes of five digits are shorter than any id. An id precedes those that continue it.
        loop {
            id *= 10;
            loop {
                let below = with_prefix(id, self.last);
                if left < below {
                    break;
                }
                left -= below;
                id += 1;
            }
            if (FIRST..=self.last).contains(&id) {
                if left == 0 {
                    return id;
                }
                left -= 1;
            }
        }
    }

    /// Returns the index (`0..len`) of an id in order of registration.
    pub(crate) const fn index_in_time(id: u64) -> u64 {
        id - FIRST
    }
}

/// Counts the ids up to `last` that begin with these digits.
fn with_prefix(prefix: u64, last: u64) -> u64 {
    let (mut low, mut high, mut count) = (prefix, prefix, 0);
    while low <= last {
        count += (high.min(last) + 1).saturating_sub(low.max(FIRST));
        (low, high) = (low * 10, high * 10 + 9);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_follow_text_order() {
        let ids = CaseIds::for_rows(10);
        let step = 997;
        let texts: Vec<String> = (0..ids.len() / step).map(|rank| ids.at(rank * step).to_string()).collect();
        assert!(texts.is_sorted());
        assert_eq!(ids.at(0), 1_000_000);
        assert_eq!(ids.at(1), 10_000_000);
        assert_eq!(ids.at(ids.len() - 1), 9_999_999);
    }

    #[test]
    fn consecutive_ranks_have_distinct_ids() {
        let ids = CaseIds::for_rows(10);
        let texts: Vec<String> = (5_000_000..5_020_000).map(|rank| ids.at(rank).to_string()).collect();
        assert!(texts.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn range_grows_beyond_national_rows() {
        let ids = CaseIds::for_rows(300_000_000);
        assert_eq!(ids.len(), 330_000_000);
        assert!(ids.at(ids.len() - 1) <= ids.last);
    }
}
