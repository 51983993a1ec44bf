//! The report for machines: every question with its words in both languages, and every answer with its raw values.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::answer::{Finding, Value};
use super::language::{Language, Words};
use super::question::Place;
use super::{Options, folder};
use common::failure::{Context as _, Result};

/// What the form of the document is called; another number where it changes.
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    run_id: String,
    made_on: String,
    language: String,
    questions: Vec<Question<'a>>,
}

#[derive(Serialize)]
struct Question<'a> {
    name: &'a str,
    title: Json,
    unit: Json,
    note: Json,
    columns: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Vec<Json>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The whole document.
pub(super) fn encode(options: &Options, findings: &[Finding]) -> Result<Vec<u8>> {
    let document = Document {
        format: FORMAT,
        run_id: options.run_id.to_string(),
        made_on: options.started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        language: options.language.to_string(),
        questions: findings.iter().map(question).collect(),
    };
    serde_json::to_vec(&document).context(|| format!("cannot encode `{}`", folder::REPORT_JSON))
}

fn question(finding: &Finding) -> Question<'_> {
    let asked = finding.question;
    let columns = asked.columns.iter();
    let rows = |rows: &Vec<Vec<Value>>| rows.iter().map(|row| row.iter().map(value).collect()).collect();
    Question {
        name: asked.name,
        title: words(asked.title),
        unit: words(asked.unit),
        note: words(asked.note),
        columns: columns
            .map(|column| {
                json!({
                    "name": column.name,
                    "kind": column.kind.name(),
                    "title": words(column.title),
                    "names_line": column.kind.names_lines() && column.place != Place::Heading,
                })
            })
            .collect(),
        rows: finding.outcome.as_ref().ok().map(|answer| rows(&answer.rows)),
        error: finding.outcome.as_ref().err().map(ToString::to_string),
    }
}

fn words(words: Words) -> Json {
    json!({ "es": words.to(Language::Spanish), "en": words.to(Language::English) })
}

fn value(value: &Value) -> Json {
    match value {
        Value::Missing => Json::Null,
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number),
        Value::Percent(number) | Value::Rate(number) => json!(number),
        Value::Date(day) => json!(day.to_string()),
        Value::Time(time) => json!(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        Value::Flag(flag) => json!(flag),
    }
}
