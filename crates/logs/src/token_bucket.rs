//! A token bucket for all sources together, because the service's quota is for all of them.
//!
//! A throttled request lowers the rate; every other response raises it, up to the initial rate (additive increase, multiplicative
//! decrease).

use crate::Millis;

/// Minimum rate: one request in ten seconds.
const MIN_RATE: f64 = 0.1;

/// What is left of the rate after a throttled request: other clients use the same quota, so that a few refusals say little about it.
const DECREASE: f64 = 0.7;

/// The share of the initial rate by which a response raises the rate.
const INCREASE: f64 = 0.05;

/// Throttled responses within this time count as one: their requests were in flight together.
const THROTTLE_WINDOW: Millis = 1000;

#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    max_rate: f64,
    rate: f64,
    tokens: f64,
    filled_at: Millis,
    throttled_at: Option<Millis>,
}

impl TokenBucket {
    /// Returns a full bucket with a rate in requests per second.
    pub(crate) const fn new(max_rate: f64, now: Millis) -> Self {
        Self { max_rate, rate: max_rate, tokens: max_rate.max(1.0), filled_at: now, throttled_at: None }
    }

    /// Returns how long to wait before the next request; zero means now.
    pub(crate) fn wait(&mut self, now: Millis) -> Millis {
        self.fill(now);
        if self.tokens >= 1.0 {
            return 0;
        }
        whole(((1.0 - self.tokens) / self.rate * 1000.0).ceil()).max(1)
    }

    /// Takes a token; returns false if there is none.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        let available = self.wait(now) == 0;
        if available {
            self.tokens -= 1.0;
        }
        available
    }

    /// Returns whether the rate is below the initial one.
    pub(crate) fn is_reduced(&self) -> bool {
        self.rate < self.max_rate
    }

    pub(crate) fn on_success(&mut self) {
        self.rate = INCREASE.mul_add(self.max_rate, self.rate).min(self.max_rate);
    }

    pub(crate) fn on_throttled(&mut self, now: Millis) {
        if self.throttled_at.is_some_and(|then| now - then < THROTTLE_WINDOW) {
            return;
        }
        self.fill(now);
        self.throttled_at = Some(now);
        self.rate = (self.rate * DECREASE).max(MIN_RATE.min(self.max_rate));
        self.tokens = self.tokens.min(0.0);
    }

    /// Adds the tokens of the elapsed time, at most one second's worth and at least room for the one that a request takes.
    fn fill(&mut self, now: Millis) {
        #[expect(clippy::cast_precision_loss, reason = "differences of a few seconds")]
        let seconds = (now - self.filled_at).max(0) as f64 / 1000.0;
        self.tokens = seconds.mul_add(self.rate, self.tokens).min(self.rate.max(1.0));
        self.filled_at = now;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most ten seconds, see MIN_RATE")]
const fn whole(milliseconds: f64) -> Millis {
    milliseconds as Millis
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes as many tokens as possible, in steps of one millisecond.
    fn taken(bucket: &mut TokenBucket, from: Millis, length: Millis) -> i64 {
        (from..from + length).map(|now| i64::from(bucket.take(now))).sum()
    }

    #[test]
    fn on_throttled_lowers_rate_once_per_burst_and_on_success_restores_it() {
        let mut bucket = TokenBucket::new(10.0, 0);
        taken(&mut bucket, 0, 5000);
        bucket.on_throttled(5000);
        // Requests in flight are throttled too and count once.
        bucket.on_throttled(5010);
        assert!((69..=71).contains(&taken(&mut bucket, 5000, 10_000)));
        for _ in 0..100 {
            bucket.on_success();
        }
        assert!((99..=101).contains(&taken(&mut bucket, 15_000, 10_000)));
    }

    #[test]
    fn on_throttled_repeatedly_keeps_minimum_rate() {
        let mut bucket = TokenBucket::new(3.0, 0);
        for second in 0..100 {
            bucket.on_throttled(second * 2000);
        }
        assert!(bucket.wait(200_000) <= 10_000);
        assert!(bucket.take(210_000));
    }

    #[test]
    fn third_of_requests_throttled_keeps_third_of_rate() {
        let (mut bucket, mut requests) = (TokenBucket::new(8.0, 0), 0);
        for now in 0..60_000 {
            if bucket.take(now) {
                requests += 1;
                if requests % 3 == 0 { bucket.on_throttled(now) } else { bucket.on_success() }
            }
        }
        assert!(requests > 60 * 8 / 3, "{requests}");
    }

    proptest! {
        #[test]
        fn take_never_exceeds_rate_plus_one_bucket(
            rate in 0.5_f64..50.0,
            steps in prop::collection::vec((0_i64..500, any::<bool>()), 1..300),
        ) {
            let (mut bucket, mut now, mut count) = (TokenBucket::new(rate, 0), 0, 0.0);
            for (step, throttled) in steps {
                now += step;
                if throttled {
                    bucket.on_throttled(now);
                }
                while bucket.take(now) {
                    count += 1.0;
                }
                prop_assert!(bucket.wait(now) > 0);
            }
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let allowed = rate.max(1.0) + rate * now as f64 / 1000.0;
            prop_assert!(count <= allowed + 1e-6, "{} > {}", count, allowed);
        }
    }
}
