//! The estimates of simulated registers, whose delays and final numbers are known.

use chrono::NaiveDate;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

use super::*;
use crate::aggregates::reference_days::day_of;
use crate::clean::case::Case;

/// The first and the last day of symptoms, as days of the register.
const FIRST: usize = 60;
const LAST: usize = 300;

/// A case that a simulated register has.
#[derive(Clone, Copy)]
struct Simulated {
    symptoms: usize,
    is_dated: bool,
    /// The day of registration, and the day on which releases have the case: it is confirmed.
    registered: usize,
    confirmed: usize,
    province: i16,
}

/// Returns geometric days of this mean from a uniform number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few days")]
fn geometric(uniform: f64, mean: f64) -> usize {
    if mean > 0.0 { (uniform.ln() / (mean / (mean + 1.0)).ln()) as usize } else { 0 }
}

#[expect(clippy::cast_precision_loss, reason = "53 bits")]
/// Draws cases: two provinces, a third without date of symptoms, geometric delays, `wait` more days on average until they are confirmed.
fn simulate(seed: u64, level: fn(usize) -> f64, wait: f64) -> Vec<Simulated> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut uniform = move || ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let mut cases = Vec::new();
    for symptoms in FIRST..=LAST {
        for province in [6, 2] {
            // Exponential waiting times until the day is over: Poisson.
            let (mut time, mean) = (0.0, level(symptoms) / f64::from(province));
            loop {
                time -= uniform().ln();
                if time > mean {
                    break;
                }
                let registered = symptoms + geometric(uniform(), 4.0);
                let confirmed = registered + geometric(uniform(), wait);
                let is_dated = uniform() < 0.67;
                cases.push(Simulated { symptoms, is_dated, registered, confirmed, province });
            }
        }
    }
    cases
}

/// Counts what a release has that was made at the end of a day.
fn release(cases: &[Simulated], as_of: usize) -> ReferenceDays {
    let mut counts = ReferenceDays::default();
    for simulated in cases.iter().filter(|simulated| simulated.registered <= as_of) {
        let classification: &[u8] = if simulated.confirmed <= as_of { b"Confirmado" } else { b"Sospechoso" };
        counts.add(&Case {
            case_id: 1,
            sex: None,
            age: Some(40),
            symptoms_on: simulated.is_dated.then(|| day_of(simulated.symptoms)),
            registered_on: day_of(simulated.registered),
            admitted_on: None,
            icu: false,
            ventilated: false,
            died_on: None,
            diagnosed_on: None,
            registration_province_id: simulated.province,
            residence_province_id: Some(simulated.province),
            residence_department_id: None,
            classification: Some(classification.into()),
        });
    }
    counts
}

/// Coverage in percent and bias in percent of the nowcasts of weekly releases, of days of which less than 99 % were registered.
#[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
fn measure(level: fn(usize) -> f64, wait: f64, with_history: bool, every: usize) -> (f64, f64) {
    let (mut compared, mut covered, mut error, mut total) = (0.0, 0.0, 0.0, 0.0);
    for seed in 0..4 {
        let cases = simulate(seed, level, wait);
        let last = estimate(&release(&cases, LAST + 200), &[]).unwrap();
        let mut past = Vec::new();
        for as_of in (LAST - 84..=LAST - 40).step_by(every) {
            let indicators = estimate(&release(&cases, as_of), &past).unwrap();
            if with_history {
                past.extend(indicators.past_reports());
            }
            for day in indicators.days.iter().filter(|day| day.share_reported < 0.99) {
                let now =
                    last.days.iter().find(|now| (now.province, now.day) == (day.province, day.day)).unwrap();
                // Cases without a date of symptoms that are confirmed later are not expected.
                let since = (now.reported - now.undated + day.undated) as f64;
                compared += 1.0;
                covered += f64::from(u8::from((day.low as f64..=day.high as f64).contains(&since)));
                error += day.expected - since;
                total += since;
            }
        }
    }
    (100.0 * covered / compared, 100.0 * error / total)
}

#[test]
fn intervals_of_simulated_releases_cover_90_to_99_percent() {
    let growth: fn(usize) -> f64 = |day| 60.0 * 1.01_f64.powi(i32::try_from(day).unwrap());
    let steady: fn(usize) -> f64 = |_| 400.0;
    for (name, level, with_history) in
        [("steady", steady, false), ("steady, with earlier releases", steady, true), ("growth", growth, true)]
    {
        let (coverage, bias) = measure(level, 0.0, with_history, 7);
        println!("{name}: coverage {coverage:.1} %, bias {bias:+.1} %");
        assert!((90.0..=99.0).contains(&coverage), "{name}: {coverage:.1} %");
        assert!(bias.abs() < 5.0, "{name}: {bias:.1} %");
    }
}

/// Cases appear days after their registration, once they are confirmed. The line list does not show that; earlier releases do.
#[test]
fn earlier_releases_show_that_cases_are_confirmed_late() {
    let steady: fn(usize) -> f64 = |_| 400.0;
    let (without, bias_without) = measure(steady, 2.0, false, 2);
    let (with, bias_with) = measure(steady, 2.0, true, 2);
    println!("coverage {without:.1} % and {with:.1} %, bias {bias_without:+.1} % and {bias_with:+.1} %");
    assert!(with > without + 5.0, "{without:.1} % and {with:.1} %");
    assert!(bias_with.abs() < bias_without.abs() / 2.0, "{bias_without:.1} % and {bias_with:.1} %");
}

#[test]
fn estimate_of_steady_cases_is_near_one_and_ends_where_half_is_registered() {
    let indicators = estimate(&release(&simulate(1, |_| 900.0, 0.0), LAST - 30), &[]).unwrap();
    assert_eq!(indicators.as_of, NaiveDate::from(day_of(LAST - 30)));
    let of = |province: Option<i16>| indicators.days.iter().filter(move |day| day.province == province);
    assert_eq!([None, Some(2), Some(6)].map(|province| of(province).count()), [LAST - 30 - FIRST + 1; 3]);
    let numbers: Vec<_> = of(None).filter_map(|day| Some((day.share_reported, day.reproduction?))).collect();
    let (share, last) = numbers.last().unwrap();
    assert!((0.5..0.9).contains(share), "{share}");
    assert!(last.posterior.q025 < 1.0 && last.posterior.q975 > 1.0 && last.posterior.sd < 0.1, "{last:?}");
    // A complete day is as counted.
    let complete = of(Some(6)).next().unwrap();
    assert_eq!((complete.low, complete.high), (complete.reported, complete.reported));
}

#[test]
fn estimate_after_a_silence_begins_anew_and_of_few_days_has_no_rows() {
    let mut cases = simulate(1, |_| 20.0, 0.0);
    cases.retain(|case| !(120..220).contains(&case.registered));
    let indicators = estimate(&release(&cases, LAST), &[]).unwrap();
    assert_eq!(indicators.days.first().unwrap().day, NaiveDate::from(day_of(220)));
    cases.retain(|case| case.registered < FIRST + 20);
    assert!(estimate(&release(&cases, LAST), &[]).unwrap().days.is_empty());
    assert_eq!(estimate(&ReferenceDays::default(), &[]), None);
}

#[test]
fn fatality_of_few_deaths_uses_the_published_delay() {
    let indicators = estimate(&release(&simulate(1, |_| 90.0, 0.0), LAST), &[]).unwrap();
    let ages: Vec<AgeGroup> = indicators.fatality.iter().map(|row| row.age).collect();
    assert_eq!(ages, [AgeGroup::Decade(4), AgeGroup::All]);
    let all = &indicators.fatality[1];
    assert_eq!((all.fatality.deaths, all.delay.deaths), (0, 0));
    assert!((all.delay.mean - 17.8).abs() < 1e-12);
    // The outcome of the newest cases is not known yet.
    assert!((0.85..0.99).contains(&all.fatality.underestimation().unwrap()));
}
