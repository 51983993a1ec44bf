//! A target in memory: the least that fulfils the capabilities.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Exit, Failure, Result};
use etl::store::Store;
use logs::{Event, LogSources, PageRequest, PageResponse, PollPolicy, RunLog, Source};
use target::{
    ActiveRun, Check, CheckSink, Component, ComponentState, Components, DataRetention, Database,
    DatabaseAccess, Databases, DoctorContext, Job, JobKind, Location, Progress, Run, RunEnd, Runs, Services,
    Storage, Target,
};
use uuid::Uuid;

/// A run of the fake's.
#[derive(Clone)]
struct Fake {
    id: Uuid,
    kind: JobKind,
    started_at: DateTime<Utc>,
    code: Option<u8>,
}

type Shared = Arc<Mutex<Vec<Fake>>>;

struct Memory {
    runs: Shared,
    up: AtomicBool,
    blocked: Arc<AtomicBool>,
    store: Store,
}

pub(crate) struct Stage(Arc<Memory>);

impl Stage {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Memory {
            runs: Arc::default(),
            up: AtomicBool::new(false),
            blocked: Arc::default(),
            store: Store::in_memory(),
        }))
    }
}

impl Memory {
    fn runs(&self) -> MutexGuard<'_, Vec<Fake>> {
        self.runs.lock().unwrap()
    }
}

/// Lets loads go on when it is gone.
struct Blocked(Arc<AtomicBool>);

impl Drop for Blocked {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[async_trait(?Send)]
impl super::end_to_end::Stage for Stage {
    fn target(&self) -> Target {
        Target { services: Some(Arc::clone(&self.0) as _), ..Target::of(Arc::clone(&self.0)) }
    }

    async fn fill(&self) {
        self.0.store.put(&"provincias.csv".into(), "id,nombre\n").await.unwrap();
    }

    async fn fill_with_fewer_rows(&self) -> bool {
        // It has no database, and so no publish gate.
        false
    }

    async fn block(&self) -> Box<dyn Any + Send> {
        self.0.blocked.store(true, Ordering::SeqCst);
        Box::new(Blocked(Arc::clone(&self.0.blocked)))
    }
}

impl Fake {
    fn run(&self) -> Run {
        let begun = Run::begun(self.id, &self.kind.to_string(), self.started_at);
        let Some(code) = self.code else { return begun };
        let loads = (code == 0 && self.kind == JobKind::Etl).then_some(3);
        Run {
            status: if code == 0 { "succeeded" } else { "failed" }.to_owned(),
            finished_at: Some(Utc::now()),
            exit_code: Some(code),
            rows_read: loads,
            rows_filtered: loads.map(|_| 0),
            rows_loaded: loads,
            rows_rejected: loads.map(|_| 0),
            ..begun
        }
    }
}

/// The log of one run, or of all of a kind.
struct Log {
    runs: Shared,
    kind: JobKind,
    only: Option<Uuid>,
}

#[async_trait]
impl Source for Log {
    fn name(&self) -> &str {
        if self.kind == JobKind::Report { "report" } else { "etl" }
    }

    async fn page(&self, request: &PageRequest) -> Result<PageResponse> {
        let runs = self.runs.lock().unwrap().clone();
        let wanted = |run: &&Fake| run.kind == self.kind && self.only.is_none_or(|only| only == run.id);
        let lines = |run: &Fake| {
            let end = run.code.map(|code| if code == 0 { "run succeeded" } else { "stopped" });
            let event = |(number, message): (usize, &str)| Event {
                time: run.started_at.timestamp_millis(),
                ingested: run.started_at.timestamp_millis(),
                group: String::new(),
                stream: run.id.to_string(),
                event_id: format!("{} {number}", run.id),
                message: format!(r#"{{"message":"{message}"}}"#),
            };
            ["run started"].into_iter().chain(end).enumerate().map(event).collect::<Vec<_>>()
        };
        let events = runs.iter().filter(wanted).flat_map(lines).filter(|event| event.time >= request.from);
        Ok(PageResponse::Page { events: events.collect(), next: None, complete_until: None })
    }
}

#[async_trait]
impl Components for Memory {
    fn location(&self) -> Location {
        Location {
            target: "fake".to_owned(),
            location: "memory".to_owned(),
            capabilities: target::Capabilities {
                services: true,
                bastion: false,
                account: false,
                releases: true,
            },
        }
    }

    async fn list(&self) -> Result<Vec<Component>> {
        let state =
            if self.up.load(Ordering::SeqCst) { ComponentState::Ready } else { ComponentState::Stopped };
        Ok(vec![Component { name: "memory".to_owned(), state, since: None, detail: String::new() }])
    }

    async fn diagnose(&self, _: &DoctorContext, found: &CheckSink<'_>) -> bool {
        found(Check::ok("memory", "there is some"));
        true
    }
}

#[async_trait]
impl Services for Memory {
    async fn up(&self, progress: Arc<dyn Progress>) -> Result<()> {
        progress.step("nothing to do");
        self.up.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn down(&self, _: DataRetention, _: Arc<dyn Progress>) -> Result<()> {
        self.up.store(false, Ordering::SeqCst);
        Ok(())
    }
}

#[async_trait]
impl Runs for Memory {
    fn jobs(&self) -> Vec<JobKind> {
        vec![JobKind::Etl, JobKind::Report]
    }

    async fn start(&self, job: &Job) -> Result<Uuid> {
        if let Some(other) = self.active().await?.first() {
            let double = Failure::new(format!("{} is running already: {}", other.kind, other.run));
            return Err(double.exit_code(Exit::NotStarted));
        }
        let (id, blocked) = (Uuid::new_v4(), self.blocked.load(Ordering::SeqCst));
        if job.kind == JobKind::Report {
            let folder = format!("20220605_000000_{id}");
            self.store.put(&format!("reports/{folder}/report.txt").into(), "a report ".repeat(20)).await?;
            let pointer = serde_json::json!({ "folder": folder, "run_id": id }).to_string();
            self.store.put(&"reports/latest.json".into(), pointer).await?;
        }
        let code = (!blocked).then_some(0);
        self.runs().push(Fake { id, kind: job.kind.clone(), started_at: Utc::now(), code });
        Ok(id)
    }

    async fn wait(&self, run: Uuid, _: Duration) -> Result<Option<RunEnd>> {
        Ok(self.runs().iter().find(|known| known.id == run).and_then(|run| run.code).map(RunEnd::exited))
    }

    async fn stop(&self, run: Uuid) -> Result<()> {
        let mut runs = self.runs();
        let running = runs.iter_mut().find(|known| known.id == run && known.code.is_none());
        let running = running.ok_or_else(|| Failure::new(format!("run {run} is not in progress")))?;
        running.code = Some(143);
        Ok(())
    }

    async fn active(&self) -> Result<Vec<ActiveRun>> {
        let runs = self.runs();
        let active = runs.iter().filter(|run| run.code.is_none());
        Ok(active
            .map(|run| ActiveRun { run: run.id, kind: run.kind.clone(), started_at: run.started_at })
            .collect())
    }

    async fn history(&self, limit: usize) -> Result<Vec<Run>> {
        Ok(self.runs().iter().rev().take(limit).map(Fake::run).collect())
    }

    async fn find(&self, typed: &str) -> Result<Run> {
        let runs = self.runs();
        let found = runs.iter().find(|run| !typed.is_empty() && run.id.to_string().starts_with(typed));
        let missing = || Failure::new(format!("there is no run `{typed}`")).hint("there are others");
        found.map(Fake::run).ok_or_else(missing)
    }

    async fn logs(&self, run: Option<&str>) -> Result<LogSources> {
        let of = |kind, only| Arc::new(Log { runs: Arc::clone(&self.runs), kind, only }) as Arc<dyn Source>;
        let Some(typed) = run else {
            let sources = vec![of(JobKind::Etl, None), of(JobKind::Report, None)];
            return Ok(LogSources { sources, poll_policy: PollPolicy::FILES, run: None });
        };
        let run = self.find(typed).await?;
        let kind = if run.kind == "report" { JobKind::Report } else { JobKind::Etl };
        let log = RunLog { id: run.run_id, from: 0 };
        Ok(LogSources {
            sources: vec![of(kind, Some(run.run_id))],
            poll_policy: PollPolicy::FILES,
            run: Some(log),
        })
    }
}

#[async_trait]
impl Storage for Memory {
    async fn datasets(&self) -> Result<Store> {
        Ok(self.store.clone())
    }

    async fn reports(&self) -> Result<Store> {
        Ok(self.store.clone())
    }
}

#[async_trait]
impl Databases for Memory {
    async fn database(&self, _: DatabaseAccess) -> Result<Database> {
        Err(Failure::new("the fake has no database"))
    }

    async fn keep_alive(&self) -> Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(()))
    }

    fn migrates_by_job(&self) -> bool {
        true
    }
}
