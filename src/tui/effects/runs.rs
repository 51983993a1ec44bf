//! Brings the target up, starts jobs and stops runs.

use std::sync::Arc;
use std::time::Duration;

use common::env;
use common::failure::Result;
use uuid::Uuid;

use super::outbox::Outbox;
use crate::backend::{Backend, Job};
use crate::ops;
use crate::tui::domain::JobKind;
use crate::tui::msg::Msg;
use crate::tui::text::short_id;

/// How long one call waits for the end of a run.
const RUN_POLL: Duration = Duration::from_secs(5);

pub(super) async fn bring_up(backend: Arc<dyn Backend>, outbox: Outbox) {
    let result = ops::up::up(backend.as_ref(), Arc::new(outbox.clone()), &mut |_| {}).await;
    outbox.send(Msg::Step { text: None }).await;
    outbox.done(result.map(|()| format!("{} is up", backend.place().target))).await;
}

/// Starts jobs one after the other until one fails. Started runs continue when the screens are left.
pub(super) async fn start(
    backend: Arc<dyn Backend>,
    outbox: Outbox,
    kinds: Vec<JobKind>,
    years: Option<String>,
) {
    if let Err(failure) = try_start(backend.as_ref(), &outbox, &kinds, years).await {
        outbox.failed(failure).await;
    }
}

async fn try_start(
    backend: &dyn Backend,
    outbox: &Outbox,
    kinds: &[JobKind],
    years: Option<String>,
) -> Result<()> {
    let due = ops::pipeline::due(backend, kinds).await?;
    if due.len() < kinds.len() {
        outbox.send(Msg::Done { text: ops::pipeline::KEPT.to_owned() }).await;
    }
    for kind in due {
        // A load that is followed by its report here must not trigger another one on AWS.
        let mut job = ops::pipeline::job(kind, kinds.len() > 1);
        if let Some(years) = years.as_ref().filter(|_| kind == JobKind::Etl) {
            job = job.with(env::YEARS, years);
        }
        if run(backend, outbox, &job).await? != 0 {
            break;
        }
    }
    Ok(())
}

/// Runs a job, and returns its exit code.
async fn run(backend: &dyn Backend, outbox: &Outbox, job: &Job) -> Result<u8> {
    let kind = job.kind;
    // Keeps what the job needs alive if another process leaves.
    let _lease = backend.keep().await?;
    let run = backend.start(job).await?;
    outbox.send(Msg::RunStarted { run, kind }).await;
    loop {
        if let Some(ended) = backend.wait(run, RUN_POLL).await? {
            outbox.send(Msg::RunEnded { run, kind, code: ended.code }).await;
            return Ok(ended.code);
        }
    }
}

pub(super) async fn stop(backend: Arc<dyn Backend>, outbox: Outbox, run: Uuid) {
    let result = backend.stop(run).await;
    outbox.send(Msg::Step { text: None }).await;
    outbox.done(result.map(|()| format!("stopped run {}", short_id(&run)))).await;
}
