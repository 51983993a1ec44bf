//! A CloudWatch log group as a log source, by `FilterLogEvents`.
//!
//! The log engine handles order, duplicates and late events. Transient errors (a missing group, throttling, no network) are distinguished
//! from permanent ones.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use chrono::{DateTime, Utc};
use common::failure::Result;

use super::api_error::{ApiContext as _, ApiError, ApiErrorKind};
use logs::{Event, PageRequest, PageResponse, PollPolicy, SERVER_SOURCE, Source};

/// Limit of `FilterLogEvents`.
const PAGE_SIZE: i32 = 10_000;

/// The events of a group to read.
pub(super) enum EventFilter {
    All,
    Stream(String),
    /// Events with this text, which has no quotation mark, in any stream.
    Mentioning(String),
}

/// A log source whose group cannot be determined, such as that of a task definition that is not there.
pub(super) struct UnknownLog {
    pub(super) name: String,
}

#[async_trait]
impl Source for UnknownLog {
    fn name(&self) -> &str {
        &self.name
    }

    async fn page(&self, _: &PageRequest) -> Result<PageResponse> {
        Ok(PageResponse::Missing)
    }
}

pub(super) struct LogGroup {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) of: EventFilter,
}

#[async_trait]
impl Source for LogGroup {
    fn name(&self) -> &str {
        &self.name
    }

    async fn page(&self, request: &PageRequest) -> Result<PageResponse> {
        let (streams, text) = match &self.of {
            EventFilter::All => (None, None),
            EventFilter::Stream(name) => (Some(vec![name.clone()]), None),
            EventFilter::Mentioning(text) => (None, Some(text)),
        };
        // Two patterns cannot be combined: the service applies the user's, and this function the other.
        let pattern = request.pattern.clone().or_else(|| text.map(|text| format!("\"{text}\"")));
        let answer = self
            .client
            .filter_log_events()
            .log_group_name(&self.group)
            .set_log_stream_names(streams)
            .start_time(request.from.max(0))
            // `endTime` is inclusive (CloudWatch Logs API Reference, FilterLogEvents); the window of a request is exclusive.
            .set_end_time(request.until.map(|until| until.saturating_sub(1).max(0)))
            .set_filter_pattern(pattern)
            .set_next_token(request.token.clone())
            .limit(PAGE_SIZE)
            .customize()
            // The engine repeats requests, at the rate that it learns from refusals.
            .config_override(
                aws_sdk_cloudwatchlogs::config::Builder::default().retry_config(RetryConfig::disabled()),
            )
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.without_page(&ApiError::of(&error)),
        };
        let mut equal = HashMap::new();
        let events =
            answer.events.unwrap_or_default().into_iter().filter_map(|event| self.event(event, &mut equal));
        let events = events.filter(|event| text.is_none_or(|text| event.message.contains(text))).collect();
        Ok(PageResponse::Page { events, next: answer.next_token, complete_until: None })
    }
}

impl LogGroup {
    /// Returns the response to a failed request, or the error if repeating the request is of no use.
    fn without_page(&self, error: &ApiError) -> Result<PageResponse> {
        let what = format!("cannot read the log group `{}`", self.group);
        let failure = error.failure("logs:FilterLogEvents", &what);
        match error.kind {
            ApiErrorKind::Missing => Ok(PageResponse::Missing),
            ApiErrorKind::Throttled => Ok(PageResponse::Throttled),
            // The screens read it beside the others, which must not end for lack of a right to it.
            _ if error.may_pass() || self.name == SERVER_SOURCE => Ok(PageResponse::Unavailable(failure)),
            _ => Err(failure),
        }
    }

    /// Takes an event of a page; `equal` counts those without id by stream, time and text.
    fn event(&self, event: FilteredLogEvent, equal: &mut HashMap<u64, u32>) -> Option<Event> {
        let time = event.timestamp?;
        // The service may leave it out; then stream, time, text, and the place among equal events of the page tell the event.
        let event_id = event.event_id.unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            (&event.log_stream_name, time, &event.message).hash(&mut hasher);
            let hash = hasher.finish();
            let place = equal.entry(hash).or_default();
            *place += 1;
            format!("{time}-{hash:016x}-{place}")
        });
        Some(Event {
            time,
            ingested: event.ingestion_time.unwrap_or(time),
            group: self.group.clone(),
            stream: event.log_stream_name.unwrap_or_default(),
            event_id,
            message: event.message.unwrap_or_default(),
        })
    }
}

/// Returns the groups with a name, or whose names begin with what precedes a `*` at its end.
pub(super) async fn matching(client: &Client, name: &str) -> Result<Vec<String>> {
    let Some(prefix) = name.strip_suffix('*') else { return Ok(vec![name.to_owned()]) };
    let request = client
        .describe_log_groups()
        .set_log_group_name_prefix((!prefix.is_empty()).then(|| prefix.to_owned()));
    let groups = request.into_paginator().items().send().try_collect().await;
    let what = || format!("cannot list the log groups `{name}`");
    let groups: Vec<aws_sdk_cloudwatchlogs::types::LogGroup> =
        groups.api_context("logs:DescribeLogGroups", what)?;
    Ok(groups.into_iter().filter_map(|group| group.log_group_name).collect())
}

/// Returns the earliest time of the first log line of a run, in milliseconds.
pub(super) fn log_start(started_at: DateTime<Utc>) -> i64 {
    started_at.timestamp_millis() - 60_000
}

/// Share of the quota that is left to other programs of the account.
const RESERVE: f64 = 0.2;

/// Returns how the log groups of a region are polled: at most at its quota less a reserve, and slower after a throttled request.
pub(super) fn poll_policy(region: &str) -> PollPolicy {
    PollPolicy { rate: quota(region) * (1.0 - RESERVE), ..PollPolicy::CLOUDWATCH }
}

/// Returns how many requests `FilterLogEvents` a second an account may send (AWS General Reference, "Amazon CloudWatch Logs endpoints and
/// quotas"; it cannot be raised).
fn quota(region: &str) -> f64 {
    match region {
        "us-east-1" => 25.0,
        "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1" | "il-central-1" => 5.0,
        _ => 10.0,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatchlogs::Config;
    use aws_sdk_cloudwatchlogs::config::BehaviorVersion;

    use super::*;

    #[test]
    fn event_without_id_gets_one_from_stream_time_and_text() {
        let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let group = LogGroup {
            client: Client::from_conf(config),
            name: "etl".to_owned(),
            group: "/ecs/covid19-etl".to_owned(),
            of: EventFilter::All,
        };
        let id = |stream: &str, time: i64, message: &str| {
            let event = FilteredLogEvent::builder().log_stream_name(stream).timestamp(time).message(message);
            group.event(event.build(), &mut HashMap::new()).unwrap().event_id
        };
        let mut equal = HashMap::new();
        let twins = [(); 2].map(|()| {
            let event = FilteredLogEvent::builder().timestamp(1_700_000_000_000).message("retrying").build();
            group.event(event, &mut equal).unwrap().event_id
        });
        assert_ne!(twins[0], twins[1], "equal lines in one millisecond are two events");
        let first = id("etl/1", 1_700_000_000_000, "a line");
        assert_eq!(
            first,
            id("etl/1", 1_700_000_000_000, "a line"),
            "it is the same event when it is read again"
        );
        for other in [
            id("etl/2", 1_700_000_000_000, "a line"),
            id("etl/1", 1_700_000_000_001, "a line"),
            id("etl/1", 1_700_000_000_000, "another"),
        ] {
            assert_ne!(first, other);
        }
    }
}
