//! One line of a job's log, as people read it.
//!
//! Jobs write JSON lines. Anything else (a panic, a library that prints) is shown as it is: a log is data, and nothing in it
//! is ever thrown away or believed.

use std::fmt::Write as _;

use chrono::{DateTime, Local};
use serde_json::{Map, Value};

/// A line in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, where it says so.
    pub time: Option<DateTime<Local>>,
    /// Its level, in capitals, where it says so.
    pub level: Option<String>,
    /// What it says, with its fields as `name=value`.
    pub message: String,
    /// What to do about it, where it is a failure that says so.
    pub hint: Option<String>,
}

impl LogLine {
    /// Understands a line, or takes it as it is.
    pub fn parse(line: &str) -> Self {
        let Ok(Value::Object(mut object)) = serde_json::from_str(line) else {
            return Self { time: None, level: None, message: line.to_owned(), hint: None };
        };
        let time = take(&mut object, &["timestamp", "time"]).and_then(|text| text.parse().ok());
        let level = take(&mut object, &["level"]).map(|level| level.to_uppercase());
        // Fields stand in an object of their own or beside the rest.
        if let Some(Value::Object(fields)) = object.remove("fields") {
            object.extend(fields);
        }
        let mut message = take(&mut object, &["message", "msg"]).unwrap_or_default();
        let hint = take(&mut object, &["hint"]);
        // Which module wrote it, and in which span, is for developers; how the job ended is seen when it ends.
        for name in ["target", "span", "spans", "exit_code"] {
            object.remove(name);
        }
        for (name, value) in &object {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let gap = if message.is_empty() { "" } else { " " };
            // Writing into a string cannot fail.
            _ = write!(message, "{gap}{name}={value}");
        }
        Self { time, level, message, hint }
    }

    /// Whether it tells of something that went wrong.
    pub fn is_trouble(&self) -> bool {
        matches!(self.level.as_deref(), Some("WARN" | "ERROR"))
    }

    /// Whether it tells why the job failed.
    pub fn is_error(&self) -> bool {
        self.level.as_deref() == Some("ERROR")
    }

    /// The label (time of day, level) and the rest.
    pub fn parts(&self) -> (String, String) {
        let time =
            self.time.map_or_else(|| "--------".to_owned(), |time| time.format("%H:%M:%S").to_string());
        let level = self.level.as_deref().unwrap_or("");
        (format!("{time} {level:<5}"), self.message.clone())
    }
}

fn take(object: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match object.remove(*name)? {
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_message() {
        let line = r#"{"timestamp":"2025-01-02T03:04:05.678Z","level":"warn","fields":{"message":"rejected","rows":12,"reason":"malformed"},"target":"etl::clean"}"#;
        let line = LogLine::parse(line);
        assert_eq!(line.message, "rejected reason=malformed rows=12");
        assert_eq!(line.level.as_deref(), Some("WARN"));
        assert_eq!(line.time.unwrap().timestamp_millis(), 1_735_787_045_678);
        assert!(line.is_trouble() && !line.is_error());
    }

    #[test]
    fn a_hint_is_kept_apart() {
        let line = LogLine::parse(
            r#"{"level":"ERROR","fields":{"message":"no such file","hint":"look elsewhere"}}"#,
        );
        assert_eq!((line.message.as_str(), line.hint.as_deref()), ("no such file", Some("look elsewhere")));
    }

    #[test]
    fn what_is_not_json_is_shown_as_it_is() {
        for text in ["thread 'main' panicked", "{\"a\":", "12", ""] {
            let line = LogLine::parse(text);
            assert_eq!((line.message.as_str(), &line.level), (text, &None));
        }
    }
}
