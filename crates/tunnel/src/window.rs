//! How much may be under way to us: as much as fits into a round trip, within a budget for all connections together.
//!
//! A window holds a stream to one window per round trip: 2 MiB at 150 ms are 13 MB/s. A window that is larger than needed
//! costs memory in the bastion and in the network's queues when nobody reads, and is slower on a short path: where the target
//! is faster than the path, sshd keeps a whole window, in a buffer that it copies each time it grows by one packet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The speed for which there shall be room, in bytes a second.
const WANTED_RATE: u64 = 400 << 20;

/// Enough for a short path.
const SMALLEST: u64 = 2 << 20;

/// More does not help: the bastion's own buffers end before.
const LARGEST: u64 = 64 << 20;

/// What all windows may add up to.
const BUDGET: u64 = 512 << 20;

/// What a connection gets although the budget is used up.
const LEAST: u64 = 512 << 10;

/// On a shorter path than this nobody notices a round trip, or a handshake.
const SHORT: Duration = Duration::from_millis(5);

/// Sizes windows; shared by all sessions.
#[derive(Debug, Default)]
pub(super) struct Sizing {
    reserved: Mutex<u64>,
    /// The shortest one seen, in microseconds; 0 before the first.
    round_trip: AtomicU64,
}

/// A window that counts against the budget as long as this lives.
#[derive(Debug)]
pub(super) struct Window {
    size: u64,
    sizing: Arc<Sizing>,
}

impl Sizing {
    /// Takes a measured round trip into account.
    pub(super) fn measured(&self, round_trip: Duration) {
        let measured = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX).max(1);
        let shortest = |known| if known == 0 || measured < known { Some(measured) } else { None };
        // Nothing to do where it is not shorter.
        _ = self.round_trip.fetch_update(Ordering::Relaxed, Ordering::Relaxed, shortest);
    }

    /// Whether the path is known to be so short that nothing needs to be done ahead of time.
    pub(super) fn is_short(&self) -> bool {
        let known = self.round_trip.load(Ordering::Relaxed);
        known > 0 && Duration::from_micros(known) < SHORT
    }

    /// Forgets the path, because the next bastion may be elsewhere.
    pub(super) fn forget(&self) {
        self.round_trip.store(0, Ordering::Relaxed);
    }

    /// A window for the round trip that is known, or else for `guess`.
    pub(super) fn reserve(self: &Arc<Self>, guess: Duration) -> Window {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        // A quarter of what is left: the first connections get all they want, later ones less, and none gets nothing.
        let share = BUDGET.saturating_sub(*reserved) / 4;
        let size = self.wanted(guess).min(share).max(LEAST);
        *reserved += size;
        Window { size, sizing: Arc::clone(self) }
    }

    fn wanted(&self, guess: Duration) -> u64 {
        let micros = match self.round_trip.load(Ordering::Relaxed) {
            0 => u64::try_from(guess.as_micros()).unwrap_or(u64::MAX),
            known => known,
        };
        (WANTED_RATE.saturating_mul(micros) / 1_000_000).clamp(SMALLEST, LARGEST)
    }
}

impl Window {
    /// In bytes.
    pub(super) fn size(&self) -> u32 {
        u32::try_from(self.size).unwrap_or(u32::MAX)
    }

    /// Whether the path turned out to be so much longer that this window would hold a stream back.
    pub(super) fn is_too_small(&self) -> bool {
        let reserved = *self.sizing.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let room = BUDGET.saturating_sub(reserved) / 4;
        self.sizing.wanted(Duration::ZERO).min(room) > self.size * 2
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        *self.sizing.reserved.lock().unwrap_or_else(PoisonError::into_inner) -= self.size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_path_gets_a_larger_window() {
        let sizes = [0, 1, 10, 40, 150, 1000].map(|ms| {
            let sizing = Arc::new(Sizing::default());
            sizing.measured(Duration::from_millis(ms));
            sizing.reserve(Duration::ZERO).size() >> 20
        });
        assert_eq!(sizes, [2, 2, 4, 16, 60, 64]);
    }

    #[test]
    fn a_path_that_is_not_known_is_not_short() {
        let sizing = Sizing::default();
        assert!(!sizing.is_short());
        sizing.measured(SHORT);
        assert!(!sizing.is_short());
        sizing.measured(SHORT * 9 / 10);
        assert!(sizing.is_short());
        sizing.forget();
        assert!(!sizing.is_short());
    }

    #[test]
    fn a_window_that_was_guessed_too_small_is_noticed() {
        let sizing = Arc::new(Sizing::default());
        let window = sizing.reserve(Duration::ZERO);
        assert!(!window.is_too_small());
        sizing.measured(Duration::from_millis(150));
        assert!(window.is_too_small());
        assert!(!sizing.reserve(Duration::ZERO).is_too_small());
    }

    #[test]
    fn all_together_stay_within_the_budget_and_give_it_back() {
        let sizing = Arc::new(Sizing::default());
        let windows: Vec<_> = (0..1000).map(|_| sizing.reserve(Duration::from_millis(150))).collect();
        assert_eq!(windows[0].size() >> 20, 60);
        let total: u64 = windows.iter().map(|window| u64::from(window.size())).sum();
        assert!(total <= BUDGET + 1000 * LEAST, "{total}");
        assert!(windows.iter().all(|window| u64::from(window.size()) >= LEAST));
        drop(windows);
        assert_eq!(*sizing.reserved.lock().unwrap(), 0);
    }
}
