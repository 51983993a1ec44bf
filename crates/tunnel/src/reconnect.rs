//! Decides, after a failed attempt to connect, whether and when to retry. Does no I/O and does not wait.

use std::time::Duration;

use common::failure::Failure;

const MIN_BACKOFF: Duration = Duration::from_millis(200);

/// A bastion that is back must be noticed within seconds.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Consecutive authentication failures that end the tunnel.
const MAX_AUTHENTICATION_FAILURES: u32 = 2;

/// A failed attempt to connect.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The bastion does not answer, or not as an SSH server does; it may come back.
    Unreachable(Failure),
    /// No address of the bastion answers.
    Silent(Failure),
    /// The bastion rejected every key. It may do so once while it is still starting.
    AuthenticationFailed(Failure),
    /// The host key is not the expected one, or not known: the attempt must not be repeated.
    HostKeyRejected(Failure),
}

impl ConnectError {
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Unreachable(failure)
            | Self::Silent(failure)
            | Self::AuthenticationFailed(failure)
            | Self::HostKeyRejected(failure) => failure,
        }
    }
}

/// The failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct RetryState {
    failures: u32,
    authentication_failures: u32,
}

#[derive(Debug)]
pub(crate) enum RetryDecision {
    Retry { delay: Duration, why: String },
    GiveUp(Failure),
}

impl RetryState {
    /// Returns whether the last attempt failed; then one attempt at a time is enough.
    pub(crate) fn is_down(&self) -> bool {
        self.failures > 0
    }

    /// Records a success.
    pub(crate) fn on_success(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn on_failure(&mut self, error: ConnectError) -> RetryDecision {
        let rejected = matches!(error, ConnectError::AuthenticationFailed(_));
        self.authentication_failures = if rejected { self.authentication_failures + 1 } else { 0 };
        if matches!(error, ConnectError::HostKeyRejected(_))
            || self.authentication_failures >= MAX_AUTHENTICATION_FAILURES
        {
            return RetryDecision::GiveUp(error.into_failure());
        }
        let delay = MIN_BACKOFF.saturating_mul(1 << self.failures.min(8)).min(MAX_BACKOFF);
        self.failures += 1;
        RetryDecision::Retry { delay, why: error.into_failure().to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(retries: &mut RetryState, error: ConnectError) -> Option<u128> {
        match retries.on_failure(error) {
            RetryDecision::Retry { delay, .. } => Some(delay.as_millis()),
            RetryDecision::GiveUp(_) => None,
        }
    }

    fn unreachable() -> ConnectError {
        ConnectError::Unreachable(Failure::new("connection refused"))
    }

    #[test]
    fn retry_unreachable_backs_off_up_to_maximum_without_end() {
        let mut retries = RetryState::default();
        let delays: Vec<_> = (0..40).map(|_| delay(&mut retries, unreachable()).unwrap()).collect();
        assert_eq!(delays[..6], [200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(delays[39], 2000);
        retries.on_success();
        assert_eq!(delay(&mut retries, unreachable()), Some(200));
        assert!(retries.is_down());
    }

    #[test]
    fn retry_two_consecutive_authentication_failures_gives_up() {
        let rejected = || ConnectError::AuthenticationFailed(Failure::new("rejected"));
        let mut retries = RetryState::default();
        assert_eq!(delay(&mut retries, rejected()), Some(200));
        assert_eq!(delay(&mut retries, unreachable()), Some(400));
        assert_eq!(delay(&mut retries, rejected()), Some(800));
        assert_eq!(delay(&mut retries, rejected()), None);
    }

    #[test]
    fn retry_host_key_mismatch_gives_up_at_once() {
        let mismatch = ConnectError::HostKeyRejected(Failure::new("changed"));
        assert_eq!(delay(&mut RetryState::default(), mismatch), None);
    }
}
