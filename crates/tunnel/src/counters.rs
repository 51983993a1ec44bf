//! What has passed through a tunnel so far. Counting must not slow the passing down: every number is on its own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::text;

/// The numbers of one tunnel.
#[derive(Debug, Default)]
pub struct Counters {
    up: AtomicU64,
    down: AtomicU64,
    open: AtomicU64,
    served: AtomicU64,
    reconnects: AtomicU64,
    round_trip_micros: AtomicU64,
}

/// The numbers of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes to the target.
    pub up: u64,
    /// Bytes from the target.
    pub down: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Connections so far.
    pub served: u64,
    /// How often the bastion was lost and found again.
    pub reconnects: u64,
    /// The last measured round trip to the bastion.
    pub round_trip: Duration,
}

/// Counts a connection as open as long as it lives.
pub(super) struct Open(Arc<Counters>);

impl Counters {
    /// All numbers, now.
    pub fn snapshot(&self) -> Snapshot {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            up: value(&self.up),
            down: value(&self.down),
            open: value(&self.open),
            served: value(&self.served),
            reconnects: value(&self.reconnects),
            round_trip: Duration::from_micros(value(&self.round_trip_micros)),
        }
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.down.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn opened(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.served.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    pub(super) fn reconnected(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn measured(&self, round_trip: Duration) {
        let micros = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
        self.round_trip_micros.store(micros, Ordering::Relaxed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Snapshot {
    /// One line, with the rate since `before`.
    pub fn line(&self, before: &Self, elapsed: Duration) -> impl fmt::Display + use<> {
        let rate = |now: u64, then: u64| {
            let bytes = u128::from(now.saturating_sub(then)) * 1000 / elapsed.as_millis().max(1);
            text::size(u64::try_from(bytes).unwrap_or(u64::MAX))
        };
        format!(
            "{} open of {} · in {} ({}/s) · out {} ({}/s) · round trip {:.1} ms · {} reconnects",
            self.open,
            self.served,
            text::size(self.down),
            rate(self.down, before.down),
            text::size(self.up),
            rate(self.up, before.up),
            self.round_trip.as_secs_f64() * 1000.0,
            self.reconnects,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all_of_it() {
        let counters = Arc::new(Counters::default());
        let before = counters.snapshot();
        let open = counters.opened();
        drop(counters.opened());
        counters.received(3_000_000);
        counters.sent(500);
        counters.measured(Duration::from_micros(150_340));
        counters.reconnected();
        assert_eq!(
            counters.snapshot().line(&before, Duration::from_secs(2)).to_string(),
            "1 open of 2 · in 3.0 MB (1.5 MB/s) · out 500 B (250 B/s) · round trip 150.3 ms · 1 reconnects"
        );
        drop(open);
        assert_eq!(counters.snapshot().open, 0);
    }
}
