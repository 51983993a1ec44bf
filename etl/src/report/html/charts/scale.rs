//! From values to places: round numbers for an axis, and the words beside them.

use crate::report::format;
use crate::report::language::Language;
use crate::report::question::Kind;

/// An axis from `low` to `high`, both round, with a line at every `step`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

impl Scale {
    /// Holds zero and all values, with about this many lines.
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone, lines: u32) -> Self {
        let most = values.clone().fold(0.0, f64::max);
        let least = values.fold(0.0, f64::min);
        let span = if most > least { most - least } else { 1.0 };
        let step = round_step(span / f64::from(lines));
        Self { low: (least / step).floor() * step, high: (most / step).ceil().max(1.0) * step, step }
    }

    /// Where a value is, 0 at the low end and 1 at the high one.
    pub(super) fn part(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The values at the lines.
    pub(super) fn lines(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round();
        let mut lines = Vec::new();
        let mut nth = 0.0;
        while nth <= count {
            lines.push(self.low + nth * self.step);
            nth += 1.0;
        }
        lines
    }

    /// The word beside a line.
    pub(super) fn word(&self, value: f64, kind: Kind, language: Language) -> String {
        let percent = matches!(kind, Kind::Percent | Kind::Share | Kind::Change);
        let whole = self.step >= 1.0;
        let number =
            if whole { format::count(whole_number(value), language) } else { format::rate(value, language) };
        match (percent, language) {
            (true, Language::Spanish) => format!("{number} %"),
            (true, Language::English) => format!("{number}%"),
            _ => number,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a line of an axis is far below 2^63")]
fn whole_number(value: f64) -> i64 {
    value.round() as i64
}

/// 1, 2 or 5 times a power of ten, not below the wish.
fn round_step(wish: f64) -> f64 {
    let power = 10_f64.powf(wish.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= wish * 0.999).unwrap_or(10.0);
    // One decimal is what words have.
    (times * power).max(0.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_axis_has_round_numbers() {
        let scale = Scale::of([3.0, 871.0].into_iter(), 4);
        assert_eq!((scale.low, scale.high, scale.step), (0.0, 1000.0, 500.0));
        assert_eq!(scale.lines(), [0.0, 500.0, 1000.0]);
        let scale = Scale::of([-30.0, 62.0].into_iter(), 4);
        assert_eq!((scale.low, scale.high, scale.step), (-50.0, 100.0, 50.0));
        assert_eq!(scale.word(-50.0, Kind::Percent, Language::Spanish), "-50 %");
        assert_eq!(Scale::of([0.3].into_iter(), 3).word(0.2, Kind::Rate, Language::English), "0.2");
    }

    #[test]
    fn without_values_there_is_an_axis_all_the_same() {
        let scale = Scale::of(std::iter::empty(), 4);
        assert!(scale.high > scale.low);
        assert!(scale.lines().len() >= 2);
    }

    proptest! {
        #[test]
        fn every_value_is_inside(values in proptest::collection::vec(-1e9_f64..1e9, 1..20), lines in 2_u32..6) {
            let scale = Scale::of(values.iter().copied(), lines);
            for value in values {
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&scale.part(value)), "{value} in {scale:?}");
            }
            prop_assert!(scale.lines().len() <= lines as usize + 3, "{scale:?}");
        }
    }
}
