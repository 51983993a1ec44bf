//! Waves: the peaks of the epidemic curve and the troughs between them.
//!
//! The rule has three numbers and does not depend on the level of the counts:
//!
//! 1. The curve is the centred moving mean over seven days (fewer at the ends), so that weekends do not matter.
//! 2. A peak counts if it reaches at least 5 % of the highest value of the curve.
//! 3. Peak and trough alternate. Two peaks are two waves if the curve falls between them to at most half of the lower one; the trough is
//!    its lowest day there. A smaller dip does not separate waves: the peak is the highest day.
//!
//! A rise that goes on to the last day is a wave without a peak yet: its highest day is given and marked as unconfirmed until the curve has fallen to half.

use crate::error::check_counts;
use crate::{InputError, days};

/// Days of the moving mean.
const SMOOTHING: usize = 7;
/// A trough is at most this share of the adjacent peaks.
const MAX_TROUGH: f64 = 0.5;
/// A peak is at least this share of the highest value.
const MIN_PEAK: f64 = 0.05;

/// One wave; days count from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// The trough before it, or the first day.
    pub start: usize,
    /// The day of the peak.
    pub peak: usize,
    /// The trough after it; the last day, if the peak is unconfirmed.
    pub end: usize,
    /// The smoothed count at the peak, per day.
    pub peak_level: f64,
    /// Whether the curve has fallen to half of the peak since.
    pub is_confirmed: bool,
}

/// Returns the centred moving mean over seven days, with fewer days at both ends.
pub fn smooth(counts: &[f64]) -> Vec<f64> {
    let reach = SMOOTHING / 2;
    (0..counts.len())
        .map(|day| {
            let window = &counts[day.saturating_sub(reach)..(day + reach + 1).min(counts.len())];
            window.iter().sum::<f64>() / days(window.len())
        })
        .collect()
}

/// Returns the waves, oldest first; an empty list without cases.
pub fn find(counts: &[f64]) -> Result<Vec<Wave>, InputError> {
    check_counts(counts)?;
    let curve = smooth(counts);
    let floor = MIN_PEAK * curve.iter().copied().fold(0.0, f64::max);
    let mut waves: Vec<Wave> = Vec::new();
    if floor <= 0.0 {
        return Ok(waves);
    }
    // The lowest day since the last peak, and the highest day since then, if it is the peak of a wave.
    let (mut trough, mut peak) = (0, None::<usize>);
    for (day, &level) in curve.iter().enumerate() {
        match peak {
            Some(highest) if level <= MAX_TROUGH * curve[highest] => {
                push(&mut waves, trough, highest, &curve);
                (trough, peak) = (day, None);
            }
            Some(highest) => peak = Some(if level > curve[highest] { day } else { highest }),
            None if level < curve[trough] => trough = day,
            None => {
                let is_separate = waves.is_empty() || curve[trough] <= MAX_TROUGH * level;
                peak = (level >= floor && is_separate).then_some(day);
            }
        }
    }
    let last = curve.len() - 1;
    if let Some(highest) = peak {
        push(&mut waves, trough, highest, &curve);
        if let Some(wave) = waves.last_mut() {
            wave.is_confirmed = false;
            wave.end = last;
        }
    } else if let Some(wave) = waves.last_mut() {
        wave.end = trough;
    }
    Ok(waves)
}

fn push(waves: &mut Vec<Wave>, trough: usize, peak: usize, curve: &[f64]) {
    if let Some(before) = waves.last_mut() {
        before.end = trough;
    }
    waves.push(Wave { start: trough, peak, end: peak, peak_level: curve[peak], is_confirmed: true });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bell-shaped waves: day of the peak and height.
    fn bells(length: u32, waves: &[(f64, f64)]) -> Vec<f64> {
        let level =
            |day: f64| waves.iter().map(|(at, height)| height * (-((day - at) / 12.0).powi(2)).exp()).sum();
        (0..length).map(|day| level(f64::from(day))).collect()
    }

    #[test]
    fn find_two_separate_bells_gives_two_waves_with_one_trough() {
        let waves = find(&bells(150, &[(40.0, 1000.0), (100.0, 400.0)])).unwrap();
        assert_eq!(waves.iter().map(|wave| wave.peak).collect::<Vec<_>>(), [40, 100]);
        assert_eq!(waves[0].end, waves[1].start);
        assert!((65..75).contains(&waves[0].end), "{waves:?}");
        assert!(waves.iter().all(|wave| wave.is_confirmed));
    }

    #[test]
    fn find_shallow_dip_keeps_one_wave() {
        let waves = find(&bells(120, &[(40.0, 1000.0), (58.0, 1100.0)])).unwrap();
        assert_eq!(waves.len(), 1, "{waves:?}");
        assert!((50..60).contains(&waves[0].peak));
    }

    #[test]
    fn find_rise_on_last_day_is_unconfirmed() {
        let waves = find(&bells(95, &[(30.0, 1000.0), (100.0, 800.0)])).unwrap();
        assert_eq!(waves.len(), 2);
        assert!(!waves[1].is_confirmed);
        assert_eq!((waves[1].peak, waves[1].end), (94, 94));
    }

    #[test]
    fn find_small_bump_below_floor_is_no_wave() {
        assert_eq!(find(&bells(150, &[(40.0, 1000.0), (110.0, 30.0)])).unwrap().len(), 1);
    }

    #[test]
    fn find_weekly_pattern_is_one_wave() {
        let counts: Vec<f64> =
            [10.0, 100.0, 100.0, 100.0, 100.0, 100.0, 20.0].into_iter().cycle().take(70).collect();
        assert_eq!(find(&counts).unwrap().len(), 1);
    }

    #[test]
    fn find_without_cases_is_empty() {
        assert!(find(&[0.0; 40]).unwrap().is_empty());
        assert!(find(&[]).unwrap().is_empty());
    }
}
