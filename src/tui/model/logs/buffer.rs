//! The lines in memory: a window over the newest ones, bounded in number and in bytes, and which of them are shown.
//!
//! Every row has a number that never changes; positions do, as old rows are dropped and filters come and go.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use regex::Regex;

use super::incoming::{Incoming, Level};
use super::lambda::Invocation;
use logs::Millis;

/// So many rows at most …
pub const MOST_ROWS: usize = 100_000;

/// … and so many bytes.
pub const MOST_BYTES: usize = 96 << 20;

/// After so many dropped rows, what points to them is forgotten.
const FORGETTING: u64 = 20_000;

/// A trace has no more lines than this; what follows is a row of its own.
const LONGEST_TRACE: usize = 500;

/// A row.
#[derive(Debug, Clone)]
pub struct Row {
    /// When it happened.
    pub time: Millis,
    /// Its source, or nothing for a mark of the user's.
    pub source: Option<usize>,
    /// How bad it is.
    pub level: Level,
    /// By how much it is late.
    pub late: Option<Millis>,
    /// Its stream.
    pub stream: Arc<str>,
    /// Its first line.
    pub text: Box<str>,
    /// The lines after it, folded unless somebody unfolds them.
    pub more: Vec<Box<str>>,
    bytes: usize,
}

/// The rows, and the ones that are shown.
#[derive(Debug, Clone)]
pub struct Buffer {
    rows: VecDeque<Row>,
    /// The number of the first row.
    first: u64,
    bytes: usize,
    /// Numbers of the rows that are shown, in order.
    shown: VecDeque<u64>,
    /// Rows that were dropped for want of space.
    pub dropped: u64,
    /// Where the row of an invocation is that has not ended.
    running: HashMap<String, u64>,
    /// The last row of each stream, for traces.
    last: HashMap<Arc<str>, u64>,
    filter: Option<Regex>,
    hidden: Vec<bool>,
    most_rows: usize,
    most_bytes: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self::bounded(MOST_ROWS, MOST_BYTES)
    }
}

impl Buffer {
    /// One that keeps so many rows and so many bytes at most.
    pub fn bounded(most_rows: usize, most_bytes: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            first: 0,
            bytes: 0,
            shown: VecDeque::new(),
            dropped: 0,
            running: HashMap::new(),
            last: HashMap::new(),
            filter: None,
            hidden: Vec::new(),
            most_rows,
            most_bytes,
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many are shown.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// About how many bytes are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The row at a position among those that are shown, with its number.
    pub fn at(&self, position: usize) -> Option<(u64, &Row)> {
        let number = *self.shown.get(position)?;
        self.get(number).map(|row| (number, row))
    }

    /// The position of the row with that number, or of the one after it.
    pub fn position(&self, number: u64) -> usize {
        self.shown.partition_point(|shown| *shown < number)
    }

    fn get(&self, number: u64) -> Option<&Row> {
        self.rows.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Row> {
        self.rows.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Takes an event in. Says how many shown rows were dropped at the beginning for it.
    pub fn push(&mut self, event: Incoming) -> usize {
        match &event.invocation {
            Some(Invocation::End) => return 0,
            Some(Invocation::Start { id }) => {
                let (id, text) = (id.clone(), format!("invocation {} runs", short(id)));
                let number = self.first + self.rows.len() as u64;
                self.running.insert(id, number);
                return self.add(Row { text: text.into(), ..Row::from(event) });
            }
            Some(Invocation::Report { id, summary, failed }) => {
                let text: Box<str> = format!("invocation {} took {summary}", short(id)).into();
                let level = if *failed { Level::Error } else { Level::Info };
                if let Some(row) = self.running.remove(id).and_then(|number| self.get_mut(number)) {
                    (row.text, row.level) = (text, level);
                    return 0;
                }
                return self.add(Row { level, text, ..Row::from(event) });
            }
            None => {}
        }
        if event.continues
            && let Some(number) = self.last.get(&event.stream).copied()
            && let Some(row) = self.get_mut(number).filter(|row| row.more.len() < LONGEST_TRACE)
        {
            let bytes = event.text.len() + 24;
            row.bytes += bytes;
            row.more.push(event.text);
            row.more.extend(event.more);
            self.bytes += bytes;
            return 0;
        }
        self.last.insert(Arc::clone(&event.stream), self.first + self.rows.len() as u64);
        self.add(Row::from(event))
    }

    /// Draws a line.
    pub fn mark(&mut self, time: Millis, text: &str) -> usize {
        self.add(Row {
            time,
            source: None,
            level: Level::None,
            late: None,
            stream: Arc::from(""),
            text: text.into(),
            more: Vec::new(),
            bytes: 200,
        })
    }

    fn add(&mut self, row: Row) -> usize {
        let number = self.first + self.rows.len() as u64;
        self.bytes += row.bytes;
        if self.wants(&row) {
            self.shown.push_back(number);
        }
        self.rows.push_back(row);
        let mut gone = 0;
        while self.rows.len() > self.most_rows || self.bytes > self.most_bytes && self.rows.len() > 1 {
            gone += self.drop_first();
        }
        gone
    }

    fn drop_first(&mut self) -> usize {
        let Some(row) = self.rows.pop_front() else { return 0 };
        self.bytes -= row.bytes;
        self.first += 1;
        self.dropped += 1;
        if self.dropped.is_multiple_of(FORGETTING) {
            // What points to rows that are gone.
            let first = self.first;
            self.running.retain(|_, number| *number >= first);
            self.last.retain(|_, number| *number >= first);
        }
        if self.shown.front().is_some_and(|number| *number < self.first) {
            self.shown.pop_front();
            return 1;
        }
        0
    }

    fn wants(&self, row: &Row) -> bool {
        let Some(source) = row.source else { return true };
        !self.hidden.get(source).copied().unwrap_or(false)
            && self.filter.as_ref().is_none_or(|filter| row.matches(filter))
    }

    /// Shows only what matches, from sources that are not hidden.
    pub fn show(&mut self, filter: Option<Regex>, hidden: Vec<bool>) {
        (self.filter, self.hidden) = (filter, hidden);
        let first = self.first;
        let numbered = self.rows.iter().zip(first..);
        self.shown =
            numbered.filter(|(row, _)| self.wants(row)).map(|(_, number)| number).collect::<VecDeque<_>>();
    }

    /// The next row that matches, from a position on, in one direction; around the end where there is none before it.
    pub fn find(&self, pattern: &Regex, from: usize, forward: bool) -> Option<usize> {
        let count = self.shown.len();
        let step = |distance: usize| {
            if forward { (from + distance) % count } else { (from + count - distance % count) % count }
        };
        (1..=count).map(step).find(|position| self.at(*position).is_some_and(|(_, row)| row.matches(pattern)))
    }

    /// How many of the shown rows match.
    pub fn count(&self, pattern: &Regex) -> usize {
        self.shown.iter().filter(|number| self.get(**number).is_some_and(|row| row.matches(pattern))).count()
    }

    /// Forgets all rows; filters stay.
    pub fn clear(&mut self) {
        let (filter, hidden) = (self.filter.take(), std::mem::take(&mut self.hidden));
        let first = self.first + self.rows.len() as u64;
        *self = Self { first, filter, hidden, ..Self::bounded(self.most_rows, self.most_bytes) };
    }
}

impl Row {
    /// Whether any of its lines matches.
    pub fn matches(&self, pattern: &Regex) -> bool {
        pattern.is_match(&self.text) || self.more.iter().any(|line| pattern.is_match(line))
    }
}

impl From<Incoming> for Row {
    fn from(event: Incoming) -> Self {
        let bytes = event.bytes();
        let Incoming { time, source, level, late, stream, text, more, .. } = event;
        Self { time, source: Some(source), level, late, stream, text, more, bytes }
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::super::incoming::tests::incoming;
    use super::*;

    fn texts(buffer: &Buffer) -> Vec<String> {
        (0..buffer.shown()).filter_map(|at| buffer.at(at)).map(|(_, row)| row.text.to_string()).collect()
    }

    #[test]
    fn an_invocation_is_one_row() {
        let mut buffer = Buffer::default();
        buffer.push(incoming(1, 0, "START RequestId: 12345678-abc Version: 1"));
        assert_eq!(texts(&buffer), ["invocation 12345678 runs"]);
        buffer.push(incoming(2, 0, "downloading"));
        buffer.push(incoming(3, 0, "END RequestId: 12345678-abc"));
        buffer.push(incoming(3, 0, "REPORT RequestId: 12345678-abc\tDuration: 5 ms\tBilled Duration: 6 ms"));
        assert_eq!(texts(&buffer), ["invocation 12345678 took 5 ms", "downloading"]);
        buffer.push(incoming(4, 0, "REPORT RequestId: other\tDuration: 7 ms"));
        assert_eq!(buffer.shown(), 3, "one whose start was not seen has a row too");
    }

    #[test]
    fn a_trace_of_several_events_is_one_row() {
        let mut buffer = Buffer::default();
        for line in
            ["ERROR java.lang.Exception", "\tat a.b(c.java:1)", "\tat d.e(f.java:2)", "Caused by: x", "next"]
        {
            buffer.push(incoming(1, 0, line));
        }
        assert_eq!(texts(&buffer), ["ERROR java.lang.Exception", "next"]);
        assert_eq!(buffer.at(0).unwrap().1.more.len(), 3);
    }

    #[test]
    fn it_is_bounded_in_rows_and_in_bytes() {
        let mut buffer = Buffer::bounded(100, usize::MAX);
        for number in 0..110 {
            buffer.push(incoming(0, 0, &number.to_string()));
        }
        assert_eq!((buffer.len(), buffer.shown(), buffer.dropped), (100, 100, 10));
        assert_eq!(&*buffer.at(0).unwrap().1.text, "10");
        assert_eq!((buffer.position(10), buffer.position(109)), (0, 99), "numbers stay, positions do not");
        let mut buffer = Buffer::bounded(usize::MAX, 100_000);
        for _ in 0..100 {
            buffer.push(incoming(0, 0, &"x".repeat(5000)));
        }
        assert!(buffer.bytes() <= 100_000 && buffer.len() > 10, "{}", buffer.len());
    }

    #[test]
    fn filters_and_sources_choose_and_marks_stay() {
        let mut buffer = Buffer::default();
        for (source, message) in [(0, "one"), (1, "two"), (0, "three")] {
            buffer.push(incoming(0, source, message));
        }
        buffer.mark(0, "mark");
        buffer.show(Some(Regex::new("^t").unwrap()), vec![false, false]);
        assert_eq!(texts(&buffer), ["two", "three", "mark"]);
        buffer.show(None, vec![true, false]);
        assert_eq!(texts(&buffer), ["two", "mark"]);
        buffer.push(incoming(0, 0, "hidden"));
        buffer.push(incoming(0, 1, "seen"));
        assert_eq!(texts(&buffer), ["two", "mark", "seen"]);
    }

    #[test]
    fn searching_goes_around_the_end() {
        let mut buffer = Buffer::default();
        for message in ["a", "b", "ab", "c"] {
            buffer.push(incoming(0, 0, message));
        }
        let pattern = Regex::new("a").unwrap();
        assert_eq!(buffer.find(&pattern, 0, true), Some(2));
        assert_eq!(buffer.find(&pattern, 2, true), Some(0));
        assert_eq!(buffer.find(&pattern, 0, false), Some(2));
        assert_eq!(buffer.find(&Regex::new("z").unwrap(), 0, true), None);
        assert_eq!(Buffer::default().find(&pattern, 0, true), None);
        assert_eq!(buffer.count(&pattern), 2);
    }
}
