//! How often and how far back to ask: the numbers that differ between a service and files, in one place.

use super::event::Millis;

/// The numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tempo {
    /// Between two looks at a source.
    pub pace: Millis,
    /// The same while the source is not there yet or does not answer.
    pub patience: Millis,
    /// How long an event waits for older ones from elsewhere.
    pub settle: Millis,
    /// How long after the end of a run or window its last events may still arrive.
    pub drain: Millis,
    /// How far a usual look reaches back behind the look before it.
    pub overlap: Millis,
    /// Looks that reach further back: how often, and how far. The furthest comes last.
    pub sweeps: [Sweep; 2],
    /// Requests a second that all sources together may make, at most.
    pub rate: f64,
}

/// A look that reaches further back than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// How often.
    pub every: Millis,
    /// How far.
    pub back: Millis,
}

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;

impl Tempo {
    /// For CloudWatch: `FilterLogEvents` allows five requests a second to the whole account, and other people have dashboards.
    pub const SERVICE: Self = Self {
        pace: 2 * SECOND,
        patience: 5 * SECOND,
        settle: 3 * SECOND,
        drain: 12 * SECOND,
        overlap: 15 * SECOND,
        sweeps: [
            Sweep { every: 30 * SECOND, back: 3 * MINUTE },
            Sweep { every: 10 * MINUTE, back: 60 * MINUTE },
        ],
        rate: 3.0,
    };

    /// For files on this machine: a line is there as soon as it is written, so that there is nothing to look back for.
    pub const FILES: Self = Self {
        pace: 100,
        patience: 100,
        settle: 200,
        drain: 0,
        overlap: 0,
        sweeps: [Sweep { every: MINUTE, back: 0 }; 2],
        rate: 1000.0,
    };

    /// How far the furthest look reaches back.
    pub const fn reach(&self) -> Millis {
        self.sweeps[1].back
    }
}
