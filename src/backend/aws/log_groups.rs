//! A log group of CloudWatch as a source of events, by `FilterLogEvents`.
//!
//! Repeats, order and lateness are the engine's business; a page is handed on as it comes. What may pass (a group that does not
//! exist yet, throttling, a network that is away) is told apart from what will not.

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use etl::failure::Result;

use super::trouble::Trouble;
use crate::logs::{Ask, Event, Reply, Source};

/// As many events as a page may have.
const PAGE: i32 = 10_000;

/// A log group, or one stream of it.
pub(super) struct LogGroup {
    pub(super) client: Client,
    /// What people call the source.
    pub(super) name: &'static str,
    pub(super) group: String,
    pub(super) stream: Option<String>,
}

#[async_trait]
impl Source for LogGroup {
    fn name(&self) -> &str {
        self.name
    }

    async fn page(&self, ask: &Ask) -> Result<Reply> {
        let answer = self
            .client
            .filter_log_events()
            .log_group_name(&self.group)
            .set_log_stream_names(self.stream.clone().map(|stream| vec![stream]))
            .start_time(ask.from.max(0))
            // The service's end is exclusive as ours is.
            .set_end_time(ask.until)
            .set_filter_pattern(ask.pattern.clone())
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
        let events = events.filter_map(|event| self.event(event)).collect();
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
