//! Merges the logs of several sources into one stream: in time order, each event once, none lost.
//!
//! A [`Source`] returns pages of events in a window of time, as CloudWatch's `FilterLogEvents` does. [`read`] polls the sources and
//! passes events to a [`LogSink`]; what to request next and which events are due is decided by an engine without I/O or clock.
//! [`LineFilter`], [`ContextFilter`] and [`Renderer`] turn the events into lines.
//!
//! [`Record`] recognises the fields of a message, on which a [`Condition`] decides; [`Histogram`] and [`PatternMiner`] count events.
//! [`FileReader`] reads the events of a file.

#![warn(missing_docs)]

mod condition;
mod context_filter;
mod dedupe;
mod engine;
mod filter_pattern;
mod histogram;
mod log_line;
mod merge;
mod patterns;
mod reader;
mod record;
mod render;
mod source;
mod text_file;
mod time_arg;
mod token_bucket;
mod window;

#[cfg(test)]
mod engine_tests;

pub use self::condition::{
    COMMON_FIELDS, Completion, Condition, ConditionError, Subject, complete_condition,
};
pub use self::context_filter::{ContextFilter, ContextItem, LineFilter, parse_regex};
pub use self::engine::{Notice, ReadOptions};
pub use self::filter_pattern::FilterPattern;
pub use self::histogram::{Histogram, LevelCounts, level_index};
pub use self::log_line::LogLine;
pub use self::patterns::{EXAMPLE_LEN, Pattern, PatternChange, PatternMiner, compare_patterns};
pub use self::reader::{LogSink, read};
pub use self::record::{Record, Severity};
pub use self::render::{Entry, OutputFormat, Renderer};
pub use self::source::{
    Event, LogSources, Lookback, MergedEvent, Millis, PageRequest, PageResponse, PollPolicy, RunLog,
    SERVER_SOURCE, Source, to_datetime,
};
pub use self::text_file::{FileEvent, FileReader, TextInput};
pub use self::time_arg::{TimeArg, parse_time};
