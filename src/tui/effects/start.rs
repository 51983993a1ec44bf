//! What changes something: bring up, start, stop.

use std::sync::Arc;
use std::time::Duration;

use common::env;
use common::failure::Result;
use uuid::Uuid;

use super::{Answers, Steps, send};
use crate::ops;
use crate::tui::msg::{Msg, Trouble};
use target::{Job, JobKind, Target};

/// How long one look for the end of a run waits.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn up(target: Target, to: Answers) {
    let steps = Arc::new(Steps(to.clone()));
    let result = async { ops::up::up(target.services()?, &target, steps, &mut |_| {}).await }.await;
    let place = target.location();
    finish(&to, result.map(|()| format!("{} is up", place.target))).await;
}

/// Starts the jobs one after the other. They go on when the screens are left.
pub(super) async fn start(target: Target, to: Answers, kinds: Vec<JobKind>, years: Option<String>) {
    let due = match ops::pipeline::jobs_to_run(&target, &kinds).await {
        Ok(due) => due,
        Err(failure) => return send(&to, Msg::Failed { trouble: Trouble::from(failure) }).await,
    };
    if due.len() < kinds.len() {
        send(&to, Msg::Done { text: ops::pipeline::DOWNLOAD_SKIPPED.to_owned() }).await;
    }
    for kind in due {
        // Whoever starts more than one starts the report, too: the cloud must not do it again.
        let mut job = ops::pipeline::job(kind, kinds.len() > 1);
        if let Some(years) = years.as_ref().filter(|_| kind == JobKind::Etl) {
            job = job.with(env::YEARS, years);
        }
        match one(&target, &to, job).await {
            Ok((run, code)) => {
                send(&to, Msg::Ended { run, kind, code }).await;
                if code != 0 {
                    return;
                }
            }
            Err(failure) => return send(&to, Msg::Failed { trouble: Trouble::from(failure) }).await,
        }
    }
}

async fn one(target: &Target, to: &Answers, job: Job) -> Result<(Uuid, u8)> {
    let kind = job.kind;
    // Whoever else leaves meanwhile, what a job needs here stays.
    let _kept = target.databases.keep_alive().await?;
    let run = target.runs.start(&job).await?;
    send(to, Msg::Started { run, kind }).await;
    loop {
        if let Some(ended) = target.runs.wait(run, PATIENCE).await? {
            return Ok((run, ended.code));
        }
    }
}

pub(super) async fn stop(target: Target, to: Answers, run: Uuid) {
    let short: String = run.to_string().chars().take(8).collect();
    finish(&to, target.runs.stop(run).await.map(|()| format!("run {short} was stopped"))).await;
}

async fn finish(to: &Answers, result: Result<String>) {
    send(to, Msg::Step { text: None }).await;
    let msg = match result {
        Ok(text) => Msg::Done { text },
        Err(failure) => Msg::Failed { trouble: Trouble::from(failure) },
    };
    send(to, msg).await;
}
