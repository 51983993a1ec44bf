//! The state of the Logs screen: the lines, the position in them, and what is shown of them.

mod buffer;
mod lambda;
mod parsed_event;
mod row_filter;

use regex::{Regex, RegexBuilder};
use uuid::Uuid;

pub use self::buffer::LogBuffer;
pub use self::parsed_event::{LogLevel, LogRow, ParsedEvent};
use super::RequestId;
use super::list::{Motion, clamped_index};
use crate::tui::domain::{Condition, Millis, Pattern, parse_regex};
use crate::tui::text;

/// How far back the logs can go, with a label.
pub const WINDOWS: [(Option<Millis>, &str); 7] = [
    (Some(60_000), "1 min"),
    (Some(600_000), "10 min"),
    (Some(3_600_000), "1 h"),
    (Some(6 * 3_600_000), "6 h"),
    (Some(86_400_000), "1 d"),
    (Some(7 * 86_400_000), "7 d"),
    (None, "all"),
];

/// The index of one day in [`WINDOWS`].
pub(super) const DEFAULT_WINDOW: usize = 4;

/// Cells that the mark of a late event takes.
pub const LATE_MARK: usize = 12;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Timestamps {
    #[default]
    Time,
    /// Date and time with milliseconds.
    Full,
    Hidden,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    pub name: String,
    pub hidden: bool,
    /// How many events were received from it.
    pub received: u64,
}

/// The cells in which lines are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Viewport {
    pub width: usize,
    pub height: usize,
}

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Logs {
    pub buffer: LogBuffer,
    /// Indexed by the source of a line.
    pub sources: Vec<LogSource>,
    /// Whether the newest line stays visible.
    pub following: bool,
    /// The position of the selected row among the shown ones.
    pub at: usize,
    /// The first visible row unless following.
    pub top: usize,
    pub search: Option<Regex>,
    /// The patterns of the shown rows, while their list is open.
    pub patterns: Vec<Pattern>,
    /// Names of fields that are offered while a condition is typed.
    pub field_names: Vec<String>,
    pub wrap: bool,
    pub timestamps: Timestamps,
    /// Whether multi-line events are unfolded.
    pub unfolded: bool,
    /// An index into [`WINDOWS`].
    pub window: usize,
    /// The run whose log is followed, if it is only one.
    pub run: Option<Uuid>,
    /// None until the logs of this target are requested.
    pub request: Option<RequestId>,
    /// Whether all lines that existed at the start have been received.
    pub caught_up: bool,
    pub status: Option<String>,
}

/// Parses a pattern; it ignores case unless it has an upper-case letter. An empty one is none.
pub fn pattern(typed: &str) -> Result<Option<Regex>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    parse_regex(typed)?;
    let ignore_case = !typed.chars().any(char::is_uppercase);
    let pattern = RegexBuilder::new(typed).case_insensitive(ignore_case).build();
    pattern.map(Some).map_err(|error| error.to_string())
}

impl Logs {
    pub fn push(&mut self, lines: Vec<ParsedEvent>) {
        for line in lines {
            if let Some(source) = line.row.source.and_then(|source| self.sources.get_mut(source)) {
                source.received += 1;
            }
            let dropped = self.buffer.push(line);
            self.at = self.at.saturating_sub(dropped);
            self.top = self.top.saturating_sub(dropped);
        }
        self.follow_end();
    }

    /// Selects the newest row if following.
    pub fn follow_end(&mut self) {
        if self.following {
            self.at = self.buffer.shown().saturating_sub(1);
        }
    }

    /// Removes all lines before those of a new request.
    pub fn start(&mut self, request: RequestId) {
        (self.request, self.caught_up, self.status) = (Some(request), false, None);
        self.clear();
        for source in &mut self.sources {
            source.received = 0;
        }
    }

    pub fn clear(&mut self) {
        self.buffer.clear();
        (self.at, self.top) = (0, 0);
    }

    /// Columns before the text of a line.
    pub fn text_column(&self) -> usize {
        let timestamp = match self.timestamps {
            Timestamps::Time => 9,
            Timestamps::Full => 24,
            Timestamps::Hidden => 0,
        };
        2 + timestamp + self.source_width() + 1 + 6
    }

    pub fn source_width(&self) -> usize {
        self.sources.iter().map(|source| source.name.len()).max().unwrap_or(0)
    }

    /// Screen lines that a row takes.
    pub fn row_height(&self, position: usize, width: usize) -> usize {
        let Some((_, row)) = self.buffer.at(position) else { return 0 };
        let room = width.saturating_sub(self.text_column()).max(8);
        let height = |line: &str| if self.wrap { text::wrapped_height(line, room) } else { 1 };
        let mut first = height(&row.text);
        if self.wrap && row.late.is_some() {
            // The first line starts with the mark of the late event.
            first = first.max((text::width(&row.text) + LATE_MARK).div_ceil(room));
        }
        if self.unfolded { first + row.more.iter().map(|line| height(line)).sum::<usize>() } else { first }
    }

    /// The first visible row, and how many of its screen lines are above the viewport.
    pub fn first_visible(&self, view: Viewport) -> (usize, usize) {
        if !self.following {
            return (self.top, 0);
        }
        let mut missing = view.height;
        for position in (0..self.buffer.shown()).rev() {
            let height = self.row_height(position, view.width);
            if height >= missing {
                return (position, height - missing);
            }
            missing -= height;
        }
        (0, 0)
    }

    /// Stops following, with the same rows visible.
    pub fn pause(&mut self, view: Viewport) {
        if self.following {
            let (first, hidden) = self.first_visible(view);
            self.top = if hidden > 0 && first + 1 < self.buffer.shown() { first + 1 } else { first };
            self.following = false;
        }
    }

    /// Moves the selection. Moving up pauses, the end resumes following.
    pub fn navigate(&mut self, motion: Motion, view: Viewport) {
        let resume = match motion {
            Motion::Bottom => true,
            Motion::By(by) => by > 0 && self.following,
            Motion::Top => false,
        };
        self.pause(view);
        self.at = clamped_index(self.at, motion, self.buffer.shown());
        self.following = resume;
        self.clamp_cursor(view);
    }

    /// Keeps the selected row visible.
    pub fn clamp_cursor(&mut self, view: Viewport) {
        self.at = self.at.min(self.buffer.shown().saturating_sub(1));
        self.top = self.top.min(self.at);
        // Walks up from the selected row as far as the viewport reaches.
        let mut room = view.height.saturating_sub(self.row_height(self.at, view.width));
        let mut lowest = self.at;
        while lowest > self.top {
            let height = self.row_height(lowest - 1, view.width);
            if height > room {
                break;
            }
            room -= height;
            lowest -= 1;
        }
        self.top = self.top.max(lowest);
    }

    /// Selects the next match of the search; returns whether there is one.
    pub fn select_match(&mut self, forward: bool, view: Viewport) -> bool {
        let Some(search) = self.search.clone() else { return false };
        self.select_next(|row| row.matches(&search), forward, view)
    }

    /// Selects the next row in one direction that is as wanted; returns whether there is one.
    pub fn select_next(&mut self, wanted: impl Fn(&LogRow) -> bool, forward: bool, view: Viewport) -> bool {
        let found = self.buffer.find(wanted, self.at, forward);
        found.inspect(|found| self.select(*found, view)).is_some()
    }

    /// Selects the row at a position, and pauses.
    pub fn select(&mut self, position: usize, view: Viewport) {
        self.pause(view);
        self.at = position;
        self.clamp_cursor(view);
    }

    pub fn set_filter(&mut self, filter: Option<Regex>) {
        self.buffer.filter.grep = filter;
        self.refilter();
    }

    pub fn set_condition(&mut self, condition: Option<Condition>) {
        self.buffer.filter.condition = condition;
        self.refilter();
    }

    pub fn set_pattern(&mut self, pattern: Option<Pattern>) {
        self.buffer.filter.pattern = pattern;
        self.refilter();
    }

    /// Applies the filter and the visibility of the sources; the selection stays on its row.
    pub fn refilter(&mut self) {
        let number = self.buffer.at(self.at).map(|(number, _)| number);
        self.buffer.show(&self.sources);
        let last = self.buffer.shown().saturating_sub(1);
        self.at = match number {
            Some(number) if !self.following => self.buffer.position(number).min(last),
            _ => last,
        };
        self.top = self.top.min(self.at);
    }
}
