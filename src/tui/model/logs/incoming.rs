//! An event of a log on its way to the screen: unfolded, made harmless, and cut to what a person may want to read.
//!
//! This is done where events arrive, not where they are drawn, so that a frame costs the same whatever was logged.

use std::sync::Arc;

use crate::tui::text;
use logs::{Entry, MergedEvent, Millis};

use super::lambda::{self, Invocation};

/// A line keeps so many bytes; the rest is counted.
const LONGEST_LINE: usize = 8 << 10;

/// A message keeps so many lines; the rest is counted.
const MOST_LINES: usize = 500;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It does not say.
    None,
    /// For developers.
    Debug,
    /// For everybody.
    Info,
    /// Something to look at.
    Warn,
    /// Something broke.
    Error,
}

/// An event, ready to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// When it happened.
    pub time: Millis,
    /// The position of its source.
    pub source: usize,
    /// How bad it is.
    pub level: Level,
    /// By how much it is older than what was shown before it, where it is.
    pub late: Option<Millis>,
    /// The stream that it stands in.
    pub stream: Arc<str>,
    /// Its first line.
    pub text: Box<str>,
    /// The lines after it.
    pub more: Vec<Box<str>>,
    /// Where it is about an invocation of a Lambda function.
    pub invocation: Option<Invocation>,
    /// Whether it reads like a line in the middle of a trace.
    pub continues: bool,
}

impl Level {
    /// In five letters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    fn of(word: Option<&str>) -> Self {
        match word {
            Some("TRACE" | "DEBUG") => Self::Debug,
            Some("INFO") => Self::Info,
            Some("WARN") => Self::Warn,
            Some("ERROR") => Self::Error,
            _ => Self::None,
        }
    }
}

impl Incoming {
    /// Reads an event.
    pub fn new(shown: MergedEvent) -> Self {
        let (time, source, late) = (shown.event.time, shown.source, shown.late);
        let stream = Arc::from(text::cells(&shown.event.stream));
        let invocation = lambda::read(&shown.event.message);
        let continues = continues(&shown.event.message);
        let entry = Entry::new(shown);
        let mut lines = entry.message().lines();
        let first = line(lines.next().unwrap_or_default());
        let mut more: Vec<Box<str>> = lines.by_ref().take(MOST_LINES).map(line).collect();
        let left_out = lines.count();
        if left_out > 0 {
            more.push(format!("… and {left_out} more lines").into());
        }
        let level = Level::of(entry.level());
        Self { time, source, level, late, stream, text: first, more, invocation, continues }
    }

    /// How many bytes it takes, about.
    pub fn bytes(&self) -> usize {
        let more: usize = self.more.iter().map(|line| line.len() + 24).sum();
        self.text.len() + more + 160
    }
}

fn line(text: &str) -> Box<str> {
    if text.len() <= LONGEST_LINE {
        return text::cells(text).into();
    }
    let end = text.floor_char_boundary(LONGEST_LINE);
    format!("{} … and {} bytes more", text::cells(&text[..end]), text.len() - end).into()
}

/// A line of Python's or Java's traces, as it looks where each line is an event of its own.
fn continues(message: &str) -> bool {
    message.starts_with([' ', '\t']) && !message.trim().is_empty()
        || message.starts_with("Caused by: ")
        || message.starts_with("... ")
}

#[cfg(test)]
pub(in crate::tui) mod tests {
    use super::*;
    use logs::Event;

    pub(in crate::tui) fn incoming(time: Millis, source: usize, message: &str) -> Incoming {
        let event = Event {
            time,
            ingested: time,
            group: "g".into(),
            stream: "stream".into(),
            event_id: String::new(),
            message: message.into(),
        };
        Incoming::new(MergedEvent { source, event, late: None })
    }

    #[test]
    fn json_is_unfolded_and_lines_are_counted() {
        let event = incoming(0, 0, r#"{"level":"WARN","message":"rejected","rows":12}"#);
        assert_eq!((&*event.text, event.level), ("rejected rows=12", Level::Warn));
        let event = incoming(0, 0, "ERROR broke\n  at a\n  at b");
        assert_eq!((event.level, event.more.len()), (Level::Error, 2));
        let many = "x\n".repeat(2000);
        let event = incoming(0, 0, &many);
        assert_eq!(&**event.more.last().unwrap(), "… and 1499 more lines");
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut_and_hostile_text_is_harmless() {
        let event = incoming(0, 0, &"ñ".repeat(500_000));
        assert!(event.bytes() < 10_000 && event.text.ends_with("bytes more"));
        let event = incoming(0, 0, "\x1b]0;title\x07\x1b[2J\u{202e}abc\r\u{0}");
        assert!(event.text.chars().all(|character| !character.is_control() && character != '\u{202e}'));
    }
}
