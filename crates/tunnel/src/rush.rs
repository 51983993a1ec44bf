//! How packets follow each other on one SSH connection, and what that means for whoever waits for the next one.
//!
//! On a fast path the next packet is a few microseconds away. To fall asleep until then costs both sides: sshd has to wake us up,
//! and the kernel puts us where sshd runs and makes it wait. So for as long as packets rush in, we wait for the next one
//! awake, for a moment, and stay on our processor. What is read, and how, is not this module's business.

use std::time::{Duration, Instant};

use super::stay::Stay;

/// So much at once is part of a bulk transfer.
pub(super) const BULK: usize = 16 << 10;

/// A packet that came so soon after the one before lets us expect the next as soon: somewhat more than it takes to be woken up.
const SOON: Duration = Duration::from_micros(100);

/// We stay awake for so long, which is what sshd takes for a packet.
const AWAKE: Duration = Duration::from_micros(30);

/// Whether packets rush in.
#[derive(Default)]
pub(super) struct Rush {
    is_on: bool,
    /// Since when we wait for the next packet.
    waiting: Option<Instant>,
    /// Holds us where we are, as long as it is on. Where it has a pause, the kernel chooses the processor anew. A transfer that stands
    /// still holds us until it is read again, or until sshd answers whether it is still there: that slows nobody down.
    stay: Option<Stay>,
}

impl Rush {
    /// Whether it is worth looking for the next packet before one is told that it is there.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Nothing has come yet. Whether to look again at once, instead of falling asleep.
    pub(super) fn waits_awake(&mut self, now: Instant) -> bool {
        let since = *self.waiting.get_or_insert(now);
        self.is_on && now - since < AWAKE
    }

    /// So many bytes have come.
    pub(super) fn has_read(&mut self, count: usize, now: Instant) {
        let was_on = self.is_on;
        let came_soon = self.waiting.take().map_or(was_on, |since| now - since < SOON);
        self.is_on = count >= BULK && came_soon;
        if self.is_on != was_on {
            self.stay = self.is_on.then(Stay::here).flatten();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    /// A rush in which the next packet is waited for since `now`.
    fn rush(now: Instant) -> Rush {
        let mut rush = Rush::default();
        rush.waits_awake(now);
        rush.has_read(BULK, now);
        rush.waits_awake(now);
        rush
    }

    #[test]
    fn it_begins_when_a_large_packet_comes_soon() {
        let now = Instant::now();
        for (count, wait, is_on) in
            [(BULK, SOON * 9 / 10, true), (BULK, SOON, false), (BULK - 1, MICROSECOND, false)]
        {
            let mut rush = Rush::default();
            assert!(!rush.waits_awake(now), "nothing is known yet");
            rush.has_read(count, now + wait);
            assert_eq!(rush.is_on(), is_on, "{count} {wait:?}");
        }
        let mut rush = Rush::default();
        rush.has_read(BULK, now);
        assert!(!rush.is_on(), "what was there already says nothing about the next");
    }

    #[test]
    fn it_goes_on_with_what_is_there_already_and_ends_with_what_is_small_or_late() {
        let now = Instant::now();
        let mut going_on = rush(now);
        going_on.has_read(BULK, now + SOON / 2);
        going_on.has_read(BULK, now + SOON * 9);
        assert!(going_on.is_on());
        let mut small = rush(now);
        small.has_read(BULK - 1, now + MICROSECOND);
        assert!(!small.is_on());
        let mut late = rush(now);
        late.has_read(BULK, now + SOON);
        assert!(!late.is_on());
    }

    #[test]
    fn nobody_waits_awake_for_long() {
        let now = Instant::now();
        let mut rush = rush(now);
        assert!(rush.waits_awake(now + AWAKE * 9 / 10));
        assert!(!rush.waits_awake(now + AWAKE));
        rush.has_read(BULK, now + AWAKE);
        assert!(rush.waits_awake(now + AWAKE * 2), "each packet is waited for anew");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn one_stays_for_as_long_as_it_lasts() {
        let is_free_to_go = Stay::here().is_some();
        let now = Instant::now();
        let mut rush = rush(now);
        assert_eq!(rush.stay.is_some(), is_free_to_go);
        rush.has_read(BULK, now + MICROSECOND);
        assert_eq!(rush.stay.is_some(), is_free_to_go);
        rush.has_read(1, now + MICROSECOND);
        assert!(rush.stay.is_none());
    }
}
