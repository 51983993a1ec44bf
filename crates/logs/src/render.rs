//! An event as it is printed: for people, for programs, or just its message.
//!
//! A log is data. Whatever in it could steer a terminal is made visible here, in all three forms, and a message of several lines
//! cannot pass for several events.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{Local, SecondsFormat, Utc};
use common::terminal::visible;
use serde::Serialize;

use super::event::{Event, Millis, Shown, moment};
use crate::log_line::LogLine;

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs: JSON Lines.
    Json,
    /// Messages only.
    Raw,
}

/// Prints events.
#[derive(Debug)]
pub struct Renderer {
    /// The form.
    pub form: Form,
    /// Times in UTC, not in the zone of this machine.
    pub utc: bool,
    /// With colours.
    pub color: bool,
    /// The names of the sources, in their order.
    pub names: Vec<String>,
}

/// An event with all that its message says of itself.
#[derive(Debug)]
pub struct Entry {
    shown: Shown,
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
    /// Reads an event's message.
    pub fn new(shown: Shown) -> Self {
        let mut line = LogLine::parse(shown.event.message.trim_end_matches(['\n', '\r']));
        if line.level.is_none() {
            line.level = level_in(&line.message).map(str::to_owned);
        }
        if let Some(hint) = &line.hint {
            // Writing into a string cannot fail.
            _ = write!(line.message, " (hint: {hint})");
        }
        Self { shown, line }
    }

    /// What it says, with its fields as `name=value` and its hint.
    pub fn message(&self) -> &str {
        &self.line.message
    }

    /// Its level, in capitals, where it has one.
    pub fn level(&self) -> Option<&str> {
        self.line.level.as_deref()
    }
}

impl Renderer {
    /// The lines of an event, with their ends.
    pub fn entry(&self, entry: &Entry) -> String {
        match self.form {
            Form::Text => self.text(entry),
            Form::Json => self.json(entry),
            Form::Raw => format!("{}\n", visible(entry.shown.event.message.trim_end_matches(['\n', '\r']))),
        }
    }

    /// What patterns are applied to: the level and message as people see them, or what was logged where that is shown.
    pub fn content<'a>(&self, entry: &'a Entry) -> Cow<'a, str> {
        match (self.form, &entry.line.level) {
            (Form::Text, Some(level)) => format!("{level} {}", entry.line.message).into(),
            (Form::Text, None) => entry.line.message.as_str().into(),
            (Form::Json | Form::Raw, _) => entry.shown.event.message.as_str().into(),
        }
    }

    /// The mark where events were left out.
    pub fn gap(&self) -> String {
        match self.form {
            Form::Json => String::new(),
            Form::Text | Form::Raw => format!("{}\n", self.paint("2", "--")),
        }
    }

    fn text(&self, Entry { shown, line }: &Entry) -> String {
        let width = self.names.iter().map(String::len).max().unwrap_or(0);
        let name = &self.names[shown.source];
        let level = visible(line.level.as_deref().unwrap_or_default());
        let mut text = format!(
            "{} {} {} ",
            self.paint("2", &self.time(shown.event.time)),
            self.paint(color_of(name), &format!("{name:<width$}")),
            self.paint(color_of_level(&level), &format!("{level:<5}")),
        );
        if let Some(late) = shown.late {
            text.push_str(&self.paint("33", &lateness(late)));
            text.push(' ');
        }
        // Lines after the first one stand further in, so that none of them looks like an event.
        text.push_str(&visible(&line.message).replace('\n', "\n    "));
        text.push('\n');
        text
    }

    fn json(&self, Entry { shown, line }: &Entry) -> String {
        let Event { time, ingested, group, stream, event_id, message } = &shown.event;
        let stamp = |time: Millis| moment(time).to_rfc3339_opts(SecondsFormat::Millis, true);
        let record = Record {
            time: stamp(*time),
            ingested: stamp(*ingested),
            source: &self.names[shown.source],
            group,
            stream,
            event_id,
            level: line.level.as_deref(),
            message,
            late: shown.late.is_some(),
        };
        // Only maps with keys that are no strings and failing writers are refused; this has neither.
        let json = serde_json::to_string(&record).unwrap_or_default();
        escaped(&json) + "\n"
    }

    fn time(&self, time: Millis) -> String {
        const FORM: &str = "%Y-%m-%d %H:%M:%S%.3f";
        let time = moment(time);
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

/// JSON escapes most control characters by itself; those that it may leave stand in strings only and are escaped here.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        let mut buffer = [0; 4];
        let alone: &str = character.encode_utf8(&mut buffer);
        if !character.is_ascii_graphic() && character != ' ' && visible(alone) != alone {
            _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// `+37s late`, in the largest unit that says enough.
fn lateness(late: Millis) -> String {
    match late {
        0..1000 => format!("+{late}ms late"),
        1000..600_000 => format!("+{}s late", late / 1000),
        _ => format!("+{}m late", late / 60_000),
    }
}

/// The level that a line of text mentions near its beginning, as Metabase and Python write it.
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

fn color_of(source: &str) -> &'static str {
    match source {
        "etl" => "36",
        "report" => "35",
        "lambda" => "33",
        "metabase" => "34",
        _ => "32",
    }
}

fn color_of_level(level: &str) -> &'static str {
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
        Entry::new(Shown { source: 0, event, late })
    }

    fn render(form: Form, message: &str, late: Option<Millis>) -> String {
        let names = vec!["etl".to_owned(), "metabase".to_owned()];
        Renderer { form, utc: true, color: false, names }.entry(&entry(message, late))
    }

    #[test]
    fn json_lines_are_unfolded_for_people() {
        let line = r#"{"timestamp":"2026-03-02T03:04:05.007Z","level":"WARN","message":"rejected","rows":12,"hint":"look"}"#;
        assert_eq!(
            render(Form::Text, line, None),
            "2026-03-02 03:04:05.007Z etl      WARN  rejected rows=12 (hint: look)\n"
        );
        assert_eq!(
            render(Form::Text, "2026 WARNING x", Some(37_400)),
            "2026-03-02 03:04:05.007Z etl      WARN  +37s late 2026 WARNING x\n"
        );
        assert_eq!(render(Form::Raw, line, None), format!("{line}\n"));
    }

    #[test]
    fn programs_get_every_field() {
        let json: Value = serde_json::from_str(&render(Form::Json, "[ERROR] a\nb", Some(5))).unwrap();
        let expected = serde_json::json!({
            "time": "2026-03-02T03:04:05.007Z", "ingested": "2026-03-02T03:04:06.000Z", "source": "etl",
            "group": "/ecs/covid19-etl", "stream": "run", "event_id": "run:0", "level": "ERROR",
            "message": "[ERROR] a\nb", "late": true
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn patterns_apply_to_what_is_shown() {
        let line = r#"{"timestamp":"2026-03-02T03:04:05.007Z","level":"info","message":"m","rows":1}"#;
        let content = |form| {
            let renderer = Renderer { form, utc: true, color: false, names: Vec::new() };
            renderer.content(&entry(line, None)).into_owned()
        };
        assert_eq!((content(Form::Text).as_str(), content(Form::Raw).as_str()), ("INFO m rows=1", line));
    }

    #[test]
    fn nothing_in_a_log_reaches_the_terminal_as_a_command() {
        let hostile = "a\x1b[2J\u{9b}31m\u{7f}\rb\u{202e}";
        for form in [Form::Text, Form::Json, Form::Raw] {
            let line = render(form, hostile, None);
            assert!(line.trim_end().chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line:?}");
        }
        let json: Value = serde_json::from_str(&render(Form::Json, hostile, None)).unwrap();
        assert_eq!(json["message"], hostile);
        // A level is text from outside too.
        let level = render(Form::Text, r#"{"level":"\u001b[31m","message":"m"}"#, None);
        assert!(!level.contains('\x1b'), "{level:?}");
    }

    #[test]
    fn a_message_of_several_lines_stays_one_event() {
        let text = render(Form::Text, "Traceback\n2026-01-01 00:00:00.000Z etl INFO forged\n", None);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().nth(1).unwrap().starts_with("    2026"));
    }
}
