//! The seven-day reproduction number of the Robert Koch-Institut.
//!
//! An der Heiden and Hamouda (2020), *Epidemiologisches Bulletin* 17; the seven-day value since May 2020. With a generation time of four days, the value
//! of day t is the sum of new cases by onset over the days t − 5 to t + 1, divided by the same sum four days earlier (t − 9 to t − 3). It has
//! no prior and no interval of its own; its input is a nowcast.

use crate::InputError;
use crate::error::check_counts;

/// Days in each sum.
const WINDOW: usize = 7;
/// The generation time in days.
const GENERATION: usize = 4;
/// Days by which the later sum extends past the day of the value.
const LOOKAHEAD: usize = 1;

/// Returns the value of each day; `None` for the first nine days, for the last, and after seven days without cases.
pub fn estimate(nowcast: &[f64]) -> Result<Vec<Option<f64>>, InputError> {
    check_counts(nowcast)?;
    let sum_to = |end: usize| -> Option<f64> {
        let first = (end + 1).checked_sub(WINDOW)?;
        nowcast.get(first..=end).map(|days| days.iter().sum())
    };
    let value = |day: usize| {
        let later = sum_to(day + LOOKAHEAD)?;
        let earlier = sum_to((day + LOOKAHEAD).checked_sub(GENERATION)?)?;
        (earlier > 0.0).then(|| later / earlier)
    };
    Ok((0..nowcast.len()).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_of_exponential_growth_is_growth_over_four_days() {
        let cases: Vec<f64> = (0..20).map(|day| 100.0 * 1.1_f64.powi(day)).collect();
        let values = estimate(&cases).unwrap();
        assert_eq!(values.iter().filter(|value| value.is_none()).count(), 10);
        for value in values.into_iter().flatten() {
            assert!((value - 1.1_f64.powi(4)).abs() < 1e-12);
        }
    }

    #[test]
    fn estimate_without_cases_has_no_value() {
        assert!(estimate(&[0.0; 30]).unwrap().iter().all(Option::is_none));
        assert!(estimate(&[]).unwrap().is_empty());
        assert_eq!(estimate(&[-1.0]), Err(InputError::InvalidCount { position: 0 }));
    }
}
