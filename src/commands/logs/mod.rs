//! `covidctl logs`: what the sources say, merged, filtered and followed.
//!
//! Events go to standard output, one line each; everything else that there is to say goes to standard error.

mod screen;

use std::cell::RefCell;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use common::failure::{Exit, Failure, Result};

use self::screen::Screen;
use crate::cli::{self};
use crate::ops::follow;
use crate::printer::Printer;
use crate::settings::Format;
use crate::settings::Settings;
use crate::signals::Signals;
use logs::core::Plan;
use logs::event::Millis;
use logs::pick::Filter;
use logs::render::{Form, Renderer};
use logs::when::When;
use logs::{Logs, RunLog, driver};
use target::RunEnd;

/// How far back one looks who does not say.
const SINCE: When = When::Ago(Duration::from_mins(10));

/// How often the reader of standard output is looked after.
const PACE: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &cli::Logs, settings: &Settings, printer: &Printer) -> Result<()> {
    let target = crate::commands::target(settings)?;
    let Logs { sources, tempo, run } = target.runs.logs(args.run.as_deref()).await?;
    let names: Vec<String> = sources.iter().map(|source| source.name().to_owned()).collect();
    check_names(&args.sources, &names)?;
    let sources: Vec<_> = sources
        .into_iter()
        .filter(|source| args.sources.is_empty() || args.sources.iter().any(|name| name == source.name()))
        .collect();
    let (since, until) = times(args, run)?;
    let pattern = args.filter_pattern.clone();
    let plan = Plan { since, until, follow: args.follow, pattern, tempo };
    let renderer = Renderer {
        form: match printer.format() {
            Format::Text => Form::Text,
            Format::Json => Form::Json,
            Format::Raw => Form::Raw,
        },
        utc: args.utc,
        color: printer.colors_data(),
        names: sources.iter().map(|source| source.name().to_owned()).collect(),
    };
    let filter = Filter { grep: args.grep.clone(), exclude: args.exclude.clone() };
    let mut screen = Screen::new(printer, renderer, filter, args);

    let mut signals = Signals::listen()?;
    let (signal, ended) = (RefCell::new(None), RefCell::new(None));
    let stop = async {
        tokio::select! {
            biased;
            failure = signals.next() => *signal.borrow_mut() = Some(failure),
            () = reader_leaves(printer) => {}
        }
    };
    let finish = async {
        match run.filter(|_| args.follow) {
            Some(run) => {
                let code = follow::wait(&target, run.id).await;
                ended.replace(Some((run, code)));
            }
            None => std::future::pending().await,
        }
    };
    let clock = || Utc::now().timestamp_millis();
    driver::run(&sources, plan, clock, finish, stop, &mut screen).await?;
    if let Some(failure) = signal.take() {
        return Err(failure);
    }
    if !printer.has_reader() {
        return Ok(());
    }
    screen.say_what_is_missing(&args.sources);
    ended.take().map_or(Ok(()), |(run, code)| passed_on(run, code?))
}

fn check_names(typed: &[String], names: &[String]) -> Result<()> {
    match typed.iter().find(|name| !names.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::usage(format!("there is no log source `{name}`"))
            .hint(format!("the sources are {}", names.join(", ")))),
    }
}

/// The beginning and the end, by the clock of whoever asks.
fn times(args: &cli::Logs, run: Option<RunLog>) -> Result<(Millis, Option<Millis>)> {
    if args.utc { bounds(args, run, &Utc::now()) } else { bounds(args, run, &Local::now()) }
}

fn bounds<Z: chrono::TimeZone>(
    args: &cli::Logs,
    run: Option<RunLog>,
    now: &DateTime<Z>,
) -> Result<(Millis, Option<Millis>)> {
    let since = match (args.since, run) {
        (None, Some(run)) => run.from,
        (since, _) => since.unwrap_or(SINCE).since(now),
    };
    let until = args.until.map(|until| until.until(now, since));
    if until.is_some_and(|until| until <= since) {
        return Err(Failure::usage("the end (--until) is not after the beginning (--since)")
            .hint("without --since the last ten minutes are shown; name an earlier beginning"));
    }
    Ok((since, until))
}

async fn reader_leaves(printer: &Printer) {
    while printer.has_reader() {
        tokio::time::sleep(PACE).await;
    }
}

fn passed_on(run: RunLog, ended: RunEnd) -> Result<()> {
    if ended.code == 0 {
        return Ok(());
    }
    let failure = Failure::new(format!("run {} ended with code {}", run.id, ended.code));
    let failure = match ended.reason {
        Some(reason) => failure.source(reason),
        None => failure,
    };
    let hint = ended.hint.unwrap_or_else(|| format!("covidctl runs show {}", run.id));
    Err(failure.hint(hint).exit_code(Exit::Child(ended.code)))
}
