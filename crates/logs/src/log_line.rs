//! Parses a line of a job's log. Jobs write JSON lines; any other line (a panic, a library that prints) becomes the message.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Local};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, if known.
    pub time: Option<DateTime<Local>>,
    /// The level in upper case, if known.
    pub level: Option<String>,
    /// The message, followed by the fields as `name=value`.
    pub message: String,
    /// The hint of an error.
    pub hint: Option<String>,
}

impl LogLine {
    /// Parses a line; a line that is not a JSON object becomes the message.
    pub fn parse(line: &str) -> Self {
        let Ok(Fields(mut all)) = serde_json::from_str(line) else {
            return Self { time: None, level: None, message: line.to_owned(), hint: None };
        };
        let time = take(&mut all, &["timestamp", "time"]).and_then(|text| text.parse().ok());
        let level = take(&mut all, &["level"]).map(|level| level_name(&level));
        // Fields are nested in an object or at the top level.
        let nested = all.iter_mut().find_map(|(name, value)| match value {
            Member::Object(nested) if name == "fields" => Some(std::mem::take(nested)),
            _ => None,
        });
        if let Some(Fields(nested)) = nested {
            all.retain(|(name, _)| name != "fields");
            all.extend(nested);
        }
        let mut message = take(&mut all, &["message", "msg"]).unwrap_or_default();
        let hint = take(&mut all, &["hint"]);
        for (name, value) in &all {
            // Module and span are for developers; the exit code is reported when the run ends.
            if ["target", "span", "spans", "exit_code"].contains(&name.as_str()) {
                continue;
            }
            let gap = if message.is_empty() { "" } else { " " };
            // Writing into a string cannot fail.
            _ = write!(message, "{gap}{name}={}", value.plain());
        }
        Self { time, level, message, hint }
    }

    /// Returns whether it is a warning or an error.
    pub fn is_warning(&self) -> bool {
        matches!(self.level.as_deref(), Some("WARN" | "ERROR"))
    }

    /// Returns whether it is an error.
    pub fn is_error(&self) -> bool {
        self.level.as_deref() == Some("ERROR")
    }

    /// Returns the label (time of day and level) and the message.
    pub fn parts(&self) -> (String, String) {
        let time =
            self.time.map_or_else(|| "--------".to_owned(), |time| time.format("%H:%M:%S").to_string());
        let level = self.level.as_deref().unwrap_or("");
        (format!("{time} {level:<5}"), self.message.clone())
    }
}

/// Returns a level by its name in upper case. Pino and Bunyan write numbers.
fn level_name(level: &str) -> String {
    match level {
        "10" => "TRACE".to_owned(),
        "20" => "DEBUG".to_owned(),
        "30" => "INFO".to_owned(),
        "40" => "WARN".to_owned(),
        "50" | "60" => "ERROR".to_owned(),
        name => name.to_uppercase(),
    }
}

/// The members of an object, in their original order: the most important first.
#[derive(Default)]
struct Fields(Vec<(String, Member)>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Member {
    Object(Fields),
    Other(Value),
}

impl Member {
    /// Formats a value; a string without quotes.
    fn plain(&self) -> String {
        match self {
            Self::Other(Value::String(text)) => text.clone(),
            // Parsed JSON can always be serialized.
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn take(fields: &mut Vec<(String, Member)>, names: &[&str]) -> Option<String> {
    let at = names.iter().find_map(|name| fields.iter().position(|(known, _)| known == name))?;
    Some(fields.remove(at).1.plain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_that_is_number_of_pino_is_level() {
        let line = LogLine::parse(r#"{"level":50,"time":1654387200000,"pid":7,"msg":"failed"}"#);
        assert_eq!((line.level.as_deref(), line.message.as_str()), (Some("ERROR"), "failed pid=7"));
        assert!(line.is_error() && LogLine::parse(r#"{"level":40,"msg":"m"}"#).is_warning());
        assert_eq!(LogLine::parse(r#"{"level":7,"msg":"m"}"#).level.as_deref(), Some("7"));
    }

    #[test]
    fn parse_appends_fields_to_message() {
        let line = r#"{"timestamp":"2025-01-02T03:04:05.678Z","level":"warn","fields":{"message":"rejected","rows":12,"reason":"malformed","first":"line 1"},"target":"etl::clean"}"#;
        let line = LogLine::parse(line);
        assert_eq!(line.message, "rejected rows=12 reason=malformed first=line 1", "in their order");
        assert_eq!(line.level.as_deref(), Some("WARN"));
        assert_eq!(line.time.unwrap().timestamp_millis(), 1_735_787_045_678);
        assert!(line.is_warning() && !line.is_error());
    }

    #[test]
    fn parse_keeps_hint_separate() {
        let line = LogLine::parse(
            r#"{"level":"ERROR","fields":{"message":"no such file","hint":"look elsewhere"}}"#,
        );
        assert_eq!((line.message.as_str(), line.hint.as_deref()), ("no such file", Some("look elsewhere")));
    }

    #[test]
    fn parse_other_text_is_message() {
        for text in ["thread 'main' panicked", "{\"a\":", "12", ""] {
            let line = LogLine::parse(text);
            assert_eq!((line.message.as_str(), &line.level), (text, &None));
        }
    }
}
