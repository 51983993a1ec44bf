//! The epidemic curve: rows registered by day, and the shares of them that are confirmed or suspected. A table by month is
//! interpolated over its days and over the days of the week.

use chrono::Datelike;
use serde::Deserialize;

use crate::calendar::{Day, FIRST_REGISTRATION, LAST_REGISTRATION, date, epidemiological_week};
use crate::random::{PerMillion, spread};
use crate::table;
use common::failure::Result;

/// A line of `months.tsv`.
#[derive(Deserialize)]
struct Month {
    name: String,
    /// Rows registered in the month.
    rows: f64,
    /// Of these, confirmed.
    confirmed: f64,
    /// Of all rows, still suspected, per mille.
    suspected: f64,
    /// Deaths reported in the month.
    deaths: f64,
}

/// Registrations from Monday to Sunday, per mille (Ministerio de Salud, release of 2020-06-25).
const WEEKDAYS: [f64; 7] = [146.0, 161.0, 171.0, 167.0, 142.0, 118.0, 95.0];

#[derive(Debug, Clone, Copy)]
pub(crate) struct CurveDay {
    pub(crate) day: Day,
    pub(crate) week: u32,
    /// Share of its rows that are confirmed.
    pub(crate) confirmed: PerMillion,
    /// Share of its rows that stayed suspected.
    pub(crate) suspected: PerMillion,
    /// Share of its confirmed cases that died.
    pub(crate) fatality: PerMillion,
    /// Position between the reporting habits of mid 2020 (0) and those of April 2021 (1).
    pub(crate) late: PerMillion,
}

pub(crate) struct EpidemicCurve {
    days: Vec<CurveDay>,
    /// Cumulative rows at the end of each day, on the scale of the national file.
    until: Vec<u64>,
}

impl EpidemicCurve {
    pub(crate) fn new() -> Result<Self> {
        let table: Vec<Month> = table(include_str!("months.tsv"))?;
        // The month of each day.
        let months: Vec<&Month> = (FIRST_REGISTRATION..=LAST_REGISTRATION)
            .filter_map(|day| {
                let name = date(day).format("%Y-%m").to_string();
                table.iter().find(|month| month.name == name)
            })
            .collect();
        let daily = |value: fn(&Month) -> f64| {
            let bands = months.chunk_by(|one, next| one.name == next.name);
            spread(&bands.map(|days| (value(days[0]), days.len())).collect::<Vec<_>>())
        };
        let confirmed = daily(|month| month.confirmed);
        let others = daily(|month| month.rows - month.confirmed);

        let (mut days, mut until, mut total) = (Vec::new(), Vec::new(), 0.0);
        for (day, ((month, confirmed), others)) in
            (FIRST_REGISTRATION..).zip(months.iter().zip(confirmed).zip(others))
        {
            let (date, rows) = (date(day), confirmed + others);
            total += rows * WEEKDAYS[date.weekday().num_days_from_monday() as usize] * 0.007;
            until.push(round_down(total));
            days.push(CurveDay {
                day,
                week: epidemiological_week(date),
                confirmed: millionths(confirmed / rows),
                suspected: millionths(month.suspected / 1000.0),
                fatality: millionths(month.deaths / month.confirmed),
                // From mid June 2020 (day 166) to April 2021 (day 463).
                late: millionths(f64::from(day - 166) / 297.0),
            });
        }
        Ok(Self { days, until })
    }

    /// Returns the day of a registration, given its rank among all `of` registrations in order of time.
    #[expect(clippy::cast_possible_truncation, reason = "a number below the total, which is below 2^32")]
    pub(crate) fn at(&self, rank: u64, of: u64) -> &CurveDay {
        let total = self.until.last().copied().unwrap_or_default();
        let rank = (u128::from(rank) * u128::from(total) / u128::from(of.max(1))) as u64;
        self.neighbour(self.until.partition_point(|&until| until <= rank), 0)
    }

    /// Returns the day `days` after this one, clamped to the epidemic.
    pub(crate) fn shifted(&self, from: &CurveDay, days: i32) -> &CurveDay {
        self.neighbour(usize::try_from(from.day - FIRST_REGISTRATION).unwrap_or(0), days)
    }

    fn neighbour(&self, index: usize, days: i32) -> &CurveDay {
        let index = index.saturating_add_signed(days as isize);
        &self.days[index.min(self.days.len() - 1)]
    }
}

fn millionths(share: f64) -> PerMillion {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
    let millionths = (share.clamp(0.0, 1.0) * 1_000_000.0) as PerMillion;
    millionths
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of rows, below 2^32"
)]
fn round_down(rows: f64) -> u64 {
    rows as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_from(curve: &EpidemicCurve, from: Day, to: Day) -> f64 {
        let at = |day: Day| curve.until[usize::try_from(day - FIRST_REGISTRATION).unwrap()];
        f64::from(u32::try_from(at(to) - at(from)).unwrap())
    }

    #[test]
    fn cumulative_rows_match_published_releases() {
        let curve = EpidemicCurve::new().unwrap();
        let at = |day: Day| rows_from(&curve, FIRST_REGISTRATION, day);
        for (day, rows) in [(176, 290e3), (318, 3.248e6), (479, 9.555e6), (527, 12.828e6), (885, 29.97e6)] {
            let ratio = at(day) / rows;
            assert!((0.93..1.07).contains(&ratio), "{}: {} instead of {rows}", date(day), at(day));
        }
    }

    #[test]
    fn highest_peak_is_in_january_2022() {
        let curve = EpidemicCurve::new().unwrap();
        let confirmed = |day: &CurveDay| rows_from(&curve, day.day - 7, day.day) * f64::from(day.confirmed);
        let peak = curve.days[7..].iter().max_by(|a, b| confirmed(a).total_cmp(&confirmed(b))).unwrap();
        assert!(("2022-01-10".parse().unwrap().."2022-01-25".parse().unwrap()).contains(&date(peak.day)));
    }

    #[test]
    fn ranks_cover_epidemic_in_order() {
        let curve = EpidemicCurve::new().unwrap();
        let days: Vec<Day> = (0..1000).map(|rank| curve.at(rank, 1000).day).collect();
        assert!(days.is_sorted());
        assert_eq!(days[0], curve.at(0, 1).day);
        assert_eq!(curve.at(999_999_999, 1_000_000_000).day, LAST_REGISTRATION);
        assert_eq!(curve.shifted(curve.at(0, 1), -5).day, days[0].min(FIRST_REGISTRATION));
    }
}
