//! Formats values for a language: separators, dates, signs.

use chrono::{Datelike as _, NaiveDate};

use super::answer::Value;
use super::language::{Language, Localized, tr};
use super::question::{Column, ColumnKind};

#[rustfmt::skip]
const MONTHS_ES: [&str; 12] = [
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
];

pub(super) const PERCENT_SIGN: Localized = tr(" %", "%");

/// Formats a value of this column.
pub(super) fn value(value: &Value, column: &Column, language: Language) -> String {
    match (value, column.kind) {
        (Value::Missing, ColumnKind::Text) => column.label(None, language).unwrap_or("—").to_owned(),
        (Value::Missing, ColumnKind::Flag) | (Value::Flag(false), _) => String::new(),
        (Value::Missing, _) => "—".to_owned(),
        (Value::Text(code), ColumnKind::Text) => {
            column.label(Some(code), language).map_or_else(|| printable(code), str::to_owned)
        }
        (Value::Text(text), _) => printable(text),
        (Value::Number(number), ColumnKind::Number) => number.to_string(),
        (Value::Number(number), ColumnKind::Difference) if *number > 0 => {
            format!("+{}", count(*number, language))
        }
        (Value::Number(number), _) => count(*number, language),
        (Value::Rate(number), ColumnKind::Ratio) => ratio(*number, language),
        (Value::Rate(number), _) => rate(*number, language),
        (Value::Percent(percent), ColumnKind::Change) => change(*percent, language),
        (Value::Percent(share), _) => percent(*share, language),
        (Value::Date(day), ColumnKind::Month) => month(*day, language),
        (Value::Date(day), _) => date(*day, language),
        (Value::Time(time), _) => {
            format!("{} {} UTC", date(time.date_naive(), language), time.format("%H:%M"))
        }
        (Value::Flag(true), _) => column.title.get(language).to_owned(),
    }
}

/// Formats a count as `1.234.567` or `1,234,567`.
pub(super) fn count(number: i64, language: Language) -> String {
    grouped(&number.to_string(), language)
}

/// Formats a rate as `1.234,5` or `1,234.5`, rounded half away from zero.
pub(super) fn rate(number: f64, language: Language) -> String {
    let tenths = format!("{:.1}", (number * 10.0).round() / 10.0);
    let tenths = if tenths == "-0.0" { "0.0" } else { &tenths };
    let (whole, tenth) = tenths.split_once('.').unwrap_or((tenths, "0"));
    format!("{}{}{tenth}", grouped(whole, language), tr(",", ".").get(language))
}

/// Formats a ratio as `1,23` or `1.23`.
fn ratio(number: f64, language: Language) -> String {
    format!("{number:.2}").replace('.', tr(",", ".").get(language))
}

/// Formats a percentage as `12,3 %` or `12.3%`, rounded half away from zero.
fn percent(percent: f64, language: Language) -> String {
    format!("{}{}", rate(percent, language), PERCENT_SIGN.get(language))
}

/// Formats a relative change with its sign; a change that rounds to zero has none.
fn change(change: f64, language: Language) -> String {
    let shown = percent(change, language);
    let is_increase = shown.contains(|c: char| ('1'..='9').contains(&c)) && !shown.starts_with('-');
    if is_increase { format!("+{shown}") } else { shown }
}

/// Formats a day as `04/06/2022` in Spanish, and as in ISO 8601 in English, which has two orders of day and month.
pub(super) fn date(day: NaiveDate, language: Language) -> String {
    match language {
        Language::Spanish => day.format("%d/%m/%Y").to_string(),
        Language::English => day.to_string(),
    }
}

/// Formats a month as `junio de 2022` or `June 2022`.
fn month(day: NaiveDate, language: Language) -> String {
    match language {
        Language::Spanish => {
            let name = usize::try_from(day.month0()).ok().and_then(|index| MONTHS_ES.get(index));
            format!("{} de {}", name.unwrap_or(&""), day.year())
        }
        Language::English => day.format("%B %Y").to_string(),
    }
}

/// Formats a month as `ene`, or as `ene 2022` in January and if the year is asked for.
pub(super) fn short_month(day: NaiveDate, with_year: bool, language: Language) -> String {
    let name: String = match language {
        Language::Spanish => month(day, language).chars().take(3).collect(),
        Language::English => day.format("%b").to_string(),
    };
    if with_year || day.month() == 1 { format!("{name} {}", day.year()) } else { name }
}

fn grouped(digits: &str, language: Language) -> String {
    let separator = tr(".", ",").get(language);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    text.push_str(sign);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

/// Replaces control characters, which could move the cursor or break a line.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Language::{English, Spanish};
    use super::*;

    #[test]
    fn count_has_separators_of_language() {
        for (number, es, en) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1.000", "1,000"),
            (1_234_567, "1.234.567", "1,234,567"),
            (-1_000, "-1.000", "-1,000"),
        ] {
            assert_eq!((count(number, Spanish).as_str(), count(number, English).as_str()), (es, en));
        }
    }

    #[test]
    fn percent_is_rounded_half_away_from_zero() {
        for (value, es, en) in [
            (12.34, "12,3 %", "12.3%"),
            (12.25, "12,3 %", "12.3%"),
            (99.96, "100,0 %", "100.0%"),
            (-0.04, "0,0 %", "0.0%"),
            (-12.25, "-12,3 %", "-12.3%"),
            (123_456.7, "123.456,7 %", "123,456.7%"),
        ] {
            assert_eq!((percent(value, Spanish).as_str(), percent(value, English).as_str()), (es, en));
        }
    }

    #[test]
    fn ratio_has_two_decimals() {
        assert_eq!((ratio(0.996, Spanish), ratio(12.3, English)), ("1,00".to_owned(), "12.30".to_owned()));
    }

    #[test]
    fn change_has_sign_unless_it_rounds_to_zero() {
        let shown = [50.0, -50.0, 0.0, 0.04, -0.04, 0.05].map(|value| change(value, English));
        assert_eq!(shown, ["+50.0%", "-50.0%", "0.0%", "0.0%", "0.0%", "+0.1%"]);
    }

    #[test]
    fn date_and_month_follow_language() {
        let day = NaiveDate::from_ymd_opt(2022, 9, 4).unwrap();
        assert_eq!((date(day, Spanish), date(day, English)), ("04/09/2022".into(), "2022-09-04".into()));
        assert_eq!(
            (month(day, Spanish), month(day, English)),
            ("septiembre de 2022".into(), "September 2022".into())
        );
    }

    #[test]
    fn printable_text_has_no_control_characters() {
        assert_eq!(printable("a\u{1b}[2J\nb"), "a\u{fffd}[2J\u{fffd}b");
    }

    proptest! {
        #[test]
        fn count_without_separators_is_the_number(number: i64) {
            prop_assert_eq!(count(number, Spanish).replace('.', ""), number.to_string());
            prop_assert_eq!(count(number, English).replace(',', ""), number.to_string());
        }
    }
}
