//! Follows logs for the Logs screen, with the engine of `covidctl logs`.

use std::ops::ControlFlow;
use std::time::Duration;

use chrono::Utc;
use logs::{LogSink, MergedEvent, Notice, ReadOptions, RunLog};
use target::Target;
use uuid::Uuid;

use super::Outbox;
use crate::tui::domain::Millis;
use crate::tui::model::logs::ParsedEvent;
use crate::tui::model::{LogEvent, Msg, RequestId, UserError};

/// Events in one message. A key press waits for one message at most.
const BATCH: usize = 500;

/// How long one call waits for the end of a run.
const RUN_POLL: Duration = Duration::from_secs(1);

/// Follows the logs until the run has ended, or the task is aborted.
pub(super) async fn follow(
    target: &Target,
    outbox: &Outbox,
    request: RequestId,
    since: Millis,
    run: Option<Uuid>,
) {
    let ended = async {
        let wanted = run.map(|run| run.to_string());
        let logs = target.runs.logs(wanted.as_deref()).await?;
        let names: Vec<String> = logs.sources.iter().map(|source| source.name().to_owned()).collect();
        outbox.send(Msg::Logs(request, LogEvent::Sources(names.clone()))).await;
        let since = logs.run.map_or(since, |run| run.from);
        let options =
            ReadOptions { since, until: None, follow: true, pattern: None, poll_policy: logs.poll_policy };
        let finish = async {
            match logs.run {
                Some(run) => wait_for_end(target, run).await,
                None => std::future::pending().await,
            }
        };
        let mut sink = ScreenSink { outbox, request, names };
        let clock = || Utc::now().timestamp_millis();
        logs::read(&logs.sources, options, clock, finish, std::future::pending(), &mut sink).await
    };
    let event = LogEvent::Ended(ended.await.err().map(UserError::from));
    outbox.send(Msg::Logs(request, event)).await;
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

struct ScreenSink<'a> {
    outbox: &'a Outbox,
    request: RequestId,
    names: Vec<String>,
}

impl ScreenSink<'_> {
    /// Sends an event, and waits while the channel is full: lines are not read faster than they are shown.
    fn send(&self, event: LogEvent) -> ControlFlow<()> {
        match tokio::task::block_in_place(|| self.outbox.0.blocking_send(Msg::Logs(self.request, event))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl LogSink for ScreenSink<'_> {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        let mut events = events.into_iter().map(ParsedEvent::new).peekable();
        while events.peek().is_some() {
            let batch = events.by_ref().take(BATCH).collect();
            self.send(LogEvent::Lines(batch))?;
        }
        ControlFlow::Continue(())
    }

    fn caught_up(&mut self) -> ControlFlow<()> {
        self.send(LogEvent::CaughtUp)
    }

    fn notice(&mut self, notice: Notice) {
        let name = |source: usize| self.names[source].as_str();
        let status = match notice {
            // A source without a log stream is not an error here.
            Notice::Missing(_) => return,
            Notice::Throttled => "throttled by the log service, polling less often".to_owned(),
            Notice::Unavailable(source, why) => format!("cannot read {}, retrying: {why}", name(source)),
            Notice::Recovered(source) => format!("reading {} again", name(source)),
        };
        // If the loop has ended, the next send stops the reader.
        _ = self.send(LogEvent::Status(status));
    }
}
