//! Brings the target up, starts jobs and stops runs.

use std::sync::Arc;
use std::time::Duration;

use common::env;
use common::failure::Result;
use target::{Job, Target};
use uuid::Uuid;

use super::Outbox;
use crate::ops;
use crate::tui::domain::JobKind;
use crate::tui::model::{Msg, UserError};
use crate::tui::text::short_id;

/// How long one call waits for the end of a run.
const RUN_POLL: Duration = Duration::from_secs(5);

pub(super) async fn bring_up(target: Target, outbox: Outbox) {
    let progress = Arc::new(outbox.clone());
    let result = async { ops::up::up(target.services()?, &target, progress, &mut |_| {}).await }.await;
    outbox.send(Msg::Step(None)).await;
    outbox.done(result.map(|()| format!("{} is up", target.location().target))).await;
}

/// Starts jobs one after the other until one fails. Started runs continue when the screens are left.
pub(super) async fn start(target: Target, outbox: Outbox, kinds: Vec<JobKind>, years: Option<String>) {
    if let Err(failure) = try_start(&target, &outbox, &kinds, years).await {
        outbox.send(Msg::Failed(failure.into())).await;
    }
}

async fn try_start(target: &Target, outbox: &Outbox, kinds: &[JobKind], years: Option<String>) -> Result<()> {
    let due = ops::pipeline::jobs_to_run(target, kinds).await?;
    if due.len() < kinds.len() {
        outbox.send(Msg::Done(ops::pipeline::DOWNLOAD_SKIPPED.to_owned())).await;
    }
    for kind in due {
        // A load that is followed by its report here must not trigger another one on AWS.
        let years = years.as_ref().filter(|_| kind == JobKind::Etl);
        let mut job = ops::pipeline::job(kind, kinds.len() > 1);
        if let Some(years) = years {
            job = job.with(env::YEARS, years);
        }
        if run(target, outbox, &job).await? != 0 {
            break;
        }
    }
    Ok(())
}

/// Runs a job, and returns its exit code.
async fn run(target: &Target, outbox: &Outbox, job: &Job) -> Result<u8> {
    // Keeps what the job needs alive if another process leaves.
    let _lease = target.databases.keep_alive().await?;
    let run = target.runs.start(job).await?;
    let name = format!("{} {}", job.kind, short_id(&run));
    outbox.send(Msg::RunStarted(run)).await;
    outbox.send(Msg::Done(format!("{name} started"))).await;
    loop {
        let Some(ended) = target.runs.wait(run, RUN_POLL).await? else { continue };
        let msg = if ended.code == 0 {
            Msg::Done(format!("{name} succeeded"))
        } else {
            let hint = "on the Runs screen, Enter shows the reason and l the log";
            Msg::Failed(UserError::new(format!("{name} failed with exit code {}", ended.code), hint))
        };
        outbox.send(msg).await;
        return Ok(ended.code);
    }
}

pub(super) async fn stop(target: Target, outbox: Outbox, run: Uuid) {
    let result = target.runs.stop(run).await;
    outbox.send(Msg::Step(None)).await;
    outbox.done(result.map(|()| format!("stopped run {}", short_id(&run)))).await;
}
