//! Scores of past estimates: how often the newest release is within their intervals, and by how much they were off.
//!
//! The same comparison as the question `past_estimates`, which reads them from the database.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::indicators::{DayEstimate, Indicators};

/// A day counts as incomplete if less than this share of its cases was usually registered: intervals of nearly complete days cover the final number
/// with any method.
const MAX_SHARE: f64 = 0.99;
/// A day is compared once at least this share of its cases is usually registered.
const MIN_SHARE: f64 = 0.98;
/// R is compared if the window had as many cases as the report needs to show it.
const MIN_CASES: f64 = 11.0;
/// The first and last days since the reference day of each row; the last is all of them.
const BANDS: [(i64, i64); 7] = [(0, 1), (2, 3), (4, 6), (7, 13), (14, 27), (28, 60), (0, 60)];

pub(super) const HEADER: &str =
    "estimate,region,days_ago,releases,compared,coverage_percent,mean_absolute_percentage_error";

/// An estimate of a day that was incomplete.
pub(super) struct Estimated {
    as_of: NaiveDate,
    day: DayEstimate,
}

/// Returns the estimates of the days that are incomplete in a release.
pub(super) fn incomplete(indicators: &Indicators) -> impl Iterator<Item = Estimated> {
    let days = indicators.days.iter().filter(|day| day.share_reported < MAX_SHARE);
    days.map(|day| Estimated { as_of: indicators.as_of, day: day.clone() })
}

/// The score of one estimate in one kind of region and band of days.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Score {
    estimate: &'static str,
    region: &'static str,
    band: (i64, i64),
    releases: usize,
    compared: u32,
    covered: u32,
    /// The sum of the absolute percentage errors, and the number of values that are not 0.
    errors: (f64, u32),
}

impl Score {
    pub(super) fn line(&self) -> String {
        let Self { estimate, region, band: (from, to), releases, compared, .. } = self;
        let coverage = 100.0 * f64::from(self.covered) / f64::from(*compared);
        let error = if self.errors.1 > 0 {
            format!("{:.2}", self.errors.0 / f64::from(self.errors.1))
        } else {
            String::new()
        };
        format!("{estimate},{region},{from}-{to},{releases},{compared},{coverage:.2},{error}")
    }
}

/// Compares the estimates of earlier releases with the newest one.
pub(super) fn compare(estimated: &[Estimated], newest: &Indicators) -> Vec<Score> {
    let known = newest.days.iter().filter(|day| day.share_reported >= MIN_SHARE);
    let known: HashMap<_, _> = known.map(|day| ((day.province, day.day), day)).collect();
    let pairs: Vec<(&Estimated, &DayEstimate)> = estimated
        .iter()
        .filter(|estimated| estimated.as_of < newest.as_of)
        .filter_map(|estimated| Some((estimated, *known.get(&(estimated.day.province, estimated.day.day))?)))
        .collect();
    let mut scores = Vec::new();
    for (estimate, compare) in [("nowcast", nowcast as Compare), ("reproduction_number", reproduction_number)]
    {
        for region in ["country", "provinces"] {
            for band in BANDS {
                let fits = |estimated: &Estimated| {
                    let age = (estimated.as_of - estimated.day.day).num_days();
                    estimated.day.province.is_none() == (region == "country")
                        && (band.0..=band.1).contains(&age)
                };
                let in_band = pairs.iter().filter(|(estimated, _)| fits(estimated));
                scores.extend(score((estimate, region, band), in_band, compare));
            }
        }
    }
    scores
}

/// Returns estimate, interval and later value.
type Compare = fn(&DayEstimate, &DayEstimate) -> Option<(f64, (f64, f64), f64)>;

#[expect(
    clippy::cast_precision_loss,
    clippy::unnecessary_wraps,
    reason = "counts are far below 2^53; one type for both"
)]
fn nowcast(then: &DayEstimate, now: &DayEstimate) -> Option<(f64, (f64, f64), f64)> {
    Some((then.expected, (then.low as f64, then.high as f64), now.reported as f64))
}

fn reproduction_number(then: &DayEstimate, now: &DayEstimate) -> Option<(f64, (f64, f64), f64)> {
    let then = then.reproduction.filter(|then| then.cases >= MIN_CASES)?.posterior;
    Some((then.mean, (then.q025, then.q975), now.reproduction?.posterior.mean))
}

fn score<'a>(
    (estimate, region, band): (&'static str, &'static str, (i64, i64)),
    pairs: impl Iterator<Item = &'a (&'a Estimated, &'a DayEstimate)>,
    compare: Compare,
) -> Option<Score> {
    let mut score = Score { estimate, region, band, releases: 0, compared: 0, covered: 0, errors: (0.0, 0) };
    let mut releases = std::collections::BTreeSet::new();
    for (then, now) in pairs {
        let Some((estimate, (low, high), since)) = compare(&then.day, now) else { continue };
        releases.insert(then.as_of);
        score.compared += 1;
        score.covered += u32::from((low..=high).contains(&since));
        if since > 0.0 {
            score.errors.0 += 100.0 * (estimate - since).abs() / since;
            score.errors.1 += 1;
        }
    }
    score.releases = releases.len();
    (score.compared > 0).then_some(score)
}
