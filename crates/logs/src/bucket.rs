//! One bucket of tokens for all sources: the limit that a service sets is for all of us together.
//!
//! Every request takes a token. An answer that says "too often" halves the rate; every other answer raises it a little, up to
//! where it began (additive increase, multiplicative decrease). Time is data.

use super::event::Millis;

/// As slow as it gets: one request in ten seconds.
const SLOWEST: f64 = 0.1;

/// Several answers to requests that were under way together count as one.
const ONE_BURST: Millis = 1000;

/// The bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    most: f64,
    rate: f64,
    tokens: f64,
    filled_at: Millis,
    slowed_at: Option<Millis>,
}

impl Bucket {
    /// A full bucket for this many requests a second.
    pub const fn new(most: f64, now: Millis) -> Self {
        Self { most, rate: most, tokens: Self::size(most), filled_at: now, slowed_at: None }
    }

    /// A second's worth, and never less than the one token that a request takes.
    const fn size(rate: f64) -> f64 {
        rate.max(1.0)
    }

    /// How long to wait before the next request may be made; zero means now.
    pub fn wait(&mut self, now: Millis) -> Millis {
        self.fill(now);
        if self.tokens >= 1.0 {
            return 0;
        }
        whole(((1.0 - self.tokens) / self.rate * 1000.0).ceil()).max(1)
    }

    /// Takes a token, where one is there.
    pub fn take(&mut self, now: Millis) -> bool {
        let there = self.wait(now) == 0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }

    /// An answer that was no refusal.
    pub fn welcome(&mut self) {
        self.rate = (self.rate + self.most / 50.0).min(self.most);
    }

    /// The refusal.
    pub fn refused(&mut self, now: Millis) {
        if self.slowed_at.is_some_and(|then| now - then < ONE_BURST) {
            return;
        }
        self.fill(now);
        self.slowed_at = Some(now);
        self.rate = (self.rate / 2.0).max(SLOWEST.min(self.most));
        self.tokens = self.tokens.min(0.0);
    }

    fn fill(&mut self, now: Millis) {
        #[expect(clippy::cast_precision_loss, reason = "differences of a few seconds")]
        let seconds = (now - self.filled_at).max(0) as f64 / 1000.0;
        self.tokens = seconds.mul_add(self.rate, self.tokens).min(Self::size(self.rate));
        self.filled_at = now;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most ten seconds, see SLOWEST")]
const fn whole(milliseconds: f64) -> Millis {
    milliseconds as Millis
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes as many tokens as it can in a time; steps of one millisecond.
    fn taken(bucket: &mut Bucket, from: Millis, length: Millis) -> i64 {
        (from..from + length).map(|now| i64::from(bucket.take(now))).sum()
    }

    #[test]
    fn a_refusal_halves_and_welcome_answers_restore() {
        let mut bucket = Bucket::new(10.0, 0);
        taken(&mut bucket, 0, 5000);
        bucket.refused(5000);
        // Those under way meanwhile are refused too, and count once.
        bucket.refused(5010);
        assert!((49..=51).contains(&taken(&mut bucket, 5000, 10_000)));
        for _ in 0..100 {
            bucket.welcome();
        }
        assert!((99..=101).contains(&taken(&mut bucket, 15_000, 10_000)));
    }

    #[test]
    fn it_never_stops_for_ever() {
        let mut bucket = Bucket::new(3.0, 0);
        for second in 0..100 {
            bucket.refused(second * 2000);
        }
        assert!(bucket.wait(200_000) <= 10_000);
        assert!(bucket.take(210_000));
    }

    proptest! {
        #[test]
        fn no_more_than_the_rate_and_one_bucket(
            rate in 0.5_f64..50.0,
            steps in prop::collection::vec((0_i64..500, any::<bool>()), 1..300),
        ) {
            let (mut bucket, mut now, mut count) = (Bucket::new(rate, 0), 0, 0.0);
            for (step, refused) in steps {
                now += step;
                if refused {
                    bucket.refused(now);
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
