//! Follows logs for the Logs screen, with the engine of `covidctl logs`.

use std::ops::ControlFlow;
use std::time::Duration;

use chrono::Utc;
use common::failure::Result;
use logs::core::{Note, Plan};
use logs::driver::{self, Reader};
use logs::{RunLog, Shown};
use target::Target;
use uuid::Uuid;

use super::outbox::Outbox;
use crate::tui::domain::Millis;
use crate::tui::model::logs::ParsedEvent;
use crate::tui::msg::{LogEvent, Msg};
use crate::tui::request::{RequestId, UserError};

/// Events in one message. A key press waits for one message at most.
const BATCH: usize = 500;

/// How long one call waits for the end of a run.
const RUN_POLL: Duration = Duration::from_secs(1);

pub(super) async fn follow(
    target: Target,
    outbox: Outbox,
    request: RequestId,
    since: Millis,
    run: Option<Uuid>,
) {
    let ended = read(&target, &outbox, request, since, run).await;
    let event = LogEvent::Ended(ended.err().map(UserError::from));
    outbox.send(Msg::Logs(request, event)).await;
}

async fn read(
    target: &Target,
    outbox: &Outbox,
    request: RequestId,
    since: Millis,
    run: Option<Uuid>,
) -> Result<()> {
    let wanted = run.map(|run| run.to_string());
    let logs = target.runs.logs(wanted.as_deref()).await?;
    let names: Vec<String> = logs.sources.iter().map(|source| source.name().to_owned()).collect();
    outbox.send(Msg::Logs(request, LogEvent::Sources(names.clone()))).await;
    let since = logs.run.map_or(since, |run| run.from);
    let plan = Plan { since, until: None, follow: true, pattern: None, tempo: logs.tempo };
    let finish = async {
        match logs.run {
            Some(run) => wait_for_end(target, run).await,
            None => std::future::pending().await,
        }
    };
    let mut reader = ScreenReader { outbox, request, names };
    let clock = || Utc::now().timestamp_millis();
    driver::run(&logs.sources, plan, clock, finish, std::future::pending(), &mut reader).await
}

/// Waits for the end of a run; for ever if it cannot be determined.
async fn wait_for_end(target: &Target, run: RunLog) {
    loop {
        match target.runs.wait(run.id, RUN_POLL).await {
            Ok(Some(_)) => return,
            Ok(None) => {}
            Err(_) => std::future::pending().await,
        }
    }
}

struct ScreenReader<'a> {
    outbox: &'a Outbox,
    request: RequestId,
    names: Vec<String>,
}

impl ScreenReader<'_> {
    /// Sends an event, and waits while the channel is full: lines are not read faster than they are shown.
    fn send(&self, event: LogEvent) -> ControlFlow<()> {
        match tokio::task::block_in_place(|| self.outbox.0.blocking_send(Msg::Logs(self.request, event))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Reader for ScreenReader<'_> {
    fn show(&mut self, shown: Vec<Shown>) -> ControlFlow<()> {
        let mut events = shown.into_iter().map(ParsedEvent::new).peekable();
        while events.peek().is_some() {
            let batch = events.by_ref().take(BATCH).collect();
            self.send(LogEvent::Lines(batch))?;
        }
        ControlFlow::Continue(())
    }

    fn caught_up(&mut self) -> ControlFlow<()> {
        self.send(LogEvent::CaughtUp)
    }

    fn note(&mut self, note: Note) {
        let name = |source: usize| self.names[source].as_str();
        let status = match note {
            // A source without a log stream is not an error here.
            Note::Missing(_) => return,
            Note::Throttled => "throttled by the log service, polling less often".to_owned(),
            Note::Unavailable(source, why) => format!("cannot read {}, retrying: {why}", name(source)),
            Note::Back(source) => format!("reading {} again", name(source)),
        };
        // If the loop has ended, the next send stops the reader.
        _ = self.send(LogEvent::Status(status));
    }
}
