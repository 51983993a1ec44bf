//! A log event parsed for display: split into lines, sanitized and cut to a readable length.
//!
//! Parsing happens on arrival, so that the cost of a frame does not depend on what was logged.

use std::borrow::Cow;
use std::sync::Arc;

use super::lambda::{self, Invocation};
use crate::tui::domain::{Entry, MergedEvent, Millis, Severity};
use crate::tui::text::sanitize;

/// In bytes.
const MAX_LINE_LEN: usize = 8 << 10;

/// Lines that are kept after the first one.
const MAX_LINES: usize = 500;

/// Estimated overhead of a row and of each further line, in bytes.
const ROW_OVERHEAD: usize = 160;
const LINE_OVERHEAD: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// The event has none.
    None,
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    pub time: Millis,
    /// The index of the source; none for a mark of the user.
    pub source: Option<usize>,
    pub level: LogLevel,
    /// How much later it arrived than an event with a later time.
    pub late: Option<Millis>,
    pub stream: Arc<str>,
    /// The first line.
    pub text: Box<str>,
    /// The lines after the first one.
    pub more: Vec<Box<str>>,
    /// The number of lines that are not kept; the last of `more` says so.
    pub left_out: usize,
    /// The message as it was logged, if it is not the text: a JSON line.
    pub raw: Option<Box<str>>,
    /// The estimated size.
    pub(super) bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedEvent {
    pub row: LogRow,
    /// Set for the Lambda service's own messages.
    pub(in crate::tui) invocation: Option<Invocation>,
    /// Whether it looks like a line inside a stack trace.
    pub(super) continues: bool,
}

impl LogRow {
    /// The number of lines after the first one, also of those that are not kept.
    pub fn folded(&self) -> usize {
        self.more.len() - usize::from(self.left_out > 0) + self.left_out
    }
}

impl LogLevel {
    /// The level's name, in at most five letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// The level among those of conditions and histograms.
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Debug => Some(Severity::Debug),
            Self::Info => Some(Severity::Info),
            Self::Warn => Some(Severity::Warn),
            Self::Error => Some(Severity::Error),
        }
    }

    fn parse(name: Option<&str>) -> Self {
        match name {
            Some("TRACE" | "DEBUG") => Self::Debug,
            Some("INFO") => Self::Info,
            Some("WARN") => Self::Warn,
            Some("ERROR") => Self::Error,
            _ => Self::None,
        }
    }
}

impl ParsedEvent {
    pub fn new(shown: MergedEvent) -> Self {
        let (time, source, late) = (shown.event.time, Some(shown.source), shown.late);
        let stream = Arc::from(sanitize(&shown.event.stream));
        let invocation = lambda::parse(&shown.event.message);
        let continues = is_inside_trace(&shown.event.message);
        let is_structured =
            shown.event.message.starts_with('{') && shown.event.message.len() <= 2 * MAX_LINE_LEN;
        let raw: Option<Box<str>> = is_structured.then(|| shown.event.message.trim_end().into());
        let entry = Entry::new(shown);
        let mut lines = entry.message().lines();
        let text = truncated(lines.next().unwrap_or_default());
        let mut more: Vec<Box<str>> = lines.by_ref().take(MAX_LINES).map(truncated).collect();
        let left_out = lines.count();
        if left_out > 0 {
            more.push(format!("… and {left_out} more lines").into());
        }
        let level = LogLevel::parse(entry.level());
        let bytes = text.len()
            + more.iter().map(|line| line.len() + LINE_OVERHEAD).sum::<usize>()
            + raw.as_ref().map_or(0, |raw| raw.len())
            + ROW_OVERHEAD;
        let row = LogRow { time, source, level, late, stream, text, more, left_out, raw, bytes };
        Self { row, invocation, continues }
    }
}

impl LogRow {
    /// The message, of which fields can be recognised. Not for display: it may have control characters.
    pub fn message(&self) -> Cow<'_, str> {
        match &self.raw {
            Some(raw) => raw.as_ref().into(),
            None if self.more.is_empty() => self.text.as_ref().into(),
            None => {
                let lines = std::iter::once(&self.text).chain(&self.more);
                lines.map(AsRef::as_ref).collect::<Vec<&str>>().join("\n").into()
            }
        }
    }
}

fn truncated(line: &str) -> Box<str> {
    if line.len() <= MAX_LINE_LEN {
        return sanitize(line).into();
    }
    let end = line.floor_char_boundary(MAX_LINE_LEN);
    format!("{} … and {} more bytes", sanitize(&line[..end]), line.len() - end).into()
}

/// Recognizes lines of Python and Java stack traces that are logged as events of their own.
fn is_inside_trace(message: &str) -> bool {
    message.starts_with([' ', '\t']) && !message.trim().is_empty()
        || message.starts_with("Caused by: ")
        || message.starts_with("... ")
}

#[cfg(test)]
pub(in crate::tui) mod tests {
    use super::*;
    use crate::tui::domain::Event;

    pub(in crate::tui) fn parsed(time: Millis, source: usize, message: &str) -> ParsedEvent {
        let event = Event {
            time,
            ingested: time,
            group: "g".into(),
            stream: "stream".into(),
            event_id: String::new(),
            message: message.into(),
        };
        ParsedEvent::new(MergedEvent { source, event, late: None })
    }

    #[test]
    fn json_fields_are_flattened_and_excess_lines_counted() {
        let event = parsed(0, 0, r#"{"level":"WARN","message":"rejected","rows":12}"#).row;
        assert_eq!((&*event.text, event.level), ("rejected rows=12", LogLevel::Warn));
        let event = parsed(0, 0, "ERROR failed\n  at a\n  at b").row;
        assert_eq!((event.level, event.more.len()), (LogLevel::Error, 2));
        let many = "x\n".repeat(2000);
        let event = parsed(0, 0, &many).row;
        assert_eq!((&**event.more.last().unwrap(), event.folded()), ("… and 1499 more lines", 1999));
    }

    #[test]
    fn long_line_is_truncated_and_control_characters_removed() {
        let event = parsed(0, 0, &"ñ".repeat(500_000)).row;
        assert!(event.bytes < 10_000 && event.text.ends_with("more bytes"));
        let event = parsed(0, 0, "\x1b]0;title\x07\x1b[2J\u{202e}abc\r\u{0}").row;
        assert!(event.text.chars().all(|character| !character.is_control() && character != '\u{202e}'));
    }
}
