//! Numbers, sizes, durations and tables as text for people, and back.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Formats a number with thousands separators: `29,971,992`.
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number, or `-` if it is unknown.
pub fn maybe_thousands(number: Option<i64>) -> String {
    or_dash(number.map(thousands))
}

/// Formats a value, or `-` if there is none.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Formats a number of things, named in the singular: `1 stack`, `3 stacks`.
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Formats a time to the second, without its time zone.
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Formats a size in bytes with a decimal unit: `12.3 MB`.
pub fn size(bytes: u64) -> String {
    humansize::format_size(bytes, humansize::DECIMAL.decimal_places(1))
}

/// Formats a duration in its two largest units: `3 min 20 s`.
pub fn span(length: TimeDelta) -> String {
    let milliseconds = length.num_milliseconds().max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Formats the time since `then` in its largest unit: `5 min ago`.
pub fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Formats rows as columns that are as wide as their widest cell; columns of numbers are right-aligned.
pub fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(heads.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let numeric: [bool; N] =
        std::array::from_fn(|column| rows[1..].iter().all(|row| is_number(&row[column])));
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let gap = if column == 0 { "" } else { "  " };
            // Writing into a string cannot fail.
            _ = if numeric[column] {
                write!(line, "{gap}{cell:>width$}")
            } else {
                write!(line, "{gap}{cell:<width$}")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Formats the values that are known, a line each, after their names.
pub fn fields<const N: usize>(fields: [(&str, Option<String>); N]) -> String {
    let known = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known.fold(String::new(), |text, (name, value)| format!("{text}{name:<12} {value}\n"))
}

fn is_number(cell: &str) -> bool {
    cell == "-"
        || !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-'))
}

/// Parses a duration such as `90s`, `30m` or `1h30m`; zero is an error. Errors are messages for the command line.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("`{text}` is not a duration such as 90s, 30m or 1h30m")),
    }
}

/// Parses `NAME=VALUE`. Errors are messages for the command line, without the value, which may be a secret.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !text.contains('\0') => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{}` is not NAME=VALUE", text.split('=').next().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_groups_digits() {
        let pairs = [(0, "0"), (999, "999"), (1000, "1,000"), (29_971_992, "29,971,992"), (-1234, "-1,234")];
        for (number, text) in pairs {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn count_has_plural_except_for_one() {
        assert_eq!([0, 1, 2].map(|number| count(number, "stack")), ["0 stacks", "1 stack", "2 stacks"]);
    }

    #[test]
    fn size_has_decimal_unit() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (416_600_000, "416.6 MB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn duration_parses_units_and_rejects_everything_else() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1d1s"), Ok(Duration::from_secs(86_401)));
        for wrong in ["", "0s", "90", "h", "soon", "-5m", "99999999999999999999h", "9999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn invalid_assignment_does_not_repeat_value() {
        assert_eq!(assignment("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert_eq!(assignment("=secret"), Err("`` is not NAME=VALUE".to_owned()));
        assert!(assignment("NAME").is_err());
    }

    #[test]
    fn table_aligns_columns() {
        let rows = [["etl", "1,000"], ["report", "-"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(["KIND", "ROWS"], rows), "KIND     ROWS\netl     1,000\nreport      -\n");
    }
}
