//! The expected rows of the questions on optional datasets; none without the dataset. Functions have the names of the questions.

#![expect(clippy::cast_precision_loss, reason = "a test has no 2^52 tests")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use crate::expected::Rows;
use crate::expected_geography::PEOPLE;
use crate::model::{Field, Model, days_until_newest, epidemiological, sunday, weeks_of, wilson};

pub(crate) fn all(model: &Model) -> Vec<(&'static str, Rows)> {
    vec![
        ("test_positivity_by_week", test_positivity_by_week(model)),
        ("tests_by_province", tests_by_province(model)),
        ("doses_by_province", doses_by_province(model)),
        ("doses_by_vaccine", doses_by_vaccine(model)),
    ]
}

fn number(number: i64) -> Field {
    Field::count(usize::try_from(number).unwrap())
}

fn percent(part: i64, whole: i64) -> Field {
    Field::percent(usize::try_from(part).unwrap(), usize::try_from(whole).unwrap())
}

fn people(province: Option<i16>) -> Option<f64> {
    PEOPLE.iter().find(|(id, _)| Some(*id) == province).map(|(_, people)| f64::from(*people))
}

fn rate(of: i64, times: f64, province: Option<i16>) -> Field {
    people(province).map_or(Field::Nothing, |people| Field::Number(times * of as f64 / people))
}

/// Returns every province, and `None` if a row has no province.
fn lines(model: &Model, known: impl Iterator<Item = Option<i16>>) -> Vec<Option<i16>> {
    let unknown = known.filter(Option::is_none).take(1);
    model.provinces.keys().map(|id| Some(*id)).chain(unknown).collect()
}

/// Sorts by amount, then by name; no province comes last.
fn sort(model: &Model, lines: &mut [(Option<i16>, i64)]) {
    let name = |id: Option<i16>| id.and_then(|id| model.provinces.get(&id)).cloned();
    lines.sort_by_key(|(id, amount)| (id.is_none(), -amount, name(*id), *id));
}

fn test_positivity_by_week(model: &Model) -> Rows {
    let days = days_until_newest(model.laboratories.iter().map(|row| row.tested_on));
    let Some(newest) = days.last() else { return Rows::new() };
    let first = sunday(*newest) - Days::new(7 * 52);
    let row = |(starts_on, days): (NaiveDate, usize)| {
        let in_week = model.laboratories.iter().filter(|row| sunday(row.tested_on) == starts_on);
        let (tests, positives) = in_week.fold((0, 0), |sum, row| (sum.0 + row.tests, sum.1 + row.positives));
        let (year, week) = epidemiological(starts_on);
        let mut fields = vec![year, week, Field::text(starts_on), number(tests), number(positives)];
        fields.push(percent(positives, tests));
        fields.extend(wilson(usize::try_from(positives).unwrap(), usize::try_from(tests).unwrap()));
        fields.push(Field::text(days < 7));
        fields
    };
    weeks_of(&days).into_iter().filter(|(starts_on, _)| *starts_on >= first).map(row).collect()
}

fn tests_by_province(model: &Model) -> Rows {
    if model.laboratories.is_empty() {
        return Rows::new();
    }
    let of = |province: Option<i16>| model.laboratories.iter().filter(move |row| row.province == province);
    let mut sums: Vec<(Option<i16>, i64)> = lines(model, model.laboratories.iter().map(|row| row.province))
        .into_iter()
        .map(|province| (province, of(province).map(|row| row.tests).sum()))
        .collect();
    sort(model, &mut sums);
    let all = sums.iter().map(|(_, tests)| tests).sum();
    let row = |(province, tests): (Option<i16>, i64)| {
        let positives = of(province).map(|row| row.positives).sum();
        vec![
            Field::maybe(province),
            model.province(province),
            number(tests),
            percent(tests, all),
            number(positives),
            percent(positives, tests),
            rate(tests, 1000.0, province),
        ]
    };
    sums.into_iter().map(row).collect()
}

const KINDS: [&str; 5] = ["first", "second", "single", "additional", "booster"];

fn doses_by_province(model: &Model) -> Rows {
    if model.doses.is_empty() {
        return Rows::new();
    }
    let of = |province: Option<i16>| model.doses.iter().filter(move |row| row.province == province);
    let mut sums: Vec<(Option<i16>, i64)> = lines(model, model.doses.iter().map(|row| row.province))
        .into_iter()
        .map(|province| (province, of(province).map(|row| row.given).sum()))
        .collect();
    sort(model, &mut sums);
    let all: i64 = model.doses.iter().map(|row| row.given).sum();
    let row = |(province, doses): (Option<i16>, i64)| {
        let mut fields = vec![
            Field::Number(100.0 * all as f64 / 45_892_285.0),
            Field::maybe(province),
            model.province(province),
            number(doses),
            rate(doses, 100.0, province),
        ];
        fields.extend(
            KINDS.map(|kind| number(of(province).filter(|row| row.dose == kind).map(|row| row.given).sum())),
        );
        fields
    };
    sums.into_iter().map(row).collect()
}

fn doses_by_vaccine(model: &Model) -> Rows {
    let names: BTreeSet<&str> = model.doses.iter().map(|row| row.vaccine.as_str()).collect();
    let all: i64 = model.doses.iter().map(|row| row.given).sum();
    let mut vaccines: BTreeMap<(i64, &str), Vec<Field>> = BTreeMap::new();
    for name in names {
        let of = || model.doses.iter().filter(|row| row.vaccine == name);
        let doses: i64 = of().map(|row| row.given).sum();
        let mut fields = vec![Field::text(name), number(doses), percent(doses, all)];
        fields
            .extend(KINDS.map(|kind| number(of().filter(|row| row.dose == kind).map(|row| row.given).sum())));
        vaccines.insert((-doses, name), fields);
    }
    vaccines.into_values().collect()
}
