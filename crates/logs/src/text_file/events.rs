//! Splits a log into events. A line inside a stack trace belongs to the event before it.
//!
//! With a condition, most lines of a large file are never looked at: its prefilter finds those that may match.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use common::failure::{Failure, Result};
use memchr::{memchr, memrchr};

use super::TextInput;
use crate::condition::Prefilter;
use crate::record::exception_class;
use crate::{Condition, Millis, Record, Subject};

/// A longer event is returned in pieces.
const MAX_EVENT_LEN: usize = 4 << 20;

/// Lines before an event without a time in which its time is looked for.
const MAX_LINES_BACK: usize = 1000;

/// After this time without new bytes the last line is taken as complete, for a pipe whose writer waits.
const IDLE: Duration = Duration::from_millis(200);

/// An event of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEvent<'a> {
    /// The time that the event states, or that of the last one that stated one, or that of the file.
    pub time: Millis,
    /// The position of its first byte in the decompressed log.
    pub offset: u64,
    /// The text, without the line end.
    pub text: &'a str,
}

/// Reads the events of one file.
pub struct FileReader<'a> {
    name: String,
    condition: Option<&'a Condition>,
    prefilter: Option<Prefilter>,
    blocks: Receiver<io::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    /// The position of the buffer's first byte in the log.
    offset: u64,
    /// The time of the last event that stated one.
    time: Millis,
    needs_time: bool,
}

impl<'a> FileReader<'a> {
    /// Starts to read a log. Events for which the condition does not hold are left out.
    pub fn new(input: TextInput, condition: Option<&'a Condition>) -> Self {
        let (name, time) = (input.name.clone(), input.modified);
        let prefilter = condition.and_then(Condition::prefilter);
        let buffer = Vec::new();
        Self { name, condition, prefilter, blocks: input.blocks(), buffer, offset: 0, time, needs_time: true }
    }

    /// Leaves the times of events unrecognised, which is faster, if the condition needs none.
    #[must_use]
    pub fn without_times(mut self) -> Self {
        self.needs_time = self.condition.is_some_and(Condition::needs_time);
        self
    }

    /// Passes the events to `each` until it breaks. After each part of the file, `flush` is called.
    ///
    /// # Errors
    /// If the file cannot be read or decompressed.
    pub fn read(
        mut self,
        each: &mut dyn FnMut(FileEvent<'_>) -> ControlFlow<()>,
        flush: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<()> {
        loop {
            let (complete, is_end) = match self.blocks.recv_timeout(IDLE) {
                Ok(Ok(block)) if block.is_empty() => (self.buffer.len(), true),
                Ok(Ok(block)) => {
                    self.append(&block);
                    (complete_events(&self.buffer), false)
                }
                Ok(Err(error)) => {
                    return Err(Failure::new(format!("cannot read `{}`", self.name)).source(error));
                }
                Err(RecvTimeoutError::Timeout) => {
                    (memrchr(b'\n', &self.buffer).map_or(0, |end| end + 1), false)
                }
                Err(RecvTimeoutError::Disconnected) => (self.buffer.len(), true),
            };
            if complete > 0 && self.events(complete, each).is_break() || flush().is_break() || is_end {
                return Ok(());
            }
        }
    }

    fn append(&mut self, block: &[u8]) {
        let text = if self.offset == 0 && self.buffer.is_empty() {
            // A byte order mark is no part of the first event.
            let text = block.strip_prefix(b"\xef\xbb\xbf").unwrap_or(block);
            self.offset = (block.len() - text.len()) as u64;
            text
        } else {
            block
        };
        self.buffer.extend_from_slice(text);
    }

    /// Passes on the events in the first bytes of the buffer and removes them.
    fn events(
        &mut self,
        complete: usize,
        each: &mut dyn FnMut(FileEvent<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let bytes = &self.buffer[..complete];
        let mut flow = ControlFlow::Continue(());
        let mut at = 0;
        while at < complete {
            let start = match &self.prefilter {
                None => at,
                Some(prefilter) => match prefilter.find(bytes, at) {
                    Some(found) => start_of_event(bytes, at, found),
                    None => complete,
                },
            };
            if self.needs_time && start > at {
                self.time = last_time(&bytes[at..start]).unwrap_or(self.time);
            }
            if start == complete {
                break;
            }
            let end = end_of_event(bytes, start);
            at = end;
            let text = String::from_utf8_lossy(bytes[start..end].trim_ascii_end());
            if text.is_empty() {
                continue;
            }
            if self.needs_time {
                self.time = Record::new(&text).time().unwrap_or(self.time);
            }
            let subject =
                |record| Subject { record, time: self.time, source: &self.name, stream: &self.name };
            if self.condition.is_some_and(|condition| !condition.holds(&subject(Record::new(&text)))) {
                continue;
            }
            flow = each(FileEvent { time: self.time, offset: self.offset + start as u64, text: &text });
            if flow.is_break() {
                break;
            }
        }
        self.buffer.copy_within(complete.., 0);
        self.buffer.truncate(self.buffer.len() - complete);
        self.offset += complete as u64;
        flow
    }
}

/// Returns the time that the last of some lines with a time states.
fn last_time(lines: &[u8]) -> Option<Millis> {
    let mut end = lines.len();
    for _ in 0..MAX_LINES_BACK {
        let start = memrchr(b'\n', lines.get(..end.checked_sub(1)?)?).map_or(0, |end| end + 1);
        let time = std::str::from_utf8(&lines[start..end]).ok().and_then(|line| Record::new(line).time());
        if time.is_some() {
            return time;
        }
        end = start;
    }
    None
}

/// Returns the length of the events that are complete whatever follows. The rest is read again.
fn complete_events(buffer: &[u8]) -> usize {
    let Some(end) = memrchr(b'\n', buffer) else {
        return if buffer.len() < MAX_EVENT_LEN { 0 } else { character_boundary(buffer) };
    };
    let start = start_of_event(buffer, 0, end);
    if start > 0 || end + 1 < MAX_EVENT_LEN { start } else { end + 1 }
}

/// Returns the length of a piece that does not end inside a character.
fn character_boundary(buffer: &[u8]) -> usize {
    // Continuation bytes begin with 10.
    let last = buffer.iter().rposition(|byte| byte & 0xC0 != 0x80);
    last.filter(|start| *start > 0 && *start + 4 > buffer.len()).unwrap_or(buffer.len())
}

/// Returns the start of the event with the byte at `inside`, at least `from`, which is the start of an event.
fn start_of_event(bytes: &[u8], from: usize, inside: usize) -> usize {
    let start_of_line =
        |inside: usize| memrchr(b'\n', &bytes[from..inside]).map_or(from, |end| from + end + 1);
    let mut start = start_of_line(inside);
    while start > from && continues(&bytes[start_of_line(start - 1)..start], &bytes[start..]) {
        start = start_of_line(start - 1);
    }
    start
}

/// Returns the end of the event that starts at `start`, with its line end.
fn end_of_event(bytes: &[u8], start: usize) -> usize {
    let end_of_line =
        |start: usize| memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |end| start + end + 1);
    let (mut line, mut end) = (start, end_of_line(start));
    while end < bytes.len() && continues(&bytes[line..end], &bytes[end..]) {
        (line, end) = (end, end_of_line(end));
    }
    end
}

/// Returns whether the line at the start of `rest` belongs to the event of the line before it.
fn continues(before: &[u8], rest: &[u8]) -> bool {
    let is_indented = |line: &[u8]| matches!(line.first(), Some(b' ' | b'\t'));
    match rest.first() {
        Some(b' ' | b'\t') => {
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            !rest[..end].trim_ascii().is_empty()
        }
        Some(b'C') => rest.starts_with(b"Caused by: ") || names_exception(before, rest),
        Some(b'.') => rest.starts_with(b"... "),
        Some(b'T') if rest.starts_with(b"Traceback (most recent call last)") => true,
        Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
            is_indented(before) && names_exception(before, rest) || is_java_exception(rest)
        }
        _ => false,
    }
}

/// Returns whether a line names the exception of the trace before it, as Python does.
fn names_exception(before: &[u8], rest: &[u8]) -> bool {
    matches!(before.first(), Some(b' ' | b'\t')) && line_class(rest).is_some()
}

/// Returns whether a line is the first one of a trace of Java, after the line of the logger: its class has a package.
fn is_java_exception(rest: &[u8]) -> bool {
    rest.first().is_some_and(u8::is_ascii_lowercase)
        && line_class(rest).is_some_and(|class| class.contains('.'))
}

/// Returns the class of the exception that a line names.
fn line_class(rest: &[u8]) -> Option<&str> {
    // The class is at the start, and names are short.
    let end = rest.iter().take(200).position(|byte| matches!(byte, b'\n' | b':' | b' ' | b'\r'))?;
    let class = exception_class(std::str::from_utf8(&rest[..end]).ok()?)?;
    matches!(rest[end], b'\n' | b':' | b'\r').then_some(class)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use chrono::DateTime;
    use proptest::prelude::*;
    use tempfile::NamedTempFile;

    use super::*;

    fn file(content: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn condition(text: &str) -> Condition {
        Condition::parse(text, DateTime::parse_from_rfc3339("2026-03-02T03:04:05Z").unwrap()).unwrap()
    }

    fn read(content: &[u8], condition: Option<&Condition>) -> Vec<(u64, Millis, String)> {
        let file = file(content);
        let input = TextInput::open(file.path()).unwrap();
        let mut events = Vec::new();
        let mut each = |event: FileEvent<'_>| {
            events.push((event.offset, event.time, event.text.to_owned()));
            ControlFlow::Continue(())
        };
        FileReader::new(input, condition).read(&mut each, &mut || ControlFlow::Continue(())).unwrap();
        events
    }

    fn texts(content: &[u8], condition: Option<&Condition>) -> Vec<String> {
        read(content, condition).into_iter().map(|(_, _, text)| text).collect()
    }

    #[test]
    fn traces_are_one_event() {
        let java = "2026-03-02 03:04:05 ERROR a :: failed\njava.lang.IllegalStateException: x\n\tat a.b(C.java:1)\nCaused by: java.io.IOException: y\n\t... 3 more\n";
        let python = "ERROR:root:failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in b\nValueError: x\n";
        let text = format!("first\n{java}{python}last line\n");
        let events = texts(text.as_bytes(), None);
        assert_eq!(events, ["first", java.trim_end(), python.trim_end(), "last line"]);
        let found = texts(text.as_bytes(), Some(&condition("exception = ValueError")));
        assert_eq!(found, [python.trim_end()]);
        let found = texts(text.as_bytes(), Some(&condition("level = error")));
        assert_eq!(found, [java.trim_end(), python.trim_end()]);
    }

    #[test]
    fn events_without_time_have_that_of_the_one_before() {
        let text = "2026-03-02T03:04:05Z a\n\nb\r\n2026-03-02T03:04:06Z c";
        let events = read(text.as_bytes(), None);
        let times: Vec<_> = events
            .iter()
            .map(|(offset, time, text)| (*offset, time - 1_772_420_645_000, text.as_str()))
            .collect();
        assert_eq!(
            times,
            [(0, 0, "2026-03-02T03:04:05Z a"), (24, 0, "b"), (27, 1000, "2026-03-02T03:04:06Z c")]
        );
    }

    #[test]
    fn compressed_files_are_read_like_plain_ones() {
        let text = "one\ntwo\n".repeat(100_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd =
            ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        for content in [gzip.repeat(2), zstd.repeat(2)] {
            let events = texts(&content, None);
            assert_eq!(events.len(), 400_000);
            assert!(events.chunks(2).all(|pair| pair == ["one", "two"]));
            let truncated = file(&content[..content.len() - 5]);
            let input = TextInput::open(truncated.path()).unwrap();
            let read = FileReader::new(input, None)
                .read(&mut |_| ControlFlow::Continue(()), &mut || ControlFlow::Continue(()));
            assert!(read.unwrap_err().to_string().starts_with("cannot read `"));
        }
    }

    #[test]
    fn event_longer_than_the_limit_is_returned_in_pieces() {
        let text = format!("a{}\nend", "ñ".repeat(5 << 20));
        let pieces = texts(text.as_bytes(), None);
        assert_eq!(pieces[..pieces.len() - 1].concat() + "\nend", text);
        assert!(
            pieces.len() > 2
                && pieces.iter().all(|piece| piece.len() <= MAX_EVENT_LEN + super::super::input::BLOCK_SIZE)
        );
    }

    #[test]
    fn reading_ends_when_the_receiver_breaks() {
        let file = file("line\n".repeat(1_000_000).as_bytes());
        let mut seen = 0;
        let mut each = |_: FileEvent<'_>| {
            seen += 1;
            if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let input = TextInput::open(file.path()).unwrap();
        FileReader::new(input, None).read(&mut each, &mut || ControlFlow::Continue(())).unwrap();
        assert_eq!(seen, 3);
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(r#"{"level":"ERROR","message":"m"}"#.to_owned()),
            Just(r#"{"level":"\u0045RROR"}"#.to_owned()),
            Just("2026-03-02 03:04:05 WARN x".to_owned()),
            Just("ERROR an error".to_owned()),
            Just("\tat a.b(ERROR.java:1)".to_owned()),
            Just("  indented".to_owned()),
            Just("ValueError: x".to_owned()),
            Just("Caused by: java.io.IOException".to_owned()),
            Just(String::new()),
            Just(" ".to_owned()),
            "[a-zA-Z =:.\"ñ{}]{0,30}",
        ]
    }

    proptest! {
        #[test]
        fn no_line_is_lost_or_reordered(lines in prop::collection::vec(line(), 0..60), ends in any::<bool>()) {
            let mut text = lines.join("\n");
            if ends {
                text.push('\n');
            }
            let events = texts(text.as_bytes(), None);
            let printed: Vec<&str> = events.iter().flat_map(|event| event.lines()).map(str::trim_end).filter(|line| !line.is_empty()).collect();
            let written: Vec<&str> = lines.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
            prop_assert_eq!(printed, written);
        }

        #[test]
        fn prefilter_changes_nothing(lines in prop::collection::vec(line(), 0..60), length in 1..2000_usize) {
            let text = lines.join("\n").repeat(length.div_ceil(200));
            let condition = condition("level = error");
            let all = read(text.as_bytes(), None);
            let holds = |text: &str| condition.holds(&Subject { record: Record::new(text), time: 0, source: "", stream: "" });
            let expected: Vec<_> = all.into_iter().filter(|(_, _, text)| holds(text)).map(|(offset, _, text)| (offset, text)).collect();
            let found: Vec<_> = read(text.as_bytes(), Some(&condition)).into_iter().map(|(offset, _, text)| (offset, text)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
