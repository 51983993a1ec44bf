//! Chooses the window of time that is requested next from a source.
//!
//! Windows overlap, so that events which arrive late fall into the next one; lookbacks reach further back at longer intervals. An
//! abandoned window is requested again from its start.

use crate::{Millis, PollPolicy};

/// The windows of one source.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    since: Millis,
    /// When the last window that was read to its end was requested.
    completed: Option<Millis>,
    /// When a lookback of each kind last started.
    looked_back: [Millis; 2],
    /// Start of an abandoned window.
    abandoned: Option<Millis>,
}

impl Windows {
    pub(crate) const fn new(since: Millis, now: Millis) -> Self {
        Self { since, completed: None, looked_back: [now; 2], abandoned: None }
    }

    /// Returns the start of the next window, at least `floor`. The last window includes every lookback.
    pub(crate) fn next(&mut self, policy: &PollPolicy, now: Millis, floor: Millis, last: bool) -> Millis {
        let Some(completed) = self.completed else { return self.since };
        let mut back = policy.overlap;
        for (lookback, looked_back) in policy.lookbacks.iter().zip(&mut self.looked_back) {
            if last || now - *looked_back >= lookback.every {
                back = back.max(lookback.back);
                *looked_back = now;
            }
        }
        let from = completed - back;
        self.abandoned.map_or(from, |abandoned| abandoned.min(from)).max(self.since).max(floor)
    }

    /// Marks the window that was requested at this time as read.
    pub(crate) fn complete(&mut self, requested_at: Millis) {
        self.completed = Some(requested_at);
        self.abandoned = None;
    }

    /// Marks the window that starts at `from` as abandoned.
    pub(crate) fn abandon(&mut self, from: Millis, requested_at: Millis) {
        self.complete(requested_at);
        self.abandoned = Some(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    #[test]
    fn next_before_first_complete_window_returns_since() {
        let mut windows = Windows::new(5, 1_000_000);
        assert_eq!(windows.next(&PollPolicy::CLOUDWATCH, 1_000_000, Millis::MIN, false), 5);
        assert_eq!(windows.next(&PollPolicy::CLOUDWATCH, 1_009_000, Millis::MIN, false), 5);
        windows.complete(1_009_000);
        assert_eq!(windows.next(&PollPolicy::CLOUDWATCH, 1_011_000, Millis::MIN, false), 994_000);
    }

    #[test]
    fn next_lookback_reaches_further_back_but_not_before_since_or_floor() {
        let start = 100 * MINUTE;
        let mut windows = Windows::new(0, start);
        windows.complete(start);
        let next = |windows: &mut Windows, now, floor, last| {
            let from = windows.next(&PollPolicy::CLOUDWATCH, now, floor, last);
            windows.complete(now);
            (now - from) / 1000
        };
        assert_eq!(next(&mut windows, start + 2_000, 0, false), 17);
        assert_eq!(next(&mut windows, start + 30_000, 0, false), 208);
        assert_eq!(next(&mut windows, start + 32_000, 0, false), 17);
        assert_eq!(next(&mut windows, start + 10 * MINUTE, 0, false), 3600 + 568);
        assert_eq!(next(&mut windows, start + 10 * MINUTE + 2000, start + 10 * MINUTE, false), 2);
        assert_eq!(next(&mut windows, start + 10 * MINUTE + 4000, 0, true), 3602);
    }

    #[test]
    fn next_after_abandoned_window_returns_its_start() {
        let mut windows = Windows::new(7, 0);
        windows.abandon(7, 1_000_000);
        assert_eq!(windows.next(&PollPolicy::CLOUDWATCH, 1_002_000, Millis::MIN, false), 7);
    }
}
