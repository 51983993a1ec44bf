//! Nowcast and reproduction number of a region by reference day.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use epidemic::delay::SerialInterval;
use epidemic::nowcast::{self, Nowcast};
use epidemic::reproduction::{self, Prior};
use epidemic::seven_day;
use epidemic::triangle::{Release, ReportingTriangle};

use super::model::{DayEstimate, PastReport, Period, Reproduction, date};
use crate::aggregates::reference_days::{MAX_DELAY, Onsets, ReferenceDays};

/// Days of the reporting triangle: the longest delay, and the past nowcasts and delays that the nowcast is calibrated on.
const TRIANGLE_DAYS: usize = MAX_DELAY + 2 * 56 + 1;
/// A nowcast needs a longest delay of at least this many days.
const MIN_DELAY: usize = 14;
/// Mean and standard deviation of the serial interval in days: Nishiura, Linton and Akhmetzhanov (2020), *International Journal of Infectious
/// Diseases* 93:284–286.
const SERIAL_INTERVAL: (f64, f64) = (4.7, 2.9);
/// Days of a window of the reproduction number.
const WINDOW: usize = 7;
/// A window ends on a day of which at least this share is usually registered.
const MIN_SHARE: f64 = 0.5;
/// Days before the newest registration for which a province has a reproduction number: quantiles of every day of every province would take longer than all
/// other estimates.
const PROVINCE_DAYS: usize = 90;
/// Days after which a case has infected all others; the serial interval leaves less than 10⁻¹² for later ones.
const INFECTIOUS_DAYS: usize = 50;
/// Days of a load that begins in the middle of the epidemic before the first window: cases that infected theirs are not loaded.
const LEAD_IN: usize = 14;

/// The counts of a region.
pub(super) struct Region<'a> {
    province: Option<i16>,
    onsets: Cow<'a, Onsets>,
}

/// A reference day before the reproduction number is known.
struct Cases {
    reported: u64,
    undated: u64,
    share_reported: f64,
    expected: f64,
    sd: f64,
    low: u64,
    median: u64,
    high: u64,
}

impl<'a> Region<'a> {
    pub(super) fn country(counts: &'a ReferenceDays) -> Self {
        let mut sum = Onsets::default();
        for province in counts.provinces.values() {
            sum.dated.add(&province.dated);
            sum.undated.add(&province.undated);
        }
        Self { province: None, onsets: Cow::Owned(sum) }
    }

    pub(super) fn province(counts: &'a ReferenceDays, id: i16) -> Self {
        let onsets = counts.provinces.get(&Some(id)).map_or_else(Cow::default, Cow::Borrowed);
        Self { province: Some(id), onsets }
    }

    /// Returns a row for each day; none if the period is too short for a nowcast.
    pub(super) fn estimate(&self, period: Period, past: &[PastReport]) -> Vec<DayEstimate> {
        let Some(cases) = self.cases(period, past) else { return Vec::new() };
        let skipped = match self.province {
            Some(_) => cases.len().saturating_sub(PROVINCE_DAYS + INFECTIOUS_DAYS),
            None => 0,
        };
        let reproduction = reproduction_numbers(&cases, skipped, date(period.first));
        let seven_day = seven_day_numbers(&cases, date(period.first));
        let rows = cases.into_iter().zip(reproduction).zip(seven_day).enumerate();
        rows.map(|(position, ((cases, reproduction), seven_day))| DayEstimate {
            province: self.province,
            day: date(period.first + position),
            reported: cases.reported,
            undated: cases.undated,
            share_reported: cases.share_reported,
            expected: cases.expected,
            low: cases.low,
            median: cases.median,
            high: cases.high,
            reproduction,
            seven_day,
        })
        .collect()
    }

    /// Returns the cases of each day as counted, and as nowcast for the last days.
    fn cases(&self, period: Period, past: &[PastReport]) -> Option<Vec<Cases>> {
        let days = period.days().min(TRIANGLE_DAYS);
        let max_delay = MAX_DELAY.min(days / 2);
        if max_delay < MIN_DELAY || days < nowcast::needed_days(max_delay) {
            return None;
        }
        let triangle = self.triangle(period, days, max_delay, past)?;
        let nowcasts = nowcast::estimate(&triangle).ok()?;
        let first_nowcast = period.last + 1 - nowcasts.len();
        let of_day = |day: usize| {
            let undated = u64::from(self.onsets.undated.get(day));
            let nowcast = day.checked_sub(first_nowcast).and_then(|position| nowcasts.get(position));
            nowcast.map_or_else(
                || complete(self.dated(day, MAX_DELAY), undated),
                |nowcast| expected(nowcast, undated),
            )
        };
        Some((period.first..=period.last).map(of_day).collect())
    }

    /// Returns the cases with symptoms on a day that were registered within a delay.
    fn dated(&self, day: usize, max_delay: usize) -> u64 {
        self.onsets.dated.get(day)[..=max_delay].iter().copied().map(u64::from).sum()
    }

    /// Builds the reporting triangle of the last days, and moves its reports to the releases that first had them.
    fn triangle(
        &self,
        period: Period,
        days: usize,
        max_delay: usize,
        past: &[PastReport],
    ) -> Option<ReportingTriangle> {
        let first = period.last + 1 - days;
        let mut triangle = ReportingTriangle::new(days, max_delay).ok()?;
        for day in 0..days {
            for (delay, &count) in self.onsets.dated.get(first + day)[..=max_delay].iter().enumerate() {
                if count > 0 {
                    triangle.add(day, delay, count);
                }
            }
        }
        let first = date(first);
        let position = |day: NaiveDate| usize::try_from((day - first).num_days()).ok();
        let mut releases: BTreeMap<usize, Vec<(usize, u32)>> = BTreeMap::new();
        for report in past.iter().filter(|report| report.province == self.province) {
            if let (Some(as_of), Some(day)) = (position(report.as_of), position(report.day)) {
                releases.entry(as_of).or_default().push((day, report.dated));
            }
        }
        let mut releases: Vec<Release> =
            releases.into_iter().map(|(as_of, reported)| Release { as_of, reported }).collect();
        if !releases.is_empty() {
            triangle.observe(&mut releases);
        }
        Some(triangle)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn complete(dated: u64, undated: u64) -> Cases {
    let reported = dated + undated;
    Cases {
        reported,
        undated,
        share_reported: 1.0,
        expected: reported as f64,
        sd: 0.0,
        low: reported,
        median: reported,
        high: reported,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn expected(nowcast: &Nowcast, undated: u64) -> Cases {
    Cases {
        reported: nowcast.reported + undated,
        undated,
        share_reported: nowcast.share_reported,
        expected: nowcast.expected + undated as f64,
        sd: nowcast.sd,
        low: nowcast.low + undated,
        median: nowcast.median + undated,
        high: nowcast.high + undated,
    }
}

/// Returns the number of days until the last one of which enough cases are registered.
fn known_days(cases: &[Cases]) -> usize {
    cases.iter().rposition(|cases| cases.share_reported >= MIN_SHARE).map_or(0, |last| last + 1)
}

/// Returns the days at the start of a load that have no reproduction number: the register begins with the epidemic in 2020, later loads begin in the
/// middle of it.
fn lead_in(first: NaiveDate) -> usize {
    if first.year() > 2020 { LEAD_IN } else { 0 }
}

/// Estimates the reproduction numbers by the last day of their window, without those of the days that are skipped.
fn reproduction_numbers(cases: &[Cases], skipped: usize, first: NaiveDate) -> Vec<Option<Reproduction>> {
    let mut numbers = vec![None; cases.len()];
    let known = cases.get(skipped..known_days(cases)).unwrap_or_default();
    let incidence: Vec<f64> = known.iter().map(|cases| cases.expected).collect();
    let deviations: Vec<f64> = known.iter().map(|cases| cases.sd).collect();
    let windows =
        SerialInterval::discretised_gamma(SERIAL_INTERVAL.0, SERIAL_INTERVAL.1).and_then(|interval| {
            reproduction::estimate_nowcast(&incidence, &deviations, &interval, WINDOW, Prior::default())
        });
    // Of a series without its beginning, the first windows lack cases that infected others.
    let lead_in = if skipped > 0 { INFECTIOUS_DAYS } else { lead_in(first) };
    for window in windows.into_iter().flatten().filter(|window| window.start > lead_in) {
        let cases = incidence[window.start - 1..window.end].iter().sum();
        numbers[skipped + window.end - 1] =
            window.posterior.map(|posterior| Reproduction { cases, posterior });
    }
    numbers
}

/// Estimates the seven-day R of each day.
fn seven_day_numbers(cases: &[Cases], first: NaiveDate) -> Vec<Option<f64>> {
    let incidence: Vec<f64> = cases[..known_days(cases)].iter().map(|cases| cases.expected).collect();
    let mut numbers = seven_day::estimate(&incidence).unwrap_or_default();
    numbers.iter_mut().take(lead_in(first)).for_each(|value| *value = None);
    numbers.resize(cases.len(), None);
    numbers
}
