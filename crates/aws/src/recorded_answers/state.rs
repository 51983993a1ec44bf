//! Recorded states as text.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

/// A recorded state, and what is shown.
pub(crate) type State = (String, String);

/// An error is shown in the same way for all operations.
pub(crate) fn error_of(answer: &Value) -> Option<String> {
    let code = answer["data"]["Error"]["Code"].as_str()?;
    Some(format!(
        "error {code} {}",
        without_ids(answer["data"]["Error"]["Message"].as_str().unwrap_or_default())
    ))
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// Returns a text without identifiers, which differ between recordings.
pub(crate) fn without_ids(text: &str) -> String {
    let ids = Regex::new(r"arn:\S+|<[^>]+>|\b[a-z]+-[0-9a-f]{8,17}\b|\b[0-9a-f-]{32,36}\b|\d{12}").unwrap();
    ids.replace_all(text, "…").into_owned()
}

/// The distinct values of a member in all elements.
pub(crate) fn distinct(values: &Value, member: impl Fn(&Value) -> String) -> String {
    let values: BTreeSet<String> = values.as_array().into_iter().flatten().map(member).collect();
    if values.is_empty() { "none".to_owned() } else { Vec::from_iter(values).join(", ") }
}
