//! Which events are selected: by time, condition and patterns.

use chrono::{DateTime, Local, Utc};
use common::failure::{Failure, Result};

use crate::cli::LogSelection;
use logs::{Condition, FilterPattern, LineFilter, MergedEvent, Millis, Record, RunLog, Subject};

/// Selects events by their content.
#[derive(Debug, Default)]
pub(super) struct EventFilter {
    pub(super) condition: Option<Condition>,
    pub(super) lines: LineFilter,
}

impl EventFilter {
    pub(super) fn new(args: &LogSelection) -> Self {
        let lines = LineFilter { grep: args.grep.clone(), exclude: args.exclude.clone() };
        Self { condition: args.condition.clone(), lines }
    }

    /// Returns whether the condition holds for an event of a source.
    pub(super) fn condition_holds(&self, merged: &MergedEvent, source: &str) -> bool {
        let event = &merged.event;
        self.condition.as_ref().is_none_or(|condition| {
            condition.holds(&Subject {
                record: Record::new(&event.message),
                time: event.time,
                source,
                stream: &event.stream,
            })
        })
    }

    /// Returns whether the patterns select a line.
    pub(super) fn selects_line(&self, text: &str) -> bool {
        !self.lines.excludes(text) && self.lines.matches(text)
    }
}

/// Resolves `--since` and `--until` for a target, where the default is the last ten minutes, or the whole of a run.
pub(super) fn time_range(args: &LogSelection, run: Option<RunLog>) -> Result<(Millis, Option<Millis>)> {
    let default = run.map(|run| run.from);
    if args.utc { bounds(args, default, &Utc::now()) } else { bounds(args, default, &Local::now()) }
}

/// Resolves `--since` and `--until` for files, which are read whole by default.
pub(super) fn file_range(args: &LogSelection) -> Result<(Millis, Option<Millis>)> {
    let default = Some(Millis::MIN);
    if args.utc { bounds(args, default, &Utc::now()) } else { bounds(args, default, &Local::now()) }
}

fn bounds<Z: chrono::TimeZone>(
    args: &LogSelection,
    default: Option<Millis>,
    now: &DateTime<Z>,
) -> Result<(Millis, Option<Millis>)> {
    let since = match (args.since, default) {
        (None, Some(default)) => default,
        (since, _) => since.unwrap_or(super::DEFAULT_SINCE).since(now),
    };
    let until = args.until.map(|until| until.until(now, since));
    if until.is_some_and(|until| until <= since) {
        return Err(Failure::usage("the end (--until) is not after the start (--since)")
            .hint("--since defaults to 10m; set an earlier start"));
    }
    Ok((since, until))
}

/// Parses the filter pattern, which the log service applies except to files.
pub(super) fn file_pattern(args: &LogSelection) -> Result<Option<FilterPattern>> {
    args.filter_pattern.as_deref().map(FilterPattern::parse).transpose()
}
