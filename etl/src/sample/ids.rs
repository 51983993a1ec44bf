//! Case ids in the order of the ministry's file: sorted as text, so that 1000000 comes before 10000000 and that before 999999.
//!
//! The ids follow the date of registration with gaps (other notifiable events share the sequence), so a file that is
//! sorted as text jumps between years all the time. The id at any place of that order is computed, nothing is sorted.

/// The first id of the range; the ministry's were here in March 2020.
const FIRST: u64 = 750_000;
/// Ids of the national file: 11 ids for 10 rows (Ministerio de Salud: 10,000,000 was reached on 2021-04-08).
const NATIONAL: u64 = 33_000_000;
/// Prefixes of five digits; the places where each begins are kept, the rest is walked digit by digit.
const PREFIXES: std::ops::Range<u64> = 10_000..100_000;

/// A range of ids, ordered as text.
pub(super) struct Ids {
    last: u64,
    /// The place in the order at which the ids with each prefix of five digits begin.
    starts: Vec<u64>,
}

impl Ids {
    /// The range for so many rows: the nation's, thinned out; longer only for more rows than the nation had.
    pub(super) fn for_rows(rows: u64) -> Self {
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

    /// How many ids there are.
    pub(super) const fn len(&self) -> u64 {
        self.last - FIRST + 1
    }

    /// The id at a place (`0..len`) of the text order.
    pub(super) fn at(&self, place: u64) -> u64 {
        let index = self.starts.partition_point(|&start| start <= place).saturating_sub(1);
        let mut left = place - self.starts[index];
        let mut id = PREFIXES.start + index as u64;
        // Every prefix of five digits is shorter than any id. Below it, an id comes before those that continue it.
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

    /// Where an id stands in order of time: `0..len`.
    pub(super) const fn place_in_time(id: u64) -> u64 {
        id - FIRST
    }
}

/// How many ids up to `last` begin with these digits.
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
    fn places_are_in_text_order() {
        let ids = Ids::for_rows(10);
        let step = 997;
        let texts: Vec<String> =
            (0..ids.len() / step).map(|place| ids.at(place * step).to_string()).collect();
        assert!(texts.is_sorted());
        assert_eq!(ids.at(0), 1_000_000);
        assert_eq!(ids.at(1), 10_000_000);
        assert_eq!(ids.at(ids.len() - 1), 9_999_999);
    }

    #[test]
    fn every_id_of_a_stretch_has_its_own_place() {
        let ids = Ids::for_rows(10);
        let texts: Vec<String> = (5_000_000..5_020_000).map(|place| ids.at(place).to_string()).collect();
        assert!(texts.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn more_rows_than_the_nation_had_get_more_ids() {
        let ids = Ids::for_rows(300_000_000);
        assert_eq!(ids.len(), 330_000_000);
        assert!(ids.at(ids.len() - 1) <= ids.last);
    }
}
