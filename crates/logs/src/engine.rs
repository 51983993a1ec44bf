//! Decides which source is polled next and which events are due, without I/O and without a clock.
//!
//! The source with the lowest watermark is polled first, which keeps the number of buffered events small.

use common::failure::{Failure, Result};

use crate::dedupe::SeenEvents;
use crate::merge::Merge;
use crate::token_bucket::TokenBucket;
use crate::window::Windows;
use crate::{Event, Millis, PageRequest, PageResponse, PollPolicy};

/// Maximum number of remembered event ids: about 50 MB.
const MAX_SEEN_EVENTS: usize = 1 << 20;

/// With more buffered events, only the sources that hold them back are polled.
const MAX_BUFFERED_EVENTS: usize = 50_000;

/// The same for the size of their messages: a message may have a megabyte.
const MAX_BUFFERED_BYTES: usize = 64 << 20;

/// A window is abandoned after the same token without new events this many times in a row.
const MAX_TOKEN_REPEATS: u32 = 8;

/// After this many failures in a row a source no longer holds back the others, and its window starts again.
const MAX_FAILURES_WAITED_FOR: u32 = 3;

/// After this many failures in a row a last window fails.
const MAX_FAILURES: u32 = 4;

/// Maximum back-off of a source that is unavailable.
const MAX_RETRY_INTERVAL: Millis = 30_000;

/// Events further in the future are due on arrival: their source's clock is wrong.
const MAX_CLOCK_SKEW: Millis = 10_000;

/// What is read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Start of the time range, inclusive.
    pub since: Millis,
    /// End of the time range, exclusive.
    pub until: Option<Millis>,
    /// Whether to wait for new events once all existing ones are read.
    pub follow: bool,
    /// A filter pattern for the sources, in CloudWatch's syntax.
    pub pattern: Option<String>,
    /// How the sources are polled.
    pub poll_policy: PollPolicy,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send a request to the source with this index.
    Request(usize, PageRequest),
    /// Wait for a response, at most until this time.
    Wait(Millis),
    Done,
}

/// A change in the availability of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The log of the source with this index does not exist yet.
    Missing(usize),
    /// Requests are throttled; the request rate is reduced.
    Throttled,
    /// The source is unavailable, and why.
    Unavailable(usize, String),
    /// The source is available again.
    Recovered(usize),
}

/// The state of all sources.
#[derive(Debug)]
pub(crate) struct Engine {
    options: ReadOptions,
    states: Vec<SourceState>,
    seen: SeenEvents,
    pub(crate) merge: Merge,
    bucket: TokenBucket,
    /// A window that is requested at this time or later is the last one of its source.
    end: Option<Millis>,
}

#[derive(Debug, Clone)]
struct SourceState {
    windows: Windows,
    scan: Option<WindowScan>,
    in_flight: bool,
    not_before: Millis,
    failures: u32,
    missing: bool,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    /// The first window is not read yet.
    CatchingUp,
    Polling,
    Done,
}

/// A window that is being read, page by page.
#[derive(Debug, Clone)]
struct WindowScan {
    from: Millis,
    requested_at: Millis,
    last: bool,
    token: Option<String>,
    repeats: u32,
}

impl Engine {
    pub(crate) fn new(options: ReadOptions, sources: usize, now: Millis) -> Self {
        let end = match options.until {
            Some(until) if options.follow => Some(until.max(now) + options.poll_policy.grace_period),
            _ if options.follow => None,
            _ => Some(now),
        };
        let state = SourceState {
            windows: Windows::new(options.since, now),
            scan: None,
            in_flight: false,
            not_before: now,
            failures: 0,
            missing: false,
            phase: Phase::CatchingUp,
        };
        Self {
            states: vec![state; sources],
            seen: SeenEvents::new(MAX_SEEN_EVENTS),
            merge: Merge::new(sources),
            bucket: TokenBucket::new(options.poll_policy.rate, now),
            end,
            options,
        }
    }

    /// Returns the next step. The response to a [`Step::Request`] is passed to [`Self::on_response`].
    pub(crate) fn next(&mut self, now: Millis) -> Step {
        let lowest = self.unfinished().map(|(source, _)| self.merge.watermark(source)).min();
        let Some(lowest) = lowest else { return Step::Done };
        let crowded = self.merge.len() > MAX_BUFFERED_EVENTS || self.merge.bytes() > MAX_BUFFERED_BYTES;
        let idle = self.unfinished().filter(|(source, state)| {
            !(state.in_flight || crowded && self.merge.watermark(*source) > lowest)
        });
        // The source that is due first, and of those that are due now the one with the lowest watermark.
        let first =
            idle.min_by_key(|(source, state)| (state.not_before.max(now), self.merge.watermark(*source)));
        let Some((source, not_before)) = first.map(|(source, state)| (source, state.not_before)) else {
            return Step::Wait(Millis::MAX);
        };
        let wait = (not_before - now).max(self.bucket.wait(now));
        if wait > 0 {
            return Step::Wait(now + wait);
        }
        self.bucket.take(now);
        Step::Request(source, self.request(source, now))
    }

    fn unfinished(&self) -> impl Iterator<Item = (usize, &SourceState)> {
        self.states.iter().enumerate().filter(|(_, state)| state.phase != Phase::Done)
    }

    fn request(&mut self, source: usize, now: Millis) -> PageRequest {
        let (state, floor) = (&mut self.states[source], self.seen.floor());
        state.in_flight = true;
        let scan = state.scan.get_or_insert_with(|| {
            let last = self.end.is_some_and(|end| now >= end);
            let from = state.windows.next(&self.options.poll_policy, now, floor, last);
            WindowScan { from, requested_at: now, last, token: None, repeats: 0 }
        });
        PageRequest {
            from: scan.from,
            until: self.options.until,
            pattern: self.options.pattern.clone(),
            token: scan.token.clone(),
            last: scan.last,
        }
    }

    /// Processes a response. Fails if a last window cannot be read.
    pub(crate) fn on_response(
        &mut self,
        source: usize,
        response: PageResponse,
        now: Millis,
    ) -> Result<Vec<Notice>> {
        let state = &mut self.states[source];
        state.in_flight = false;
        let Some(scan) = state.scan.clone() else { return Ok(Vec::new()) };
        match response {
            PageResponse::Throttled => {
                // Reported once, until the full rate is reached again.
                let again = self.bucket.is_reduced();
                self.bucket.on_throttled(now);
                return Ok(if again { Vec::new() } else { vec![Notice::Throttled] });
            }
            PageResponse::Unavailable(failure) => return self.on_unavailable(source, &scan, failure, now),
            PageResponse::Missing | PageResponse::Page { .. } => self.bucket.on_success(),
        }
        let recovered = std::mem::take(&mut state.failures) >= MAX_FAILURES_WAITED_FOR;
        let mut notices = if recovered { vec![Notice::Recovered(source)] } else { Vec::new() };
        if let PageResponse::Page { events, next, complete_until } = response {
            state.missing = false;
            let new = self.accept(source, events, now);
            self.end_page(source, scan, next, complete_until, new, now);
        } else {
            if !std::mem::replace(&mut state.missing, true) {
                notices.push(Notice::Missing(source));
            }
            // The window is not marked as read: once the log exists, it is read from its start.
            self.end_window(source, &scan, now + self.options.poll_policy.retry_interval);
        }
        Ok(notices)
    }

    /// Buffers the events that are new and in the time range; returns their number.
    fn accept(&mut self, source: usize, events: Vec<Event>, now: Millis) -> usize {
        let (since, until) = (self.options.since, self.options.until);
        let mut new = 0;
        for event in events {
            let in_range = event.time >= since && until.is_none_or(|until| event.time < until);
            if !in_range || !self.seen.insert(source, &event.event_id, event.time) {
                continue;
            }
            new += 1;
            let skewed = self.options.follow && event.time > now + MAX_CLOCK_SKEW;
            self.merge.push(source, if skewed { now } else { event.time }, event);
        }
        new
    }

    fn end_page(
        &mut self,
        source: usize,
        mut scan: WindowScan,
        next: Option<String>,
        complete_until: Option<Millis>,
        new: usize,
        now: Millis,
    ) {
        let policy = self.options.poll_policy;
        let Some(token) = next else {
            self.states[source].windows.complete(scan.requested_at);
            return self.end_window(source, &scan, (scan.requested_at + policy.interval).max(now));
        };
        let repeated = new == 0 && scan.token.as_ref() == Some(&token);
        scan.repeats = if repeated { scan.repeats + 1 } else { 0 };
        if scan.repeats >= MAX_TOKEN_REPEATS {
            // Some services end a window like this; in case this one did not, the window is requested again.
            self.states[source].windows.abandon(scan.from, scan.requested_at);
            return self.end_window(source, &scan, now + policy.retry_interval);
        }
        if let Some(time) = complete_until {
            self.merge.advance(source, time.min(scan.requested_at - policy.reorder_delay));
        }
        scan.token = Some(token);
        self.states[source].scan = Some(scan);
    }

    fn end_window(&mut self, source: usize, scan: &WindowScan, next_poll: Millis) {
        let state = &mut self.states[source];
        state.scan = None;
        state.phase = if scan.last { Phase::Done } else { Phase::Polling };
        // The last window starts at the end time even if the next poll would be earlier or later.
        state.not_before = self.end.map_or(next_poll, |end| next_poll.min(end.max(scan.requested_at)));
        let policy = self.options.poll_policy;
        let watermark = if scan.last { Millis::MAX } else { scan.requested_at - policy.reorder_delay };
        self.merge.advance(source, watermark);
        if self.caught_up() {
            self.seen.forget_before(scan.requested_at - 2 * policy.max_lookback() - 60_000);
        }
    }

    fn on_unavailable(
        &mut self,
        source: usize,
        scan: &WindowScan,
        failure: Failure,
        now: Millis,
    ) -> Result<Vec<Notice>> {
        let state = &mut self.states[source];
        state.failures += 1;
        if scan.last && state.failures >= MAX_FAILURES {
            return Err(failure);
        }
        let back_off = self.options.poll_policy.interval << state.failures.min(9);
        state.not_before = now + back_off.min(MAX_RETRY_INTERVAL);
        if state.failures != MAX_FAILURES_WAITED_FOR {
            return Ok(Vec::new());
        }
        // An expired token may be the cause.
        state.windows.abandon(scan.from, scan.requested_at);
        state.scan = None;
        // Following prefers timely events of the other sources; a single read prefers a complete order.
        if self.options.follow {
            self.merge.stop_waiting_for(source);
        }
        Ok(vec![Notice::Unavailable(source, failure.to_string())])
    }

    /// Ends the reading after the grace period: no new events are written any more.
    pub(crate) fn finish(&mut self, now: Millis) {
        let end = now + self.options.poll_policy.grace_period;
        let end = self.end.map_or(end, |earlier| earlier.min(end));
        self.end = Some(end);
        for state in &mut self.states {
            state.not_before = state.not_before.min(end.max(now));
        }
    }

    /// Returns whether the first window of every available source has been read.
    pub(crate) fn caught_up(&self) -> bool {
        self.states
            .iter()
            .all(|state| state.phase > Phase::CatchingUp || state.failures >= MAX_FAILURES_WAITED_FOR)
    }

    /// Returns the number of buffered events and of remembered ids.
    #[cfg(test)]
    pub(crate) fn buffer_sizes(&self) -> (usize, usize) {
        (self.merge.len(), self.seen.len())
    }
}
