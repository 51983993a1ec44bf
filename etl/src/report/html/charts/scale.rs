//! The scale of an axis: round ticks and their labels.

use crate::report::format;
use crate::report::language::Language;
use crate::report::question::ColumnKind;

/// A scale from `low` to `high`, both round, with a tick at every `step`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// Covers zero and all values, with about this many ticks.
    pub(super) fn of(values: &[f64], ticks: u32) -> Self {
        let max = values.iter().copied().fold(0.0, f64::max);
        let min = values.iter().copied().fold(0.0, f64::min);
        let span = if max > min { max - min } else { 1.0 };
        let step = round_step(span / f64::from(ticks));
        Self { low: (min / step).floor() * step, high: (max / step).ceil().max(1.0) * step, step }
    }

    /// Returns the position of a value, from 0 at the low end to 1 at the high end.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    pub(super) fn ticks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round();
        let positions =
            std::iter::successors(Some(0.0), |nth| Some(nth + 1.0)).take_while(|nth| *nth <= count);
        positions.map(|nth| self.low + nth * self.step).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "a tick is far below 2^63")]
    pub(super) fn tick_label(&self, value: f64, kind: ColumnKind, language: Language) -> String {
        let number = if self.step >= 1.0 {
            format::count(value.round() as i64, language)
        } else {
            format::rate(value, language)
        };
        match kind {
            ColumnKind::Percent | ColumnKind::Share | ColumnKind::Change => {
                format!("{number}{}", format::PERCENT_SIGN.get(language))
            }
            _ => number,
        }
    }
}

/// Returns 1, 2 or 5 times a power of ten that is at least `min`, and at least 0.1: labels have one decimal.
fn round_step(min: f64) -> f64 {
    let power = 10_f64.powf(min.log10().floor());
    let factor =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= min * 0.999).unwrap_or(10.0);
    (factor * power).max(0.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        let scale = Scale::of(&[3.0, 871.0], 4);
        assert_eq!((scale.low, scale.high, scale.step), (0.0, 1000.0, 500.0));
        assert_eq!(scale.ticks(), [0.0, 500.0, 1000.0]);
        let scale = Scale::of(&[-30.0, 62.0], 4);
        assert_eq!((scale.low, scale.high, scale.step), (-50.0, 100.0, 50.0));
        assert_eq!(scale.tick_label(-50.0, ColumnKind::Percent, Language::Spanish), "-50 %");
        assert_eq!(Scale::of(&[0.3], 3).tick_label(0.2, ColumnKind::Rate, Language::English), "0.2");
    }

    #[test]
    fn scale_without_values_has_ticks() {
        let scale = Scale::of(&[], 4);
        assert!(scale.high > scale.low);
        assert!(scale.ticks().len() >= 2);
    }

    proptest! {
        #[test]
        fn scale_covers_every_value(values in proptest::collection::vec(-1e9_f64..1e9, 1..20), ticks in 2_u32..6) {
            let scale = Scale::of(&values, ticks);
            for value in values {
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&scale.fraction(value)), "{value} in {scale:?}");
            }
            prop_assert!(scale.ticks().len() <= ticks as usize + 3, "{scale:?}");
        }
    }
}
