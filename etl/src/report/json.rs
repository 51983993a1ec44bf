//! The report as `report.json`: all questions with their text in both languages and the raw values of their answers.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::ValueEnum as _;
use serde::Serialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::answer::{Answer, QuestionResult, Value};
use super::content::{Content, Options};
use super::language::{Language, Localized};
use super::question::{Column, ColumnKind, Placement, Question};
use super::questions::QUESTIONS;
use common::failure::Failure;

/// The version of the document's format.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    run_id: Uuid,
    made_on: String,
    language: String,
    questions: Vec<QuestionDocument<'a>>,
}

#[derive(Serialize)]
struct QuestionDocument<'a> {
    name: &'a str,
    title: Json,
    unit: Json,
    note: Json,
    columns: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<&'a [Vec<Value>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn encode(content: &Content) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Document {
        format: FORMAT,
        run_id: content.options.run_id,
        made_on: content.options.started_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        language: content.options.language.to_string(),
        questions: content.results.iter().map(encode_result).collect(),
    })
}

fn encode_result(result: &QuestionResult) -> QuestionDocument<'_> {
    let question = result.question;
    QuestionDocument {
        name: question.name,
        title: translations(question.title),
        unit: translations(question.unit),
        note: translations(question.note),
        columns: question.columns.iter().map(encode_column).collect(),
        rows: result.answer.as_ref().ok().map(|answer| answer.rows.as_slice()),
        error: result.answer.as_ref().err().map(ToString::to_string),
    }
}

fn encode_column(column: &Column) -> Json {
    json!({
        "name": column.name,
        "kind": column.kind,
        "title": translations(column.title),
        "names_line": column.kind.is_key() && column.placement != Placement::Heading,
    })
}

fn translations(text: Localized) -> Json {
    json!({ "es": text.get(Language::Spanish), "en": text.get(Language::English) })
}

/// Reads a document back. Returns `None` if another release wrote it with other questions or another format.
pub(super) fn decode(document: &Json) -> Option<Content> {
    if document["format"] != FORMAT {
        return None;
    }
    let field = |name: &str| document[name].as_str();
    let options = Options {
        language: Language::from_str(field("language")?, false).ok()?,
        run_id: field("run_id")?.parse().ok()?,
        started_at: field("made_on")?.parse().ok()?,
    };
    let results: Option<_> = document["questions"].as_array()?.iter().map(decode_result).collect();
    Some(Content { options, results: results? })
}

fn decode_result(document: &Json) -> Option<QuestionResult> {
    let question = *QUESTIONS.iter().find(|question| document["name"] == question.name)?;
    let columns = document["columns"].as_array()?.iter().map(|column| column["name"].as_str());
    if !columns.eq(question.columns.iter().map(|column| Some(column.name))) {
        return None;
    }
    if let Some(error) = document["error"].as_str() {
        return Some(QuestionResult { question, answer: Err(Failure::new(error)) });
    }
    let rows: Option<_> = document["rows"].as_array()?.iter().map(|row| decode_row(question, row)).collect();
    Some(QuestionResult { question, answer: Ok(Answer { question, rows: rows? }) })
}

fn decode_row(question: &Question, row: &Json) -> Option<Vec<Value>> {
    let row = row.as_array().filter(|row| row.len() == question.columns.len())?;
    question.columns.iter().zip(row).map(|(column, value)| decode_value(column, value)).collect()
}

fn decode_value(column: &Column, value: &Json) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Missing);
    }
    Some(match column.kind {
        ColumnKind::Text => Value::Text(value.as_str()?.to_owned()),
        ColumnKind::Number | ColumnKind::Count | ColumnKind::Difference => Value::Number(value.as_i64()?),
        ColumnKind::Rate | ColumnKind::Ratio => Value::Rate(value.as_f64()?),
        ColumnKind::Percent | ColumnKind::Share | ColumnKind::Change => Value::Percent(value.as_f64()?),
        ColumnKind::Date | ColumnKind::Month => Value::Date(value.as_str()?.parse().ok()?),
        ColumnKind::Time => Value::Time(value.as_str()?.parse::<DateTime<Utc>>().ok()?),
        ColumnKind::Flag => Value::Flag(value.as_bool()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_document_of_other_release_is_none() {
        let document = json!({
            "format": 1, "language": "en", "run_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2",
            "made_on": "2022-06-05T04:03:02Z", "questions": [],
        });
        assert!(decode(&document).unwrap().results.is_empty());
        for (name, other) in [
            ("format", json!(2)),
            ("language", Json::Null),
            ("language", json!("fr")),
            ("made_on", json!("yesterday")),
            ("questions", json!([{ "name": "of_tomorrow", "columns": [], "rows": [] }])),
            ("questions", json!([{ "name": "last_update", "columns": [{ "name": "other" }], "rows": [] }])),
        ] {
            let mut document = document.clone();
            document[name] = other;
            assert!(decode(&document).is_none(), "{name}");
        }
    }
}
