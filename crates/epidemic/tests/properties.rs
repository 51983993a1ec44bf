//! Properties of the estimates on any input.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "counts of tests are small"
)]

use epidemic::delay::{SerialInterval, gamma_density};
use epidemic::reproduction::{self, Posterior, Prior, Window};
use epidemic::standardisation::{AgeGroup, standardised_rate};
use epidemic::triangle::{Release, ReportingTriangle};
use epidemic::{fatality, growth, nowcast, seven_day, waves};
use proptest::collection::vec;
use proptest::prelude::*;

fn series() -> impl Strategy<Value = Vec<f64>> {
    // Zeros are frequent, and counts reach from single cases to millions.
    vec(
        prop_oneof![3 => Just(0.0), 4 => (1..50_u32).prop_map(f64::from), 1 => (0..5_000_000_u32).prop_map(f64::from)],
        0..90,
    )
}

fn counts() -> impl Strategy<Value = Vec<u64>> {
    vec(prop_oneof![Just(0), 0..100_u64, 0..2_000_000_u64], 1..60)
}

fn serial_interval() -> impl Strategy<Value = SerialInterval> {
    (1.2..20.0, 0.3..10.0).prop_map(|(mean, sd)| {
        SerialInterval::discretised_gamma(mean, sd).expect("a valid mean and deviation")
    })
}

fn is_close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-8 * left.abs().max(right.abs()).max(1e-300)
}

fn windows(incidence: &[f64], interval: &SerialInterval) -> Vec<Window> {
    reproduction::estimate(incidence, interval, 7, Prior::default()).unwrap_or_default()
}

proptest! {
    #[test]
    fn reproduction_of_any_series_is_finite_and_ordered(incidence in series(), interval in serial_interval()) {
        for window in windows(&incidence, &interval) {
            prop_assert!(window.start >= 2 && window.end == window.start + 6 && window.end <= incidence.len());
            let Some(Posterior { mean, sd, q025, median, q975 }) = window.posterior else { continue };
            prop_assert!([mean, sd, q025, median, q975].into_iter().all(|value| value.is_finite() && value >= 0.0));
            prop_assert!(q025 <= median && median <= q975 && q025 <= mean && mean > 0.0);
        }
    }

    #[test]
    fn reproduction_after_leading_zeros_moves_with_the_series(
        incidence in series(), interval in serial_interval(), shift in 0..20_usize,
    ) {
        let shifted: Vec<f64> = vec![0.0; shift].into_iter().chain(incidence.iter().copied()).collect();
        let moved = windows(&shifted, &interval);
        for window in windows(&incidence, &interval).into_iter().filter(|window| window.posterior.is_some()) {
            let (mine, other) = (window.posterior.unwrap(), moved[window.start + shift - 2].posterior.unwrap());
            prop_assert!(is_close(mine.mean, other.mean) && is_close(mine.q975, other.q975));
        }
    }

    #[test]
    fn reproduction_without_cases_is_the_prior(length in 30..60_usize, interval in serial_interval()) {
        for posterior in windows(&vec![0.0; length], &interval).into_iter().filter_map(|window| window.posterior) {
            prop_assert!(is_close(posterior.mean, 5.0) && is_close(posterior.sd, 5.0));
        }
    }

    #[test]
    fn reproduction_of_many_cases_does_not_depend_on_scale(
        incidence in vec((100_000..1_000_000_u32).prop_map(f64::from), 30..60), interval in serial_interval(),
    ) {
        let scaled: Vec<f64> = incidence.iter().map(|cases| cases * 10.0).collect();
        for (one, ten) in windows(&incidence, &interval).into_iter().zip(windows(&scaled, &interval)) {
            let (Some(one), Some(ten)) = (one.posterior, ten.posterior) else { continue };
            prop_assert!((one.mean / ten.mean - 1.0).abs() < 1e-3, "{} {}", one.mean, ten.mean);
            // Ten times the cases: the interval is √10 times as narrow.
            prop_assert!((one.sd / ten.sd / 10.0_f64.sqrt() - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn seven_day_r_is_finite_and_scale_free(incidence in series(), factor in 1..1000_u32) {
        let scaled: Vec<f64> = incidence.iter().map(|cases| cases * f64::from(factor)).collect();
        let (one, other) = (seven_day::estimate(&incidence).unwrap(), seven_day::estimate(&scaled).unwrap());
        prop_assert_eq!(one.len(), incidence.len());
        for (one, other) in one.into_iter().zip(other) {
            prop_assert_eq!(one.is_some(), other.is_some());
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!(one.is_finite() && (one == other || is_close(one, other)));
            }
        }
    }

    #[test]
    fn growth_of_any_series_is_none_or_ordered(incidence in series()) {
        if let Ok(Some(growth)) = growth::estimate(&incidence) {
            let rate = growth.rate;
            prop_assert!(rate.low.is_finite() && rate.low <= rate.value && rate.value <= rate.high && rate.high.is_finite());
            prop_assert!(growth.dispersion >= 1.0);
            if let Some((low, high)) = growth.doubling_time_interval() {
                prop_assert!(low <= high);
            }
        }
    }

    #[test]
    fn growth_of_reversed_series_is_decline(incidence in vec((1..500_u32).prop_map(f64::from), 5..60)) {
        let reversed: Vec<f64> = incidence.iter().rev().copied().collect();
        let (forth, back) = (growth::estimate(&incidence).unwrap().unwrap(), growth::estimate(&reversed).unwrap().unwrap());
        prop_assert!((forth.rate.value + back.rate.value).abs() < 1e-8);
        prop_assert!((forth.rate.high + back.rate.low).abs() < 1e-8);
    }

    #[test]
    fn fatality_of_any_counts_is_ordered_and_not_below_naive(
        cases in counts(), share in 0.0..1.0_f64, shape in 1.0..8.0_f64, scale in 0.2..10.0_f64,
    ) {
        let deaths: Vec<u64> = cases.iter().map(|&cases| (cases as f64 * share * share) as u64).collect();
        let delay = gamma_density(shape, scale, cases.len()).unwrap();
        let fatality = fatality::estimate(&cases, &deaths, &delay).unwrap();
        for estimate in [fatality.naive, fatality.corrected].into_iter().flatten() {
            prop_assert!(0.0 <= estimate.low && estimate.low <= estimate.value);
            prop_assert!(estimate.value <= estimate.high && estimate.high <= 1.0);
        }
        // A density at whole days adds up to little more than 1 at most; the grid has steps of 0.0001.
        let total: f64 = delay.iter().sum();
        if let (Some(naive), Some(corrected)) = (fatality.naive, fatality.corrected) && total <= 1.0 && fatality.outcomes >= 1000.0 {
            prop_assert!(corrected.value >= naive.value - 2e-3, "{naive:?} {corrected:?}");
        }
    }

    #[test]
    fn fatality_without_delay_is_naive_on_the_grid(cases in 1000..5_000_000_u64, share in 0.01..0.99_f64) {
        let deaths = (cases as f64 * share) as u64;
        let fatality = fatality::estimate(&[cases], &[deaths], &[1.0]).unwrap();
        let (naive, corrected) = (fatality.naive.unwrap(), fatality.corrected.unwrap());
        prop_assert!((naive.value - corrected.value).abs() <= 0.5001e-4, "{naive:?} {corrected:?}");
    }

    #[test]
    fn nowcast_of_any_triangle_is_ordered_and_not_below_reported(
        days in 1..60_usize, max_delay in 0..25_usize, reports in vec((0..60_usize, 0..30_usize, 0..3000_u32), 0..400),
    ) {
        let mut triangle = ReportingTriangle::new(days, max_delay).unwrap();
        for (day, delay, count) in reports {
            triangle.add(day, delay, count);
        }
        let nowcasts = nowcast::estimate(&triangle);
        prop_assert_eq!(nowcasts.is_ok(), days >= nowcast::needed_days(max_delay));
        let nowcasts = nowcasts.unwrap_or_default();
        for nowcast in &nowcasts {
            prop_assert!(nowcast.expected.is_finite() && nowcast.expected >= nowcast.reported as f64);
            prop_assert!(nowcast.reported <= nowcast.low && nowcast.low <= nowcast.high);
            prop_assert!(nowcast.low <= nowcast.median && nowcast.median <= nowcast.high);
            prop_assert!((0.0..=1.0).contains(&nowcast.share_reported));
        }
        // Nothing is expected for a day whose longest delay is over.
        if let Some(complete) = nowcasts.first() {
            prop_assert_eq!((complete.low, complete.high), (complete.reported, complete.reported));
        }
    }

    #[test]
    fn triangle_that_observes_any_releases_keeps_its_totals_and_ascends(
        days in 1..60_usize, max_delay in 0..25_usize, reports in vec((0..60_usize, 0..30_usize, 0..3000_u32), 0..400),
        releases in vec((0..60_usize, vec((0..60_usize, 0..9000_u32), 0..40)), 0..8),
    ) {
        let mut triangle = ReportingTriangle::new(days, max_delay).unwrap();
        for (day, delay, count) in reports {
            triangle.add(day, delay, count);
        }
        let before = triangle.clone();
        let mut releases: Vec<Release> =
            releases.into_iter().map(|(as_of, reported)| Release { as_of, reported }).collect();
        triangle.observe(&mut releases);
        for day in 0..days {
            prop_assert_eq!(triangle.reported(day, days - 1), before.reported(day, days - 1));
            for as_of in 1..days {
                prop_assert!(triangle.reported(day, as_of - 1) <= triangle.reported(day, as_of));
            }
        }
        for nowcast in nowcast::estimate(&triangle).unwrap_or_default() {
            prop_assert!(nowcast.expected.is_finite() && nowcast.sd.is_finite() && nowcast.low <= nowcast.high);
        }
    }

    #[test]
    fn reproduction_of_nowcast_is_as_wide_as_of_counts_or_wider(
        incidence in vec((1..5000_u32).prop_map(f64::from), 20..60), share in 0.0..0.5_f64, interval in serial_interval(),
    ) {
        let deviations: Vec<f64> = incidence.iter().map(|cases| cases * share).collect();
        let exact = windows(&incidence, &interval);
        let nowcast = reproduction::estimate_nowcast(&incidence, &deviations, &interval, 7, Prior::default()).unwrap();
        for (exact, nowcast) in exact.into_iter().zip(nowcast) {
            let (Some(exact), Some(nowcast)) = (exact.posterior, nowcast.posterior) else { continue };
            prop_assert!(is_close(exact.mean, nowcast.mean) && nowcast.sd >= exact.sd * (1.0 - 1e-12));
        }
    }

    #[test]
    fn standardised_rate_does_not_depend_on_units(
        groups in vec((0..5000_u32, 1_000..1_000_000_u32, 1..100_u32), 1..20), factor in 2..100_u32,
    ) {
        let build = |people: f64, weights: f64| -> Vec<AgeGroup> {
            groups.iter().map(|&(events, population, weight)| AgeGroup {
                events: events.into(), population: f64::from(population) * people, weight: f64::from(weight) * weights,
            }).collect()
        };
        let factor = f64::from(factor);
        let rate = standardised_rate(&build(1.0, 1.0)).unwrap();
        let weighted = standardised_rate(&build(1.0, factor)).unwrap();
        let larger = standardised_rate(&build(factor, 1.0)).unwrap();
        prop_assert!(rate.low <= rate.value && rate.value < rate.high && rate.high.is_finite());
        prop_assert!(rate.value == weighted.value || is_close(rate.value, weighted.value));
        prop_assert!(is_close(rate.high, weighted.high) && is_close(rate.high, larger.high * factor));
    }

    #[test]
    fn waves_of_any_series_alternate_and_do_not_depend_on_scale(incidence in series(), power in 1..10_i32) {
        let waves = waves::find(&incidence).unwrap();
        for wave in &waves {
            prop_assert!(wave.start <= wave.peak && wave.peak <= wave.end && wave.end < incidence.len());
            prop_assert!(wave.peak_level > 0.0);
        }
        for pair in waves.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
        }
        prop_assert!(waves.iter().rev().skip(1).all(|wave| wave.is_confirmed));
        // Powers of two scale without rounding.
        let scaled: Vec<f64> = incidence.iter().map(|cases| cases * 2.0_f64.powi(power)).collect();
        let peaks = |waves: &[waves::Wave]| waves.iter().map(|wave| wave.peak).collect::<Vec<_>>();
        prop_assert_eq!(peaks(&waves), peaks(&waves::find(&scaled).unwrap()));
    }
}
