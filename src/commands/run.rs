//! `covidctl run`: starts a job, follows its log, and exits with its exit code.
//!
//! Ctrl-C detaches: the job goes on, and the hint names the commands that follow and stop it.

use common::env;
use common::failure::{Exit, Failure, Result};
use common::text;
use serde_json::json;
use uuid::Uuid;

use super::runs;
use crate::cli::{PIPELINE, Run};
use crate::notify;
use crate::ops::follow::Following;
use crate::ops::pipeline;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use logs::LogLine;
use target::{Job, JobKind, Target};

pub(super) async fn run(args: &Run, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("run a job")?;
    let target = super::target(settings)?;
    let kinds = pipeline::kinds(&target, &args.job)?;
    if args.no_wait && kinds.len() > 1 {
        return Err(Failure::usage("`run pipeline` waits between its jobs")
            .hint("remove --no-wait, or run one job at a time"));
    }
    let _keep_alive = target.databases.keep_alive().await?;
    let jobs = pipeline::jobs_to_run(&target, &kinds).await?;
    if jobs.len() < kinds.len() {
        printer.note(pipeline::DOWNLOAD_SKIPPED);
    }
    if args.no_wait {
        let run = target.runs.start(&job(&kinds[0], args)).await?;
        return show_id(run, printer);
    }
    let (mut started, mut running) = (Vec::new(), None);
    let all = async {
        // Before the id of the run is printed: its reader may send a signal at once.
        let mut signals = Signals::listen()?;
        for kind in &jobs {
            let following = Following::start(&target, &job(kind, args)).await?;
            started.push(following.run);
            running = Some(following.run);
            if let Some(detached) = follow(&target, following, &mut signals, printer).await? {
                return Ok(Some(detached));
            }
            running = None;
        }
        Ok(None)
    };
    let ended = match args.timeout {
        None => all.await,
        Some(limit) => match tokio::time::timeout(limit, all).await {
            Ok(ended) => ended,
            Err(_) => Err(stopped(&target, running, limit).await?),
        },
    };
    if let Ok(Some(detached)) = ended {
        return Err(detached);
    }
    let result = if ended.is_ok() { "succeeded" } else { "failed" };
    if let Err(failure) = notify::give(&settings.notify, &format!("run {} {result}", jobs_text(&kinds))).await
    {
        printer.note(&failure.to_string());
    }
    match (kinds.as_slice(), started.as_slice()) {
        (_, []) => {}
        // Downloads are recorded in storage alone.
        ([JobKind::Download], [run]) => show_id(*run, printer)?,
        // The runs are printed even if the last one failed.
        _ => {
            let mut recorded = Vec::new();
            for run in started {
                // A job that failed before it was recorded, and downloads on some targets, cannot be found.
                recorded.extend(target.runs.find(&run.to_string()).await.ok());
            }
            runs::show(&recorded, printer)?;
        }
    }
    ended.map(drop)
}

/// Names the jobs of a run for a notice.
fn jobs_text(kinds: &[JobKind]) -> String {
    match kinds {
        [kind] => kind.to_string(),
        _ => "pipeline".to_owned(),
    }
}

fn show_id(run: Uuid, printer: &Printer) -> Result<()> {
    printer.show_as(&json!({ "run_id": run }), |_| run.to_string())
}

/// Prints the log of a run to its end. If a signal arrives first, the run goes on, and the error to exit with is returned.
pub(super) async fn follow(
    target: &Target,
    following: Following,
    signals: &mut Signals,
    printer: &Printer,
) -> Result<Option<Failure>> {
    let run = following.run;
    printer.note(&format!("run {run} ({})", following.kind));
    let mut show = |line: &LogLine| printer.log(line);
    tokio::select! {
        biased;
        ended = following.to_end(target, &mut show) => ended.map(|()| None),
        failure = signals.next() => Ok(Some(detached(&failure, run))),
    }
}

fn job(kind: &JobKind, args: &Run) -> Job {
    let mut job = pipeline::job(kind.clone(), args.job == PIPELINE);
    job.allow_concurrent = args.allow_concurrent;
    if *kind == JobKind::Etl {
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

/// Stops what runs after a time-out, and returns the error. A job that is being started may go on.
async fn stopped(target: &Target, run: Option<Uuid>, limit: std::time::Duration) -> Result<Failure> {
    let limit = text::span(chrono::TimeDelta::from_std(limit).unwrap_or(chrono::TimeDelta::MAX));
    let failure = match run {
        Some(run) => {
            target.runs.stop(run).await?;
            Failure::new(format!("the job did not end within {limit}; it was asked to stop"))
                .hint("set a larger --timeout, or none")
        }
        None => Failure::new(format!("the job did not start within {limit}"))
            .hint("`covidctl status` shows whether it runs; set a larger --timeout, or none"),
    };
    Ok(failure.exit_code(Exit::Timeout))
}
