//! Waiting before another attempt.

use std::time::Duration;

/// Shortens a wait by up to a half at random, so that clients that lost the same server do not return to it at the same moment.
pub fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 - fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jittered_is_at_least_half_and_varies() {
        let wait = Duration::from_secs(10);
        let waits: Vec<Duration> = (0..100).map(|_| jittered(wait)).collect();
        assert!(waits.iter().all(|at| (wait / 2..=wait).contains(at)));
        assert!(waits.iter().any(|at| *at != waits[0]));
    }
}
