//! The epidemic curve: rows registered by day, and the shares of them that are confirmed or suspected. A table by month is
//! interpolated over its days and over the days of the week.

use chrono::Datelike;

use crate::calendar::{Day, FIRST_REGISTRATION, LAST_REGISTRATION, date, epidemiological_week};
use crate::random::{PerMillion, spread};

struct Month {
    /// Rows registered in the month.
    rows: f64,
    /// Of these, confirmed.
    confirmed: f64,
    /// Of all rows, still suspected, per mille.
    suspected: f64,
    /// Deaths reported in the month.
    deaths: f64,
}

const fn month(rows_in_thousands: u32, confirmed: u32, suspected: u32, deaths: u32) -> Month {
    Month {
        rows: rows_in_thousands as f64 * 1000.0,
        confirmed: confirmed as f64,
        suspected: suspected as f64,
        deaths: deaths as f64,
    }
}

/// March 2020 to June 2022 (its first four days).
///
/// Confirmed: reported by month (JHU CSSE, from the ministry's bulletins), for 2022 registered by month (Ministerio de
/// Salud, release of 2022-06-05). Deaths: JHU CSSE. Rows: estimated so that the sums meet the sizes of the ministry's
/// releases (290 thousand on 2020-06-25, 3.25 million on 2020-11-14, 9.56 on 2021-04-24, 12.83 on 2021-06-11, 29.97 on
/// 2022-06-05). Suspected: measured in the releases of 2020-06-25, 2020-11-14 and 2021-10-17, else estimated.
const MONTHS: [Month; 28] = [
    month(5, 1_054, 85, 27),
    month(40, 3_374, 85, 191),
    month(90, 12_423, 85, 321),
    month(190, 47_679, 85, 768),
    month(350, 126_772, 85, 2_236),
    month(560, 226_433, 80, 5_117),
    month(720, 333_266, 80, 8_277),
    month(860, 415_923, 75, 14_065),
    month(800, 257_609, 65, 7_728),
    month(900, 200_981, 55, 4_515),
    month(1_250, 301_725, 45, 4_729),
    month(1_000, 180_126, 35, 3_991),
    month(1_300, 241_456, 30, 3_893),
    month(1_880, 628_542, 28, 8_007),
    month(2_120, 804_421, 28, 14_228),
    month(1_950, 688_590, 30, 16_211),
    month(1_650, 459_390, 30, 11_417),
    month(1_250, 255_856, 30, 6_091),
    month(850, 71_282, 30, 3_367),
    month(700, 31_905, 30, 771),
    month(650, 41_941, 30, 639),
    month(1_000, 323_660, 35, 580),
    month(5_250, 2_673_721, 50, 4_104),
    month(1_900, 450_321, 50, 4_879),
    month(1_000, 126_192, 50, 1_867),
    month(650, 40_590, 50, 523),
    month(850, 150_922, 50, 347),
    month(202, 20_475, 50, 24),
];

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
    pub(crate) fn new() -> Self {
        let calendar: Vec<_> = (FIRST_REGISTRATION..=LAST_REGISTRATION).map(|day| (day, date(day))).collect();
        let month_of = |date: chrono::NaiveDate| month_index(date.year(), date.month0());
        let mut lengths = [0_usize; MONTHS.len()];
        for &(_, date) in &calendar {
            lengths[month_of(date)] += 1;
        }
        let daily = |value: fn(&Month) -> f64| {
            let bands: Vec<_> =
                MONTHS.iter().zip(lengths).map(|(month, days)| (value(month), days)).collect();
            spread(&bands)
        };
        let (confirmed, others) =
            (daily(|month| month.confirmed), daily(|month| month.rows - month.confirmed));

        let (mut days, mut until, mut total) = (Vec::new(), Vec::new(), 0.0);
        for (&(day, date), (confirmed, others)) in calendar.iter().zip(confirmed.into_iter().zip(others)) {
            let month = &MONTHS[month_of(date)];
            let rows = confirmed + others;
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
        Self { days, until }
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

fn month_index(year: i32, month0: u32) -> usize {
    let since_march_2020 = (year - 2020) * 12 + i32::try_from(month0).unwrap_or(0) - 2;
    usize::try_from(since_march_2020).unwrap_or(0).min(MONTHS.len() - 1)
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
        let curve = EpidemicCurve::new();
        let at = |day: Day| rows_from(&curve, FIRST_REGISTRATION, day);
        for (day, rows) in [(176, 290e3), (318, 3.248e6), (479, 9.555e6), (527, 12.828e6), (885, 29.97e6)] {
            let ratio = at(day) / rows;
            assert!((0.93..1.07).contains(&ratio), "{}: {} instead of {rows}", date(day), at(day));
        }
    }

    #[test]
    fn highest_peak_is_in_january_2022() {
        let curve = EpidemicCurve::new();
        let confirmed = |day: &CurveDay| rows_from(&curve, day.day - 7, day.day) * f64::from(day.confirmed);
        let peak = curve.days[7..].iter().max_by(|a, b| confirmed(a).total_cmp(&confirmed(b))).unwrap();
        assert!(("2022-01-10".parse().unwrap().."2022-01-25".parse().unwrap()).contains(&date(peak.day)));
    }

    #[test]
    fn ranks_cover_epidemic_in_order() {
        let curve = EpidemicCurve::new();
        let days: Vec<Day> = (0..1000).map(|rank| curve.at(rank, 1000).day).collect();
        assert!(days.is_sorted());
        assert_eq!(days[0], curve.at(0, 1).day);
        assert_eq!(curve.at(999_999_999, 1_000_000_000).day, LAST_REGISTRATION);
        assert_eq!(curve.shifted(curve.at(0, 1), -5).day, days[0].min(FIRST_REGISTRATION));
    }
}
