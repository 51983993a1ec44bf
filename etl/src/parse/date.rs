//! Calendar days as PostgreSQL counts them, parsed directly from `YYYY-MM-DD`: up to six per row, thirty million rows.

use std::fmt;

use chrono::{Datelike as _, NaiveDate};

/// Days since 2000-01-01, PostgreSQL's own representation of `date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Days from 0000-03-01 to 2000-01-01.
const FROM_MARCH_OF_YEAR_0: i32 = 730_425;

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a real date");

impl Day {
    /// Returns the day of a calendar date, or `None` if there is no such date (2021-02-29).
    pub const fn from_calendar(year: i32, month: u32, day: u32) -> Option<Self> {
        if month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        // Years are counted from March, so that the leap day is a year's last day.
        // The usual civil-calendar arithmetic: http://howardhinnant.github.io/date_algorithms.html
        let march_year = if month <= 2 { year - 1 } else { year };
        let era = march_year.div_euclid(400);
        let year_of_era = march_year.rem_euclid(400);
        #[expect(clippy::cast_possible_wrap, reason = "months and days are below 32")]
        let day_of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - FROM_MARCH_OF_YEAR_0))
    }

    /// Parses exactly `YYYY-MM-DD`; `None` for anything else and for days that do not exist.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; 10] = text.try_into().ok()?;
        let digit = |at: usize| {
            let value = text[at].wrapping_sub(b'0');
            (value <= 9).then_some(u32::from(value))
        };
        let pair = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
        if text[4] != b'-' || text[7] != b'-' {
            return None;
        }
        #[expect(clippy::cast_possible_wrap, reason = "four digits")]
        let year = (pair(0)? * 100 + pair(2)?) as i32;
        Self::from_calendar(year, pair(5)?, pair(8)?)
    }

    pub fn year(self) -> i32 {
        NaiveDate::from(self).year()
    }
}

/// Returns the name of a date's format if it is another one than `YYYY-MM-DD`.
pub fn other_format(text: &str) -> Option<&'static str> {
    // A time of day may follow a space or a T.
    let (date, has_time) = text.split_once([' ', 'T']).map_or((text, false), |(date, _)| (date, true));
    let digits =
        |part: &str| part.len() <= 4 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = date.split(['/', '-', '.']).collect();
    match parts[..] {
        [year, month, day] if [year, month, day].into_iter().all(digits) => match (year.len(), day.len()) {
            (4, _) if has_time => Some("a date with a time of day"),
            // A day that does not exist, in the right format.
            (4, 2) if month.len() == 2 && date.matches('-').count() == 2 => None,
            (4, _) => Some("yyyy/mm/dd"),
            (_, 2 | 4) => Some("dd/mm/yyyy"),
            _ => None,
        },
        [date] if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) => Some("yyyymmdd"),
        _ => None,
    }
}

const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl From<Day> for NaiveDate {
    fn from(day: Day) -> Self {
        EPOCH + chrono::Duration::days(i64::from(day.0))
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "chrono's years fit")]
        Self((date - EPOCH).num_days() as i32)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NaiveDate::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_is_what_the_calendar_says() {
        let mut date = NaiveDate::from_ymd_opt(1799, 12, 30).unwrap();
        let last = NaiveDate::from_ymd_opt(2200, 3, 2).unwrap();
        while date < last {
            let text = date.format("%Y-%m-%d").to_string();
            assert_eq!(Day::parse(text.as_bytes()), Some(Day::from(date)), "{text}");
            date = date.succ_opt().unwrap();
        }
    }

    #[test]
    fn other_format_is_named() {
        for (text, format) in [
            ("05/06/2022", "dd/mm/yyyy"),
            ("5/6/2022", "dd/mm/yyyy"),
            ("05-06-2022", "dd/mm/yyyy"),
            ("05.06.22", "dd/mm/yyyy"),
            ("05/06/2022 00:00", "dd/mm/yyyy"),
            ("2022/06/05", "yyyy/mm/dd"),
            ("2022-6-5", "yyyy/mm/dd"),
            ("2022-06-05 00:00:00", "a date with a time of day"),
            ("2022-06-05T00:00:00Z", "a date with a time of day"),
            ("20220605", "yyyymmdd"),
        ] {
            assert_eq!(other_format(text), Some(format), "{text}");
        }
        for text in ["", "NA", "2022-06-05", "2022-02-30", "ayer", "44717", "1/2", "x/06/2022", "05/06/20222"]
        {
            assert_eq!(other_format(text), None, "{text}");
        }
    }

    #[test]
    fn invalid_date_is_none() {
        for text in [
            "",
            "2021",
            "2021-02-29",
            "2020-13-01",
            "2020-00-10",
            "2020-01-00",
            "2020-04-31",
            "2020-1-01",
            "20200101",
            "2020/01/01",
            "2020-01-01 ",
            "2020-01-01T00:00:00",
            "01-01-2020",
            "2O20-01-01",
            "-020-01-01",
            "٢٠٢٠-01",
        ] {
            assert_eq!(Day::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
