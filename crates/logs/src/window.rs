//! Which window of time a source is asked for next.
//!
//! Windows overlap: each begins somewhat before the last whole one was asked for, so that events which arrive late fall into
//! the next. Now and then one reaches further back, and rarely one much further. A window that was given up half way is asked
//! for again from its beginning.

use super::event::Millis;
use super::tempo::Tempo;

/// The windows of one source.
#[derive(Debug, Clone)]
pub struct Windows {
    since: Millis,
    /// When the last window that was read to its end was asked for.
    whole: Option<Millis>,
    /// When a sweep of each kind was last begun.
    swept: [Millis; 2],
    /// Where a window began that was given up.
    given_up: Option<Millis>,
}

impl Windows {
    /// Windows that begin no earlier than `since`.
    pub const fn new(since: Millis, now: Millis) -> Self {
        Self { since, whole: None, swept: [now; 2], given_up: None }
    }

    /// Where the next window begins. The last one reaches back as far as any.
    pub fn next(&mut self, tempo: &Tempo, now: Millis, floor: Millis, last: bool) -> Millis {
        let Some(whole) = self.whole else { return self.since };
        let mut back = tempo.overlap;
        for (sweep, swept) in tempo.sweeps.iter().zip(&mut self.swept) {
            if last || now - *swept >= sweep.every {
                back = back.max(sweep.back);
                *swept = now;
            }
        }
        let from = self.given_up.map_or(whole - back, |given_up| given_up.min(whole - back));
        from.max(self.since).max(floor)
    }

    /// The window that was asked for at this time has been read to its end.
    pub fn done(&mut self, asked_at: Millis) {
        self.whole = Some(asked_at);
        self.given_up = None;
    }

    /// The window that begins here was not read to its end, and will not be.
    pub fn give_up(&mut self, from: Millis, asked_at: Millis) {
        self.done(asked_at);
        self.given_up = Some(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    #[test]
    fn the_first_window_holds_until_it_is_read_whole() {
        let mut windows = Windows::new(5, 1_000_000);
        assert_eq!(windows.next(&Tempo::SERVICE, 1_000_000, Millis::MIN, false), 5);
        assert_eq!(windows.next(&Tempo::SERVICE, 1_009_000, Millis::MIN, false), 5);
        windows.done(1_009_000);
        assert_eq!(windows.next(&Tempo::SERVICE, 1_011_000, Millis::MIN, false), 994_000);
    }

    #[test]
    fn sweeps_reach_further_back_and_never_before_the_beginning_or_the_floor() {
        let start = 100 * MINUTE;
        let mut windows = Windows::new(0, start);
        windows.done(start);
        let next = |windows: &mut Windows, now, floor, last| {
            let from = windows.next(&Tempo::SERVICE, now, floor, last);
            windows.done(now);
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
    fn what_was_given_up_is_asked_for_again() {
        let mut windows = Windows::new(7, 0);
        windows.give_up(7, 1_000_000);
        assert_eq!(windows.next(&Tempo::SERVICE, 1_002_000, Millis::MIN, false), 7);
    }
}
