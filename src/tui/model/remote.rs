//! A value that is requested from outside. The last good response is kept while a newer one is pending and when it fails.

use chrono::{DateTime, TimeDelta, Utc};

use crate::tui::request::{RequestId, Response, UserError};

/// A request that is not answered within this time may be repeated.
const REQUEST_TIMEOUT: TimeDelta = TimeDelta::seconds(30);

/// A request that is pending for longer makes the kept value stale.
const STALE_AFTER: TimeDelta = TimeDelta::seconds(3);

#[derive(Debug, Clone)]
pub struct Remote<T> {
    /// The last good response.
    pub value: Option<T>,
    pub received_at: Option<DateTime<Utc>>,
    /// Why the last finished request failed; kept while the next one is pending.
    pub error: Option<UserError>,
    is_pending: bool,
    request: RequestId,
    requested_at: Option<DateTime<Utc>>,
}

impl<T> Default for Remote<T> {
    fn default() -> Self {
        Self {
            value: None,
            received_at: None,
            error: None,
            is_pending: false,
            request: RequestId(0),
            requested_at: None,
        }
    }
}

impl<T> Remote<T> {
    /// Records a request; only the response to this one will be accepted.
    pub fn start(&mut self, request: RequestId, now: DateTime<Utc>) {
        (self.request, self.requested_at, self.is_pending) = (request, Some(now), true);
    }

    /// Stores a response; returns whether it was the expected one.
    pub fn receive(&mut self, request: RequestId, response: Response<T>, now: DateTime<Utc>) -> bool {
        if request != self.request || !self.is_pending {
            return false;
        }
        self.is_pending = false;
        match response {
            Ok(value) => (self.value, self.received_at, self.error) = (Some(value), Some(now), None),
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// Whether the next request is due if one is made every `interval`.
    pub fn is_due(&self, now: DateTime<Utc>, interval: TimeDelta) -> bool {
        let wait = if self.is_pending { REQUEST_TIMEOUT.max(interval) } else { interval };
        self.requested_at.is_none_or(|requested_at| now - requested_at >= wait)
    }

    pub fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// Whether a response is overdue.
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.is_pending && self.requested_at.is_some_and(|requested_at| now - requested_at > STALE_AFTER)
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
