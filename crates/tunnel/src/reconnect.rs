//! When to try again, and when to give up.
//!
//! Pure: it is told how attempts ended and says what follows. Whoever asks does the waiting.

use std::time::Duration;

use super::trouble::{Kind, Trouble};
use common::failure::Failure;

/// The first pause; each one is twice as long as the one before.
const SHORTEST: Duration = Duration::from_millis(200);

/// The longest pause. A bastion that is back must be noticed within seconds.
const LONGEST: Duration = Duration::from_secs(2);

/// So many refused logins, one after the other, end the tunnel.
const REFUSALS: u32 = 2;

/// How things stand with the bastion.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: u32,
    refusals: u32,
}

/// What follows from a failed attempt.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Try again after this pause. `first` says that all was well before.
    Pause { length: Duration, first: bool, why: String },
    /// Trying again would not help.
    GiveUp(Failure),
}

impl Health {
    /// Whether the last attempt failed. One attempt at a time is enough then.
    pub(super) fn is_down(&self) -> bool {
        self.failures > 0
    }

    /// An attempt succeeded. Says whether the bastion had been away.
    pub(super) fn succeeded(&mut self) -> bool {
        let was_down = self.is_down();
        *self = Self::default();
        was_down
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, trouble: Trouble) -> Verdict {
        self.refusals = if trouble.kind == Kind::NotLoggedIn { self.refusals + 1 } else { 0 };
        if trouble.kind == Kind::WrongHostKey || self.refusals >= REFUSALS {
            return Verdict::GiveUp(trouble.failure);
        }
        let length = SHORTEST.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures += 1;
        Verdict::Pause { length, first: self.failures == 1, why: trouble.failure.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(health: &mut Health, trouble: Trouble) -> Option<(u128, bool)> {
        match health.failed(trouble) {
            Verdict::Pause { length, first, .. } => Some((length.as_millis(), first)),
            Verdict::GiveUp(_) => None,
        }
    }

    #[test]
    fn pauses_grow_to_a_limit_and_never_end() {
        let mut health = Health::default();
        let pauses: Vec<_> = (0..40)
            .map(|_| pause(&mut health, Trouble::unreachable(Failure::new("gone"))).unwrap().0)
            .collect();
        assert_eq!(pauses[..6], [200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(pauses[39], 2000);
        assert!(health.succeeded());
        assert_eq!(pause(&mut health, Trouble::unreachable(Failure::new("gone"))), Some((200, true)));
        assert!(health.is_down());
    }

    #[test]
    fn two_refused_logins_in_a_row_end_it() {
        let refused = || Trouble::not_logged_in(Failure::new("no"));
        let mut health = Health::default();
        assert_eq!(pause(&mut health, refused()), Some((200, true)));
        assert_eq!(pause(&mut health, Trouble::unreachable(Failure::new("gone"))), Some((400, false)));
        assert_eq!(pause(&mut health, refused()), Some((800, false)));
        assert_eq!(pause(&mut health, refused()), None);
    }

    #[test]
    fn a_wrong_host_key_ends_it_at_once() {
        let wrong = Trouble::wrong_host_key(Failure::new("changed"));
        assert_eq!(pause(&mut Health::default(), wrong), None);
    }
}
