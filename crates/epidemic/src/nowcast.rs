//! The nowcast: the number of cases of the last days once all reports are in.
//!
//! **Delays.** Chain ladder on the reporting triangle (Mack 1993; Lawless 1994), by weekday. For each delay d ≥ 1, the share of the
//! reports within d days that came on day d exactly is `g_d = Σ n_(t,d) / Σ_(j ≤ d) n_(t,j)`, over the latest reference days whose cell is
//! known. A weekday's own share is combined with that of all weekdays, which counts as many cases as `POOLED_WEIGHT`. The share that is
//! reported within h days is then `F_h = Π_(d > h) (1 − g_d)`; a chain-ladder factor is `1 / (1 − g_d)`.
//!
//! **Expected cases.** The chain ladder alone gives `c / F_h` for c reported cases, which is useless if c is 0 or F small. So the local level λ
//! (reports of the last week over the sum of their F) enters as a gamma prior of shape `a = max(1, v (1 − F_h) λ)` and mean λ for the cases of the day. The
//! posterior expects `m = (c + a) (1 − F_h) / (F_h + a / λ)` reports still to come. The credibility v is calibrated; v = 0 is the chain ladder, for more
//! than a few cases.
//!
//! **Interval.** The reports still to come are negative binomial with mean m and size k, `1/k = 1/(c + a) + e`. The first part is chance. The overdispersion e is
//! the error of past nowcasts beyond chance: the nowcast is repeated for each of the last days as it would have been then, and for each age in days v
//! and e have the highest likelihood for the reports that came since. This covers delays that vary or change.
//!
//! If releases showed that the triangle's days of reports are not those on which the reports were known ([`ReportingTriangle::observe`]), delays and
//! past nowcasts use only the days since the first release, as soon as there are `MIN_OBSERVED` of them.

use crate::calibration::{Calibration, IncompleteDay, PastNowcast, calibrate};
use crate::triangle::ReportingTriangle;
use crate::{InputError, distribution, to_count, to_f64};

/// The probability of the prediction interval.
const COVERAGE: f64 = 0.95;
/// The limit of steps in a standard deviation; a wider distribution has steps of several reports.
const MAX_STEPS: f64 = 5000.0;
/// Reference days from which a delay is estimated: whole weeks, so that each weekday counts alike.
const DELAY_WINDOW: usize = 56;
/// Days of the week.
const WEEK: usize = 7;
/// The weight, in cases, of all weekdays in the delays of one.
const POOLED_WEIGHT: f64 = 100.0;
/// Days for which past nowcasts are repeated.
const PAST_DAYS: usize = 56;
/// The minimum of these days.
const MIN_PAST_DAYS: usize = 7;
/// Days of the local level.
const LEVEL_DAYS: usize = 7;
/// Added to the reports of the local level, so that days without any do not exclude cases.
const LEVEL_FLOOR: f64 = 0.5;
/// The minimum of observed days from which delays are estimated without earlier days: a whole week.
const MIN_OBSERVED: usize = WEEK;
/// A past nowcast is used if at least this share of its missing reports was due since.
const MIN_DUE_SHARE: f64 = 0.5;

/// The nowcast of one reference day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nowcast {
    /// The reference day, from 0.
    pub day: usize,
    /// Cases reported so far.
    pub reported: u64,
    /// The share of cases that is usually reported by now.
    pub share_reported: f64,
    /// Expected cases once all reports are in.
    pub expected: f64,
    /// The standard deviation of the prediction.
    pub sd: f64,
    /// The lower end of the 95 % prediction interval.
    pub low: u64,
    /// The median of the prediction.
    pub median: u64,
    /// The upper end of the 95 % prediction interval.
    pub high: u64,
}

/// Returns the minimum number of days of a triangle with this longest delay.
pub fn needed_days(max_delay: usize) -> usize {
    max_delay.saturating_add(MIN_PAST_DAYS + 1)
}

/// Estimates the cases of the last `max_delay + 1` reference days, oldest first.
///
/// Allocates a few numbers for each delay and each past nowcast. Returns an error if the triangle has fewer days than [`needed_days`].
pub fn estimate(triangle: &ReportingTriangle) -> Result<Vec<Nowcast>, InputError> {
    let needed = needed_days(triangle.max_delay());
    if triangle.days() < needed {
        return Err(InputError::TooShort { days: triangle.days(), needed });
    }
    let last = triangle.days() - 1;
    let snapshot = Snapshot::new(triangle, last);
    let calibration = calibrate_by_age(triangle, last);
    let ages = (0..=triangle.max_delay()).rev();
    Ok(ages
        .map(|age| nowcast(&snapshot, age, calibration.get(age).copied().unwrap_or(Calibration::NONE)))
        .collect())
}

fn nowcast(snapshot: &Snapshot<'_>, age: usize, calibration: Calibration) -> Nowcast {
    let day = snapshot.as_of - age;
    let reported = snapshot.triangle.reported(day, snapshot.as_of);
    let incomplete = snapshot.incomplete_day(age);
    let missing = incomplete.map_or(0.0, |day| day.missing(calibration.credibility));
    let variance = incomplete.map_or(0.0, |day| missing + missing * missing / day.size(calibration));
    let [low, median, high] = incomplete.map_or([0; 3], |day| prediction(missing, day.size(calibration)));
    Nowcast {
        day,
        reported,
        share_reported: snapshot.share(day, age),
        expected: to_f64(reported) + missing,
        sd: variance.sqrt(),
        low: reported + low,
        median: reported + median,
        high: reported + high,
    }
}

/// Returns median and interval of the reports to come, the interval's ends around the median.
///
/// A distribution wider than [`MAX_STEPS`] is computed in steps of more than one report, with the same mean and variance, because the
/// work is proportional to the number of steps.
fn prediction(mean: f64, size: f64) -> [u64; 3] {
    let variance = mean + mean * mean / size;
    // With larger steps than variance / mean, no distribution of steps has the variance.
    let step = (variance.sqrt() / MAX_STEPS).min(variance / mean).floor().max(1.0);
    let steps = distribution::negative_binomial(mean / step, 1.0 / (1.0 / size - (step - 1.0) / mean));
    let (low, high) = steps.shortest_interval(COVERAGE);
    [low, steps.median(), high].map(|count| count * to_count(step))
}

/// The data and the estimates at the end of one day.
struct Snapshot<'a> {
    triangle: &'a ReportingTriangle,
    as_of: usize,
    /// For reference days of each weekday, the share reported within 0, 1, 2, … days.
    shares: [Vec<f64>; WEEK],
    /// The local level, cases per day.
    level: f64,
}

impl<'a> Snapshot<'a> {
    fn new(triangle: &'a ReportingTriangle, as_of: usize) -> Self {
        let mut snapshot = Self { triangle, as_of, shares: shares(triangle, as_of), level: 0.0 };
        let (mut reported, mut share) = (LEVEL_FLOOR, 0.0);
        for age in 0..LEVEL_DAYS.min(as_of + 1) {
            reported += to_f64(triangle.reported(as_of - age, as_of));
            share += snapshot.share(as_of - age, age);
        }
        snapshot.level = if share > 0.0 { reported / share } else { 0.0 };
        snapshot
    }

    /// The share of the day's cases that is reported within this number of days.
    fn share(&self, day: usize, within: usize) -> f64 {
        self.shares[day % WEEK].get(within).copied().unwrap_or(1.0)
    }

    /// Returns the day of this age; `None` if it is complete, or if the triangle has no reports to estimate from.
    fn incomplete_day(&self, age: usize) -> Option<IncompleteDay> {
        let day = self.as_of - age;
        let share = self.share(day, age);
        let reported = to_f64(self.triangle.reported(day, self.as_of));
        (share < 1.0 && self.level > 0.0).then_some(IncompleteDay { reported, share, level: self.level })
    }
}

/// Estimates the share of reports within 0, 1, 2, … days from what was known at the end of a day.
fn shares(triangle: &ReportingTriangle, as_of: usize) -> [Vec<f64>; WEEK] {
    let mut shares = [const { Vec::new() }; WEEK].map(|_: Vec<f64>| vec![1.0; triangle.max_delay() + 1]);
    let observed = as_of.saturating_sub(triangle.observed_from());
    let window = if observed >= MIN_OBSERVED { observed.min(DELAY_WINDOW) } else { DELAY_WINDOW };
    for delay in (1..=triangle.max_delay()).rev() {
        let known = as_of.checked_sub(delay).map_or(0, |newest| newest + 1);
        let (mut on_day, mut within) = ([0.0; WEEK], [0.0; WEEK]);
        for day in known.saturating_sub(window)..known {
            on_day[day % WEEK] += to_f64(triangle.count(day, delay));
            within[day % WEEK] += to_f64(triangle.reported(day, day + delay));
        }
        let (all_on_day, all_within): (f64, f64) = (on_day.iter().sum(), within.iter().sum());
        let pooled = if all_within > 0.0 { all_on_day / all_within } else { 0.0 };
        for ((shares, on_day), within) in shares.iter_mut().zip(on_day).zip(within) {
            let of_delay = (on_day + POOLED_WEIGHT * pooled) / (within + POOLED_WEIGHT);
            shares[delay - 1] = shares[delay] * (1.0 - of_delay);
        }
    }
    shares
}

/// Repeats the nowcast for past days and returns the calibration of each age in days.
fn calibrate_by_age(triangle: &ReportingTriangle, last: usize) -> Vec<Calibration> {
    let max_delay = triangle.max_delay();
    let mut past: Vec<Vec<PastNowcast>> = vec![Vec::new(); max_delay];
    let past_days = PAST_DAYS.min(last - max_delay);
    // Nowcasts from before the observed days would be off by what was not observed; they are still better than a few.
    let observed = last.saturating_sub(triangle.observed_from() + MIN_OBSERVED);
    let is_enough = triangle.observed_from() > 0 && observed >= MIN_PAST_DAYS;
    let past_days = if is_enough { past_days.min(observed) } else { past_days };
    for ago in 1..=past_days {
        let snapshot = Snapshot::new(triangle, last - ago);
        for (age, past) in past.iter_mut().enumerate() {
            past.extend(past_nowcast(&snapshot, age, ago));
        }
    }
    // An age without past takes the calibration of the age before it.
    let mut calibration = Calibration::NONE;
    past.iter()
        .map(|past| {
            calibration = calibrate(past).unwrap_or(calibration);
            calibration
        })
        .collect()
}

/// Compares the nowcast of a day of this age with the reports that came in the `ago` days since.
fn past_nowcast(snapshot: &Snapshot<'_>, age: usize, ago: usize) -> Option<PastNowcast> {
    let day = snapshot.incomplete_day(age)?;
    let reference_day = snapshot.as_of - age;
    let share_due = (snapshot.share(reference_day, age + ago) - day.share) / (1.0 - day.share);
    let reported = |as_of: usize| snapshot.triangle.reported(reference_day, as_of);
    let arrived = to_f64(reported(snapshot.as_of + ago) - reported(snapshot.as_of));
    (share_due >= MIN_DUE_SHARE).then_some(PastNowcast { day, share_due, arrived })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same reports on every reference day, by delay, as known on the last of these days.
    fn steady(days: usize, by_delay: &[u32]) -> ReportingTriangle {
        let mut triangle = ReportingTriangle::new(days, by_delay.len() - 1).unwrap();
        for day in 0..days {
            for (delay, &count) in by_delay.iter().enumerate() {
                triangle.add(day, delay, count);
            }
        }
        triangle
    }

    #[test]
    fn estimate_of_steady_reports_is_chain_ladder() {
        let nowcasts = estimate(&steady(60, &[500, 300, 200])).unwrap();
        let of: Vec<_> = nowcasts.iter().map(|nowcast| (nowcast.day, nowcast.reported)).collect();
        assert_eq!(of, [(57, 1000), (58, 800), (59, 500)]);
        for (nowcast, share) in nowcasts.iter().zip([1.0, 0.8, 0.5]) {
            assert!((nowcast.share_reported - share).abs() < 1e-12);
            assert!((nowcast.expected - 1000.0).abs() < 0.5, "{nowcast:?}");
            assert!(nowcast.low <= 1000 && 1000 <= nowcast.high);
        }
    }

    #[test]
    fn estimate_without_reports_on_last_day_still_expects_cases() {
        let mut triangle = steady(60, &[0, 0, 0]);
        for day in 0..59 {
            triangle.add(day, 0, 40);
            triangle.add(day, 1, 40);
        }
        let last = *estimate(&triangle).unwrap().last().unwrap();
        assert_eq!(last.reported, 0);
        assert!(last.expected > 0.5 && last.high >= 1, "{last:?}");
    }

    #[test]
    fn estimate_of_empty_triangle_expects_nothing_of_complete_days() {
        for nowcast in estimate(&steady(30, &[0, 0, 0])).unwrap() {
            assert_eq!((nowcast.reported, nowcast.low, nowcast.high), (0, 0, 0));
        }
    }

    #[test]
    fn estimate_of_short_triangle_is_rejected() {
        assert_eq!(estimate(&steady(9, &[1, 1, 1])), Err(InputError::TooShort { days: 9, needed: 10 }));
        assert!(estimate(&steady(10, &[1, 1, 1])).is_ok());
    }
}
