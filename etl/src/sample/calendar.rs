//! Days as the line list writes them: quoted ISO dates and epidemiological weeks.
//!
//! A day is a number counted from 2020-01-01, so that lags are plain additions. Texts are made once, because a file of
//! 30 million rows writes 150 million dates.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// Days since 2020-01-01; negative before it.
pub(super) type Day = i32;

/// The first day with rows: 2020-03-01.
pub(super) const FIRST_REGISTRATION: Day = 60;
/// The last day with rows: 2022-06-04, the eve of the release.
pub(super) const LAST_REGISTRATION: Day = RELEASED - 1;
/// `ultima_actualizacion`: 2022-06-05, the last release of the ministry's file.
pub(super) const RELEASED: Day = 886;

/// No date in a clean sample is before this day (2018-11-21, the oldest that the ministry's own files show).
pub(super) const EARLIEST: Day = -406;

/// The calendar date of a day.
pub(super) fn date(day: Day) -> NaiveDate {
    // NaiveDate's default is 1970-01-01, 18,262 days before 2020.
    NaiveDate::default() + TimeDelta::days(18_262 + i64::from(day))
}

/// The epidemiological week, from Sunday to Saturday: it belongs to the year that has most of its days.
pub(super) fn epidemiological_week(date: NaiveDate) -> u32 {
    let since_sunday = i64::from(date.weekday().num_days_from_sunday());
    let wednesday = date + TimeDelta::days(3 - since_sunday);
    wednesday.ordinal0() / 7 + 1
}

/// Ready-made texts of every day that a sample can name.
pub(super) struct Dates {
    quoted: Vec<[u8; 12]>,
}

impl Dates {
    pub(super) fn new() -> Self {
        let quoted = (EARLIEST..=RELEASED)
            .map(|day| {
                let mut text = [b'"'; 12];
                text[1..11].copy_from_slice(date(day).to_string().as_bytes());
                text
            })
            .collect();
        Self { quoted }
    }

    /// `"2021-05-23"`, with its quotes. Days outside the table are brought to its ends.
    pub(super) fn quoted(&self, day: Day) -> &[u8] {
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
    fn weeks_are_those_of_the_published_calendar() {
        assert_eq!(week("2020-06-17"), 25);
        assert_eq!(week("2020-04-04"), 14);
        assert_eq!(week("2020-04-05"), 15);
        assert_eq!(week("2021-04-08"), 14);
        // The turns of the years: 2020 has 53 weeks.
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
    fn days_are_the_dates_that_they_say() {
        let text = |day| date(day).to_string();
        assert_eq!(text(0), "2020-01-01");
        assert_eq!(text(FIRST_REGISTRATION), "2020-03-01");
        assert_eq!(text(RELEASED), "2022-06-05");
        assert_eq!(text(EARLIEST), "2018-11-21");
        assert_eq!(Dates::new().quoted(RELEASED), b"\"2022-06-05\"");
    }
}
