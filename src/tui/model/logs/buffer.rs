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
mod tests;
