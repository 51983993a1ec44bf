//! What every target does: up, status, load, follow, history, report, logs, refused loads, rollback, stop, down.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use covidctl::db;
use covidctl::db::releases::{self, ReleaseState};
use covidctl::ops::follow::{self, Following};
use covidctl::ops::{datasets, reports};
use logs::{LogSink, LogSources, MergedEvent, Notice, ReadOptions};
use target::{ComponentState, DataRetention, DatabaseAccess, Job, JobKind, Progress, Run, Target};

/// A target, ready to be brought up, with datasets in its store once it is.
#[async_trait(?Send)]
pub(crate) trait Stage {
    fn target(&self) -> Target;

    /// Brings it up.
    async fn up(&self, progress: Arc<dyn Progress>) {
        self.target().services().unwrap().up(progress).await.unwrap();
    }

    /// Takes it down; the data stay.
    async fn down(&self, progress: Arc<dyn Progress>) {
        self.target().services().unwrap().down(DataRetention::Keep, progress).await.unwrap();
    }

    /// Puts datasets into the store of a target that is up.
    async fn fill(&self);

    /// Replaces the datasets by others with a tenth of the rows; returns false if the target has no publish gate.
    async fn fill_with_fewer_rows(&self) -> bool;

    /// From now on a load cannot end, for as long as the value lives.
    async fn block(&self) -> Box<dyn Any + Send>;
}

/// Remembers what it was told.
#[derive(Default)]
struct Steps(Mutex<Vec<String>>);

impl Progress for Steps {
    fn step(&self, step: &str) {
        self.0.lock().unwrap().push(step.to_owned());
    }
}

pub(crate) async fn run(stage: &dyn Stage) {
    let target = &stage.target();
    let steps = Arc::new(Steps::default());
    stage.up(Arc::clone(&steps) as Arc<dyn Progress>).await;
    // The second time there is nothing to do.
    stage.up(Arc::clone(&steps) as Arc<dyn Progress>).await;
    stage.fill().await;
    looks_well(target).await;

    let load = load_and_follow(target).await;
    let report = report(target).await;
    let newest = target.runs.history(10).await.unwrap();
    let ids: Vec<_> = newest.iter().map(|run| run.run_id).collect();
    assert_eq!(ids, [report.run_id, load.run_id], "the newest first");
    logs(target, &load).await;
    refuses(target).await;
    if stage.fill_with_fewer_rows().await {
        refuses_anomalies(target, &load).await;
        rolls_back(target, &load).await;
    }
    stops(stage).await;

    let ready = async || {
        let parts = target.components.list().await.unwrap();
        parts.iter().filter(|part| part.state == ComponentState::Ready).count()
    };
    let before = ready().await;
    stage.down(steps).await;
    let after = ready().await;
    assert!(after < before, "as much of it is ready as before: {after}");
}

async fn looks_well(target: &Target) {
    let place = target.components.identify().await.unwrap();
    assert!(!place.target.is_empty() && !place.location.is_empty(), "{place}");
    let parts = target.components.list().await.unwrap();
    assert!(parts.iter().any(|part| part.state == ComponentState::Ready), "{parts:?}");
    assert!(!parts.iter().any(|part| part.state == ComponentState::Failed), "{parts:?}");
    assert!(target.runs.active().await.unwrap().is_empty());
    let found = datasets::list(&target.storage.datasets().await.unwrap()).await.unwrap();
    assert!(!found.is_empty());
}

fn job(kind: JobKind) -> Job {
    // Another process of the same machine may say it otherwise.
    Job::new(kind).with(common::env::STARTED_BY, "ana@home").with(common::env::YEARS, "all")
}

async fn follow(target: &Target, kind: JobKind) -> (Run, Vec<String>) {
    let following = Following::start(target, &job(kind.clone())).await.unwrap();
    let id = following.run;
    let mut lines = Vec::new();
    following.to_end(target, &mut |line| lines.push(line.message.clone())).await.unwrap();
    let run = target.runs.find(&id.to_string()[..13]).await.unwrap();
    assert_eq!(
        (run.run_id, run.kind.as_str()),
        (id, kind.to_string().as_str()),
        "by the beginning of its id"
    );
    assert_eq!(run.status, "succeeded", "{run:?}");
    assert!(run.finished_at.unwrap() >= run.started_at, "{run:?}");
    (run, lines)
}

async fn load_and_follow(target: &Target) -> Run {
    let (run, lines) = follow(target, JobKind::Etl).await;
    assert!(lines.iter().any(|line| line.starts_with("run started")), "{lines:?}");
    assert!(
        lines.last().is_some_and(|line| line.starts_with("run succeeded")),
        "its last line is shown: {lines:?}"
    );
    let (read, rest) = (run.rows_read, [run.rows_filtered, run.rows_loaded, run.rows_rejected]);
    assert_eq!(read, rest.into_iter().sum(), "{run:?}");
    assert!(read > Some(0), "{run:?}");
    run
}

async fn report(target: &Target) -> Run {
    let (run, _) = follow(target, JobKind::Report).await;
    let store = target.storage.reports().await.unwrap();
    let listed = reports::list(&store).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let latest = reports::find(&store, reports::LATEST).await.unwrap();
    assert!(latest.ends_with(&run.run_id.to_string()), "{latest}");
    assert!(reports::text(&store, &latest).await.unwrap().len() > 100);
    run
}

/// Collects what it is shown.
#[derive(Default)]
struct Notebook(Vec<MergedEvent>);

impl LogSink for Notebook {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        self.0.extend(events);
        ControlFlow::Continue(())
    }

    fn notice(&mut self, _: Notice) {}
}

async fn logs(target: &Target, load: &Run) {
    let names: Vec<String> =
        target.runs.logs(None).await.unwrap().sources.iter().map(|source| source.name().to_owned()).collect();
    for name in ["etl", "report"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    let LogSources { sources, poll_policy, run } =
        target.runs.logs(Some(&load.run_id.to_string())).await.unwrap();
    let run = run.unwrap();
    assert_eq!(run.id, load.run_id);
    let options = ReadOptions { since: run.from, until: None, follow: false, pattern: None, poll_policy };
    let mut notebook = Notebook::default();
    let (clock, never) = (|| Utc::now().timestamp_millis(), std::future::pending());
    logs::read(&sources, options, clock, never, std::future::pending(), &mut notebook).await.unwrap();
    let ends = notebook.0.iter().filter(|shown| shown.event.message.contains("run succeeded")).count();
    assert_eq!(ends, 1, "the whole log, once");
}

async fn refuses(target: &Target) {
    for typed in ["ffffffff", "no-id", ""] {
        let failure = target.runs.find(typed).await.unwrap_err();
        assert!(failure.hint_text().is_some(), "{failure}");
    }
    let failure = target.runs.stop(uuid::Uuid::nil()).await.unwrap_err();
    assert!(failure.to_string().contains("not in progress"), "{failure}");
}

/// The load that is published, as the database has it.
async fn published(target: &Target) -> Run {
    let database = target.databases.database(DatabaseAccess::READ).await.unwrap();
    db::runs::published(&mut db::connect(&database).await.unwrap()).await.unwrap().unwrap()
}

async fn refuses_anomalies(target: &Target, load: &Run) {
    let following = Following::start(target, &job(JobKind::Etl)).await.unwrap();
    let id = following.run;
    let failure = following.to_end(target, &mut |_| {}).await.unwrap_err();
    assert_eq!(failure.exit().code(), 1, "{failure}");
    let refused = target.runs.find(&id.to_string()).await.unwrap();
    assert_eq!(refused.status, "failed");
    for text in [failure.to_string(), refused.error.unwrap()] {
        assert!(text.contains("refused") && text.contains("--accept-anomalies"), "{text}");
    }
    assert_eq!(published(target).await.run_id, load.run_id, "what was published stays");
    let database = target.databases.database(DatabaseAccess::READ).await.unwrap();
    let mut session = db::connect(&database).await.unwrap();
    let checks = db::checks::of_run(&mut session, id).await.unwrap();
    assert!(checks[0].is_anomaly() && checks.iter().any(|check| check.outcome == "passed"), "{checks:?}");
    assert_eq!(db::runs::refused(&mut session).await.unwrap().map(|run| run.run_id), Some(id));
}

async fn rolls_back(target: &Target, load: &Run) {
    let accepted = job(JobKind::Etl).with(common::env::ACCEPT_ANOMALIES, "true");
    let following = Following::start(target, &accepted).await.unwrap();
    let id = following.run;
    following.to_end(target, &mut |_| {}).await.unwrap();
    assert_eq!(published(target).await.run_id, id);
    let database = target.databases.database(DatabaseAccess::READ).await.unwrap();
    let mut session = db::connect(&database).await.unwrap();
    assert!(db::runs::refused(&mut session).await.unwrap().is_none(), "a load has published since");

    let (run, lines) = follow(target, JobKind::Rollback).await;
    assert!(lines.iter().any(|line| line.starts_with("rolled back")), "{lines:?}");
    assert_eq!(run.dataset_updated_on, load.dataset_updated_on);
    assert_eq!(published(target).await.run_id, load.run_id);
    let states: Vec<ReleaseState> =
        releases::list(&mut session, 2).await.unwrap().iter().map(|release| release.state).collect();
    assert_eq!(states, [ReleaseState::RolledBack, ReleaseState::Published]);

    // The same files are not loaded again.
    let following = Following::start(target, &job(JobKind::Etl)).await.unwrap();
    let id = following.run;
    following.to_end(target, &mut |_| {}).await.unwrap();
    assert_eq!(target.runs.find(&id.to_string()).await.unwrap().status, "skipped");
}

async fn stops(stage: &dyn Stage) {
    let target = &stage.target();
    let blocked = stage.block().await;
    let forced = job(JobKind::Etl).with(common::env::FORCE, "true");
    let run = target.runs.start(&forced).await.unwrap();
    let active = target.runs.active().await.unwrap();
    assert_eq!(
        active.iter().map(|active| (active.run, active.kind.clone())).collect::<Vec<_>>(),
        [(run, JobKind::Etl)]
    );
    let double = target.runs.start(&forced).await.unwrap_err();
    assert_eq!(double.exit().code(), 125);
    assert!(double.to_string().contains(&run.to_string()), "{double}");
    let rollback = target.runs.start(&job(JobKind::Rollback)).await.unwrap_err();
    assert_eq!(rollback.exit().code(), 125, "{rollback}");

    // One that is stopped before it has written itself down leaves no trace.
    while target.runs.find(&run.to_string()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    target.runs.stop(run).await.unwrap();
    let ended = follow::wait(target, run).await.unwrap();
    assert_eq!(ended.code, 143, "{ended:?}");
    drop(blocked);
    assert!(target.runs.active().await.unwrap().is_empty());
    let found = target.runs.find(&run.to_string()).await.unwrap();
    assert_eq!(found.status, "failed", "{found:?}");
}

/// What every target does with a job whose program knows nothing of this project: follow, history, logs, double runs, stop.
pub(crate) async fn operates_described_job(target: &Target, kind: &JobKind, last_line: &str) {
    let job = |wait: bool| {
        let job = Job::new(kind.clone());
        if wait { job.with("WAIT", "1") } else { job }
    };
    assert!(target.runs.jobs().contains(kind));
    let following = Following::start(target, &job(false)).await.unwrap();
    let id = following.run;
    let mut lines = Vec::new();
    following.to_end(target, &mut |line| lines.push(line.message.clone())).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.as_str() == last_line).count(), 1, "{lines:?}");
    let run = target.runs.find(&id.to_string()[..13]).await.unwrap();
    assert_eq!((run.run_id, run.status.as_str(), run.exit_code), (id, "succeeded", Some(0)), "{run:?}");
    let newest = target.runs.history(10).await.unwrap();
    assert_eq!(newest.iter().map(|run| run.run_id).collect::<Vec<_>>(), [id], "{newest:?}");
    let LogSources { sources, run, .. } = target.runs.logs(Some(&id.to_string())).await.unwrap();
    assert_eq!((sources.len(), run.unwrap().id), (1, id));
    refuses(target).await;

    let waiting = target.runs.start(&job(true)).await.unwrap();
    let active = target.runs.active().await.unwrap();
    assert_eq!(active.iter().map(|active| active.run).collect::<Vec<_>>(), [waiting]);
    let double = target.runs.start(&job(false)).await.unwrap_err();
    assert_eq!(double.exit().code(), 125);
    target.runs.stop(waiting).await.unwrap();
    let ended = follow::wait(target, waiting).await.unwrap();
    assert_eq!(ended.code, 143, "{ended:?}");
    assert!(target.runs.active().await.unwrap().is_empty());
    assert_eq!(target.runs.find(&waiting.to_string()).await.unwrap().status, "failed");
}
