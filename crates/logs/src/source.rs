//! Log sources: events, page requests and responses, and how often a source is polled.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use uuid::Uuid;

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// The name of the source that is the database server's own log. It is read on request only: it has what other clients did, too.
pub const SERVER_SOURCE: &str = "postgres";

/// Converts a time to a date; a time outside chrono's range becomes the epoch.
pub fn to_datetime(time: Millis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time).unwrap_or_default()
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub time: Millis,
    /// When the log service received it.
    pub ingested: Millis,
    /// The log group, by its name on AWS.
    pub group: String,
    /// The log stream: a task, an invocation or a run.
    pub stream: String,
    /// Stable, and unique in its source.
    pub event_id: String,
    /// The message, unmodified.
    pub message: String,
}

/// An event in the merged stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedEvent {
    /// The index of its source.
    pub source: usize,
    /// The event.
    pub event: Event,
    /// How much older it is than the newest event before it in the stream; `None` if it is in order.
    pub late: Option<Millis>,
}

/// A named source of events.
#[async_trait]
pub trait Source: Send + Sync {
    /// Returns its name, such as `etl` or `lambda`.
    fn name(&self) -> &str;

    /// Returns one page of the events in a window of time.
    ///
    /// Events may repeat: the engine removes duplicates. A source in which nothing can appear late (a file that only grows) may skip
    /// events that it has returned before, and return new ones whatever their time.
    ///
    /// # Errors
    /// An error ends the reading. A transient one is [`PageResponse::Throttled`] or [`PageResponse::Unavailable`].
    async fn page(&self, request: &PageRequest) -> Result<PageResponse>;
}

/// A request for a page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Start of the window, inclusive.
    pub from: Millis,
    /// End of the window, exclusive.
    pub until: Option<Millis>,
    /// A filter pattern in CloudWatch's syntax.
    pub pattern: Option<String>,
    /// The token of the previous page.
    pub token: Option<String>,
    /// Whether this is the last window: an incomplete line will not be completed.
    pub last: bool,
}

/// The response to a [`PageRequest`].
#[derive(Debug)]
pub enum PageResponse {
    /// A page of events, possibly empty.
    Page {
        /// The events, in any order.
        events: Vec<Event>,
        /// The token of the next page, `None` on the last page. An empty page may have one, and consecutive pages the same.
        next: Option<String>,
        /// Promises that later pages of this window have no event before this time.
        complete_until: Option<Millis>,
    },
    /// The log does not exist yet.
    Missing,
    /// The request exceeded the rate limit.
    Throttled,
    /// The request failed and may be retried.
    Unavailable(Failure),
}

/// The log sources of a target or of one run.
pub struct LogSources {
    /// The sources, in display order.
    pub sources: Vec<Arc<dyn Source>>,
    /// How the sources are polled.
    pub poll_policy: PollPolicy,
    /// The run that the sources are restricted to.
    pub run: Option<RunLog>,
}

/// A run whose log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLog {
    /// The run's id.
    pub id: Uuid,
    /// A time before its first line.
    pub from: Millis,
}

/// How often sources are polled, and how far back each poll reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollPolicy {
    /// Time between two polls of a source.
    pub interval: Millis,
    /// Time between two polls of a source that does not exist yet.
    pub retry_interval: Millis,
    /// How long an event is buffered so that older events of other sources can precede it.
    pub reorder_delay: Millis,
    /// How long after the end of a run or window its last events may still arrive.
    pub grace_period: Millis,
    /// How far a poll reaches back behind the start of the previous one.
    pub overlap: Millis,
    /// Polls that reach further back for late events; the furthest is last.
    pub lookbacks: [Lookback; 2],
    /// Maximum requests per second of all sources together.
    pub rate: f64,
}

/// A periodic poll that reaches further back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookback {
    /// Period.
    pub every: Millis,
    /// How far it reaches back.
    pub back: Millis,
}

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;

impl PollPolicy {
    /// For CloudWatch Logs, at a rate within the smallest quota of any region: 5 requests per second for each account.
    pub const CLOUDWATCH: Self = Self {
        interval: 2 * SECOND,
        retry_interval: 5 * SECOND,
        reorder_delay: 3 * SECOND,
        grace_period: 12 * SECOND,
        overlap: 15 * SECOND,
        lookbacks: [
            Lookback { every: 30 * SECOND, back: 3 * MINUTE },
            Lookback { every: 10 * MINUTE, back: 60 * MINUTE },
        ],
        rate: 4.0,
    };

    /// For local files, in which a line is visible as soon as it is written.
    pub const FILES: Self = Self {
        interval: 100,
        retry_interval: 100,
        reorder_delay: 200,
        grace_period: 0,
        overlap: 0,
        lookbacks: [Lookback { every: MINUTE, back: 0 }; 2],
        rate: 1000.0,
    };

    pub(crate) const fn max_lookback(&self) -> Millis {
        self.lookbacks[1].back
    }
}
