//! `covidctl logs --histogram`: the number of events in steps of time, by level.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chrono::{Local, SecondsFormat, Utc};
use common::ascii;
use common::failure::Result;
use common::text::thousands;
use serde::Serialize;

use crate::printer::Printer;
use logs::{Histogram, LevelCounts, Millis, to_datetime};

/// Steps without events are printed, too, unless that makes more steps than this.
const MAX_STEPS: Millis = 10_000;

/// Columns of the longest bar.
const BAR_WIDTH: u64 = 40;

#[derive(Serialize)]
struct Step {
    time: String,
    events: u64,
    error: u64,
    warn: u64,
    info: u64,
    debug: u64,
    trace: u64,
    /// Without a level.
    other: u64,
}

/// Prints a histogram as a list of its steps.
pub(super) fn print(histogram: &Histogram, utc: bool, printer: &Printer) -> Result<()> {
    let steps = all_steps(histogram);
    if printer.json() {
        return printer.document(&steps.iter().map(|(time, counts)| step(*time, counts)).collect::<Vec<_>>());
    }
    let most = steps.iter().map(|(_, counts)| counts.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (time, counts) in &steps {
        let (events, error, warn) = (counts.iter().sum::<u64>(), counts[5], counts[4]);
        let number = |number: u64| thousands(i64::try_from(number).unwrap_or(i64::MAX));
        // Writing into a string cannot fail.
        _ = write!(text, "{}  {:>9}", label(*time, utc), number(events));
        _ = write!(text, "  {:>7} error  {:>7} warn  ", number(error), number(warn));
        text.push_str(&bar(events, warn, error, most, printer.colors_data()));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    printer.bytes(ascii::in_locale(&text).as_bytes());
    Ok(())
}

/// Returns the steps from the first to the last event.
fn all_steps(histogram: &Histogram) -> Vec<(Millis, LevelCounts)> {
    let found: Vec<(Millis, LevelCounts)> = histogram.steps().map(|(time, counts)| (time, *counts)).collect();
    let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) else { return found };
    if (last - first) / histogram.step() >= MAX_STEPS {
        return found;
    }
    let mut next = found.iter().peekable();
    let mut steps = Vec::new();
    let mut time = *first;
    while time <= *last {
        let counts =
            next.next_if(|(start, _)| *start == time).map_or(LevelCounts::default(), |(_, counts)| *counts);
        steps.push((time, counts));
        time += histogram.step();
    }
    steps
}

fn step(time: Millis, counts: &LevelCounts) -> Step {
    let [other, trace, debug, info, warn, error] = *counts;
    let time = to_datetime(time).to_rfc3339_opts(SecondsFormat::Millis, true);
    Step { time, events: counts.iter().sum(), error, warn, info, debug, trace, other }
}

fn label(time: Millis, utc: bool) -> String {
    let time = to_datetime(time);
    if utc {
        time.with_timezone(&Utc).format("%Y-%m-%d %H:%M:%SZ").to_string()
    } else {
        time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S%:z").to_string()
    }
}

/// Returns a bar: errors, warnings, the rest. In color they differ by it, too.
fn bar(events: u64, warn: u64, error: u64, most: u64, color: bool) -> String {
    let width = |count: u64| usize::try_from((count * BAR_WIDTH).div_ceil(most)).unwrap_or(0);
    let (error, warn_or_error) = (width(error), width(error + warn));
    let parts = [
        ("█", error, Some(AnsiColor::Red)),
        ("▓", warn_or_error.saturating_sub(error), Some(AnsiColor::Yellow)),
        ("░", width(events).saturating_sub(warn_or_error), None),
    ];
    let paint = |(mark, width, paint): (&str, usize, Option<AnsiColor>)| {
        let bar = mark.repeat(width);
        match paint.filter(|_| color && width > 0) {
            Some(paint) => {
                let style = Style::new().fg_color(Some(paint.into()));
                format!("{style}{bar}{style:#}")
            }
            None => bar,
        }
    };
    parts.map(paint).concat()
}
