//! The recorded clinical course of a case: which dates and flags are filled in, and the days between them.
//!
//! Shares and percentiles are measured by outcome for mid 2020 and for April 2021. They include oddities that are common in the
//! real file: results before registrations, deaths before admissions, an intensive care date without intensive care.

use crate::calendar::{Day, EARLIEST, RELEASED};
use crate::random::{PerMillion, RowRng};

/// `clasificacion_resumen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseOutcome {
    Confirmed,
    Discarded,
    Suspected,
}

/// Days between two events at each of the [`LEVELS`].
type Percentiles = [Day; 11];

/// The measured percentiles in thousandths: minimum, 1, 5, 10, 25, 50, 75, 90, 95, 99 %, maximum.
const LEVELS: [Day; 11] = [0, 10, 50, 100, 250, 500, 750, 900, 950, 990, 1000];

/// How forms with one outcome are filled in at one time. Source of shares and days: Ministerio de Salud, releases of 2020-06-25 and
/// 2021-10-17 (its cohort of 2021-04-08).
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
    symptoms_lag: Percentiles,
    /// From registration, as the next two.
    diagnosis_lag: Percentiles,
    admission_lag: Percentiles,
    death_lag: Percentiles,
}

const CONFIRMED: [Profile; 2] = [
    Profile {
        symptoms: 735_200,
        admitted: 237_600,
        intensive: 103_000,
        ventilated: 444_000,
        diagnosed: 1_000_000,
        public: 630_400,
        fatality: 0,
        symptoms_lag: [-70, 0, 0, 1, 2, 3, 5, 8, 10, 17, 137],
        diagnosis_lag: [-82, -3, -1, -1, 0, 1, 1, 3, 4, 19, 97],
        admission_lag: [-77, -7, -2, -2, -1, 0, 0, 1, 2, 9, 60],
        death_lag: [-5, -2, -1, 0, 2, 7, 13, 20, 28, 49, 89],
    },
    Profile {
        symptoms: 484_300,
        admitted: 24_000,
        intensive: 220_000,
        ventilated: 680_000,
        diagnosed: 917_700,
        public: 710_000,
        fatality: 0,
        symptoms_lag: [-130, -10, 0, 1, 2, 3, 5, 8, 10, 151, 373],
        diagnosis_lag: [-156, -9, -3, -2, -1, 0, 1, 4, 11, 86, 168],
        admission_lag: [-16, -15, -5, -2, -1, 1, 5, 11, 20, 89, 89],
        death_lag: [-3, -3, 1, 2, 7, 14, 21, 30, 35, 132, 132],
    },
];

const DISCARDED: [Profile; 2] = [
    Profile {
        symptoms: 632_000,
        admitted: 235_000,
        intensive: 156_000,
        ventilated: 367_000,
        diagnosed: 996_000,
        public: 620_800,
        fatality: 7_850,
        symptoms_lag: [-76, 0, 0, 1, 1, 3, 5, 8, 12, 25, 157],
        diagnosis_lag: [-97, -8, -2, -1, 0, 0, 1, 2, 3, 7, 87],
        admission_lag: [-137, -12, -4, -2, -1, -1, 0, 0, 0, 1, 86],
        death_lag: [-62, -16, -3, -1, -1, 0, 1, 8, 16, 28, 50],
    },
    Profile {
        symptoms: 144_300,
        admitted: 4_600,
        intensive: 113_000,
        ventilated: 135_000,
        diagnosed: 994_300,
        public: 874_000,
        fatality: 600,
        symptoms_lag: [-166, -56, 0, 1, 2, 3, 5, 7, 10, 23, 116],
        diagnosis_lag: [-125, -17, -3, -3, -2, -1, 0, 1, 1, 5, 167],
        admission_lag: [-22, -22, -3, -2, -1, -1, 0, 6, 33, 123, 123],
        death_lag: [-62, -16, -3, -1, -1, 0, 1, 8, 16, 28, 50],
    },
];

const SUSPECTED: [Profile; 2] = [
    Profile {
        symptoms: 611_100,
        admitted: 137_000,
        intensive: 136_000,
        ventilated: 350_000,
        diagnosed: 0,
        public: 541_000,
        fatality: 5_240,
        symptoms_lag: [-18, 0, 0, 1, 2, 3, 5, 8, 11, 24, 121],
        diagnosis_lag: [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4],
        admission_lag: [-69, -25, -7, -3, -1, -1, 0, 0, 0, 0, 10],
        death_lag: [-46, -36, -15, -3, -1, 0, 2, 6, 10, 20, 20],
    },
    Profile {
        symptoms: 524_600,
        admitted: 21_600,
        intensive: 0,
        ventilated: 0,
        diagnosed: 2_000,
        public: 636_500,
        fatality: 3_900,
        symptoms_lag: [-71, -3, 1, 1, 2, 3, 5, 7, 9, 23, 159],
        diagnosis_lag: [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4],
        admission_lag: [-69, -25, -7, -3, -1, -1, 0, 0, 0, 0, 10],
        death_lag: [-46, -36, -15, -3, -1, 0, 2, 6, 10, 20, 20],
    },
];

/// From admission to intensive care (release of 2020-06-25, confirmed).
const INTENSIVE_LAG: Percentiles = [0, 0, 0, 0, 0, 0, 1, 4, 6, 14, 44];
/// Of fatal cases: admitted (2,431 of 2,954; release of 2020-06-25); in intensive care and ventilated then (estimated).
const DYING: (PerMillion, PerMillion, PerMillion) = (823_000, 450_000, 700_000);
/// Of admitted cases: intensive care date without intensive care, ventilated without it (66 and 12 rows of 65,900 admitted;
/// the same release).
const RECORDING_ERRORS: (PerMillion, PerMillion) = (1_000, 180);

/// A distribution of days as 1,024 equally likely values, so that sampling is one look-up.
struct Lag(Box<[Day]>);

impl Lag {
    fn new(percentiles: &Percentiles) -> Self {
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

struct Lags {
    symptoms: Lag,
    diagnosis: Lag,
    admission: Lag,
    death: Lag,
}

/// All profiles with their lag distributions.
pub(crate) struct CourseModel {
    /// By outcome, then early and late.
    profiles: [[(&'static Profile, Lags); 2]; 3],
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
    pub(crate) fn new() -> Self {
        let ready = |profiles: &'static [Profile; 2]| {
            profiles.each_ref().map(|profile| {
                let lags = Lags {
                    symptoms: Lag::new(&profile.symptoms_lag),
                    diagnosis: Lag::new(&profile.diagnosis_lag),
                    admission: Lag::new(&profile.admission_lag),
                    death: Lag::new(&profile.death_lag),
                };
                (profile, lags)
            })
        };
        Self {
            profiles: [ready(&CONFIRMED), ready(&DISCARDED), ready(&SUSPECTED)],
            intensive: Lag::new(&INTENSIVE_LAG),
        }
    }

    /// Returns the average fatality of cases that were not confirmed.
    pub(crate) fn fatality(&self, outcome: CaseOutcome, late: bool) -> PerMillion {
        self.profiles[outcome as usize][usize::from(late)].0.fatality
    }

    pub(crate) fn draw(
        &self,
        outcome: CaseOutcome,
        late: bool,
        registered: Day,
        fatal: bool,
        rng: &mut RowRng,
    ) -> ClinicalCourse {
        let (profile, lags) = &self.profiles[outcome as usize][usize::from(late)];
        let (admission, intensive, ventilation) =
            if fatal { DYING } else { (profile.admitted, profile.intensive, profile.ventilated) };

        let symptoms = rng.chance(profile.symptoms).then(|| lags.symptoms.before(registered, rng));
        let diagnosed = rng.chance(profile.diagnosed).then(|| lags.diagnosis.after(registered, rng));
        let admitted = rng.chance(admission).then(|| lags.admission.after(registered, rng));
        let in_intensive_care = admitted.is_some() && rng.chance(intensive);
        let odd = admitted.is_some() && !in_intensive_care;
        let has_date = in_intensive_care || odd && rng.chance(RECORDING_ERRORS.0);
        let intensive_care =
            admitted.filter(|_| has_date).map(|admitted| self.intensive.after(admitted, rng));
        let ventilated =
            rng.chance(if in_intensive_care { ventilation } else { RECORDING_ERRORS.1 * u32::from(odd) });
        let died = fatal.then(|| lags.death.after(registered, rng).max(admitted.unwrap_or(EARLIEST)));
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
        let mut days = Lag::new(&CONFIRMED[0].death_lag).0.to_vec();
        assert!(days.is_sorted());
        assert_eq!((days[0], days[512], days[1023]), (-5, 7, 89));
        days.dedup();
        assert!(days.len() > 40);
    }

    #[test]
    fn draw_fills_forms_as_often_as_measured() {
        let course_model = CourseModel::new();
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
        let course_model = CourseModel::new();
        for row in 0..10_000 {
            let mut rng = RowRng::new(6, RngStream::Case, row);
            let course = course_model.draw(CaseOutcome::Confirmed, true, RELEASED - 2, true, &mut rng);
            assert!(course.died.is_some_and(|died| died <= RELEASED && Some(died) >= course.admitted));
        }
    }
}
