//! Errors of the input.

use std::error::Error;
use std::fmt;

/// Input that no estimate can be computed from. Positions count from 0.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub enum InputError {
    /// A count is negative, infinite or not a number.
    InvalidCount { position: usize },
    /// A parameter is outside its domain.
    InvalidParameter { name: &'static str, allowed: &'static str },
    /// A serial interval has probability on day 0.
    ProbabilityOnDayZero,
    /// Probabilities do not add up to 1.
    NotADistribution { sum: f64 },
    /// The series is too short.
    TooShort { days: usize, needed: usize },
    /// Two series that belong together have different lengths.
    LengthMismatch { left: usize, right: usize },
    /// There are more deaths than cases.
    MoreDeathsThanCases { deaths: u64, cases: u64 },
    /// A group with events or weight has no population.
    EmptyPopulation { position: usize },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidCount { position } => {
                write!(f, "value {} of the series is negative or not a number", position + 1)
            }
            Self::InvalidParameter { name, allowed } => write!(f, "{name} must be {allowed}"),
            Self::ProbabilityOnDayZero => {
                f.write_str("the serial interval has a probability above 0 on day 0")
            }
            Self::NotADistribution { sum } => write!(f, "the probabilities add up to {sum}, not to 1"),
            Self::TooShort { days, needed } => write!(f, "the series has {days} days, {needed} are needed"),
            Self::LengthMismatch { left, right } => {
                write!(f, "one series has {left} values, the other {right}")
            }
            Self::MoreDeathsThanCases { deaths, cases } => write!(f, "{deaths} deaths among {cases} cases"),
            Self::EmptyPopulation { position } => write!(f, "group {} has no population", position + 1),
        }
    }
}

impl Error for InputError {}

/// Checks that every count is finite and not negative.
pub(crate) fn check_counts(counts: &[f64]) -> Result<(), InputError> {
    let valid = |count: &f64| count.is_finite() && *count >= 0.0;
    counts
        .iter()
        .position(|count| !valid(count))
        .map_or(Ok(()), |position| Err(InputError::InvalidCount { position }))
}

/// Checks that a parameter is finite and above zero.
pub(crate) fn check_positive(name: &'static str, value: f64) -> Result<(), InputError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(InputError::InvalidParameter { name, allowed: "a number above 0" })
    }
}
