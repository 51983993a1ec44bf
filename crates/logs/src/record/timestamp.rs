//! Recognises the time of an event: RFC 3339 and its relatives at the start of a text, and numbers of seconds or milliseconds.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};

use crate::Millis;

/// A number of at least this size counts milliseconds since the epoch, a smaller one seconds.
const SMALLEST_MILLISECONDS: f64 = 1e11;

/// Bytes of `2026-03-02T03:04:05`.
const TO_SECOND: usize = 19;

/// Parses a time: the value of a field.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    if let Some((time, _)) = leading(text) {
        return Some(time);
    }
    let number: f64 = text.parse().ok()?;
    let milliseconds = if number.abs() < SMALLEST_MILLISECONDS { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in the range of dates")]
    (milliseconds.abs() < 1e14).then_some(milliseconds as Millis)
}

/// Parses a date and a time of day at the start of a text; returns the length, too. Without a time zone, it is UTC.
pub(crate) fn leading(text: &str) -> Option<(Millis, usize)> {
    let bytes = text.as_bytes();
    let shape = bytes.get(..TO_SECOND)?;
    let separators = shape[4] == b'-' && shape[7] == b'-' && shape[13] == b':' && shape[16] == b':';
    if !separators || !matches!(shape[10], b'T' | b' ' | b't') {
        return None;
    }
    let date = days(number(&shape[..4])?, number(&shape[5..7])?, number(&shape[8..10])?)?;
    let (hour, minute, second) = (number(&shape[11..13])?, number(&shape[14..16])?, number(&shape[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut time = ((date * 24 + Millis::from(hour)) * 60 + Millis::from(minute)) * 60_000;
    time += Millis::from(second) * 1000;
    let mut at = TO_SECOND;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let kept = &bytes[at + 1..at + 1 + digits.min(3)];
        let scale = [0, 100, 10, 1][kept.len()];
        time += Millis::from(number(kept).unwrap_or(0)) * scale;
        at += 1 + digits;
    }
    let (offset, length) = zone(&text[at..]);
    Some((time - offset, at + length))
}

/// Parses a time zone; returns its offset in milliseconds and the length.
fn zone(text: &str) -> (Millis, usize) {
    let bytes = text.as_bytes();
    match bytes {
        [b'Z' | b'z', ..] => (0, 1),
        [b' ', b'U' | b'G', b'T' | b'M', b'C' | b'T', ..] => (0, 4),
        [sign @ (b'+' | b'-'), rest @ ..] => offset(*sign, rest, 1),
        [b' ', sign @ (b'+' | b'-'), rest @ ..] => offset(*sign, rest, 2),
        _ => (0, 0),
    }
}

/// Parses `03`, `0300` or `03:00` after a sign.
fn offset(sign: u8, text: &[u8], before: usize) -> (Millis, usize) {
    let two = |at: usize| text.get(at..at + 2).and_then(number);
    let Some(hours) = two(0).filter(|hours| *hours < 24) else { return (0, 0) };
    let (minutes, length) = match text.get(2) {
        Some(b':') => (two(3), 5),
        _ => (two(2), 4),
    };
    let (minutes, length) = minutes.map_or((0, 2), |minutes| (minutes, length));
    let offset = Millis::from(hours * 60 + minutes) * 60_000;
    (if sign == b'-' { -offset } else { offset }, before + length)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |value: u32, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// Returns the days since the epoch of a date (Howard Hinnant's `days_from_civil`).
fn days(year: u32, month: u32, day: u32) -> Option<Millis> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// Parses a time as the user writes it in a condition.
pub(crate) fn typed(text: &str, zone: FixedOffset) -> Option<Millis> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let day: NaiveDate = day.parse().ok()?;
    let time = ["%H:%M", "%H:%M:%S%.f"].iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok())?;
    day.and_time(time).and_local_timezone(zone).single().map(|time| time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use chrono::{SecondsFormat, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_of_known_formats_are_recognised() {
        let time = 1_772_420_645_007;
        for text in [
            "2026-03-02T03:04:05.007Z",
            "2026-03-02T03:04:05.007123Z INFO x",
            "2026-03-02T00:04:05.007-03:00",
            "2026-03-02 00:04:05.007-03",
            "2026-03-02 03:04:05.007 UTC [12]",
            "2026-03-02 03:04:05,007 WARN",
            "2026-03-02 04:04:05.007 +0100",
        ] {
            assert_eq!(parse(text), Some(time), "{text}");
        }
        assert_eq!(parse("1772420645.007"), Some(time));
        assert_eq!(parse("1772420645007"), Some(time));
        for text in ["", "2026-03-02", "2026-13-02T03:04:05Z", "2026-03-02T25:04:05Z", "soon", "1e300", "NaN"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn leading_time_equals_that_of_chrono(seconds in 0_i64..4_000_000_000, millis in 0_i64..1000) {
            let time = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(seconds * 1000 + millis);
            let text = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            prop_assert_eq!(leading(&text), Some((time.timestamp_millis(), text.len())));
        }

        #[test]
        fn leading_time_of_any_text_does_not_panic(text in any::<String>()) {
            _ = parse(&text);
            _ = parse(&format!("2026-03-02T03:04:05{text}"));
        }
    }
}
