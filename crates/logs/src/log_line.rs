//! One line of a job's log, as people read it.
//!
//! Jobs write JSON lines. Anything else (a panic, a library that prints) is shown as it is: a log is data, and nothing in it
//! is ever thrown away or believed.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Local};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

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
        let Ok(Fields(mut all)) = serde_json::from_str(line) else {
            return Self { time: None, level: None, message: line.to_owned(), hint: None };
        };
        let time = take(&mut all, &["timestamp", "time"]).and_then(|text| text.parse().ok());
        let level = take(&mut all, &["level"]).map(|level| level.to_uppercase());
        // Fields stand in an object of their own or beside the rest.
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
            // Which module wrote it, and in which span, is for developers; how the job ended is seen when it ends.
            if ["target", "span", "spans", "exit_code"].contains(&name.as_str()) {
                continue;
            }
            let gap = if message.is_empty() { "" } else { " " };
            // Writing into a string cannot fail.
            _ = write!(message, "{gap}{name}={}", value.plain());
        }
        Self { time, level, message, hint }
    }

    /// Whether it tells of something that went wrong.
    pub fn is_warning(&self) -> bool {
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

/// The members of an object in the order in which they were written, which says what matters most.
#[derive(Default)]
struct Fields(Vec<(String, Member)>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Member {
    Object(Fields),
    Other(Value),
}

impl Member {
    /// As people read it: text without its quotes.
    fn plain(&self) -> String {
        match self {
            Self::Other(Value::String(text)) => text.clone(),
            // What was read as JSON can be written as JSON.
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
    fn fields_follow_the_message() {
        let line = r#"{"timestamp":"2025-01-02T03:04:05.678Z","level":"warn","fields":{"message":"rejected","rows":12,"reason":"malformed","first":"line 1"},"target":"etl::clean"}"#;
        let line = LogLine::parse(line);
        assert_eq!(
            line.message, "rejected rows=12 reason=malformed first=line 1",
            "in the order of whoever wrote it"
        );
        assert_eq!(line.level.as_deref(), Some("WARN"));
        assert_eq!(line.time.unwrap().timestamp_millis(), 1_735_787_045_678);
        assert!(line.is_warning() && !line.is_error());
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
