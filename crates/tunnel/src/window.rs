//! The receive window of each channel: the bandwidth-delay product of the path, within a budget for all connections.
//!
//! A channel moves at most one window per round trip: 2 MiB at 150 ms are 13 MB/s. A window larger than the path needs costs memory
//! in the bastion when the client does not read, and time on a short path: if the target is faster than the path, sshd keeps a
//! whole window in a buffer that it copies each time the buffer grows.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The throughput that a window allows, in bytes per second.
const TARGET_RATE: u64 = 400 << 20;

const MIN_WINDOW: u64 = 2 << 20;

/// sshd's own buffers limit the throughput of larger windows.
const MAX_WINDOW: u64 = 64 << 20;

/// The sum of all windows.
const TOTAL_BUDGET: u64 = 512 << 20;

/// The window of a connection that comes after the budget is used up.
const MIN_WINDOW_OVER_BUDGET: u64 = 512 << 10;

/// Below this round trip nothing is done ahead of time: a handshake or a round trip takes no noticeable time.
const SHORT_PATH: Duration = Duration::from_millis(5);

/// Sizes the windows of all sessions.
#[derive(Debug, Default)]
pub(crate) struct WindowSizer {
    reserved: Mutex<u64>,
    /// The shortest round trip seen, in microseconds; 0 if there is none yet.
    round_trip_micros: AtomicU64,
}

/// A window that counts against the budget until dropped.
#[derive(Debug)]
pub(crate) struct Window {
    size: u64,
    sizer: Arc<WindowSizer>,
}

impl WindowSizer {
    pub(crate) fn record_round_trip(&self, round_trip: Duration) {
        let micros = micros(round_trip).max(1);
        let shorter = |known| if known == 0 || micros < known { Some(micros) } else { None };
        // An error means that a shorter one is known.
        _ = self.round_trip_micros.fetch_update(Relaxed, Relaxed, shorter);
    }

    /// Returns whether the path is known to be shorter than [`SHORT_PATH`].
    pub(crate) fn is_short_path(&self) -> bool {
        let known = self.round_trip_micros.load(Relaxed);
        known > 0 && Duration::from_micros(known) < SHORT_PATH
    }

    /// Forgets the round trip: the next bastion may be elsewhere.
    pub(crate) fn reset_round_trip(&self) {
        self.round_trip_micros.store(0, Relaxed);
    }

    /// Reserves a window for the known round trip, or for `estimate` if none is known.
    pub(crate) fn reserve(self: &Arc<Self>, estimate: Duration) -> Window {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let size = self.desired(estimate).min(share(*reserved)).max(MIN_WINDOW_OVER_BUDGET);
        *reserved += size;
        Window { size, sizer: Arc::clone(self) }
    }

    fn desired(&self, estimate: Duration) -> u64 {
        let micros = match self.round_trip_micros.load(Relaxed) {
            0 => micros(estimate),
            known => known,
        };
        (TARGET_RATE.saturating_mul(micros) / 1_000_000).clamp(MIN_WINDOW, MAX_WINDOW)
    }
}

/// Returns the largest window of the next connection: a quarter of the rest, so that later connections get some of it, too.
fn share(reserved: u64) -> u64 {
    TOTAL_BUDGET.saturating_sub(reserved) / 4
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Window {
    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u32 {
        u32::try_from(self.size).unwrap_or(u32::MAX)
    }

    /// Returns whether the path turned out to need, and the budget allows, more than twice this window.
    pub(crate) fn is_too_small(&self) -> bool {
        let reserved = *self.sizer.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        self.sizer.desired(Duration::ZERO).min(share(reserved)) > self.size * 2
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        *self.sizer.reserved.lock().unwrap_or_else(PoisonError::into_inner) -= self.size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_grows_with_round_trip_between_minimum_and_maximum() {
        let sizes = [0, 1, 10, 40, 150, 1000].map(|ms| {
            let sizer = Arc::new(WindowSizer::default());
            sizer.record_round_trip(Duration::from_millis(ms));
            sizer.reserve(Duration::ZERO).size() >> 20
        });
        assert_eq!(sizes, [2, 2, 4, 16, 60, 64]);
    }

    #[test]
    fn path_without_measurement_is_not_short() {
        let sizer = WindowSizer::default();
        assert!(!sizer.is_short_path());
        sizer.record_round_trip(SHORT_PATH);
        assert!(!sizer.is_short_path());
        sizer.record_round_trip(SHORT_PATH * 9 / 10);
        assert!(sizer.is_short_path());
        sizer.reset_round_trip();
        assert!(!sizer.is_short_path());
    }

    #[test]
    fn window_estimated_below_half_of_need_is_too_small() {
        let sizer = Arc::new(WindowSizer::default());
        let window = sizer.reserve(Duration::ZERO);
        assert!(!window.is_too_small());
        sizer.record_round_trip(Duration::from_millis(150));
        assert!(window.is_too_small());
        assert!(!sizer.reserve(Duration::ZERO).is_too_small());
    }

    #[test]
    fn windows_stay_within_budget_and_release_it_when_dropped() {
        let sizer = Arc::new(WindowSizer::default());
        let windows: Vec<_> = (0..1000).map(|_| sizer.reserve(Duration::from_millis(150))).collect();
        assert_eq!(windows[0].size() >> 20, 60);
        let total: u64 = windows.iter().map(|window| u64::from(window.size())).sum();
        assert!(total <= TOTAL_BUDGET + 1000 * MIN_WINDOW_OVER_BUDGET, "{total}");
        assert!(windows.iter().all(|window| u64::from(window.size()) >= MIN_WINDOW_OVER_BUDGET));
        drop(windows);
        assert_eq!(*sizer.reserved.lock().unwrap(), 0);
    }
}
