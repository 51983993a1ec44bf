//! The reporting triangle: cases by the day when they occurred (reference date) and the days until they were reported (delay).

use crate::InputError;

/// Counts by reference day and delay, as known at the end of one day.
///
/// Days count from 0. The cell of reference day t and delay d is known if t + d is not after the last day; a known cell without count is 0. Holds
/// `days × (max_delay + 1)` numbers of four bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportingTriangle {
    days: usize,
    width: usize,
    counts: Vec<u32>,
    beyond: u64,
}

impl ReportingTriangle {
    /// Creates an empty triangle whose last day is `days - 1`. Reports later than `max_delay` days are left out of it.
    pub fn new(days: usize, max_delay: usize) -> Result<Self, InputError> {
        let width = max_delay.saturating_add(1);
        match days.checked_mul(width) {
            Some(cells) if cells > 0 => Ok(Self { days, width, counts: vec![0; cells], beyond: 0 }),
            _ => Err(InputError::TooShort { days, needed: 1 }),
        }
    }

    /// Adds reports. Returns false, and adds nothing, if they are not known by the last day.
    ///
    /// Reports beyond the longest delay are counted in [`Self::beyond`] and are in no estimate.
    pub fn add(&mut self, reference_day: usize, delay: usize, count: u32) -> bool {
        if reference_day.checked_add(delay).is_none_or(|reported| reported >= self.days) {
            return false;
        }
        if delay < self.width {
            let cell = &mut self.counts[reference_day * self.width + delay];
            *cell = cell.saturating_add(count);
        } else {
            self.beyond = self.beyond.saturating_add(u64::from(count));
        }
        true
    }

    /// The number of reference days.
    pub fn days(&self) -> usize {
        self.days
    }

    /// The longest delay in days.
    pub fn max_delay(&self) -> usize {
        self.width - 1
    }

    /// The number of reports later than the longest delay.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The reports of one reference day with exactly this delay.
    pub(crate) fn count(&self, reference_day: usize, delay: usize) -> u64 {
        u64::from(self.counts[reference_day * self.width + delay])
    }

    /// The reports of one reference day that were known at the end of `as_of`.
    pub fn reported(&self, reference_day: usize, as_of: usize) -> u64 {
        let known = as_of.checked_sub(reference_day).map_or(0, |age| (age + 1).min(self.width));
        let first = reference_day * self.width;
        self.counts[first..first + known].iter().copied().map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_counts_reports_known_on_a_day() {
        let mut triangle = ReportingTriangle::new(5, 2).unwrap();
        assert!(
            triangle.add(1, 0, 4) && triangle.add(1, 1, 3) && triangle.add(1, 2, 2) && triangle.add(1, 3, 9)
        );
        assert!(!triangle.add(4, 1, 1));
        assert!(!triangle.add(usize::MAX, 1, 1));
        assert_eq!([0, 1, 2, 3, 4].map(|day| triangle.reported(1, day)), [0, 4, 7, 9, 9]);
        assert_eq!(triangle.beyond(), 9);
    }

    #[test]
    fn new_without_days_is_rejected() {
        assert!(ReportingTriangle::new(0, 3).is_err());
        assert!(ReportingTriangle::new(usize::MAX, 3).is_err());
    }
}
