//! `covidctl run`: starts a job, shows its log while it is written, and ends with its exit code.
//!
//! Ctrl-C leaves the job alone and says how to look at it and how to stop it: the job may be somebody's nightly load, and the
//! terminal is only a window onto it.

use common::env;
use common::failure::{Exit, Failure, Result};
use serde::Serialize;
use uuid::Uuid;

use super::runs::RunTable;
use crate::cli::{JobName, Run};
use crate::ops::follow::Following;
use crate::ops::pipeline;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use common::text;
use logs::log_line::LogLine;
use target::{Job, JobKind, Target};

#[derive(Debug, Serialize)]
struct Started {
    run_id: Uuid,
}

impl std::fmt::Display for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.run_id.fmt(f)
    }
}

pub(super) async fn run(args: &Run, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("run a job")?;
    let kinds: &[JobKind] = match args.job {
        JobName::Download => &[JobKind::Download],
        JobName::Etl => &[JobKind::Etl],
        JobName::Report => &[JobKind::Report],
        JobName::Pipeline => &pipeline::WHOLE,
    };
    if args.no_wait && kinds.len() > 1 {
        return Err(Failure::usage("`run pipeline` has to wait between its jobs")
            .hint("leave out --no-wait, or run one job at a time"));
    }
    let target = super::target(settings)?;
    // Whoever else leaves meanwhile, what a job needs here stays.
    let _kept = target.databases.keep_alive().await?;
    let due = pipeline::due(&target, kinds).await?;
    if due.len() < kinds.len() {
        printer.say(pipeline::KEPT);
    }
    let mut started = Vec::new();
    let all = run_all(&target, &due, args, &mut started, printer);
    let result = match args.timeout {
        None => all.await,
        Some(limit) => match tokio::time::timeout(limit, all).await {
            Ok(result) => result,
            Err(_) => Err(stopped(&target, started.last().copied(), limit).await?),
        },
    };
    if matches!(result, Ok(Way::Left)) {
        return Ok(());
    }
    if let Ok(Way::Detached(failure)) = result {
        return Err(failure);
    }
    if let ([JobKind::Download], [run]) = (kinds, started.as_slice()) {
        // Its record is in the store: it knows no database.
        printer.show(&Started { run_id: *run })?;
        return result.map(drop);
    }
    if started.is_empty() {
        return result.map(drop);
    }
    // What is known about the runs is data, also when the last one failed.
    let mut runs = Vec::new();
    for run in started {
        // A job that failed before it could say anything left no trace, and not every place lists downloads.
        runs.extend(target.runs.find(&run.to_string()).await.ok());
    }
    printer.show(&RunTable(runs))?;
    result.map(drop)
}

/// How we part from the runs, where nothing failed.
pub(super) enum Way {
    /// They have ended.
    Ended,
    /// Nobody wanted to wait.
    Left,
    /// A signal came; the run goes on.
    Detached(Failure),
}

async fn run_all(
    target: &Target,
    kinds: &[JobKind],
    args: &Run,
    started: &mut Vec<Uuid>,
    printer: &Printer,
) -> Result<Way> {
    // Whoever reads the next line may send a signal at once.
    let mut signals = Signals::listen()?;
    for kind in kinds {
        let following = Following::start(target, &job(*kind, args)).await?;
        let run = following.run();
        started.push(run);
        if args.no_wait {
            printer.show(&Started { run_id: run })?;
            return Ok(Way::Left);
        }
        if let way @ Way::Detached(_) = follow(target, following, &mut signals, printer).await? {
            return Ok(way);
        }
    }
    Ok(Way::Ended)
}

/// Shows the log of a run until the run ends or a signal comes.
pub(super) async fn follow(
    target: &Target,
    following: Following,
    signals: &mut Signals,
    printer: &Printer,
) -> Result<Way> {
    let run = following.run();
    printer.say(&format!("run {run} ({})", following.kind()));
    let mut show = |line: &LogLine| printer.log(line);
    tokio::select! {
        biased;
        ended = following.to_end(target, &mut show) => ended.map(|()| Way::Ended),
        failure = signals.next() => Ok(Way::Detached(detached(&failure, run))),
    }
}

fn job(kind: JobKind, args: &Run) -> Job {
    let mut job = pipeline::job(kind, args.job == JobName::Pipeline);
    job.allow_concurrent = args.allow_concurrent;
    if kind == JobKind::Etl {
        if let Some(years) = &args.years {
            job = job.with(env::YEARS, years);
        }
        if args.force {
            job = job.with(env::FORCE, "true");
        }
        if args.accept_anomalies {
            job = job.with(env::ACCEPT_ANOMALIES, "true");
        }
    }
    // Last, so that it wins.
    job.environment.extend(args.env.iter().cloned());
    job
}

fn detached(signal: &Failure, run: Uuid) -> Failure {
    Failure::new(format!("{signal}; run {run} goes on"))
        .hint(format!("covidctl logs --run {run} --follow    (to stop it: covidctl stop {run})"))
        .exit_code(signal.exit())
}

async fn stopped(target: &Target, run: Option<Uuid>, limit: std::time::Duration) -> Result<Failure> {
    if let Some(run) = run {
        target.runs.stop(run).await?;
    }
    let limit = text::span(chrono::TimeDelta::from_std(limit).unwrap_or(chrono::TimeDelta::MAX));
    Ok(Failure::new(format!("the job did not end within {limit} and was stopped"))
        .hint("give it more time with --timeout, or none to wait for ever")
        .exit_code(Exit::Timeout))
}
