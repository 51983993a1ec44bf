//! What the Logs screen knows: the lines, where one is in them, and what is wanted of them.

pub mod buffer;
pub mod incoming;
pub mod lambda;

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use uuid::Uuid;

pub use self::buffer::{Buffer, Row};
pub use self::incoming::{Incoming, Level};
use super::list::Move;
use crate::tui::effect::Ticket;
use crate::tui::text;
use logs::{Millis, parse_regex};

/// How far back one may look, and what that is called.
pub const WINDOWS: [(Option<Millis>, &str); 7] = [
    (Some(60_000), "1 min"),
    (Some(600_000), "10 min"),
    (Some(3_600_000), "1 h"),
    (Some(6 * 3_600_000), "6 h"),
    (Some(86_400_000), "1 d"),
    (Some(7 * 86_400_000), "7 d"),
    (None, "all"),
];

/// How times are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamps {
    /// Of day.
    #[default]
    Day,
    /// With the date and milliseconds.
    Whole,
    /// Not at all.
    None,
}

/// A source of logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Whether its lines are hidden.
    pub hidden: bool,
    /// How many events came from it.
    pub came: u64,
}

/// The screen.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Logs {
    /// The lines.
    pub buffer: Buffer,
    /// The sources, in the order in which events name them.
    pub sources: Vec<Source>,
    /// Whether the newest line stays in sight.
    pub following: bool,
    /// The selected line's position among those that are shown.
    pub at: usize,
    /// The first line in sight, where the newest is not followed.
    pub top: usize,
    /// What is searched.
    pub search: Option<Regex>,
    /// What lines must match.
    pub filter: Option<Regex>,
    /// Whether long lines are broken.
    pub wrap: bool,
    /// How times are shown.
    pub stamps: Stamps,
    /// Whether all traces are unfolded.
    pub unfolded: bool,
    /// The numbers of rows for which it is the other way round.
    pub exceptions: BTreeSet<u64>,
    /// How far back one looks, in [`WINDOWS`].
    pub window: usize,
    /// The only run whose lines are wanted.
    pub run: Option<Uuid>,
    /// Which following's lines are wanted.
    pub ticket: Ticket,
    /// Whether the following has been asked for, on this target.
    pub asked: bool,
    /// Whether what was there in the beginning has been shown.
    pub caught_up: bool,
    /// The last thing to know.
    pub note: Option<String>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            buffer: Buffer::default(),
            sources: Vec::new(),
            following: true,
            at: 0,
            top: 0,
            search: None,
            filter: None,
            wrap: false,
            stamps: Stamps::Day,
            unfolded: false,
            exceptions: BTreeSet::new(),
            window: 4,
            run: None,
            ticket: Ticket(0),
            asked: false,
            caught_up: false,
            note: None,
        }
    }
}

/// A pattern as it was typed: without regard to case unless it has capitals.
pub fn pattern(typed: &str) -> Result<Option<Regex>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    parse_regex(typed)?;
    let any_case = !typed.chars().any(char::is_uppercase);
    RegexBuilder::new(typed).case_insensitive(any_case).build().map(Some).map_err(|error| error.to_string())
}

impl Logs {
    /// Takes events in.
    pub fn push(&mut self, lines: Vec<Incoming>) {
        for line in lines {
            if let Some(source) = self.sources.get_mut(line.source) {
                source.came += 1;
            }
            let gone = self.buffer.push(line);
            self.at = self.at.saturating_sub(gone);
            self.top = self.top.saturating_sub(gone);
        }
        if self.following {
            self.at = self.buffer.shown().saturating_sub(1);
        }
    }

    /// Whether the lines after a row's first one are in sight.
    pub fn is_unfolded(&self, number: u64) -> bool {
        self.unfolded != self.exceptions.contains(&number)
    }

    /// How wide the columns before the text are.
    pub fn indent(&self) -> usize {
        let names = self.sources.iter().map(|source| source.name.len()).max().unwrap_or(0);
        let stamp = match self.stamps {
            Stamps::Day => 9,
            Stamps::Whole => 24,
            Stamps::None => 0,
        };
        2 + stamp + names + 1 + 6
    }

    /// How many lines of the screen a row takes.
    pub fn height(&self, position: usize, width: usize) -> usize {
        let Some((number, row)) = self.buffer.at(position) else { return 0 };
        let room = width.saturating_sub(self.indent()).max(8);
        let lines = |line: &str| if self.wrap { text::lines(line, room) } else { 1 };
        let late = row.late.map_or(0, |_| 12);
        let first = if self.wrap && late > 0 {
            // The mark of lateness is part of the line.
            (text::width(&row.text) + late).div_ceil(room).max(lines(&row.text))
        } else {
            lines(&row.text)
        };
        if !self.is_unfolded(number) {
            return first;
        }
        first + row.more.iter().map(|line| lines(line)).sum::<usize>()
    }

    /// The first row in sight, and how many of its lines are above the edge: so that the last line is at the bottom where the
    /// newest is followed.
    pub fn first_in_sight(&self, width: usize, height: usize) -> (usize, usize) {
        if !self.following {
            return (self.top, 0);
        }
        let mut missing = height;
        let mut position = self.buffer.shown();
        while position > 0 {
            position -= 1;
            let lines = self.height(position, width);
            if lines >= missing {
                return (position, lines - missing);
            }
            missing -= lines;
        }
        (0, 0)
    }

    /// Moves the selection; away from the end is no longer following.
    pub fn go(&mut self, to: Move, width: usize, height: usize) {
        let count = self.buffer.shown();
        if self.following {
            let (first, hidden) = self.first_in_sight(width, height);
            self.top = if hidden > 0 && first + 1 < count { first + 1 } else { first };
        }
        self.at = match to {
            Move::By(by) => self.at.saturating_add_signed(by),
            Move::Top => 0,
            Move::Bottom => usize::MAX,
        }
        .min(count.saturating_sub(1));
        self.following = match to {
            Move::Bottom => true,
            Move::By(by) if by > 0 => self.following,
            _ => false,
        };
        self.settle(width, height);
    }

    /// Keeps the selected row in sight.
    pub fn settle(&mut self, width: usize, height: usize) {
        self.at = self.at.min(self.buffer.shown().saturating_sub(1));
        self.top = self.top.min(self.at);
        // From the selected row backwards, as far as the screen reaches.
        let mut room = height.saturating_sub(self.height(self.at, width).min(height));
        let mut lowest = self.at;
        while lowest > self.top {
            let lines = self.height(lowest - 1, width);
            if lines > room {
                break;
            }
            room -= lines;
            lowest -= 1;
        }
        self.top = self.top.max(lowest);
    }

    /// Looks for the search's next match.
    pub fn find(&mut self, forward: bool, width: usize, height: usize) -> bool {
        let Some(found) = self.search.as_ref().and_then(|search| self.buffer.find(search, self.at, forward))
        else {
            return false;
        };
        if self.following {
            self.top = self.first_in_sight(width, height).0;
            self.following = false;
        }
        self.at = found;
        self.settle(width, height);
        true
    }

    /// Shows what the filter and the sources leave, and stays at the same line.
    pub fn refilter(&mut self) {
        let number = self.buffer.at(self.at).map(|(number, _)| number);
        self.buffer.show(self.filter.clone(), self.sources.iter().map(|source| source.hidden).collect());
        let last = self.buffer.shown().saturating_sub(1);
        self.at = match number {
            Some(number) if !self.following => self.buffer.position(number).min(last),
            _ => last,
        };
        self.top = self.top.min(self.at);
    }
}
