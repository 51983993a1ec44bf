//! Dates of the line list: days counted from 2020-01-01, their quoted ISO texts and epidemiological weeks.
//!
//! The texts are precomputed, because a file of 30 million rows contains 150 million dates.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// Days since 2020-01-01; negative before it.
pub(crate) type Day = i32;

/// The first day with rows: 2020-03-01.
pub(crate) const FIRST_REGISTRATION: Day = 60;
/// The last day with rows: 2022-06-04, the eve of the release.
pub(crate) const LAST_REGISTRATION: Day = RELEASED - 1;
/// `ultima_actualizacion`: 2022-06-05, the last release of the ministry's file.
pub(crate) const RELEASED: Day = 886;

/// The earliest date of a clean sample: 2018-11-21, the oldest in the ministry's files.
pub(crate) const EARLIEST: Day = -406;

pub(crate) fn date(day: Day) -> NaiveDate {
    // NaiveDate's default is 1970-01-01, 18,262 days before 2020.
    NaiveDate::default() + TimeDelta::days(18_262 + i64::from(day))
}

/// Returns the epidemiological week, from Sunday to Saturday; it belongs to the year that has most of its days.
pub(crate) fn epidemiological_week(date: NaiveDate) -> u32 {
    let since_sunday = i64::from(date.weekday().num_days_from_sunday());
    let wednesday = date + TimeDelta::days(3 - since_sunday);
    wednesday.ordinal0() / 7 + 1
}

/// The texts of all days from [`EARLIEST`] to [`RELEASED`].
pub(crate) struct Dates {
    quoted: Vec<[u8; 12]>,
}

impl Dates {
    pub(crate) fn new() -> Self {
        let quoted = (EARLIEST..=RELEASED)
            .map(|day| {
                let mut text = [b'"'; 12];
                text[1..11].copy_from_slice(date(day).to_string().as_bytes());
                text
            })
            .collect();
        Self { quoted }
    }

    /// Returns the date with its quotes: `"2021-05-23"`. Days out of range are clamped.
    pub(crate) fn quoted(&self, day: Day) -> &[u8] {
        let index = usize::try_from(day - EARLIEST).unwrap_or(0).min(self.quoted.len() - 1);
        &self.quoted[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(text: &str) -> u32 {
        epidemiological_week(text.parse().unwrap())
    }

    #[test]
    fn epidemiological_week_matches_published_calendar() {
        assert_eq!(week("2020-06-17"), 25);
        assert_eq!(week("2020-04-04"), 14);
        assert_eq!(week("2020-04-05"), 15);
        assert_eq!(week("2021-04-08"), 14);
        // Turns of the year; 2020 has 53 weeks.
        assert_eq!(week("2019-12-29"), 1);
        assert_eq!(week("2020-12-26"), 52);
        assert_eq!(week("2020-12-27"), 53);
        assert_eq!(week("2021-01-02"), 53);
        assert_eq!(week("2021-01-03"), 1);
        assert_eq!(week("2022-01-01"), 52);
        assert_eq!(week("2022-01-02"), 1);
        assert_eq!(week("2022-06-04"), 22);
        assert_eq!(week("2022-06-05"), 23);
    }

    #[test]
    fn date_of_day_matches_calendar() {
        let text = |day| date(day).to_string();
        assert_eq!(text(0), "2020-01-01");
        assert_eq!(text(FIRST_REGISTRATION), "2020-03-01");
        assert_eq!(text(RELEASED), "2022-06-05");
        assert_eq!(text(EARLIEST), "2018-11-21");
        assert_eq!(Dates::new().quoted(RELEASED), b"\"2022-06-05\"");
    }
}
