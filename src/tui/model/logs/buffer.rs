//! The log rows in memory: the newest ones within limits on their number and bytes, and which of them are shown.
//!
//! Each row has a number that never changes; its position among the shown rows does.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use regex::Regex;

use super::LogSource;
use super::lambda::Invocation;
use super::parsed_event::{LogLevel, LogRow, ParsedEvent};
use super::row_filter::RowFilter;
use crate::tui::domain::{Histogram, Millis, Pattern, PatternMiner, Record};
use crate::tui::text::{sanitize, short_id};

/// After this many dropped rows, references to dropped rows are removed.
const SWEEP_INTERVAL: u64 = 20_000;

/// A longer trace continues in a row of its own.
const MAX_TRACE_LINES: usize = 500;

/// The newest rows whose fields are offered when a condition is typed.
const FIELD_NAME_ROWS: usize = 500;

/// The finest step of the histogram, in milliseconds, and its steps at most.
const HISTOGRAM_STEP: Millis = 1000;
const MAX_HISTOGRAM_STEPS: usize = 2000;

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

#[derive(Debug, Clone)]
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
    pub filter: RowFilter,
    /// The shown rows by time.
    histogram: Histogram,
    limits: Limits,
}

impl Default for LogBuffer {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            first: 0,
            bytes: 0,
            shown: VecDeque::new(),
            dropped: 0,
            running: HashMap::new(),
            last: HashMap::new(),
            filter: RowFilter::default(),
            histogram: Histogram::new(HISTOGRAM_STEP, MAX_HISTOGRAM_STEPS),
            limits: Limits::default(),
        }
    }
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
                if let Some(number) = self.running.remove(&id).filter(|number| *number >= self.first) {
                    self.end_invocation(number, row);
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

    /// Completes the row of an invocation with its report.
    fn end_invocation(&mut self, number: u64, report: LogRow) {
        let is_shown = self.shown.binary_search(&number).is_ok();
        let Some(started) = self.get_mut(number) else { return };
        let (time, before) = (started.time, started.level);
        (started.text, started.level) = (report.text, report.level);
        if is_shown {
            self.histogram.remove(time, before.severity());
            self.histogram.add(time, report.level.severity());
        }
    }

    /// The shown rows by time and level, without marks.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The patterns of the shown rows, the most frequent first.
    pub fn patterns(&self) -> Vec<Pattern> {
        let mut miner = PatternMiner::default();
        for (_, row) in (0..self.shown()).filter_map(|at| self.at(at)).filter(|(_, row)| row.source.is_some())
        {
            miner.add(&row.message(), row.time);
        }
        miner.patterns()
    }

    /// The names of the fields in the newest rows, in order.
    pub fn field_names(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        for row in self.rows.iter().rev().take(FIELD_NAME_ROWS) {
            Record::new(&row.message()).field_names(&mut |name| _ = names.insert(sanitize(name)));
        }
        names.into_iter().collect()
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
            raw: None,
            bytes: MARK_BYTES,
        })
    }

    fn add(&mut self, row: LogRow) -> usize {
        self.bytes += row.bytes;
        if self.filter.shows(&row) {
            self.shown.push_back(self.next_number());
            count(&mut self.histogram, &row);
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
        let was_shown = self.shown.pop_front_if(|number| *number < first).is_some();
        if was_shown && row.source.is_some() {
            self.histogram.remove(row.time, row.level.severity());
        }
        usize::from(was_shown)
    }

    /// Applies the filter, and hides sources.
    pub fn show(&mut self, sources: &[LogSource]) {
        self.filter.set_sources(sources);
        self.histogram = Histogram::new(HISTOGRAM_STEP, MAX_HISTOGRAM_STEPS);
        self.shown.clear();
        for (row, number) in self.rows.iter().zip(self.first..) {
            if self.filter.shows(row) {
                self.shown.push_back(number);
                count(&mut self.histogram, row);
            }
        }
    }

    /// The position of the first shown row at or after a time.
    pub fn at_time(&self, time: Millis) -> Option<usize> {
        (0..self.shown()).find(|at| self.at(*at).is_some_and(|(_, row)| row.time >= time))
    }

    /// The position of the next row in one direction that is as wanted, with wrap-around.
    pub fn find(&self, wanted: impl Fn(&LogRow) -> bool, from: usize, forward: bool) -> Option<usize> {
        let count = self.shown.len();
        let step = |distance: usize| {
            if forward { (from + distance) % count } else { (from + count - distance % count) % count }
        };
        (1..=count).map(step).find(|position| self.at(*position).is_some_and(|(_, row)| wanted(row)))
    }

    /// Removes all rows; the filter stays.
    pub fn clear(&mut self) {
        let (first, filter) = (self.next_number(), std::mem::take(&mut self.filter));
        *self = Self { first, filter, limits: self.limits, ..Self::default() };
    }
}

/// Counts a row in the histogram, unless it is a mark.
fn count(histogram: &mut Histogram, row: &LogRow) {
    if row.source.is_some() {
        histogram.add(row.time, row.level.severity());
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
        let sources = |hidden: [bool; 2]| {
            hidden.map(|hidden| LogSource { name: "etl".to_owned(), hidden, received: 0 })
        };
        buffer.filter.grep = Some(Regex::new("^t").unwrap());
        buffer.show(&sources([false, false]));
        assert_eq!(texts(&buffer), ["two", "three", "mark"]);
        buffer.filter.grep = None;
        buffer.show(&sources([true, false]));
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
        let has = |letter: char| move |row: &LogRow| row.text.contains(letter);
        assert_eq!(buffer.find(has('a'), 0, true), Some(2));
        assert_eq!(buffer.find(has('a'), 2, true), Some(0));
        assert_eq!(buffer.find(has('a'), 0, false), Some(2));
        assert_eq!(buffer.find(has('z'), 0, true), None);
        assert_eq!(LogBuffer::default().find(has('a'), 0, true), None);
    }

    #[test]
    fn histogram_counts_exactly_the_shown_rows() {
        let mut buffer = LogBuffer::with_limits(100, usize::MAX);
        let total =
            |buffer: &LogBuffer| buffer.histogram().steps().flat_map(|(_, counts)| counts).sum::<u64>();
        for number in 0..150 {
            buffer.push(parsed(number * 1000, 0, if number % 3 == 0 { "ERROR x" } else { "y" }));
        }
        buffer.mark(0, "mark");
        assert_eq!(total(&buffer), 99, "the mark is a row, but no event");
        buffer.filter.grep = Some(Regex::new("x").unwrap());
        buffer.show(&[]);
        assert_eq!(total(&buffer), buffer.shown() as u64 - 1);
        buffer.push(parsed(1, 0, "START RequestId: 12345678-x Version: 1"));
        buffer.push(parsed(2, 0, "REPORT RequestId: 12345678-x\tDuration: 5 ms\tStatus: error"));
        assert_eq!(total(&buffer), buffer.shown() as u64 - 1);
        buffer.clear();
        assert_eq!(total(&buffer), 0);
    }

    #[test]
    fn condition_and_pattern_select_rows_by_their_original_message() {
        let mut buffer = LogBuffer::default();
        for rows in [1, 20] {
            buffer.push(parsed(0, 0, &format!(r#"{{"level":"WARN","message":"rejected","rows":{rows}}}"#)));
        }
        buffer.push(parsed(0, 0, "done"));
        let patterns = buffer.patterns();
        assert_eq!((patterns[0].template.as_str(), patterns[0].count), ("rejected rows=<n>", 2));
        buffer.filter.pattern = Some(patterns[0].clone());
        buffer.show(&[]);
        assert_eq!(texts(&buffer), ["rejected rows=1", "rejected rows=20"]);
        let now = chrono::DateTime::parse_from_rfc3339("2026-03-02T03:04:05Z").unwrap();
        buffer.filter.condition = Some(crate::tui::domain::Condition::parse("rows > 1", now).unwrap());
        buffer.show(&[]);
        assert_eq!(texts(&buffer), ["rejected rows=20"]);
        assert!(buffer.field_names().contains(&"rows".to_owned()));
        assert!(buffer.filter.pop() && buffer.filter.pop() && !buffer.filter.pop());
    }
}
