//! Encodes an answer as CSV (RFC 4180): English column names and raw values, the same in every language.

use chrono::SecondsFormat;

use super::answer::{Answer, Value};
use common::failure::{Context as _, Result};

pub(super) fn encode(answer: &Answer) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let what = || format!("cannot encode `{}`", answer.question.file_name());
    writer.write_record(answer.columns().iter().map(|column| column.name)).context(what)?;
    for row in &answer.rows {
        writer.write_record(row.iter().map(field)).context(what)?;
    }
    writer.into_inner().context(what)
}

/// Formats a value; NULL is an empty field.
fn field(value: &Value) -> String {
    match value {
        Value::Missing => String::new(),
        Value::Text(text) => text_cell(text),
        Value::Number(number) => number.to_string(),
        Value::Percent(number) | Value::Rate(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Value::Flag(flag) => flag.to_string(),
    }
}

/// The first characters of a formula in a spreadsheet, as OWASP lists them under "CSV Injection".
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Prefixes text that a spreadsheet would evaluate as a formula with an apostrophe.
fn text_cell(text: &str) -> String {
    let quote = if text.starts_with(FORMULA_STARTS) { "'" } else { "" };
    format!("{quote}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_text_like_formula_gets_apostrophe() {
        for text in ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "-"] {
            assert_eq!(field(&Value::Text(text.to_owned())), format!("'{text}"));
        }
    }

    #[test]
    fn field_other_text_is_unchanged() {
        for text in ["", "1-4", "a=b", " =1", "'=1", "Ñuñoa", "\"=1"] {
            assert_eq!(field(&Value::Text(text.to_owned())), text);
        }
    }

    #[test]
    fn field_negative_number_is_unchanged() {
        assert_eq!(field(&Value::Number(-5)), "-5");
        assert_eq!(field(&Value::Percent(-2.5)), "-2.5");
    }
}
