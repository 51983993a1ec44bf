//! The waves of the country, on the days whose cases are mostly known.

use epidemic::waves;

use super::model::{DayEstimate, Period, Wave, date};
use crate::aggregates::reference_days::ReferenceDays;

/// Waves end at the latest on a day of which at least this share is usually registered.
const MIN_SHARE: f64 = 0.5;

/// Finds the waves in the estimates of the country.
pub(super) fn find(days: &[DayEstimate], period: Period, counts: &ReferenceDays) -> Vec<Wave> {
    let known = days.iter().rposition(|day| day.share_reported >= MIN_SHARE).map_or(0, |last| last + 1);
    let expected: Vec<f64> = days[..known].iter().map(|day| day.expected).collect();
    let found = waves::find(&expected).unwrap_or_default();
    let last = found.len().saturating_sub(1);
    let wave = |(nth, wave): (usize, &waves::Wave)| {
        let end = wave.end + usize::from(nth == last);
        let within = wave.start..end.min(days.len());
        let deaths = |position: usize| -> u64 {
            counts.deaths.get(period.first + position).iter().copied().map(u64::from).sum()
        };
        Wave {
            starts_on: date(period.first + wave.start),
            peak_on: date(period.first + wave.peak),
            ends_on: date(period.first + wave.end),
            peak_level: wave.peak_level,
            is_confirmed: wave.is_confirmed,
            cases: days[within.clone()].iter().map(|day| day.reported).sum(),
            died: within.map(deaths).sum(),
        }
    };
    found.iter().enumerate().map(wave).collect()
}
