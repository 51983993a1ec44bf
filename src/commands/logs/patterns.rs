//! `covidctl logs patterns` and `covidctl logs diff`.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chrono::{Local, SecondsFormat, Utc};
use common::ascii;
use common::failure::Result;
use common::terminal::visible;
use common::text::thousands;
use serde::Serialize;

use super::collect;
use crate::cli::LogSelection;
use crate::ops::run_patterns;
use crate::printer::Printer;
use crate::settings::Settings;
use logs::{
    Condition, Entry, Event, MergedEvent, Millis, Pattern, PatternChange, PatternMiner, Severity, to_datetime,
};

/// Lines of an example that are printed.
const EXAMPLE_LINES: usize = 3;

#[derive(Serialize)]
struct PatternRecord<'a> {
    pattern: &'a str,
    count: u64,
    first: String,
    last: String,
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<&'a str>,
}

#[derive(Serialize)]
struct ChangeRecord<'a> {
    change: &'static str,
    pattern: &'a str,
    level: Option<&'static str>,
    before: u64,
    after: u64,
    first: String,
    line: &'a str,
}

pub(super) async fn patterns(
    args: &LogSelection,
    lines: usize,
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    let mut miner = PatternMiner::keeping(lines);
    collect::read(args, &mut |message, time| miner.add(message, time), settings, printer).await?;
    let patterns = miner.patterns();
    if printer.json() {
        let records: Vec<_> = patterns.iter().map(|pattern| record(pattern, lines)).collect();
        return printer.document(&records);
    }
    let mut text = String::new();
    for pattern in &patterns {
        // Writing into a string cannot fail.
        _ = writeln!(
            text,
            "{:>9}  {}  {} … {}  {}",
            count(pattern.count),
            level(pattern.level, printer),
            time(pattern.first, args.utc),
            time(pattern.last, args.utc),
            visible(&pattern.template),
        );
        examples(pattern).take(lines).for_each(|line| text.push_str(&indented(line)));
    }
    printer.bytes(ascii::in_locale(&text).as_bytes());
    Ok(())
}

pub(super) async fn diff(
    [before, after]: [&str; 2],
    condition: Option<&Condition>,
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    let target = crate::commands::target(settings)?;
    let note = &mut |note: String| printer.note(&note);
    let changes = run_patterns::compare(&target, before, after, condition, note).await?;
    if printer.json() {
        return printer.document(&changes.iter().map(change).collect::<Vec<_>>());
    }
    if changes.is_empty() {
        printer.note("both runs logged the same patterns, about equally often");
    }
    let mut text = String::new();
    for change in &changes {
        let ((before, after), pattern) = (change.counts(), change.pattern());
        // Writing into a string cannot fail.
        _ = writeln!(
            text,
            "{:<4}  {}  {:>7} → {:<7}  {}",
            change.name(),
            level(pattern.level, printer),
            count(before),
            count(after),
            visible(&pattern.template),
        );
        text.push_str(&indented(&readable(pattern)));
    }
    printer.bytes(ascii::in_locale(&text).as_bytes());
    Ok(())
}

fn record(pattern: &Pattern, lines: usize) -> PatternRecord<'_> {
    PatternRecord {
        pattern: &pattern.template,
        count: pattern.count,
        first: stamp(pattern.first),
        last: stamp(pattern.last),
        level: pattern.level.map(Severity::name),
        lines: examples(pattern).take(lines).collect(),
    }
}

fn change(change: &PatternChange) -> ChangeRecord<'_> {
    let ((before, after), pattern) = (change.counts(), change.pattern());
    ChangeRecord {
        change: change.name(),
        pattern: &pattern.template,
        level: pattern.level.map(Severity::name),
        before,
        after,
        first: stamp(pattern.first),
        line: &pattern.example,
    }
}

fn examples(pattern: &Pattern) -> impl Iterator<Item = &str> {
    std::iter::once(pattern.example.as_str()).chain(pattern.more.iter().map(AsRef::as_ref))
}

/// Returns the first event of a pattern as `covidctl logs` prints it, without time and source.
fn readable(pattern: &Pattern) -> String {
    let event = Event {
        time: pattern.first,
        ingested: pattern.first,
        group: String::new(),
        stream: String::new(),
        event_id: String::new(),
        message: pattern.example.clone(),
    };
    Entry::new(MergedEvent { source: 0, event, late: None }).message().to_owned()
}

/// Returns the first lines of a text, escaped and indented.
fn indented(text: &str) -> String {
    text.lines()
        .take(EXAMPLE_LINES)
        .fold(String::new(), |all, line| format!("{all}                 {}\n", visible(line)))
}

fn count(number: u64) -> String {
    thousands(i64::try_from(number).unwrap_or(i64::MAX))
}

fn level(level: Option<Severity>, printer: &Printer) -> String {
    let name = format!("{:<5}", level.map_or("", Severity::name));
    let color = match level {
        Some(Severity::Error) => AnsiColor::Red,
        Some(Severity::Warn) => AnsiColor::Yellow,
        _ => return name,
    };
    let style = Style::new().fg_color(Some(color.into()));
    if printer.colors_data() { format!("{style}{name}{style:#}") } else { name }
}

fn time(time: Millis, utc: bool) -> String {
    const FORM: &str = "%m-%d %H:%M:%S";
    let time = to_datetime(time);
    if utc {
        time.with_timezone(&Utc).format(FORM).to_string()
    } else {
        time.with_timezone(&Local).format(FORM).to_string()
    }
}

fn stamp(time: Millis) -> String {
    to_datetime(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}
