//! The counters of a tunnel: independent relaxed atomics, so that counting does not slow the forwarding down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use common::text;

use crate::window::micros;

/// The counters of one tunnel.
#[derive(Debug, Default)]
pub struct Counters {
    /// Bytes to targets.
    pub(crate) sent: AtomicU64,
    /// Bytes from targets.
    pub(crate) received: AtomicU64,
    open: AtomicU64,
    accepted: AtomicU64,
    pub(crate) reconnects: AtomicU64,
    pub(crate) handshakes: AtomicU64,
    round_trip_micros: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes sent to targets.
    pub up: u64,
    /// Bytes received from targets.
    pub down: u64,
    /// Connections that are open.
    pub open: u64,
    /// Connections accepted so far.
    pub served: u64,
    /// How often the bastion was lost and reached again.
    pub reconnects: u64,
    /// SSH sessions opened so far.
    pub handshakes: u64,
    /// The latest measured round trip to the bastion.
    pub round_trip: Duration,
}

/// Counts a connection as open until dropped.
pub(crate) struct OpenConnection(Arc<Counters>);

impl Counters {
    /// Reads every counter.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            up: self.sent.load(Relaxed),
            down: self.received.load(Relaxed),
            open: self.open.load(Relaxed),
            served: self.accepted.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
            handshakes: self.handshakes.load(Relaxed),
            round_trip: Duration::from_micros(self.round_trip_micros.load(Relaxed)),
        }
    }

    pub(crate) fn add_connection(self: &Arc<Self>) -> OpenConnection {
        self.open.fetch_add(1, Relaxed);
        self.accepted.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(self))
    }

    pub(crate) fn set_round_trip(&self, round_trip: Duration) {
        self.round_trip_micros.store(micros(round_trip), Relaxed);
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl Snapshot {
    /// Returns the counters as one line, with the rates since `before`.
    pub fn line(&self, before: &Self, elapsed: Duration) -> String {
        let rate = |now: u64, then: u64| {
            let bytes = u128::from(now.saturating_sub(then)) * 1000 / elapsed.as_millis().max(1);
            text::size(u64::try_from(bytes).unwrap_or(u64::MAX))
        };
        format!(
            "{} open of {} · in {} ({}/s) · out {} ({}/s) · round trip {:.1} ms · {}",
            self.open,
            self.served,
            text::size(self.down),
            rate(self.down, before.down),
            text::size(self.up),
            rate(self.up, before.up),
            self.round_trip.as_secs_f64() * 1000.0,
            text::count(self.reconnects, "reconnect"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_line_shows_every_counter_and_rates() {
        let counters = Arc::new(Counters::default());
        let before = counters.snapshot();
        let open = counters.add_connection();
        drop(counters.add_connection());
        counters.received.fetch_add(3_000_000, Relaxed);
        counters.sent.fetch_add(500, Relaxed);
        counters.set_round_trip(Duration::from_micros(150_340));
        counters.reconnects.fetch_add(1, Relaxed);
        assert_eq!(
            counters.snapshot().line(&before, Duration::from_secs(2)),
            "1 open of 2 · in 3 MB (1.5 MB/s) · out 500 B (250 B/s) · round trip 150.3 ms · 1 reconnect"
        );
        drop(open);
        assert_eq!(counters.snapshot().open, 0);
    }
}
