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

/// The field of the last line of a job of this project that fails.
const EXIT_CODE_FIELD: &str = "\"exit_code\":";

/// How the last line of a job of this project begins if it succeeds. That of one that fails has its exit code.
const LAST_LINES: [&str; 3] = ["run succeeded", "rolled back", "report written"];

/// Longest single wait for the end of a run.
const WAIT_LIMIT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Following {
    pub run: Uuid,
    pub kind: JobKind,
}

impl Following {
    pub async fn start(target: &Target, job: &Job) -> Result<Self> {
        let run = target.runs.start(job).await?;
        Ok(Self { run, kind: job.kind.clone() })
    }

    /// Waits for the end of the run and shows every line of its log. A failed run is an error with its exit code, its last error and its
    /// hint.
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
        let grace_period = u64::try_from(poll_policy.grace_period).unwrap_or_default();
        let mut lines = Lines {
            show,
            last_error: None,
            has_ended: &|| ended.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
            marks_last_line: target.location().capabilities.releases,
            last_line_seen: false,
            grace_period: Some(Duration::from_millis(grace_period)).filter(|period| !period.is_zero()),
        };
        let read = logs::read(&sources, options, clock, finish, std::future::pending(), &mut lines).await;
        let last_error = lines.last_error.take();
        let end = ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        match end {
            Some(ended) => {
                let ended = ended?;
                if let Some(warning) = &ended.warning {
                    (lines.show)(&warning_line(warning.clone()));
                }
                // A failed run matters more than a log that could not be read to its end.
                read.or_else(|failure| if ended.code == 0 { Err(failure) } else { Ok(()) })?;
                let (reason, hint) = last_error.map_or((None, None), |line| (Some(line.message), line.hint));
                let is_recorded = matches!(self.kind, JobKind::Etl | JobKind::Report | JobKind::Rollback);
                let hint = hint.or_else(|| is_recorded.then(|| format!("covidctl runs show {}", self.run)));
                outcome(&self.kind.to_string(), ended, reason, hint)
            }
            None => read.and(Err(Failure::new(format!("the log of run {} ended before the run", self.run)))),
        }
    }
}

/// Returns the result of a run: on failure an error with its exit code. `reason` and `hint` apply if the target knows none.
pub fn outcome(name: &str, ended: RunEnd, reason: Option<String>, hint: Option<String>) -> Result<()> {
    if ended.code == 0 {
        return Ok(());
    }
    let mut failure = Failure::new(format!("{name} exited with code {}", ended.code));
    if let Some(reason) = ended.reason.or(reason) {
        failure = failure.source(reason);
    }
    if let Some(hint) = ended.hint.or(hint) {
        failure = failure.hint(hint);
    }
    Err(failure.exit_code(Exit::Child(ended.code)))
}

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
    has_ended: &'a (dyn Fn() -> bool + Send + Sync),
    /// Whether the job is one of this project, which says what its last line is.
    marks_last_line: bool,
    last_line_seen: bool,
    /// How long late lines are waited for after the end; taken when that was said.
    grace_period: Option<Duration>,
}

impl LogSink for Lines<'_> {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        for MergedEvent { event, .. } in events {
            let line = LogLine::parse(&event.message);
            // The last error is the reason; a crash writes lines without a level.
            if line.is_error() || line.level.is_none() && !line.message.is_empty() {
                self.last_error = Some(line.clone());
            }
            let is_last = LAST_LINES.iter().any(|last| line.message.starts_with(last));
            self.last_line_seen |=
                self.marks_last_line && (is_last || event.message.contains(EXIT_CODE_FIELD));
            (self.show)(&line);
        }
        if !(self.has_ended)() {
            return ControlFlow::Continue(());
        }
        if self.last_line_seen {
            return ControlFlow::Break(());
        }
        if let Some(period) = self.grace_period.take() {
            let message = format!(
                "the run has ended; lines that are late are waited for, up to {} s",
                period.as_secs()
            );
            (self.show)(&LogLine { time: None, level: Some("INFO".to_owned()), message, hint: None });
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
        (self.show)(&warning_line(message));
    }
}

fn warning_line(message: String) -> LogLine {
    LogLine { time: None, level: Some("WARN".to_owned()), message, hint: None }
}
