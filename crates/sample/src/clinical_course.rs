//! The recorded clinical course of a case: which dates and flags are filled in, and the days between them.
//!
//! Shares and percentiles are measured by outcome for mid 2020 and for April 2021. They include oddities that are common in the
//! real file: results before registrations, deaths before admissions, an intensive care date without intensive care.

use std::num::ParseIntError;

use serde::Deserialize;

use crate::calendar::{Day, EARLIEST, RELEASED};
use crate::random::{PerMillion, RowRng};
use crate::table;
use common::failure::Result;

/// `clasificacion_resumen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseOutcome {
    Confirmed,
    Discarded,
    Suspected,
}

/// The measured percentiles in thousandths: minimum, 1, 5, 10, 25, 50, 75, 90, 95, 99 %, maximum.
const LEVELS: [Day; 11] = [0, 10, 50, 100, 250, 500, 750, 900, 950, 990, 1000];

/// How forms with one outcome are filled in at one time: a line of `clinical_courses.tsv`.
#[derive(Deserialize)]
struct Profile {
    symptoms: PerMillion,
    admitted: PerMillion,
    /// Of those admitted.
    intensive: PerMillion,
    /// Of those in intensive care.
    ventilated: PerMillion,
    diagnosed: PerMillion,
    public: PerMillion,
    /// Average fatality; 0 for confirmed cases, whose fatality depends on the month.
    fatality: PerMillion,
    /// From first symptoms to registration.
    symptoms_lag: Lag,
    /// From registration, as the next two.
    diagnosis_lag: Lag,
    admission_lag: Lag,
    death_lag: Lag,
}

/// From admission to intensive care (release of 2020-06-25, confirmed).
const INTENSIVE_LAG: [Day; 11] = [0, 0, 0, 0, 0, 0, 1, 4, 6, 14, 44];
/// Of fatal cases: admitted (2,431 of 2,954; release of 2020-06-25); in intensive care and ventilated then (estimated).
const DYING: (PerMillion, PerMillion, PerMillion) = (823_000, 450_000, 700_000);
/// Of admitted cases: intensive care date without intensive care, ventilated without it (66 and 12 rows of 65,900 admitted;
/// the same release).
const RECORDING_ERRORS: (PerMillion, PerMillion) = (1_000, 180);

/// A distribution of days as 1,024 equally likely values, so that sampling is one look-up.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Lag(Box<[Day]>);

impl TryFrom<String> for Lag {
    type Error = ParseIntError;

    /// Parses the days at each of the [`LEVELS`], separated by spaces.
    fn try_from(percentiles: String) -> Result<Self, ParseIntError> {
        let days: Vec<Day> = percentiles.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self::new(&days))
    }
}

impl Lag {
    fn new(percentiles: &[Day]) -> Self {
        let days = (0..1024).map(|slot| {
            let at = slot * 1000 / 1023;
            let above = LEVELS.iter().position(|&level| level >= at).unwrap_or(LEVELS.len() - 1);
            let below = above.saturating_sub(1);
            let (from, to) = (percentiles[below], percentiles[above]);
            let (part, whole) = (at - LEVELS[below], (LEVELS[above] - LEVELS[below]).max(1));
            // Rounds to the nearest day, also below zero.
            from + (2 * (to - from) * part + whole).div_euclid(2 * whole)
        });
        Self(days.collect())
    }

    fn after(&self, day: Day, rng: &mut RowRng) -> Day {
        (day + self.days(rng)).clamp(EARLIEST, RELEASED)
    }

    fn before(&self, day: Day, rng: &mut RowRng) -> Day {
        (day - self.days(rng)).clamp(EARLIEST, RELEASED)
    }

    fn days(&self, rng: &mut RowRng) -> Day {
        *rng.choose(&self.0)
    }
}

pub(crate) struct CourseModel {
    /// By outcome, then early and late.
    profiles: Vec<Profile>,
    intensive: Lag,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ClinicalCourse {
    pub(crate) symptoms: Option<Day>,
    pub(crate) admitted: Option<Day>,
    pub(crate) in_intensive_care: bool,
    pub(crate) intensive_care: Option<Day>,
    pub(crate) died: Option<Day>,
    pub(crate) ventilated: bool,
    pub(crate) publicly_paid: bool,
    pub(crate) diagnosed: Option<Day>,
}

impl CourseModel {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            profiles: table(include_str!("clinical_courses.tsv"))?,
            intensive: Lag::new(&INTENSIVE_LAG),
        })
    }

    fn profile(&self, outcome: CaseOutcome, late: bool) -> &Profile {
        &self.profiles[2 * outcome as usize + usize::from(late)]
    }

    /// Returns the average fatality of cases that were not confirmed.
    pub(crate) fn fatality(&self, outcome: CaseOutcome, late: bool) -> PerMillion {
        self.profile(outcome, late).fatality
    }

    pub(crate) fn draw(
        &self,
        outcome: CaseOutcome,
        late: bool,
        registered: Day,
        fatal: bool,
        rng: &mut RowRng,
    ) -> ClinicalCourse {
        let profile = self.profile(outcome, late);
        let (admission, intensive, ventilation) =
            if fatal { DYING } else { (profile.admitted, profile.intensive, profile.ventilated) };

        let symptoms = rng.chance(profile.symptoms).then(|| profile.symptoms_lag.before(registered, rng));
        let diagnosed = rng.chance(profile.diagnosed).then(|| profile.diagnosis_lag.after(registered, rng));
        let admitted = rng.chance(admission).then(|| profile.admission_lag.after(registered, rng));
        let in_intensive_care = admitted.is_some() && rng.chance(intensive);
        let odd = admitted.is_some() && !in_intensive_care;
        let has_date = in_intensive_care || odd && rng.chance(RECORDING_ERRORS.0);
        let intensive_care =
            admitted.filter(|_| has_date).map(|admitted| self.intensive.after(admitted, rng));
        let ventilated =
            rng.chance(if in_intensive_care { ventilation } else { RECORDING_ERRORS.1 * u32::from(odd) });
        let died = fatal.then(|| profile.death_lag.after(registered, rng).max(admitted.unwrap_or(EARLIEST)));
        let publicly_paid = rng.chance(profile.public);
        ClinicalCourse {
            symptoms,
            admitted,
            in_intensive_care,
            intensive_care,
            died,
            ventilated,
            publicly_paid,
            diagnosed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RngStream;

    #[test]
    fn lag_matches_measured_percentiles() {
        let model = CourseModel::new().unwrap();
        let mut days = model.profile(CaseOutcome::Confirmed, false).death_lag.0.to_vec();
        assert!(days.is_sorted());
        assert_eq!((days[0], days[512], days[1023]), (-5, 7, 89));
        days.dedup();
        assert!(days.len() > 40);
    }

    #[test]
    fn draw_fills_forms_as_often_as_measured() {
        let course_model = CourseModel::new().unwrap();
        let drawn: Vec<ClinicalCourse> = (0..100_000)
            .map(|row| {
                course_model.draw(
                    CaseOutcome::Confirmed,
                    false,
                    170,
                    false,
                    &mut RowRng::new(5, RngStream::Case, row),
                )
            })
            .collect();
        let count = |keep: fn(&ClinicalCourse) -> bool| drawn.iter().filter(|course| keep(course)).count();
        assert!(count(|course| course.symptoms.is_some()).abs_diff(73_520) < 700);
        assert!(count(|course| course.admitted.is_some()).abs_diff(23_760) < 700);
        assert!(count(|course| course.in_intensive_care).abs_diff(2_446) < 250);
        assert!(count(|course| course.ventilated).abs_diff(1_086) < 200);
        assert_eq!(count(|course| course.died.is_some()), 0);
        assert!(count(|course| course.intensive_care.is_some() && !course.in_intensive_care) > 0);
    }

    #[test]
    fn draw_puts_death_between_admission_and_release() {
        let course_model = CourseModel::new().unwrap();
        for row in 0..10_000 {
            let mut rng = RowRng::new(6, RngStream::Case, row);
            let course = course_model.draw(CaseOutcome::Confirmed, true, RELEASED - 2, true, &mut rng);
            assert!(course.died.is_some_and(|died| died <= RELEASED && Some(died) >= course.admitted));
        }
    }
}
