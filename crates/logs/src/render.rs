//! Formats events as text, JSON Lines or bare messages.
//!
//! Logs are untrusted: control characters are escaped in every format, and a message of several lines cannot pass for several
//! events.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{Local, SecondsFormat, Utc};
use common::terminal::{visible, visible_json};
use serde::Serialize;

use crate::{Event, LogLine, MergedEvent, Millis, to_datetime};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// One line per event for people.
    Text,
    /// JSON Lines.
    Json,
    /// Messages only.
    Raw,
}

/// Formats events.
#[derive(Debug)]
pub struct Renderer {
    /// The output format.
    pub format: OutputFormat,
    /// Whether times are in UTC instead of local time.
    pub utc: bool,
    /// Whether to use colors.
    pub color: bool,
    /// The names of the sources, by index.
    pub names: Vec<String>,
}

/// An event with its parsed message.
#[derive(Debug)]
pub struct Entry {
    merged: MergedEvent,
    line: LogLine,
}

#[derive(Serialize)]
struct Record<'a> {
    time: String,
    ingested: String,
    source: &'a str,
    group: &'a str,
    stream: &'a str,
    event_id: &'a str,
    level: Option<&'a str>,
    message: &'a str,
    late: bool,
}

impl Entry {
    /// Parses an event's message.
    pub fn new(merged: MergedEvent) -> Self {
        let mut line = LogLine::parse(merged.event.message.trim_end_matches(['\n', '\r']));
        if line.level.is_none() {
            line.level = level_in(&line.message).map(str::to_owned);
        }
        if let Some(hint) = &line.hint {
            // Writing into a string cannot fail.
            _ = write!(line.message, " (hint: {hint})");
        }
        Self { merged, line }
    }

    /// Returns the message with its fields as `name=value` and its hint.
    pub fn message(&self) -> &str {
        &self.line.message
    }

    /// Returns the level in upper case, if known.
    pub fn level(&self) -> Option<&str> {
        self.line.level.as_deref()
    }
}

impl Renderer {
    /// Formats an event, with a newline at the end.
    pub fn entry(&self, entry: &Entry) -> String {
        match self.format {
            OutputFormat::Text => self.text(entry),
            OutputFormat::Json => self.json(entry),
            OutputFormat::Raw => {
                format!("{}\n", visible(entry.merged.event.message.trim_end_matches(['\n', '\r'])))
            }
        }
    }

    /// Returns the text that patterns are applied to: level and message as formatted, or the original message in the other formats.
    pub fn content<'a>(&self, entry: &'a Entry) -> Cow<'a, str> {
        match (self.format, &entry.line.level) {
            (OutputFormat::Text, Some(level)) => format!("{level} {}", entry.line.message).into(),
            (OutputFormat::Text, None) => entry.line.message.as_str().into(),
            (OutputFormat::Json | OutputFormat::Raw, _) => entry.merged.event.message.as_str().into(),
        }
    }

    /// Returns the separator for omitted events.
    pub fn gap(&self) -> String {
        match self.format {
            OutputFormat::Json => String::new(),
            OutputFormat::Text | OutputFormat::Raw => format!("{}\n", self.paint("2", "--")),
        }
    }

    fn text(&self, Entry { merged, line }: &Entry) -> String {
        let width = self.names.iter().map(String::len).max().unwrap_or(0);
        let name = &self.names[merged.source];
        let level = visible(line.level.as_deref().unwrap_or_default());
        let mut text = format!(
            "{} {} {} ",
            self.paint("2", &self.time(merged.event.time)),
            self.paint(source_color(name), &format!("{name:<width$}")),
            self.paint(level_color(&level), &format!("{level:<5}")),
        );
        if let Some(late) = merged.late {
            text.push_str(&self.paint("33", &late_label(late)));
            text.push(' ');
        }
        // Continuation lines are indented, so that none of them looks like an event.
        text.push_str(&visible(&line.message).replace('\n', "\n    "));
        text.push('\n');
        text
    }

    fn json(&self, Entry { merged, line }: &Entry) -> String {
        let Event { time, ingested, group, stream, event_id, message } = &merged.event;
        let stamp = |time: Millis| to_datetime(time).to_rfc3339_opts(SecondsFormat::Millis, true);
        let record = Record {
            time: stamp(*time),
            ingested: stamp(*ingested),
            source: &self.names[merged.source],
            group,
            stream,
            event_id,
            level: line.level.as_deref(),
            message,
            late: merged.late.is_some(),
        };
        // Cannot fail: there are no maps, and strings take every write.
        let json = serde_json::to_string(&record).unwrap_or_default();
        visible_json(&json) + "\n"
    }

    fn time(&self, time: Millis) -> String {
        const FORM: &str = "%Y-%m-%d %H:%M:%S%.3f";
        let time = to_datetime(time);
        if self.utc {
            time.with_timezone(&Utc).format(&format!("{FORM}Z")).to_string()
        } else {
            time.with_timezone(&Local).format(&format!("{FORM}%:z")).to_string()
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color && !code.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Formats a delay, such as `+37s late`.
fn late_label(late: Millis) -> String {
    match late {
        0..1000 => format!("+{late}ms late"),
        1000..600_000 => format!("+{}s late", late / 1000),
        _ => format!("+{}m late", late / 60_000),
    }
}

/// Finds a level near the start of a text line, as Metabase and Python write it.
fn level_in(message: &str) -> Option<&'static str> {
    let words = message.split([' ', '\t']).filter(|word| !word.is_empty()).take(6);
    words.map(|word| word.trim_matches(['[', ']', ':', '|'])).find_map(|word| match word {
        "TRACE" => Some("TRACE"),
        "DEBUG" => Some("DEBUG"),
        "INFO" => Some("INFO"),
        "WARN" | "WARNING" => Some("WARN"),
        "ERROR" | "FATAL" | "CRITICAL" => Some("ERROR"),
        _ => None,
    })
}

fn source_color(source: &str) -> &'static str {
    match source {
        "etl" => "36",
        "report" => "35",
        "lambda" => "33",
        "metabase" => "34",
        _ => "32",
    }
}

fn level_color(level: &str) -> &'static str {
    match level {
        "ERROR" => "1;31",
        "WARN" => "33",
        "INFO" => "32",
        _ => "2",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn entry(message: &str, late: Option<Millis>) -> Entry {
        let event = Event {
            time: 1_772_420_645_007,
            ingested: 1_772_420_646_000,
            group: "/ecs/covid19-etl".to_owned(),
            stream: "run".to_owned(),
            event_id: "run:0".to_owned(),
            message: message.to_owned(),
        };
        Entry::new(MergedEvent { source: 0, event, late })
    }

    fn render(format: OutputFormat, message: &str, late: Option<Millis>) -> String {
        let names = vec!["etl".to_owned(), "metabase".to_owned()];
        Renderer { format, utc: true, color: false, names }.entry(&entry(message, late))
    }

    #[test]
    fn text_format_unfolds_json_lines() {
        let line = r#"{"timestamp":"2026-03-02T03:04:05.007Z","level":"WARN","message":"rejected","rows":12,"hint":"look"}"#;
        assert_eq!(
            render(OutputFormat::Text, line, None),
            "2026-03-02 03:04:05.007Z etl      WARN  rejected rows=12 (hint: look)\n"
        );
        assert_eq!(
            render(OutputFormat::Text, "2026 WARNING x", Some(37_400)),
            "2026-03-02 03:04:05.007Z etl      WARN  +37s late 2026 WARNING x\n"
        );
        assert_eq!(render(OutputFormat::Raw, line, None), format!("{line}\n"));
    }

    #[test]
    fn json_format_has_every_field() {
        let json: Value = serde_json::from_str(&render(OutputFormat::Json, "[ERROR] a\nb", Some(5))).unwrap();
        let expected = serde_json::json!({
            "time": "2026-03-02T03:04:05.007Z", "ingested": "2026-03-02T03:04:06.000Z", "source": "etl",
            "group": "/ecs/covid19-etl", "stream": "run", "event_id": "run:0", "level": "ERROR",
            "message": "[ERROR] a\nb", "late": true
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn content_is_formatted_text_or_original_message() {
        let line = r#"{"timestamp":"2026-03-02T03:04:05.007Z","level":"info","message":"m","rows":1}"#;
        let content = |format| {
            let renderer = Renderer { format, utc: true, color: false, names: Vec::new() };
            renderer.content(&entry(line, None)).into_owned()
        };
        assert_eq!(
            (content(OutputFormat::Text).as_str(), content(OutputFormat::Raw).as_str()),
            ("INFO m rows=1", line)
        );
    }

    #[test]
    fn every_format_escapes_control_characters() {
        let hostile = "a\x1b[2J\u{9b}31m\u{7f}\rb\u{202e}";
        for format in [OutputFormat::Text, OutputFormat::Json, OutputFormat::Raw] {
            let line = render(format, hostile, None);
            assert!(line.trim_end().chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line:?}");
        }
        let json: Value = serde_json::from_str(&render(OutputFormat::Json, hostile, None)).unwrap();
        assert_eq!(json["message"], hostile);
        // The level is untrusted, too.
        let level = render(OutputFormat::Text, r#"{"level":"\u001b[31m","message":"m"}"#, None);
        assert!(!level.contains('\x1b'), "{level:?}");
    }

    #[test]
    fn text_format_indents_continuation_lines() {
        let text = render(OutputFormat::Text, "Traceback\n2026-01-01 00:00:00.000Z etl INFO forged\n", None);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().nth(1).unwrap().starts_with("    2026"));
    }
}
