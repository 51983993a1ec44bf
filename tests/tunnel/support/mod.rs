//! A bastion, a program that forwards through it, and servers to forward to.

mod places;
mod program;
#[expect(dead_code, reason = "the tests on AWS use more of it")]
mod sshd;

pub(crate) use places::{Pattern, check_pattern, distant, echo, refuses, server, write_pattern};
pub(crate) use program::{Said, Tunnel, covidctl};
pub(crate) use sshd::{Sshd, keygen};

use std::time::{Duration, Instant};

/// Nothing here takes so long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Waits for something to become true.
#[track_caller]
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
