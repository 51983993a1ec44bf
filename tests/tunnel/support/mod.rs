//! A bastion, the program under test, and targets to forward to.

mod agent;
mod program;
#[expect(dead_code, reason = "the tests on AWS use more of it")]
mod sshd;
mod targets;
mod tls;

pub(crate) use agent::Agent;
pub(crate) use program::{Finished, Tunnel, covidctl, exec_words, log_in};
pub(crate) use sshd::{Sshd, authorize, keygen};
pub(crate) use targets::{
    Pattern, assert_no_connection, check_pattern, delay_proxy, echo, refuses, server, write_pattern,
};
pub(crate) use tls::Certificate;

use std::time::{Duration, Instant};

/// Limits every wait of a test.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_mins(2);

/// Waits for a condition to become true.
#[track_caller]
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < WAIT_LIMIT, "{what}: not within {WAIT_LIMIT:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
