//! How often CloudFormation is asked how far it is: at once, soon, and then every few seconds.
//!
//! What takes a moment is seen after a moment; what takes a quarter of an hour is not asked a thousand times.

use std::time::Duration;

use common::failure::{Exit, Failure, Result};
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(100);

/// CloudFormation refuses to be asked much more often.
const SLOWEST: Duration = Duration::from_secs(4);

/// The pauses between looks.
#[derive(Debug)]
pub(super) struct Pace {
    next: Duration,
    end: Instant,
    patience: Duration,
}

impl Pace {
    pub(super) fn new(patience: Duration) -> Self {
        Self { next: FIRST, end: Instant::now() + patience, patience }
    }

    /// Until the next look; fails once patience is over.
    pub(super) async fn wait(&mut self) -> Result<()> {
        if Instant::now() >= self.end {
            let minutes = self.patience.as_secs() / 60;
            return Err(Failure::new(format!("CloudFormation is not ready after {minutes} minutes"))
                .hint("it goes on by itself; type the same again to wait on")
                .exit_code(Exit::Timeout));
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(SLOWEST);
        Ok(())
    }

    /// Something moved: looks often again.
    pub(super) const fn quicken(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_slows_down_and_gives_up() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_mins(1));
        let mut looks = 0;
        while pace.wait().await.is_ok() {
            looks += 1;
        }
        assert!((10..25).contains(&looks), "{looks}");
        assert!(start.elapsed() < Duration::from_mins(1) + SLOWEST);
    }
}
