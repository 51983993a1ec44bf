//! An answer for machines: RFC 4180, English column names, raw values, the same in every language.

use chrono::SecondsFormat;

use super::answer::{Answer, Value};
use crate::failure::{OrFail as _, Result};

/// The answer as a CSV file.
pub(super) fn encode(answer: &Answer) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let named = || format!("cannot encode `{}`", answer.question.file_name());
    writer.write_record(answer.columns().iter().map(|column| column.name)).or_fail(named)?;
    for row in &answer.rows {
        writer.write_record(row.iter().map(field)).or_fail(named)?;
    }
    writer.into_inner().or_fail(named)
}

/// NULL is nothing; an instant is UTC.
fn field(value: &Value) -> String {
    match value {
        Value::Missing => String::new(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Percent(number) | Value::Rate(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Value::Flag(flag) => flag.to_string(),
    }
}
