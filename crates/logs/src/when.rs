//! The times that people type after `--since` and `--until`.
//!
//! A word is read without a clock; what moment it means is settled later, with the clock and the time zone of whoever typed it.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};

use super::event::Millis;
use common::text;

/// A time as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `10m`, `2h30m`, `1d`: so long ago.
    Ago(Duration),
    /// RFC 3339: one moment, wherever one is.
    At(DateTime<Utc>),
    /// `2026-03-01`, `2026-03-01 14:30`: on a calendar.
    On(NaiveDateTime),
    /// `14:30`: on a clock.
    Clock(NaiveTime),
    /// `today`, `yesterday`: the beginning of a day, so many days ago.
    Day(u64),
}

/// Reads what was typed.
pub fn parse(typed: &str) -> Result<When, String> {
    let word = typed.trim();
    match word {
        "now" => return Ok(When::Ago(Duration::ZERO)),
        "today" => return Ok(When::Day(0)),
        "yesterday" => return Ok(When::Day(1)),
        _ => {}
    }
    if let Ok(length) = text::duration(word) {
        return Ok(When::Ago(length));
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(word) {
        return Ok(When::At(moment.to_utc()));
    }
    if let Ok(day) = word.parse::<NaiveDate>() {
        return Ok(When::On(day.and_time(NaiveTime::MIN)));
    }
    let clock =
        |word: &str| ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(word, form).ok());
    if let Some(time) = clock(word) {
        return Ok(When::Clock(time));
    }
    let on = word
        .split_once([' ', 'T'])
        .and_then(|(day, time)| Some(day.parse::<NaiveDate>().ok()?.and_time(clock(time)?)));
    on.map(When::On).ok_or_else(|| {
        format!("`{typed}` is not a time such as 10m, 2h30m, 1d, 14:30, today, 2026-03-01, \"2026-03-01 14:30\" or 2026-03-01T14:30:00Z")
    })
}

impl When {
    /// The moment as a beginning: of the times of a clock, the last one that has been.
    pub fn since<Z: TimeZone>(self, now: &DateTime<Z>) -> Millis {
        match self {
            Self::Clock(time) if time > now.time() => on_clock(now, 1, time),
            _ => self.moment(now),
        }
    }

    /// The moment as an end: of the times of a clock, the first one after the beginning.
    pub fn until<Z: TimeZone>(self, now: &DateTime<Z>, since: Millis) -> Millis {
        match self {
            Self::Clock(time) => {
                let yesterday = on_clock(now, 1, time);
                if yesterday > since { yesterday } else { self.moment(now) }
            }
            _ => self.moment(now),
        }
    }

    fn moment<Z: TimeZone>(self, now: &DateTime<Z>) -> Millis {
        match self {
            Self::Ago(length) => {
                let length = Millis::try_from(length.as_millis()).unwrap_or(Millis::MAX);
                now.timestamp_millis().saturating_sub(length)
            }
            Self::At(moment) => moment.timestamp_millis(),
            Self::On(time) => on_calendar(now, time),
            Self::Clock(time) => on_clock(now, 0, time),
            Self::Day(ago) => on_clock(now, ago, NaiveTime::MIN),
        }
    }
}

fn on_clock<Z: TimeZone>(now: &DateTime<Z>, days_ago: u64, time: NaiveTime) -> Millis {
    let day = now.date_naive();
    on_calendar(now, day.checked_sub_days(Days::new(days_ago)).unwrap_or(day).and_time(time))
}

/// What a calendar and a clock on the wall say, as a moment. Where clocks are put back it is the earlier one; a time that clocks
/// jump over is the one an hour later.
fn on_calendar<Z: TimeZone>(now: &DateTime<Z>, time: NaiveDateTime) -> Millis {
    let zone = now.timezone();
    let moment = zone.from_local_datetime(&time).earliest();
    let moment = moment.or_else(|| zone.from_local_datetime(&(time + TimeDelta::hours(1))).earliest());
    moment.map_or_else(|| time.and_utc().timestamp_millis(), |moment| moment.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    /// Five past midnight in Buenos Aires.
    fn now() -> DateTime<FixedOffset> {
        "2026-03-02T00:05:00-03:00".parse().unwrap()
    }

    fn said(time: Millis) -> String {
        super::super::event::moment(time).format("%m-%d %H:%M:%S").to_string()
    }

    #[test]
    fn all_forms_are_understood() {
        for (typed, meant) in [
            ("10m", "03-02 02:55:00"),
            ("2h30m", "03-02 00:35:00"),
            ("1d", "03-01 03:05:00"),
            ("now", "03-02 03:05:00"),
            ("today", "03-02 03:00:00"),
            ("yesterday", "03-01 03:00:00"),
            ("2026-02-27", "02-27 03:00:00"),
            ("2026-02-27 14:30", "02-27 17:30:00"),
            ("2026-02-27T14:30:15", "02-27 17:30:15"),
            ("2026-02-27T14:30:00Z", "02-27 14:30:00"),
            ("2026-02-27T14:30:00.250+01:00", "02-27 13:30:00"),
            ("00:01", "03-02 03:01:00"),
            ("23:50", "03-02 02:50:00"),
        ] {
            assert_eq!(said(parse(typed).unwrap().since(&now())), meant, "{typed}");
        }
    }

    #[test]
    fn an_end_on_a_clock_comes_after_the_beginning() {
        let since = parse("23:00").unwrap().since(&now());
        assert_eq!(said(parse("23:30").unwrap().until(&now(), since)), "03-02 02:30:00");
        assert_eq!(said(parse("00:04").unwrap().until(&now(), since)), "03-02 03:04:00");
        assert_eq!(said(parse("5m").unwrap().until(&now(), since)), "03-02 03:00:00");
    }

    #[test]
    fn nonsense_is_refused_with_examples() {
        for wrong in ["", "soon", "10", "m", "25:00", "2026-13-01", "2026-02-30 10:00", "-5m", "1h1"] {
            assert!(parse(wrong).unwrap_err().contains("2h30m"), "{wrong}");
        }
    }
}
