//! A log group of CloudWatch as a source of events, by `FilterLogEvents`.
//!
//! Repeats, order and lateness are the engine's business; a page is handed on as it comes. What may pass (a group that does not
//! exist yet, throttling, a network that is away) is told apart from what will not.

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use common::failure::Result;

use super::trouble::Trouble;
use logs::{Ask, Event, Reply, Source};

/// As many events as a page may have.
const PAGE: i32 = 10_000;

/// Which of a group's events are wanted.
pub(super) enum Of {
    /// Every one.
    All,
    /// Those of one stream.
    Stream(String),
    /// Those with this text, which holds no quotation mark, in any stream.
    Mentioning(String),
}

impl Of {
    /// One stream, where it is known.
    pub(super) fn stream(name: Option<String>) -> Self {
        name.map_or(Self::All, Self::Stream)
    }
}

/// A log group, or a part of it.
pub(super) struct LogGroup {
    pub(super) client: Client,
    /// What people call the source.
    pub(super) name: &'static str,
    pub(super) group: String,
    pub(super) of: Of,
}

#[async_trait]
impl Source for LogGroup {
    fn name(&self) -> &str {
        self.name
    }

    async fn page(&self, ask: &Ask) -> Result<Reply> {
        let (streams, text) = match &self.of {
            Of::All => (None, None),
            Of::Stream(name) => (Some(vec![name.clone()]), None),
            Of::Mentioning(text) => (None, Some(text)),
        };
        // Two patterns cannot be put together in one, so the user's is asked for and ours is seen to here.
        let pattern = ask.pattern.clone().or_else(|| text.map(|text| format!("\"{text}\"")));
        let answer = self
            .client
            .filter_log_events()
            .log_group_name(&self.group)
            .set_log_stream_names(streams)
            .start_time(ask.from.max(0))
            // The service returns events at its end, too (CloudWatch Logs API Reference, FilterLogEvents); ours is exclusive.
            .set_end_time(ask.until.map(|until| until.saturating_sub(1).max(0)))
            .set_filter_pattern(pattern)
            .set_next_token(ask.token.clone())
            .limit(PAGE)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let trouble = Trouble::of(&error);
                let failure = || {
                    trouble.failure(
                        "logs:FilterLogEvents",
                        &format!("cannot read the log group `{}`", self.group),
                    )
                };
                return match &trouble {
                    trouble if trouble.is_missing() => Ok(Reply::Missing),
                    trouble if trouble.is_throttling() => Ok(Reply::Throttled),
                    trouble if trouble.may_pass() => Ok(Reply::Unavailable(failure())),
                    _ => Err(failure()),
                };
            }
        };
        let events = answer.events.unwrap_or_default().into_iter();
        let events = events.filter_map(|event| self.event(event));
        let events = events.filter(|event| text.is_none_or(|text| event.message.contains(text))).collect();
        Ok(Reply::Page { events, next: answer.next_token, settled: None })
    }
}

impl LogGroup {
    fn event(&self, event: FilteredLogEvent) -> Option<Event> {
        let time = event.timestamp?;
        Some(Event {
            time,
            ingested: event.ingestion_time.unwrap_or(time),
            group: self.group.clone(),
            stream: event.log_stream_name.unwrap_or_default(),
            event_id: event.event_id?,
            message: event.message.unwrap_or_default(),
        })
    }
}
