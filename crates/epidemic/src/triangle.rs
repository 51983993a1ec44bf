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
    /// For each reference day, the reports within 0, 1, 2, … days.
    within: Vec<u32>,
    beyond: u64,
    /// The day from which on the days of reports were observed.
    observed_from: usize,
}

/// What one release of the data said: the reports of each reference day that were known at the end of `as_of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The last day of the release.
    pub as_of: usize,
    /// Reference days and their reports.
    pub reported: Vec<(usize, u32)>,
}

/// Releases that differ from the triangle by more than this share of their reports show that it has other days of reports.
const MAX_DIFFERENCE: f64 = 0.01;

impl ReportingTriangle {
    /// Creates an empty triangle whose last day is `days - 1`. Reports later than `max_delay` days are left out of it.
    pub fn new(days: usize, max_delay: usize) -> Result<Self, InputError> {
        let width = max_delay.saturating_add(1);
        match days.checked_mul(width) {
            Some(cells) if cells > 0 => {
                Ok(Self { days, width, within: vec![0; cells], beyond: 0, observed_from: 0 })
            }
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
            for within in &mut self.row_mut(reference_day)[delay..] {
                *within = within.saturating_add(count);
            }
        } else {
            self.beyond = self.beyond.saturating_add(u64::from(count));
        }
        true
    }

    /// Moves reports to the days on which earlier releases first had them.
    ///
    /// A line list gives a case the day of its registration, but a release shows the case only once it is confirmed and has a date of symptoms. For each
    /// reference day, the reports between two releases become those that the releases had, in the proportions of the triangle; the reports
    /// known on the last day stay as they are. A release that had more than is known now counts as having had all: a triangle has no negative
    /// counts.
    ///
    /// If the releases differ from the triangle by more than 1 % of their reports, the days before the first of them are not observed, and delays
    /// are estimated without them as soon as a week is observed.
    pub fn observe(&mut self, releases: &mut [Release]) {
        releases.sort_by_key(|release| release.as_of);
        let last = self.days - 1;
        let (mut difference, mut total) = (0.0, 0.0);
        for release in releases.iter().filter(|release| release.as_of < last) {
            for &(day, reported) in &release.reported {
                if day <= release.as_of && release.as_of - day < self.width {
                    difference +=
                        (crate::to_f64(self.reported(day, release.as_of)) - f64::from(reported)).abs();
                    total += f64::from(reported);
                }
            }
        }
        for day in 0..self.days {
            let had = |release: &Release| {
                let reported = release.reported.iter().find(|(of, _)| *of == day);
                reported.map(|&(_, reported)| (release.as_of, reported))
            };
            let mut known: Vec<(usize, u32)> = releases
                .iter()
                .filter(|release| (day..last).contains(&release.as_of))
                .filter_map(had)
                .collect();
            // Of two releases of one day the later one counts.
            known.reverse();
            known.dedup_by_key(|(as_of, _)| *as_of);
            known.reverse();
            if !known.is_empty() {
                self.rescale(day, &known);
            }
        }
        if difference > MAX_DIFFERENCE * total {
            self.observed_from = releases.first().map_or(0, |release| release.as_of);
        }
    }

    /// Makes the reports of a reference day pass through the numbers known at the ends of some days, in ascending order.
    fn rescale(&mut self, day: usize, known: &[(usize, u32)]) {
        let last_delay = (self.days - 1 - day).min(self.width - 1);
        let row = self.row_mut(day);
        let before = row.to_vec();
        let total = before[last_delay];
        // The delay and the reports, in the triangle and in the releases, at the end of the segment before.
        let (mut start, mut had_before, mut had) = (0, 0, 0);
        let ends = known.iter().map(|&(as_of, reported)| (as_of - day, reported));
        let ends = ends.filter(|(end, _)| *end < last_delay).chain([(last_delay, total)]);
        for (end, reported) in ends {
            let reported = reported.clamp(had, total);
            let (span, target) = (before[end] - had_before, reported - had);
            for (delay, within) in row.iter_mut().enumerate().take(end + 1).skip(start) {
                let share = u64::from(before[delay] - had_before) * u64::from(target);
                *within = match share.checked_div(u64::from(span)) {
                    Some(part) => had + u32::try_from(part).unwrap_or(target),
                    // The triangle has no report here: the releases had them by the end of the segment.
                    None if delay == end => reported,
                    None => had,
                };
            }
            (start, had_before, had) = (end + 1, before[end], reported);
        }
        for within in &mut row[last_delay + 1..] {
            *within = total;
        }
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

    /// The day from which on the days of reports were observed; 0 if they all were.
    pub(crate) fn observed_from(&self) -> usize {
        self.observed_from
    }

    /// The reports of one reference day with exactly this delay.
    pub(crate) fn count(&self, reference_day: usize, delay: usize) -> u64 {
        let row = &self.within[reference_day * self.width..];
        u64::from(row[delay] - delay.checked_sub(1).map_or(0, |before| row[before]))
    }

    /// The reports of one reference day that were known at the end of `as_of`.
    pub fn reported(&self, reference_day: usize, as_of: usize) -> u64 {
        let within = |age: usize| self.within[reference_day * self.width + age.min(self.width - 1)];
        as_of.checked_sub(reference_day).map_or(0, |age| u64::from(within(age)))
    }

    fn row_mut(&mut self, reference_day: usize) -> &mut [u32] {
        let first = reference_day * self.width;
        &mut self.within[first..first + self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(triangle: &ReportingTriangle, day: usize) -> Vec<u64> {
        (0..triangle.days()).map(|as_of| triangle.reported(day, as_of)).collect()
    }

    #[test]
    fn reported_counts_reports_known_on_a_day() {
        let mut triangle = ReportingTriangle::new(5, 2).unwrap();
        assert!(
            triangle.add(1, 0, 4) && triangle.add(1, 1, 3) && triangle.add(1, 2, 2) && triangle.add(1, 3, 9)
        );
        assert!(!triangle.add(4, 1, 1));
        assert!(!triangle.add(usize::MAX, 1, 1));
        assert_eq!(reported(&triangle, 1), [0, 4, 7, 9, 9]);
        assert_eq!([0, 1, 2].map(|delay| triangle.count(1, delay)), [4, 3, 2]);
        assert_eq!(triangle.beyond(), 9);
    }

    #[test]
    fn new_without_days_is_rejected() {
        assert!(ReportingTriangle::new(0, 3).is_err());
        assert!(ReportingTriangle::new(usize::MAX, 3).is_err());
    }

    #[test]
    fn observe_moves_reports_to_the_release_that_had_them() {
        let mut triangle = ReportingTriangle::new(6, 5).unwrap();
        for (delay, count) in [(0, 10), (1, 20), (3, 10)] {
            triangle.add(1, delay, count);
        }
        // By the end of day 2 thirty were registered, but the release had half of them.
        triangle.observe(&mut [Release { as_of: 2, reported: vec![(1, 15)] }]);
        assert_eq!(reported(&triangle, 1), [0, 5, 15, 15, 40, 40]);
        assert_eq!(triangle.observed_from(), 2);
    }

    #[test]
    fn observe_releases_that_agree_changes_nothing() {
        let mut triangle = ReportingTriangle::new(6, 3).unwrap();
        for day in 0..6 {
            for delay in 0..4 {
                triangle.add(day, delay, 7);
            }
        }
        let before = triangle.clone();
        let release = |as_of| Release {
            as_of,
            reported: (0..=as_of)
                .map(|day| (day, u32::try_from(before.reported(day, as_of)).unwrap()))
                .collect(),
        };
        triangle.observe(&mut [release(4), release(2), release(5)]);
        assert_eq!(triangle, before);
    }

    #[test]
    fn observe_release_with_more_reports_than_now_has_all_of_them() {
        let mut triangle = ReportingTriangle::new(4, 3).unwrap();
        triangle.add(0, 2, 8);
        triangle.observe(&mut [Release { as_of: 1, reported: vec![(0, 20), (3, 1)] }]);
        assert_eq!(reported(&triangle, 0), [0, 8, 8, 8]);
    }
}
