//! The values of `--since` and `--until`: parsed without a clock, then resolved with the user's clock and time zone.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};

use common::text;

use crate::Millis;

/// A point in time, absolute or relative to the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeArg {
    /// `10m`, `2h30m`, `1d`: this long ago.
    Ago(Duration),
    /// RFC 3339.
    At(DateTime<Utc>),
    /// `2026-03-01`, `2026-03-01 14:30`: local date and time.
    On(NaiveDateTime),
    /// `14:30`: local time of day.
    Clock(NaiveTime),
    /// `today`, `yesterday`: the start of the day this many days ago.
    Day(u64),
}

/// Parses a time from the command line.
///
/// # Errors
/// One sentence with examples.
pub fn parse_time(typed: &str) -> Result<TimeArg, String> {
    let word = typed.trim();
    match word {
        "now" => return Ok(TimeArg::Ago(Duration::ZERO)),
        "today" => return Ok(TimeArg::Day(0)),
        "yesterday" => return Ok(TimeArg::Day(1)),
        _ => {}
    }
    if let Ok(length) = text::duration(word) {
        return Ok(TimeArg::Ago(length));
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(word) {
        return Ok(TimeArg::At(moment.to_utc()));
    }
    if let Ok(day) = word.parse::<NaiveDate>() {
        return Ok(TimeArg::On(day.and_time(NaiveTime::MIN)));
    }
    let clock =
        |word: &str| ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(word, form).ok());
    if let Some(time) = clock(word) {
        return Ok(TimeArg::Clock(time));
    }
    let on = word
        .split_once([' ', 'T'])
        .and_then(|(day, time)| Some(day.parse::<NaiveDate>().ok()?.and_time(clock(time)?)));
    on.map(TimeArg::On).ok_or_else(|| {
        format!("`{typed}` is not a time such as 10m, 2h30m, 1d, 14:30, today, 2026-03-01, \"2026-03-01 14:30\" or 2026-03-01T14:30:00Z")
    })
}

impl TimeArg {
    /// Resolves a start; a time of day is the most recent one.
    pub fn since<Z: TimeZone>(self, now: &DateTime<Z>) -> Millis {
        match self {
            Self::Clock(time) if time > now.time() => resolve_time_of_day(now, 1, time),
            _ => self.moment(now),
        }
    }

    /// Resolves an end; a time of day is the first one after `since`.
    pub fn until<Z: TimeZone>(self, now: &DateTime<Z>, since: Millis) -> Millis {
        match self {
            Self::Clock(time) => {
                let yesterday = resolve_time_of_day(now, 1, time);
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
            Self::On(time) => resolve_local(now, time),
            Self::Clock(time) => resolve_time_of_day(now, 0, time),
            Self::Day(ago) => resolve_time_of_day(now, ago, NaiveTime::MIN),
        }
    }
}

fn resolve_time_of_day<Z: TimeZone>(now: &DateTime<Z>, days_ago: u64, time: NaiveTime) -> Millis {
    let day = now.date_naive();
    resolve_local(now, day.checked_sub_days(Days::new(days_ago)).unwrap_or(day).and_time(time))
}

/// Resolves a local date and time. An ambiguous time (clocks set back) is the earlier one; a skipped time (clocks set forward) is
/// one hour later.
fn resolve_local<Z: TimeZone>(now: &DateTime<Z>, time: NaiveDateTime) -> Millis {
    let zone = now.timezone();
    let moment = zone.from_local_datetime(&time).earliest();
    let moment = moment.or_else(|| zone.from_local_datetime(&(time + TimeDelta::hours(1))).earliest());
    moment.map_or_else(|| time.and_utc().timestamp_millis(), |moment| moment.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    /// 00:05 in Buenos Aires.
    fn now() -> DateTime<FixedOffset> {
        "2026-03-02T00:05:00-03:00".parse().unwrap()
    }

    fn format(time: Millis) -> String {
        crate::to_datetime(time).format("%m-%d %H:%M:%S").to_string()
    }

    #[test]
    fn since_resolves_every_form() {
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
            assert_eq!(format(parse_time(typed).unwrap().since(&now())), meant, "{typed}");
        }
    }

    #[test]
    fn until_time_of_day_is_after_since() {
        let since = parse_time("23:00").unwrap().since(&now());
        assert_eq!(format(parse_time("23:30").unwrap().until(&now(), since)), "03-02 02:30:00");
        assert_eq!(format(parse_time("00:04").unwrap().until(&now(), since)), "03-02 03:04:00");
        assert_eq!(format(parse_time("5m").unwrap().until(&now(), since)), "03-02 03:00:00");
    }

    #[test]
    fn parse_time_invalid_returns_examples() {
        for wrong in ["", "soon", "10", "m", "25:00", "2026-13-01", "2026-02-30 10:00", "-5m", "1h1"] {
            assert!(parse_time(wrong).unwrap_err().contains("2h30m"), "{wrong}");
        }
    }
}
