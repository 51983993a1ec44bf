//! `covidctl logs`: events of the log sources, merged, filtered and followed, on standard output; notices on standard error.

mod output;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use common::failure::{Failure, Result};

use self::output::LogOutput;
use crate::cli;
use crate::ops::follow;
use crate::printer::Printer;
use crate::settings::{Format, Settings};
use crate::signals::Signals;
use logs::{LineFilter, LogSources, Millis, OutputFormat, ReadOptions, Renderer, RunLog, Source, TimeArg};

/// Default of `--since`.
const DEFAULT_SINCE: TimeArg = TimeArg::Ago(Duration::from_mins(10));

/// How often standard output is checked for a closed pipe.
const PIPE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &cli::Logs, settings: &Settings, printer: &Printer) -> Result<()> {
    let target = crate::commands::target(settings)?;
    let LogSources { sources, poll_policy, run } = target.runs.logs(args.run.as_deref()).await?;
    let sources = selected(sources, &args.sources)?;
    let (since, until) = time_range(args, run)?;
    let options =
        ReadOptions { since, until, follow: args.follow, pattern: args.filter_pattern.clone(), poll_policy };
    let renderer = Renderer {
        format: match printer.format() {
            Format::Text => OutputFormat::Text,
            Format::Json => OutputFormat::Json,
            Format::Raw => OutputFormat::Raw,
        },
        utc: args.utc,
        color: printer.colors_data(),
        names: sources.iter().map(|source| source.name().to_owned()).collect(),
    };
    let filter = LineFilter { grep: args.grep.clone(), exclude: args.exclude.clone() };
    let mut output = LogOutput::new(printer, renderer, filter, args);

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
    output.explain_missing(&args.sources);
    let Some((run, end)) = ended.take() else { return Ok(()) };
    follow::outcome(&format!("run {}", run.id), end?, None, Some(format!("covidctl runs show {}", run.id)))
}

/// Returns the sources with these names, or all if there are none.
fn selected(mut sources: Vec<Arc<dyn Source>>, typed: &[String]) -> Result<Vec<Arc<dyn Source>>> {
    let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
    if let Some(name) = typed.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Failure::usage(format!("there is no log source `{name}`"))
            .hint(format!("the sources are {}", names.join(", "))));
    }
    sources.retain(|source| typed.is_empty() || typed.iter().any(|name| name == source.name()));
    Ok(sources)
}

/// Resolves `--since` and `--until`.
fn time_range(args: &cli::Logs, run: Option<RunLog>) -> Result<(Millis, Option<Millis>)> {
    if args.utc { bounds(args, run, &Utc::now()) } else { bounds(args, run, &Local::now()) }
}

fn bounds<Z: chrono::TimeZone>(
    args: &cli::Logs,
    run: Option<RunLog>,
    now: &DateTime<Z>,
) -> Result<(Millis, Option<Millis>)> {
    let since = match (args.since, run) {
        (None, Some(run)) => run.from,
        (since, _) => since.unwrap_or(DEFAULT_SINCE).since(now),
    };
    let until = args.until.map(|until| until.until(now, since));
    if until.is_some_and(|until| until <= since) {
        return Err(Failure::usage("the end (--until) is not after the start (--since)")
            .hint("--since defaults to 10m; set an earlier start"));
    }
    Ok((since, until))
}

async fn stdout_closed(printer: &Printer) {
    while printer.has_reader() {
        tokio::time::sleep(PIPE_CHECK_INTERVAL).await;
    }
}
