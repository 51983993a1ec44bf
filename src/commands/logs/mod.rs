//! `covidctl logs`: events of the log sources, merged, filtered and followed, on standard output; notices on standard error.

mod collect;
mod counts;
mod files;
mod output;
mod patterns;
mod selection;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::failure::{Failure, Result};

use self::output::LogOutput;
use self::selection::{EventFilter, time_range};
use crate::cli::{self, LogsCommand};
use crate::ops::follow;
use crate::printer::Printer;
use crate::settings::{Format, Settings};
use crate::signals::Signals;
use logs::{
    Histogram, LogSources, Millis, OutputFormat, ReadOptions, Record, Renderer, SERVER_SOURCE, Source,
    TimeArg,
};

/// Default of `--since`.
const DEFAULT_SINCE: TimeArg = TimeArg::Ago(Duration::from_mins(10));

/// How often standard output is checked for a closed pipe.
const PIPE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Beyond this many steps of a histogram, the step is doubled.
const MAX_HISTOGRAM_STEPS: usize = 100_000;

pub(super) async fn run(args: &cli::Logs, settings: &Settings, printer: &Printer) -> Result<()> {
    match &args.command {
        Some(LogsCommand::Patterns { selection, lines }) => {
            patterns::patterns(selection, *lines, settings, printer).await
        }
        Some(LogsCommand::Diff { before, after, condition }) => {
            patterns::diff([before, after], condition.as_ref(), settings, printer).await
        }
        None if args.histogram.is_some() => histogram(args, settings, printer).await,
        None if args.selection.file.is_empty() => events(args, settings, printer).await,
        None => file_events(args, printer),
    }
}

async fn histogram(args: &cli::Logs, settings: &Settings, printer: &Printer) -> Result<()> {
    let step = args.histogram.unwrap_or_default().as_millis();
    let step = Millis::try_from(step).unwrap_or(Millis::MAX).max(1);
    let mut histogram = Histogram::new(step, MAX_HISTOGRAM_STEPS);
    let mut count = |message: &str, time: Millis| histogram.add(time, Record::new(message).severity());
    collect::read(&args.selection, &mut count, settings, printer).await?;
    if histogram.step() != step {
        printer.note(&format!("the events are too far apart for this step; it is {} ms", histogram.step()));
    }
    counts::print(&histogram, args.selection.utc, printer)
}

fn file_events(args: &cli::Logs, printer: &Printer) -> Result<()> {
    let selection = &args.selection;
    let renderer = renderer(args, printer, files::names(selection));
    let is_plain = args.tail.is_none() && args.context == 0 && renderer.format == OutputFormat::Raw;
    if is_plain {
        let count = files::print_raw(selection, &EventFilter::new(selection), printer)?;
        if count == 0 && printer.has_reader() {
            printer.note("no event matches");
        }
        return Ok(());
    }
    // The reader of the files applies the condition.
    let filter = EventFilter { condition: None, ..EventFilter::new(selection) };
    let mut output = LogOutput::new(printer, renderer, filter, args);
    files::print(selection, &mut output)?;
    if printer.has_reader() {
        output.explain_no_match();
    }
    Ok(())
}

fn renderer(args: &cli::Logs, printer: &Printer, names: Vec<String>) -> Renderer {
    Renderer {
        format: match printer.format() {
            Format::Text => OutputFormat::Text,
            Format::Json => OutputFormat::Json,
            Format::Raw => OutputFormat::Raw,
        },
        utc: args.selection.utc,
        color: printer.colors_data(),
        names,
    }
}

async fn events(args: &cli::Logs, settings: &Settings, printer: &Printer) -> Result<()> {
    let target = crate::commands::target(settings)?;
    let selection = &args.selection;
    let LogSources { sources, poll_policy, run } = target.runs.logs(selection.run.as_deref()).await?;
    let sources = selected(sources, &selection.sources)?;
    let (since, until) = time_range(selection, run)?;
    let options = ReadOptions {
        since,
        until,
        follow: args.follow,
        pattern: selection.filter_pattern.clone(),
        poll_policy,
    };
    let renderer = renderer(args, printer, sources.iter().map(|source| source.name().to_owned()).collect());
    let mut output = LogOutput::new(printer, renderer, EventFilter::new(selection), args);

    let mut signals = Signals::listen()?;
    let (signal, ended) = (RefCell::new(None), RefCell::new(None));
    let stop = async {
        tokio::select! {
            biased;
            failure = signals.next() => *signal.borrow_mut() = Some(failure),
            () = stdout_closed(printer) => {}
        }
    };
    let finish = async {
        let Some(run) = run.filter(|_| args.follow) else { return std::future::pending().await };
        let end = follow::wait(&target, run.id).await;
        ended.replace(Some((run, end)));
    };
    let clock = || Utc::now().timestamp_millis();
    logs::read(&sources, options, clock, finish, stop, &mut output).await?;
    if let Some(failure) = signal.take() {
        return Err(failure);
    }
    if !printer.has_reader() {
        return Ok(());
    }
    output.explain_missing(&selection.sources);
    let Some((run, end)) = ended.take() else { return Ok(()) };
    follow::outcome(&format!("run {}", run.id), end?, None, Some(format!("covidctl runs show {}", run.id)))
}

/// Returns the sources with these names; without names, all but the database server.
fn selected(mut sources: Vec<Arc<dyn Source>>, typed: &[String]) -> Result<Vec<Arc<dyn Source>>> {
    let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
    if let Some(name) = typed.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Failure::usage(format!("there is no log source `{name}`"))
            .hint(format!("the sources are {}", names.join(", "))));
    }
    let is_default = |name: &str| typed.is_empty() && name != SERVER_SOURCE;
    sources.retain(|source| is_default(source.name()) || typed.iter().any(|name| name == source.name()));
    Ok(sources)
}

async fn stdout_closed(printer: &Printer) {
    while printer.has_reader() {
        tokio::time::sleep(PIPE_CHECK_INTERVAL).await;
    }
}
