//! What is estimated: the rows of the estimates, and the days that they cover.

use chrono::NaiveDate;
use epidemic::fatality::Fatality;
use epidemic::reproduction::Posterior;

use crate::aggregates::reference_days::{MAX_DELAY, ReferenceDays, day_of};

/// Days without any registration after which the register counts as begun anew: the years of a load can have gaps.
const MAX_SILENCE: usize = 60;

/// The estimates of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicators {
    /// The day of the newest registration.
    pub as_of: NaiveDate,
    /// The country first, then the provinces; of each, the oldest day first.
    pub days: Vec<DayEstimate>,
    /// By age, the oldest last, then unknown age, then all ages.
    pub fatality: Vec<AgeFatality>,
    pub waves: Vec<Wave>,
}

impl Indicators {
    /// Returns what this release says about the days that later releases can change.
    pub fn past_reports(&self) -> impl Iterator<Item = PastReport> {
        let is_recent =
            |day: NaiveDate| usize::try_from((self.as_of - day).num_days()).is_ok_and(|ago| ago < MAX_DELAY);
        let days = self.days.iter().filter(move |row| is_recent(row.day));
        days.map(|day| PastReport {
            as_of: self.as_of,
            province: day.province,
            day: day.day,
            dated: u32::try_from(day.reported - day.undated).unwrap_or(u32::MAX),
        })
    }
}

/// The estimates of a region for a reference day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayEstimate {
    /// A province of residence; `None` is the country, with cases of unknown residence.
    pub province: Option<i16>,
    pub day: NaiveDate,
    /// Confirmed cases that were registered within [`MAX_DELAY`](crate::aggregates::reference_days::MAX_DELAY) days.
    pub reported: u64,
    /// Those of them that have no date of symptoms and count on the day of their registration.
    pub undated: u64,
    /// The share of the cases with a date of symptoms that is usually registered by now; 1 once the longest delay is over.
    pub share_reported: f64,
    /// Expected cases once all are registered, and their 95 % prediction interval. Equal to `reported` if the day is complete.
    pub expected: f64,
    pub low: u64,
    pub median: u64,
    pub high: u64,
    /// The reproduction number of the window that ends on this day.
    pub reproduction: Option<Reproduction>,
    /// The seven-day R of the Robert Koch-Institut.
    pub seven_day: Option<f64>,
}

/// The reproduction number of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reproduction {
    /// Expected cases in the window.
    pub cases: f64,
    pub posterior: Posterior,
}

/// The fatality of an age group.
#[derive(Debug, Clone, PartialEq)]
pub struct AgeFatality {
    pub age: AgeGroup,
    pub fatality: Fatality,
    pub delay: DelayToDeath,
}

/// A group of ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeGroup {
    /// 0 is 0–9, and so on; 9 is 90 and more.
    Decade(i16),
    Unknown,
    All,
}

/// The delay from the reference day to death that the correction uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DelayToDeath {
    /// In days.
    pub mean: f64,
    /// The deaths that it was estimated from; 0 if it is the published one.
    pub deaths: u64,
}

/// A wave of the country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    pub starts_on: NaiveDate,
    pub peak_on: NaiveDate,
    pub ends_on: NaiveDate,
    /// The mean of seven days at the peak.
    pub peak_level: f64,
    /// Whether cases have fallen to half of the peak since.
    pub is_confirmed: bool,
    /// Confirmed cases from its start to the day before its end, or to the end if it is the last.
    pub cases: u64,
    /// Deaths among them.
    pub died: u64,
}

/// What an earlier release said about a reference day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastReport {
    /// The newest registration of that release.
    pub as_of: NaiveDate,
    pub province: Option<i16>,
    pub day: NaiveDate,
    /// Cases with a date of symptoms.
    pub dated: u32,
}

/// The days that the estimates cover, as numbers: from the first registration after the last silence to the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Period {
    pub(super) fn of(counts: &ReferenceDays) -> Option<Self> {
        let mut period: Option<Self> = None;
        for day in (0..counts.registered.days()).filter(|day| counts.registered.get(*day) > 0) {
            let first = match period {
                Some(period) if day - period.last <= MAX_SILENCE => period.first,
                _ => day,
            };
            period = Some(Self { first, last: day });
        }
        period
    }

    pub(super) const fn days(self) -> usize {
        self.last - self.first + 1
    }
}

/// Returns the date of a day's number.
pub(super) fn date(number: usize) -> NaiveDate {
    day_of(number).into()
}
