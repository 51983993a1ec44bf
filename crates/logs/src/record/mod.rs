//! Recognises the fields of a message: JSON, logfmt, tracing, Lambda's reports, PostgreSQL, traces of Java and Python.
//!
//! Nothing is parsed before it is asked for, and nothing is copied unless a string has escapes: a condition on one field of a line reads
//! the line up to that field.

mod json;
mod postgres;
mod severity;
mod text_fields;
mod timestamp;

use std::borrow::Cow;

pub(crate) use self::json::{JsonMembers, JsonValue, unescape};
pub use self::severity::Severity;
pub(crate) use self::severity::{NAMES as LEVEL_NAMES, NUMBERS as LEVEL_NUMBERS, spellings};
pub(crate) use self::text_fields::exception_class;
pub(crate) use self::timestamp::typed as typed_time;

use self::postgres::ServerLine;
use crate::Millis;

/// Names of the field with the level, the message and the time, in the formats that name them.
pub(crate) const LEVEL_FIELDS: [&str; 4] = ["level", "lvl", "severity", "levelname"];
pub(crate) const MESSAGE_FIELDS: [&str; 3] = ["message", "msg", "event"];
pub(crate) const TIME_FIELDS: [&str; 5] = ["timestamp", "time", "ts", "@timestamp", "asctime"];

/// How the loggers that number their levels write them.
pub(crate) const NUMBERED_LEVEL: &str = "\"level\":";

/// A message whose fields can be asked for by name.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    text: &'a str,
    form: Form<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Form<'a> {
    Json,
    /// The service's own messages about an invocation.
    Lambda,
    Postgres(ServerLine<'a>),
    Text,
}

impl<'a> Record<'a> {
    /// Recognises the format of a message.
    pub fn new(message: &'a str) -> Self {
        let text = message.trim_end_matches(['\n', '\r']);
        let form = match text.as_bytes().first() {
            Some(b'{') => Form::Json,
            Some(b'S' | b'E' | b'R') if text_fields::is_lambda(text) => Form::Lambda,
            Some(b'0'..=b'9') => ServerLine::parse(text).map_or(Form::Text, Form::Postgres),
            _ => Form::Text,
        };
        Self { text, form }
    }

    /// Returns the message as it was written.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Returns the text of a field.
    ///
    /// Fields of nested objects are named `outer.inner`; those of tracing's `fields` need no prefix. `level`, `message` and `time` have
    /// these names in every format. `exception` is the class at the head of a trace of Java or at the end of one of Python.
    pub fn field(&self, name: &str) -> Option<Cow<'a, str>> {
        match name {
            "level" => self.severity().map(|severity| severity.name().into()),
            "message" => Some(self.message()),
            _ => self.named(name).or_else(|| match name {
                "exception" => text_fields::exception(&self.message_or_text()).map(Cow::Owned),
                _ => None,
            }),
        }
    }

    /// Returns a field of the format itself.
    fn named(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.form {
            Form::Json => json_field(self.text, name),
            Form::Lambda => text_fields::lambda_field(self.text, name).map(Cow::Borrowed),
            Form::Postgres(line) => {
                line.field(name).or_else(|| text_fields::pair(self.text, name)).map(Cow::Borrowed)
            }
            Form::Text => text_fields::pair(self.text, name).map(text_fields::unquote),
        }
    }

    /// Returns the level.
    pub fn severity(&self) -> Option<Severity> {
        match self.form {
            Form::Json => {
                let level = LEVEL_FIELDS.iter().find_map(|name| json_field(self.text, name))?;
                Severity::parse(level.trim()).or_else(|| {
                    let is_compact = || memchr::memmem::find(self.text.as_bytes(), NUMBERED_LEVEL.as_bytes());
                    is_compact().and_then(|_| Severity::of_number(level.trim()))
                })
            }
            Form::Lambda => None,
            Form::Postgres(line) => Severity::parse(line.level),
            Form::Text => {
                let first = self.text.lines().next().unwrap_or_default();
                let pair = || LEVEL_FIELDS.iter().find_map(|name| text_fields::pair(first, name));
                Severity::near_start(first).or_else(|| Severity::parse(&text_fields::unquote(pair()?)))
            }
        }
    }

    /// Returns the time that the message itself states, in milliseconds since the epoch.
    pub fn time(&self) -> Option<Millis> {
        match self.form {
            Form::Json => {
                let field = |name: &&str| json_field(self.text, name);
                timestamp::parse(&TIME_FIELDS.iter().find_map(field)?)
            }
            Form::Lambda => None,
            Form::Postgres(line) => Some(line.time),
            Form::Text => {
                if let Some((time, _)) = timestamp::leading(self.text.trim_start_matches('[')) {
                    return Some(time);
                }
                let pair = TIME_FIELDS.iter().find_map(|name| text_fields::pair(self.text, name))?;
                timestamp::parse(&text_fields::unquote(pair))
            }
        }
    }

    /// Returns the message of a structured line, or the whole text.
    pub fn message(&self) -> Cow<'a, str> {
        match self.form {
            Form::Json => {
                MESSAGE_FIELDS.iter().find_map(|name| json_field(self.text, name)).unwrap_or_default()
            }
            Form::Postgres(line) => line.message.into(),
            Form::Lambda => self.text.into(),
            Form::Text => {
                let structured = LEVEL_FIELDS.iter().any(|name| text_fields::pair(self.text, name).is_some());
                let pair = || MESSAGE_FIELDS.iter().find_map(|name| text_fields::pair(self.text, name));
                match pair().filter(|_| structured) {
                    Some(message) => text_fields::unquote(message),
                    None => text_fields::without_time(self.text).into(),
                }
            }
        }
    }

    fn message_or_text(&self) -> Cow<'a, str> {
        if matches!(self.form, Form::Json) { self.message() } else { self.text.into() }
    }

    /// Returns the members of a JSON message that are no level, message or time, with those of `fields` in their place.
    pub(crate) fn json_members(&self) -> Option<impl Iterator<Item = (&'a str, JsonValue<'a>)> + use<'a>> {
        let is_json = matches!(self.form, Form::Json);
        is_json.then(|| {
            JsonMembers::of(self.text).flat_map(|(name, value)| {
                let nested = match value {
                    JsonValue::Object(object) if name == "fields" => Some(JsonMembers::of(object)),
                    _ => None,
                };
                let alone = nested.is_none().then_some((name, value));
                nested.into_iter().flatten().chain(alone)
            })
        })
    }

    /// Calls `each` with the names of the fields, as [`Self::field`] takes them.
    pub fn field_names(&self, each: &mut dyn FnMut(&str)) {
        match self.form {
            Form::Json => json_names(self.text, "", each),
            Form::Lambda => text_fields::LAMBDA_FIELDS.iter().for_each(|(name, _)| each(name)),
            Form::Postgres(_) => postgres::FIELDS.iter().for_each(|name| each(name)),
            Form::Text => text_fields::names(self.text).for_each(each),
        }
    }
}

/// Returns a member of an object, of its `fields`, or of a nested object.
fn json_field<'a>(text: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut nested = None;
    for (member, value) in JsonMembers::of(text) {
        if member == name {
            return Some(plain(value));
        }
        if let JsonValue::Object(object) = value {
            let inside = name.strip_prefix(member).and_then(|rest| rest.strip_prefix('.'));
            let inside = inside.or((member == "fields").then_some(name));
            nested = nested.or_else(|| json_field(object, inside?));
        }
    }
    nested
}

/// Returns the text of a value; a string without quotes.
pub(crate) fn plain(value: JsonValue<'_>) -> Cow<'_, str> {
    match value {
        JsonValue::String(raw) => unescape(raw),
        JsonValue::Object(text) | JsonValue::Other(text) => text.into(),
    }
}

fn json_names(text: &str, prefix: &str, each: &mut dyn FnMut(&str)) {
    for (name, value) in JsonMembers::of(text) {
        match value {
            JsonValue::Object(object) if name == "fields" => json_names(object, prefix, each),
            JsonValue::Object(object) => json_names(object, &format!("{prefix}{name}."), each),
            _ => each(&format!("{prefix}{name}")),
        }
    }
}

/// Returns the number that a field's text is or begins with, before a unit such as `ms`.
pub(crate) fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))?;
    let unit = text[end..].trim_start();
    let is_unit = unit.len() <= 4 && unit.chars().all(|c| c.is_alphabetic() || c == '%');
    text[..end].parse().ok().filter(|_| is_unit && end > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_each_format_are_recognised() {
        let tracing = r#"{"timestamp":"2026-03-02T03:04:05.007Z","level":"WARN","fields":{"message":"rows rejected","reason":"malformed","rows":12},"target":"etl::cases","span":{"run":"a\"b"}}"#;
        let lambda = "REPORT RequestId: 8f5a-1\tDuration: 1234.56 ms\tBilled Duration: 1235 ms\tMemory Size: 512 MB\tMax Memory Used: 120 MB\tStatus: timeout";
        let server = "2026-03-02 03:04:05.007 UTC [4711] writer@covid19 ERROR:  duplicate key value";
        let rds = "2026-03-02 03:04:05 UTC:10.0.3.7(5432):writer@covid19:[4711]:LOG:  duration: 12.5 ms  statement: SELECT 1";
        let java = "2026-03-02 03:04:05,007 ERROR metabase.driver :: failed\norg.postgresql.util.PSQLException: down\n\tat a.b(C.java:1)";
        let python = "2026-03-02 03:04:05,007 - jobs - ERROR - failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in b\nValueError: x";
        let logfmt = r#"time=2026-03-02T03:04:05.007Z level=warn msg="slow \"query\"" seconds=2.5 ok=true"#;
        let subscriber =
            "2026-03-02T03:04:05.007Z  WARN etl::cases: rows rejected reason=\"mal formed\" rows=12";
        for (message, fields) in [
            (
                tracing,
                &[
                    ("level", "WARN"),
                    ("message", "rows rejected"),
                    ("rows", "12"),
                    ("target", "etl::cases"),
                    ("span.run", "a\"b"),
                    ("fields.reason", "malformed"),
                ][..],
            ),
            (
                lambda,
                &[
                    ("duration", "1234.56 ms"),
                    ("max_memory_used", "120 MB"),
                    ("status", "timeout"),
                    ("request_id", "8f5a-1"),
                    ("invocation", "REPORT"),
                ],
            ),
            (
                server,
                &[
                    ("level", "ERROR"),
                    ("message", "duplicate key value"),
                    ("pid", "4711"),
                    ("user", "writer"),
                    ("database", "covid19"),
                ],
            ),
            (
                rds,
                &[
                    ("level", "INFO"),
                    ("pid", "4711"),
                    ("host", "10.0.3.7"),
                    ("database", "covid19"),
                    ("duration", "12.5 ms"),
                ],
            ),
            (java, &[("level", "ERROR"), ("exception", "org.postgresql.util.PSQLException")]),
            (python, &[("level", "ERROR"), ("exception", "ValueError")]),
            (logfmt, &[("level", "WARN"), ("message", "slow \"query\""), ("seconds", "2.5"), ("ok", "true")]),
            (subscriber, &[("level", "WARN"), ("reason", "mal formed"), ("rows", "12")]),
        ] {
            let record = Record::new(message);
            for (name, value) in fields {
                assert_eq!(record.field(name).as_deref(), Some(*value), "{name} of {message}");
            }
            assert_eq!(record.field("nothing"), None);
            assert!(message == lambda || record.time().unwrap() / 1000 == 1_772_420_645, "{message}");
        }
    }

    #[test]
    fn leading_number_has_no_unit() {
        for (text, expected) in [
            ("12", Some(12.0)),
            ("-1.5", Some(-1.5)),
            ("1234.56 ms", Some(1234.56)),
            ("80%", Some(80.0)),
            ("12 monkeys", None),
            ("malformed", None),
            ("2026-03-02", None),
            ("inf", None),
            ("", None),
        ] {
            assert_eq!(leading_number(text), expected, "{text}");
        }
    }
}
