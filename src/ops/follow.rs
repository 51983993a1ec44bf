//! Follows a run to its end: its log while it is written, all of it, and then how it ended.

use std::time::Duration;

use etl::failure::{Exit, Failure, Result};
use uuid::Uuid;

use super::log_line::LogLine;
use crate::backend::{Backend, Cursor, Job, Kind};

/// How often the log is looked at while the run goes on.
const PACE: Duration = Duration::from_millis(100);

/// A run that was started, and how to follow it.
#[derive(Debug)]
pub struct Following {
    run: Uuid,
    kind: Kind,
    cursor: Cursor,
    last_error: Option<LogLine>,
}

impl Following {
    /// Starts a job.
    pub async fn start(backend: &dyn Backend, job: &Job) -> Result<Self> {
        let run = backend.start(job).await?;
        Ok(Self { run, kind: job.kind, cursor: Cursor::default(), last_error: None })
    }

    /// The run's id.
    pub const fn run(&self) -> Uuid {
        self.run
    }

    /// Returns when the run has ended well; every line of its log has been shown by then.
    pub async fn to_end(mut self, backend: &dyn Backend, show: &mut dyn FnMut(&LogLine)) -> Result<()> {
        loop {
            let ended = backend.wait(self.run, PACE).await?;
            // After the end nothing is written any more, so that this reads the rest.
            for line in backend.log(self.run, &mut self.cursor).await? {
                self.line(&line, show);
            }
            let Some(code) = ended else { continue };
            if let Some(rest) = std::mem::take(&mut self.cursor).rest() {
                self.line(&rest, show);
            }
            return if code == 0 { Ok(()) } else { Err(self.failure(code)) };
        }
    }

    fn line(&mut self, line: &str, show: &mut dyn FnMut(&LogLine)) {
        let line = LogLine::parse(line);
        // A job that says why it failed says it last; one that breaks without a level says it anyhow.
        if line.is_error() || line.level.is_none() && !line.message.is_empty() {
            self.last_error = Some(line.clone());
        }
        show(&line);
    }

    fn failure(&self, code: u8) -> Failure {
        let (kind, run) = (self.kind, self.run);
        let failure = Failure::new(format!("{kind} ended with code {code}")).exiting(Exit::Child(code));
        let failure = match &self.last_error {
            Some(line) => failure.because(line.message.clone()),
            None => failure,
        };
        match (self.last_error.as_ref().and_then(|line| line.hint.as_deref()), kind) {
            (Some(hint), _) => failure.hint(hint),
            (None, Kind::Etl | Kind::Report) => failure.hint(format!("covidctl runs show {run}")),
            (None, Kind::Download | Kind::Migrate | Kind::Sample) => failure,
        }
    }
}
