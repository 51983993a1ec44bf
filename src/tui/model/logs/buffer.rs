//! The log rows in memory: the newest ones within limits on their number and bytes, and which of them are shown.
//!
//! Each row has a number that never changes; its position among the shown rows does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use regex::Regex;

use super::lambda::Invocation;
use super::parsed_event::{LogLevel, LogRow, ParsedEvent};
use crate::tui::domain::Millis;
use crate::tui::text::short_id;

/// After this many dropped rows, references to dropped rows are removed.
const SWEEP_INTERVAL: u64 = 20_000;

/// A longer trace continues in a row of its own.
const MAX_TRACE_LINES: usize = 500;

/// Estimated bytes of a mark.
const MARK_BYTES: usize = 200;

#[derive(Debug, Clone, Copy)]
struct Limits {
    rows: usize,
    bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 100_000, bytes: 96 << 20 }
    }
}

#[derive(Debug, Clone, Default)]
pub struct LogBuffer {
    rows: VecDeque<LogRow>,
    /// The number of the first row.
    first: u64,
    bytes: usize,
    /// The numbers of the shown rows, in order.
    shown: VecDeque<u64>,
    /// How many rows were dropped to stay within the limits.
    pub dropped: u64,
    /// The rows of invocations that have not ended, by request id.
    running: HashMap<String, u64>,
    /// The last row of each stream, which the next line of a trace joins.
    last: HashMap<Arc<str>, u64>,
    /// Applied to the rows in memory by [`Self::show`].
    pub filter: Option<Regex>,
    hidden: Vec<bool>,
    limits: Limits,
}

impl LogBuffer {
    #[cfg(test)]
    pub(in crate::tui) fn with_limits(rows: usize, bytes: usize) -> Self {
        Self { limits: Limits { rows, bytes }, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows are shown.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// The estimated size of the rows.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The shown row at a position, with its number.
    pub fn at(&self, position: usize) -> Option<(u64, &LogRow)> {
        let number = *self.shown.get(position)?;
        self.get(number).map(|row| (number, row))
    }

    /// The position of a row, or of the next shown one.
    pub fn position(&self, number: u64) -> usize {
        self.shown.partition_point(|shown| *shown < number)
    }

    fn get(&self, number: u64) -> Option<&LogRow> {
        self.rows.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut LogRow> {
        self.rows.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn next_number(&self) -> u64 {
        self.first + self.rows.len() as u64
    }

    /// Adds an event; returns how many shown rows were dropped at the beginning.
    pub fn push(&mut self, event: ParsedEvent) -> usize {
        let ParsedEvent { mut row, invocation, continues } = event;
        match invocation {
            Some(Invocation::End) => return 0,
            Some(Invocation::Start { id }) => {
                row.text = format!("invocation {} is running", short_id(&id)).into();
                self.running.insert(id, self.next_number());
                return self.add(row);
            }
            Some(Invocation::Report { id, summary, failed }) => {
                row.text = format!("invocation {} took {summary}", short_id(&id)).into();
                row.level = if failed { LogLevel::Error } else { LogLevel::Info };
                if let Some(started) = self.running.remove(&id).and_then(|number| self.get_mut(number)) {
                    (started.text, started.level) = (row.text, row.level);
                    return 0;
                }
                return self.add(row);
            }
            None => {}
        }
        if continues
            && let Some(number) = self.last.get(&row.stream).copied()
            && let Some(last) = self.get_mut(number).filter(|last| last.more.len() < MAX_TRACE_LINES)
        {
            last.bytes += row.bytes;
            last.more.push(row.text);
            last.more.extend(row.more);
            last.left_out += row.left_out;
            self.bytes += row.bytes;
            return 0;
        }
        self.last.insert(Arc::clone(&row.stream), self.next_number());
        self.add(row)
    }

    /// Adds a mark of the user.
    pub fn mark(&mut self, time: Millis, text: &str) -> usize {
        self.add(LogRow {
            time,
            source: None,
            level: LogLevel::None,
            late: None,
            stream: Arc::from(""),
            text: text.into(),
            more: Vec::new(),
            left_out: 0,
            bytes: MARK_BYTES,
        })
    }

    fn add(&mut self, row: LogRow) -> usize {
        self.bytes += row.bytes;
        if self.is_shown(&row) {
            self.shown.push_back(self.next_number());
        }
        self.rows.push_back(row);
        let mut dropped = 0;
        while self.rows.len() > self.limits.rows || self.bytes > self.limits.bytes && self.rows.len() > 1 {
            dropped += self.drop_first();
        }
        dropped
    }

    fn drop_first(&mut self) -> usize {
        let Some(row) = self.rows.pop_front() else { return 0 };
        self.bytes -= row.bytes;
        self.first += 1;
        self.dropped += 1;
        let first = self.first;
        if self.dropped.is_multiple_of(SWEEP_INTERVAL) {
            self.running.retain(|_, number| *number >= first);
            self.last.retain(|_, number| *number >= first);
        }
        usize::from(self.shown.pop_front_if(|number| *number < first).is_some())
    }

    fn is_shown(&self, row: &LogRow) -> bool {
        let Some(source) = row.source else { return true };
        !self.hidden.get(source).copied().unwrap_or(false)
            && self.filter.as_ref().is_none_or(|filter| row.matches(filter))
    }

    /// Applies the filter, and hides sources.
    pub fn show(&mut self, hidden: Vec<bool>) {
        self.hidden = hidden;
        let numbered = self.rows.iter().zip(self.first..);
        self.shown = numbered.filter(|(row, _)| self.is_shown(row)).map(|(_, number)| number).collect();
    }

    /// The position of the next match in one direction, with wrap-around.
    pub fn find(&self, pattern: &Regex, from: usize, forward: bool) -> Option<usize> {
        let count = self.shown.len();
        let step = |distance: usize| {
            if forward { (from + distance) % count } else { (from + count - distance % count) % count }
        };
        (1..=count).map(step).find(|position| self.at(*position).is_some_and(|(_, row)| row.matches(pattern)))
    }

    /// Removes all rows; the filter stays.
    pub fn clear(&mut self) {
        let (first, filter, hidden) =
            (self.next_number(), self.filter.take(), std::mem::take(&mut self.hidden));
        *self = Self { first, filter, hidden, limits: self.limits, ..Self::default() };
    }
}

impl LogRow {
    /// Whether any line matches.
    pub fn matches(&self, pattern: &Regex) -> bool {
        pattern.is_match(&self.text) || self.more.iter().any(|line| pattern.is_match(line))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parsed_event::tests::parsed;
    use super::*;

    fn texts(buffer: &LogBuffer) -> Vec<String> {
        (0..buffer.shown()).filter_map(|at| buffer.at(at)).map(|(_, row)| row.text.to_string()).collect()
    }

    #[test]
    fn invocation_is_one_row() {
        let mut buffer = LogBuffer::default();
        buffer.push(parsed(1, 0, "START RequestId: 12345678-abc Version: 1"));
        assert_eq!(texts(&buffer), ["invocation 12345678 is running"]);
        buffer.push(parsed(2, 0, "downloading"));
        buffer.push(parsed(3, 0, "END RequestId: 12345678-abc"));
        buffer.push(parsed(3, 0, "REPORT RequestId: 12345678-abc\tDuration: 5 ms\tBilled Duration: 6 ms"));
        assert_eq!(texts(&buffer), ["invocation 12345678 took 5 ms", "downloading"]);
        buffer.push(parsed(4, 0, "REPORT RequestId: other\tDuration: 7 ms"));
        assert_eq!(buffer.shown(), 3, "a report without a start has a row of its own");
    }

    #[test]
    fn trace_of_several_events_is_one_row() {
        let mut buffer = LogBuffer::default();
        for line in
            ["ERROR java.lang.Exception", "\tat a.b(c.java:1)", "\tat d.e(f.java:2)", "Caused by: x", "next"]
        {
            buffer.push(parsed(1, 0, line));
        }
        assert_eq!(texts(&buffer), ["ERROR java.lang.Exception", "next"]);
        assert_eq!(buffer.at(0).unwrap().1.more.len(), 3);
    }

    #[test]
    fn buffer_drops_old_rows_beyond_its_limits() {
        let mut buffer = LogBuffer::with_limits(100, usize::MAX);
        for number in 0..110 {
            buffer.push(parsed(0, 0, &number.to_string()));
        }
        assert_eq!((buffer.len(), buffer.shown(), buffer.dropped), (100, 100, 10));
        assert_eq!(&*buffer.at(0).unwrap().1.text, "10");
        assert_eq!((buffer.position(10), buffer.position(109)), (0, 99), "numbers stay, positions change");
        let mut buffer = LogBuffer::with_limits(usize::MAX, 100_000);
        for _ in 0..100 {
            buffer.push(parsed(0, 0, &"x".repeat(5000)));
        }
        assert!(buffer.bytes() <= 100_000 && buffer.len() > 10, "{}", buffer.len());
    }

    #[test]
    fn filter_and_hidden_sources_do_not_hide_marks() {
        let mut buffer = LogBuffer::default();
        for (source, message) in [(0, "one"), (1, "two"), (0, "three")] {
            buffer.push(parsed(0, source, message));
        }
        buffer.mark(0, "mark");
        buffer.filter = Some(Regex::new("^t").unwrap());
        buffer.show(vec![false, false]);
        assert_eq!(texts(&buffer), ["two", "three", "mark"]);
        buffer.filter = None;
        buffer.show(vec![true, false]);
        assert_eq!(texts(&buffer), ["two", "mark"]);
        buffer.push(parsed(0, 0, "hidden"));
        buffer.push(parsed(0, 1, "seen"));
        assert_eq!(texts(&buffer), ["two", "mark", "seen"]);
    }

    #[test]
    fn search_wraps_around() {
        let mut buffer = LogBuffer::default();
        for message in ["a", "b", "ab", "c"] {
            buffer.push(parsed(0, 0, message));
        }
        let pattern = Regex::new("a").unwrap();
        assert_eq!(buffer.find(&pattern, 0, true), Some(2));
        assert_eq!(buffer.find(&pattern, 2, true), Some(0));
        assert_eq!(buffer.find(&pattern, 0, false), Some(2));
        assert_eq!(buffer.find(&Regex::new("z").unwrap(), 0, true), None);
        assert_eq!(LogBuffer::default().find(&pattern, 0, true), None);
    }
}
