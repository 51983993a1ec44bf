//! The estimates of a release: nowcast and reproduction number by day, corrected fatality by age, waves, and
//! standardised incidence.
//!
//! Pure: from the counts that the load keeps ([`ReferenceDays`]) and what earlier releases said. `load::indicators` reads and writes both;
//! `backtest` keeps them in memory.

mod fatality;
pub mod incidence;
mod model;
mod region;
mod waves;

pub use self::model::{
    AgeFatality, AgeGroup, DayEstimate, DelayToDeath, Indicators, PastReport, Reproduction, Wave,
};
use self::model::{Period, date};
use self::region::Region;
use crate::aggregates::reference_days::ReferenceDays;

/// Estimates everything; `None` without cases.
pub fn estimate(counts: &ReferenceDays, past: &[PastReport]) -> Option<Indicators> {
    let period = Period::of(counts)?;
    let country = Region::country(counts);
    let mut ids: Vec<i16> = counts.provinces.keys().copied().flatten().collect();
    ids.sort_unstable();
    let mut days = country.estimate(period, past);
    let waves = waves::find(&days, period, counts);
    for id in ids {
        days.extend(Region::province(counts, id).estimate(period, past));
    }
    Some(Indicators { as_of: date(period.last), days, fatality: fatality::by_age(counts, period), waves })
}

#[cfg(test)]
mod tests;
