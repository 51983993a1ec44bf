//! An event, as every source gives it.

use chrono::{DateTime, Utc};

/// Milliseconds since 1970, UTC: the unit in which logs count time.
pub type Millis = i64;

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub time: Millis,
    /// When the log received it.
    pub ingested: Millis,
    /// The log group, as it is called on AWS.
    pub group: String,
    /// The stream in the group: one task, one invocation, one run.
    pub stream: String,
    /// Its name, the same whenever it is read again, and unique in its source.
    pub event_id: String,
    /// What was logged, as it was.
    pub message: String,
}

/// An event whose turn has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The position of its source among those that were asked.
    pub source: usize,
    /// The event.
    pub event: Event,
    /// By how much it is older than something that was shown before it, where it is.
    pub late: Option<Millis>,
}

/// A moment as a date.
pub fn moment(time: Millis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time).unwrap_or_default()
}
