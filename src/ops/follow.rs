//! Follows a run to its end: shows its whole log, then returns its result.
//!
//! The log comes through the engine of `covidctl logs`, which waits for late events, so that the last line is shown on every target.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use common::failure::{Exit, Failure, Result};
use uuid::Uuid;

use logs::{LogLine, LogSink, LogSources, MergedEvent, Notice, ReadOptions};
use target::{Job, JobKind, RunEnd, Target};

/// Longest single wait for the end of a run.
const WAIT_LIMIT: Duration = Duration::from_secs(1);

/// A started run.
#[derive(Debug)]
pub struct Following {
    run: Uuid,
    kind: JobKind,
}

impl Following {
    /// Starts a job.
    pub async fn start(target: &Target, job: &Job) -> Result<Self> {
        let run = target.runs.start(job).await?;
        Ok(Self { run, kind: job.kind })
    }

    pub const fn run(&self) -> Uuid {
        self.run
    }

    pub const fn kind(&self) -> JobKind {
        self.kind
    }

    /// Waits for the end of the run; shows every line of its log before it returns.
    ///
    /// # Errors
    /// If the run failed; with its exit code, its last error and its hint.
    pub async fn to_end(self, target: &Target, show: &mut (dyn FnMut(&LogLine) + Send)) -> Result<()> {
        let LogSources { sources, poll_policy, run } = target.runs.logs(Some(&self.run.to_string())).await?;
        let since = run.map_or(0, |run| run.from);
        let options = ReadOptions { since, until: None, follow: true, pattern: None, poll_policy };
        let ended = Mutex::new(None);
        let finish = async {
            let end = wait(target, self.run).await;
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        };
        let clock = || Utc::now().timestamp_millis();
        let mut lines = Lines { show, last_error: None };
        let read = logs::read(&sources, options, clock, finish, std::future::pending(), &mut lines).await;
        let last_error = lines.last_error;
        match ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(ended) => {
                let ended = ended?;
                // A failed run matters more than a log that could not be read to its end.
                read.or_else(|failure| if ended.code == 0 { Err(failure) } else { Ok(()) })?;
                if ended.code == 0 { Ok(()) } else { Err(self.failure(ended, last_error)) }
            }
            None => read.and(Err(Failure::new(format!("the log of run {} ended before the run", self.run)))),
        }
    }

    fn failure(&self, ended: RunEnd, last_error: Option<LogLine>) -> Failure {
        let (kind, run, code) = (self.kind, self.run, ended.code);
        let failure = Failure::new(format!("{kind} exited with code {code}")).exit_code(Exit::Child(code));
        let (message, hint) = last_error.map_or((None, None), |line| (Some(line.message), line.hint));
        let failure = match ended.reason.or(message) {
            Some(reason) => failure.source(reason),
            None => failure,
        };
        match (ended.hint.or(hint), kind) {
            (Some(hint), _) => failure.hint(hint),
            (None, JobKind::Etl | JobKind::Report | JobKind::Rollback) => {
                failure.hint(format!("covidctl runs show {run}"))
            }
            (None, JobKind::Download | JobKind::Migrate | JobKind::Sample) => failure,
        }
    }
}

/// Waits for the end of a run.
pub async fn wait(target: &Target, run: Uuid) -> Result<RunEnd> {
    loop {
        if let Some(ended) = target.runs.wait(run, WAIT_LIMIT).await? {
            return Ok(ended);
        }
    }
}

/// Parses the events of a run as lines and keeps the last error.
struct Lines<'a> {
    show: &'a mut (dyn FnMut(&LogLine) + Send),
    last_error: Option<LogLine>,
}

impl LogSink for Lines<'_> {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        for MergedEvent { event, .. } in events {
            let line = LogLine::parse(&event.message);
            // The last error is the reason; a crash writes lines without a level.
            if line.is_error() || line.level.is_none() && !line.message.is_empty() {
                self.last_error = Some(line.clone());
            }
            (self.show)(&line);
        }
        ControlFlow::Continue(())
    }

    fn notice(&mut self, notice: Notice) {
        let message = match notice {
            Notice::Throttled => "the log service throttles requests; polling slows down".to_owned(),
            Notice::Unavailable(_, why) => format!("the log service is unavailable: {why}"),
            // The log appears with its first line.
            Notice::Missing(_) | Notice::Recovered(_) => return,
        };
        (self.show)(&LogLine { time: None, level: Some("WARN".to_owned()), message, hint: None });
    }
}
