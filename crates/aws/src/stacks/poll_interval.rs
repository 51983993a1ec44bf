//! The interval between polls of CloudFormation, with exponential back-off.

use std::time::Duration;

use common::failure::{Exit, Failure, Result};
use tokio::time::Instant;

const INITIAL: Duration = Duration::from_millis(100);

/// CloudFormation throttles shorter intervals.
const MAX: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub(super) struct PollInterval {
    next: Duration,
    end: Instant,
    timeout: Duration,
}

impl PollInterval {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { next: INITIAL, end: Instant::now() + timeout, timeout }
    }

    /// Waits for the next poll; returns an error if the timeout has passed.
    pub(super) async fn wait(&mut self) -> Result<()> {
        if Instant::now() >= self.end {
            let minutes = self.timeout.as_secs() / 60;
            return Err(Failure::new(format!("CloudFormation is not ready after {minutes} minutes"))
                .hint("it continues without the client; repeat the command to wait for it")
                .exit_code(Exit::Timeout));
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(MAX);
        Ok(())
    }

    /// Returns to the initial interval after progress.
    pub(super) const fn reset(&mut self) {
        self.next = INITIAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn interval_grows_until_timeout() {
        let start = Instant::now();
        let mut interval = PollInterval::new(Duration::from_mins(1));
        let mut looks = 0;
        while interval.wait().await.is_ok() {
            looks += 1;
        }
        assert!((10..25).contains(&looks), "{looks}");
        assert!(start.elapsed() < Duration::from_mins(1) + MAX);
    }
}
