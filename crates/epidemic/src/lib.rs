//! Estimates of an epidemic from daily counts.
//!
//! Functions take counts and return estimates with intervals. The crate does no I/O, reads no clock and draws no random numbers: the same
//! counts give the same estimates. Series are slices with one value per day, oldest first, without gaps; a day without cases is a zero.
//! Each module states its formula, its units and its source:
//!
//! | module | estimates | source |
//! | --- | --- | --- |
//! | [`reproduction`] | instantaneous reproduction number with a credible interval | Cori et al. 2013, as in `EpiEstim` |
//! | [`seven_day`] | seven-day reproduction number | Robert Koch-Institut 2020 |
//! | [`growth`] | growth rate and doubling time | quasi-Poisson log-linear regression |
//! | [`fatality`] | case fatality, naive and corrected for the delay to death | Nishiura et al. 2009, as in `cfr` |
//! | [`nowcast`] | cases that occurred but are not reported yet | chain ladder (Mack 1993) calibrated on past nowcasts |
//! | [`standardisation`] | directly age-standardised rate | Ahmad et al. 2001 (WHO), Fay and Feuer 1997 |
//! | [`waves`] | peaks and troughs | the rule that the module states |
//!
//! Intervals are two-sided 95 % intervals unless stated otherwise.

#![warn(missing_docs)]

mod calibration;
pub mod delay;
mod distribution;
mod error;
pub mod fatality;
pub mod growth;
pub mod nowcast;
pub mod reproduction;
pub mod seven_day;
pub mod standardisation;
pub mod triangle;
pub mod waves;

pub use error::InputError;

/// A point estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// Lower and upper probability of a two-sided 95 % interval.
pub(crate) const TAILS: (f64, f64) = (0.025, 0.975);

/// Converts a count for arithmetic; counts above 2^53 lose their last digits.
#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
pub(crate) const fn to_f64(count: u64) -> f64 {
    count as f64
}

/// Converts a number from 0 to a count; a fraction is cut off.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a conversion saturates")]
pub(crate) const fn to_count(number: f64) -> u64 {
    number as u64
}

/// Converts a number of days for arithmetic.
#[expect(clippy::cast_precision_loss, reason = "no series has 2^53 days")]
pub(crate) const fn days(count: usize) -> f64 {
    count as f64
}
