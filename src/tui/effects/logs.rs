//! Follows the logs for the screen: the same engine as `covidctl logs`, with another reader.

use std::ops::ControlFlow;
use std::time::Duration;

use chrono::Utc;
use common::failure::Result;
use uuid::Uuid;

use super::{Answers, send};
use crate::tui::effect::Ticket;
use crate::tui::model::logs::Incoming;
use crate::tui::msg::{LogNews, Msg, Trouble};
use logs::{LogSink, MergedEvent, Millis, Notice, ReadOptions, RunLog};
use target::Target;

/// So many events make one message: a frame takes a few of them in, and a key never waits for more.
const BATCH: usize = 500;

/// How long one look for the end of a run waits.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn follow(target: Target, to: Answers, ticket: Ticket, since: Millis, run: Option<Uuid>) {
    let ended = read(&target, &to, ticket, since, run).await;
    let news = LogNews::Ended(ended.err().map(Trouble::from));
    send(&to, Msg::Logs { ticket, news }).await;
}

async fn read(target: &Target, to: &Answers, ticket: Ticket, since: Millis, run: Option<Uuid>) -> Result<()> {
    let wanted = run.map(|run| run.to_string());
    let logs = target.runs.logs(wanted.as_deref()).await?;
    let names: Vec<String> = logs.sources.iter().map(|source| source.name().to_owned()).collect();
    send(to, Msg::Logs { ticket, news: LogNews::Sources(names.clone()) }).await;
    let since = logs.run.map_or(since, |run| run.from);
    let plan = ReadOptions { since, until: None, follow: true, pattern: None, poll_policy: logs.poll_policy };
    let finish = async {
        match logs.run {
            Some(run) => wait(target, run).await,
            None => std::future::pending().await,
        }
    };
    let mut reader = Screen { to, ticket, names };
    let clock = || Utc::now().timestamp_millis();
    logs::read(&logs.sources, plan, clock, finish, std::future::pending(), &mut reader).await
}

/// Where its end cannot be seen, its log is followed on.
async fn wait(target: &Target, run: RunLog) {
    loop {
        match target.runs.wait(run.id, PATIENCE).await {
            Ok(Some(_)) => return,
            Ok(None) => {}
            Err(_) => std::future::pending().await,
        }
    }
}

struct Screen<'a> {
    to: &'a Answers,
    ticket: Ticket,
    names: Vec<String>,
}

impl Screen<'_> {
    /// Waits where the screens are behind, so that what is not shown yet is not read yet.
    fn tell(&self, news: LogNews) -> ControlFlow<()> {
        let msg = Msg::Logs { ticket: self.ticket, news };
        match tokio::task::block_in_place(|| self.to.blocking_send(msg)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl LogSink for Screen<'_> {
    fn events(&mut self, shown: Vec<MergedEvent>) -> ControlFlow<()> {
        let mut events = shown.into_iter().map(Incoming::new).peekable();
        while events.peek().is_some() {
            let batch = events.by_ref().take(BATCH).collect();
            self.tell(LogNews::Lines(batch))?;
        }
        ControlFlow::Continue(())
    }

    fn caught_up(&mut self) -> ControlFlow<()> {
        self.tell(LogNews::CaughtUp)
    }

    fn notice(&mut self, notice: Notice) {
        let name = |source: usize| self.names[source].as_str();
        let text = match notice {
            // A source that says nothing here is nothing to worry about.
            Notice::Missing(_) => return,
            Notice::Throttled => "the log service throttles requests; polling slows down".to_owned(),
            Notice::Unavailable(source, why) => format!("{} is unavailable, retrying: {why}", name(source)),
            Notice::Recovered(source) => format!("{} is available again", name(source)),
        };
        // It is told with what comes next.
        _ = self.tell(LogNews::Note(text));
    }
}
