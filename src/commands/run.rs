//! `covidctl run`: starts a job, follows its log, and exits with its exit code.
//!
//! Ctrl-C detaches: the job goes on, and the hint names the commands that follow and stop it.

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
use logs::LogLine;
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
        JobName::Pipeline => &pipeline::FULL_PIPELINE,
    };
    if args.no_wait && kinds.len() > 1 {
        return Err(Failure::usage("`run pipeline` waits between its jobs")
            .hint("remove --no-wait, or run one job at a time"));
    }
    let target = super::target(settings)?;
    let _keep_alive = target.databases.keep_alive().await?;
    let jobs = pipeline::jobs_to_run(&target, kinds).await?;
    if jobs.len() < kinds.len() {
        printer.note(pipeline::DOWNLOAD_SKIPPED);
    }
    let mut started = Vec::new();
    let all = run_all(&target, &jobs, args, &mut started, printer);
    let result = match args.timeout {
        None => all.await,
        Some(limit) => match tokio::time::timeout(limit, all).await {
            Ok(result) => result,
            Err(_) => Err(stopped(&target, started.last().copied(), limit).await?),
        },
    };
    if matches!(result, Ok(FollowEnd::NotFollowed)) {
        return Ok(());
    }
    if let Ok(FollowEnd::Detached(failure)) = result {
        return Err(failure);
    }
    if let ([JobKind::Download], [run]) = (kinds, started.as_slice()) {
        // Downloads are recorded in storage alone.
        printer.show(&Started { run_id: *run })?;
        return result.map(drop);
    }
    if started.is_empty() {
        return result.map(drop);
    }
    // The runs are printed even if the last one failed.
    let mut runs = Vec::new();
    for run in started {
        // A job that failed before it was recorded, and downloads on some targets, cannot be found.
        runs.extend(target.runs.find(&run.to_string()).await.ok());
    }
    printer.show(&RunTable(runs))?;
    result.map(drop)
}

/// How following a run ended without an error.
pub(super) enum FollowEnd {
    /// The run ended.
    Ended,
    /// `--no-wait` was set.
    NotFollowed,
    /// A signal arrived; the run goes on.
    Detached(Failure),
}

async fn run_all(
    target: &Target,
    kinds: &[JobKind],
    args: &Run,
    started: &mut Vec<Uuid>,
    printer: &Printer,
) -> Result<FollowEnd> {
    // Before the id of the run is printed: its reader may send a signal at once.
    let mut signals = Signals::listen()?;
    for kind in kinds {
        let following = Following::start(target, &job(*kind, args)).await?;
        let run = following.run();
        started.push(run);
        if args.no_wait {
            printer.show(&Started { run_id: run })?;
            return Ok(FollowEnd::NotFollowed);
        }
        if let end @ FollowEnd::Detached(_) = follow(target, following, &mut signals, printer).await? {
            return Ok(end);
        }
    }
    Ok(FollowEnd::Ended)
}

/// Prints the log of a run until the run ends or a signal arrives.
pub(super) async fn follow(
    target: &Target,
    following: Following,
    signals: &mut Signals,
    printer: &Printer,
) -> Result<FollowEnd> {
    let run = following.run();
    printer.note(&format!("run {run} ({})", following.kind()));
    let mut show = |line: &LogLine| printer.log(line);
    tokio::select! {
        biased;
        ended = following.to_end(target, &mut show) => ended.map(|()| FollowEnd::Ended),
        failure = signals.next() => Ok(FollowEnd::Detached(detached(&failure, run))),
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
    // Last, so that it overrides the others.
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
        .hint("set a larger --timeout, or none")
        .exit_code(Exit::Timeout))
}
