//! Requests, and the values that they return. The last good value is kept while a newer request is pending and when it fails.

use chrono::{DateTime, TimeDelta, Utc};
use common::failure::Failure;

/// A request that is not answered within this time may be repeated.
const REQUEST_TIMEOUT: TimeDelta = TimeDelta::seconds(30);

/// A request that is pending for longer makes the kept value stale.
const STALE_AFTER: TimeDelta = TimeDelta::seconds(3);

/// Identifies a request. A response to any but the newest request of its kind is stale, and is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub u64);

/// An error as a notice shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    pub message: String,
    pub hint: Option<String>,
}

impl UserError {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl From<&Failure> for UserError {
    fn from(failure: &Failure) -> Self {
        Self { message: failure.to_string(), hint: failure.hint_text().map(str::to_owned) }
    }
}

impl From<Failure> for UserError {
    fn from(failure: Failure) -> Self {
        Self::from(&failure)
    }
}

pub type Response<T> = Result<T, UserError>;

#[derive(Debug, Clone, Default)]
pub struct Remote<T> {
    /// The last good response.
    pub value: Option<T>,
    pub received_at: Option<DateTime<Utc>>,
    /// Why the last finished request failed; kept while the next one is pending.
    pub error: Option<UserError>,
    pub pending: Option<RequestId>,
    requested_at: Option<DateTime<Utc>>,
}

impl<T> Remote<T> {
    /// Records a request; only the response to this one will be accepted.
    pub fn start(&mut self, request: RequestId, now: DateTime<Utc>) {
        (self.pending, self.requested_at) = (Some(request), Some(now));
    }

    /// Stores a response; returns whether it was the expected one.
    pub fn receive(&mut self, request: RequestId, response: Response<T>, now: DateTime<Utc>) -> bool {
        if self.pending.take_if(|pending| *pending == request).is_none() {
            return false;
        }
        match response {
            Ok(value) => (self.value, self.received_at, self.error) = (Some(value), Some(now), None),
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// Whether the next request is due if one is made every `interval`.
    pub fn is_due(&self, now: DateTime<Utc>, interval: TimeDelta) -> bool {
        let wait = if self.pending.is_some() { REQUEST_TIMEOUT.max(interval) } else { interval };
        self.requested_at.is_none_or(|requested_at| now - requested_at >= wait)
    }

    /// Whether a response is overdue.
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.pending.is_some()
            && self.requested_at.is_some_and(|requested_at| now - requested_at > STALE_AFTER)
    }
}

impl<T> Remote<Vec<T>> {
    /// The items of the last good response.
    pub fn items(&self) -> &[T] {
        self.value.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn remote_drops_stale_responses_and_keeps_the_last_good_value() {
        let mut remote = Remote::default();
        remote.start(RequestId(1), at(0));
        remote.start(RequestId(2), at(1));
        assert!(!remote.receive(RequestId(1), Ok("old"), at(2)));
        assert!(remote.receive(RequestId(2), Ok("new"), at(3)));
        remote.start(RequestId(3), at(10));
        assert!(!remote.is_late(at(12)) && remote.is_late(at(14)));
        assert!(remote.receive(RequestId(3), Err(UserError::new("lost", "retry")), at(15)));
        assert_eq!((remote.value, remote.received_at), (Some("new"), Some(at(3))));
        assert!(!remote.receive(RequestId(3), Ok("twice"), at(16)));
        remote.start(RequestId(4), at(20));
        assert!(remote.error.is_some(), "the error stays while the next request is pending");
        assert!(remote.receive(RequestId(4), Ok("newer"), at(21)) && remote.error.is_none());
    }

    #[test]
    fn remote_is_due_after_the_interval_or_the_timeout_of_a_pending_request() {
        let interval = TimeDelta::seconds(5);
        let mut remote = Remote::<u8>::default();
        assert!(remote.is_due(at(0), interval));
        remote.start(RequestId(1), at(0));
        assert!(!remote.is_due(at(29), interval) && remote.is_due(at(30), interval));
        remote.receive(RequestId(1), Ok(1), at(4));
        assert!(!remote.is_due(at(4), interval) && remote.is_due(at(5), interval));
    }
}
