//! Compares the counts of two reports, from their documents.
//!
//! A row is identified by the columns that name it (a day, a province).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use common::text::{maybe_thousands, table, thousands};

/// Changes per question in the text.
const MAX_SHOWN: usize = 10;

/// The differences between two reports.
#[derive(Debug, Serialize)]
pub struct Comparison {
    before: String,
    after: String,
    questions: Vec<Difference>,
    /// Number of questions without a difference.
    same: usize,
}

#[derive(Debug, Serialize)]
struct Difference {
    name: String,
    /// Why it cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Largest first.
    changes: Vec<Change>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Change {
    line: String,
    column: String,
    before: Option<i64>,
    after: Option<i64>,
}

impl Change {
    fn difference(&self) -> i64 {
        self.after.unwrap_or(0).saturating_sub(self.before.unwrap_or(0))
    }
}

impl Comparison {
    /// Compares two documents, each with the name of its report.
    pub fn of((before, old): (String, &Value), (after, new): (String, &Value)) -> Self {
        let (old, new) = (questions(old), questions(new));
        let mut differing = Vec::new();
        let mut same = 0;
        for (name, question) in &new {
            let (reason, changes) = match (counts(question), old.get(name).map(|question| counts(question))) {
                (Some(new), Some(Some(old))) => (None, changes(&old, &new)),
                (_, None) => (Some("only in the later report"), Vec::new()),
                _ => (Some("failed in one of the reports"), Vec::new()),
            };
            if reason.is_none() && changes.is_empty() {
                same += 1;
            } else {
                differing.push(Difference { name: name.clone(), reason, changes });
            }
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            let reason = Some("only in the earlier report");
            differing.push(Difference { name: name.clone(), reason, changes: Vec::new() });
        }
        Self { before, after, questions: differing, same }
    }
}

fn questions(document: &Value) -> BTreeMap<String, &Value> {
    let questions = document["questions"].as_array().into_iter().flatten();
    questions.filter_map(|question| Some((question["name"].as_str()?.to_owned(), question))).collect()
}

/// Returns every count by row and column, or `None` if the question failed.
fn counts(question: &Value) -> Option<BTreeMap<(String, String), i64>> {
    let columns = question["columns"].as_array()?;
    let mut counts = BTreeMap::new();
    for row in question["rows"].as_array()? {
        let cells = || columns.iter().zip(row.as_array().into_iter().flatten());
        let names = cells().filter(|(column, _)| column["names_line"] == true).map(|(_, value)| cell(value));
        let line = names.collect::<Vec<_>>().join(" ");
        for (column, value) in cells().filter(|(column, _)| column["kind"] == "count") {
            let name = column["name"].as_str().unwrap_or_default().to_owned();
            if let Some(count) = value.as_i64() {
                counts.insert((line.clone(), name), count);
            }
        }
    }
    Some(counts)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn changes(old: &BTreeMap<(String, String), i64>, new: &BTreeMap<(String, String), i64>) -> Vec<Change> {
    let mut changes: Vec<Change> = old
        .keys()
        .chain(new.keys().filter(|key| !old.contains_key(*key)))
        .map(|key| Change {
            line: key.0.clone(),
            column: key.1.clone(),
            before: old.get(key).copied(),
            after: new.get(key).copied(),
        })
        .filter(|change| change.before != change.after)
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.difference().unsigned_abs()));
    changes
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "before  {}\nafter   {}", self.before, self.after)?;
        for question in &self.questions {
            writeln!(f, "\n{}", question.name)?;
            if let Some(reason) = &question.reason {
                writeln!(f, "{reason}")?;
                continue;
            }
            let cells = |change: &Change| {
                let difference = change.difference();
                let sign = if difference > 0 { "+" } else { "" };
                [
                    change.line.clone(),
                    change.column.clone(),
                    maybe_thousands(change.before),
                    maybe_thousands(change.after),
                    format!("{sign}{}", thousands(difference)),
                ]
            };
            let shown = question.changes.iter().take(MAX_SHOWN).map(cells);
            f.write_str(&table(["LINE", "COUNT", "BEFORE", "AFTER", "DIFFERENCE"], shown))?;
            let hidden = question.changes.len().saturating_sub(MAX_SHOWN);
            if hidden > 0 {
                writeln!(f, "… and {hidden} smaller changes (all with --output json)")?;
            }
        }
        writeln!(f, "\nunchanged questions: {}", self.same)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(questions: &Value) -> Value {
        json!({ "questions": questions })
    }

    fn question(name: &str, rows: &Value) -> Value {
        let columns = json!([
            { "name": "month", "kind": "month", "names_line": true },
            { "name": "newest_on", "kind": "date", "names_line": false },
            { "name": "cases", "kind": "count", "names_line": false },
            { "name": "share", "kind": "share", "names_line": false },
        ]);
        json!({ "name": name, "columns": columns, "rows": rows })
    }

    #[test]
    fn comparison_lists_largest_change_first_and_explains_the_incomparable() {
        let old = document(&json!([
            question("a", &json!([["2022-01", "x", 5, 0.5], ["2022-02", "x", 7, 0.1], ["2022-03", "x", 1, 0.1]])),
            question("b", &json!([["2022-01", "x", 5, 0.5]])),
            { "name": "gone", "columns": [], "rows": [] },
            { "name": "broken", "columns": [], "rows": [] },
        ]));
        let new = document(&json!([
            question("a", &json!([["2022-01", "y", 6, 0.5], ["2022-02", "y", 7, 0.9], ["2022-04", "y", 9, 0.1]])),
            question("b", &json!([["2022-01", "y", 5, 0.7]])),
            { "name": "new", "columns": [], "rows": [] },
            { "name": "broken", "columns": [], "error": "x" },
        ]));
        let comparison = Comparison::of(("one".into(), &old), ("two".into(), &new));
        assert_eq!(comparison.same, 1);
        let reasons: Vec<_> =
            comparison.questions.iter().map(|question| (question.name.as_str(), question.reason)).collect();
        assert_eq!(
            reasons,
            [
                ("a", None),
                ("broken", Some("failed in one of the reports")),
                ("new", Some("only in the later report")),
                ("gone", Some("only in the earlier report")),
            ]
        );
        let lines: Vec<_> = comparison.questions[0]
            .changes
            .iter()
            .map(|change| (change.line.as_str(), change.before, change.after))
            .collect();
        assert_eq!(
            lines,
            [("2022-04", None, Some(9)), ("2022-01", Some(5), Some(6)), ("2022-03", Some(1), None)]
        );
        assert!(comparison.to_string().contains("+9"), "{comparison}");
    }
}
