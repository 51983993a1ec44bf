//! Reads a report's document back, so that its text can be laid out anew: for a terminal that is wider or narrower than the stored text.
//!
//! Only for documents of this program's own questions; what an older or newer release wrote is left to its stored text.

use serde_json::Value as Json;

use super::answer::{Answer, Finding, Value};
use super::question::{Column, Kind, Question};
use super::{Options, QUESTIONS, json, text};
use common::failure::Failure;

/// The text of a report for lines of this width, from its `report.json`; nothing where the document is another release's.
pub fn text_of(document: &Json, width: usize) -> Option<String> {
    if document["format"] != json::FORMAT {
        return None;
    }
    let word = |name: &str| document[name].as_str();
    let options = Options {
        language: word("language")?.parse().ok()?,
        run_id: word("run_id")?.parse().ok()?,
        started_at: word("made_on")?.parse().ok()?,
    };
    let findings: Option<Vec<Finding>> = document["questions"].as_array()?.iter().map(finding).collect();
    Some(text::render(&options, &findings?, width))
}

fn finding(asked: &Json) -> Option<Finding> {
    let question: &'static Question = QUESTIONS.iter().find(|question| asked["name"] == question.name)?;
    let columns = asked["columns"].as_array()?;
    let same = columns.iter().map(|column| column["name"].as_str());
    if !same.eq(question.columns.iter().map(|column| Some(column.name))) {
        return None;
    }
    if let Some(error) = asked["error"].as_str() {
        return Some(Finding { question, outcome: Err(Failure::new(error)) });
    }
    let rows: Option<Vec<Vec<Value>>> =
        asked["rows"].as_array()?.iter().map(|row| values(question, row)).collect();
    Some(Finding { question, outcome: Ok(Answer { question, rows: rows? }) })
}

fn values(question: &Question, row: &Json) -> Option<Vec<Value>> {
    let row = row.as_array().filter(|row| row.len() == question.columns.len())?;
    question.columns.iter().zip(row).map(|(column, said)| value(column, said)).collect()
}

fn value(column: &Column, said: &Json) -> Option<Value> {
    if said.is_null() {
        return Some(Value::Missing);
    }
    Some(match column.kind {
        Kind::Text(_) => Value::Text(said.as_str()?.to_owned()),
        Kind::Number | Kind::Count | Kind::Difference => Value::Number(said.as_i64()?),
        Kind::Rate => Value::Rate(said.as_f64()?),
        Kind::Percent | Kind::Share | Kind::Change => Value::Percent(said.as_f64()?),
        Kind::Date | Kind::Month => Value::Date(said.as_str()?.parse().ok()?),
        Kind::Time => Value::Time(said.as_str()?.parse().ok()?),
        Kind::Flag => Value::Flag(said.as_bool()?),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_another_release_wrote_is_left_alone() {
        let whole = json!({
            "format": 1, "language": "en", "run_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2",
            "made_on": "2022-06-05T04:03:02Z", "questions": [],
        });
        assert!(text_of(&whole, 80).unwrap().starts_with("═"));
        for (name, other) in [
            ("format", json!(2)),
            ("language", Json::Null),
            ("language", json!("fr")),
            ("made_on", json!("yesterday")),
            ("questions", json!([{ "name": "of_tomorrow", "columns": [], "rows": [] }])),
            ("questions", json!([{ "name": "last_update", "columns": [{ "name": "other" }], "rows": [] }])),
        ] {
            let mut document = whole.clone();
            document[name] = other;
            assert_eq!(text_of(&document, 80), None, "{name}");
        }
    }
}
