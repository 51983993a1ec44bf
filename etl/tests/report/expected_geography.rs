//! The expected rows of the questions on provinces and departments, as in `expected`.

#![expect(clippy::cast_precision_loss, reason = "a test has no 2^52 cases")]

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};

use crate::expected::{Rows, count};
use crate::model::{Case, Field, Model, epidemiological, sunday};

/// INDEC, 2022 census, final results; a second copy for comparison.
pub(crate) const PEOPLE: [(i16, u32); 24] = [
    (2, 3_121_707),
    (6, 17_523_996),
    (10, 429_562),
    (14, 3_840_905),
    (18, 1_212_696),
    (22, 1_129_606),
    (26, 592_621),
    (30, 1_425_578),
    (34, 607_419),
    (38, 811_611),
    (42, 361_859),
    (46, 383_865),
    (50, 2_043_540),
    (54, 1_278_873),
    (58, 710_814),
    (62, 750_768),
    (66, 1_441_351),
    (70, 822_853),
    (74, 542_069),
    (78, 337_226),
    (82, 3_544_908),
    (86, 1_060_906),
    (90, 1_731_820),
    (94, 185_732),
];

pub(crate) fn incidence_by_province(model: &Model) -> Rows {
    assert_eq!(
        PEOPLE.iter().map(|(_, people)| people).sum::<u32>(),
        45_892_285,
        "not the total of the census"
    );
    let mut lines: Vec<(Option<i16>, u32)> = PEOPLE.iter().map(|(id, people)| (Some(*id), *people)).collect();
    lines.sort_by_key(|(id, _)| id.and_then(|id| model.provinces.get(&id)).cloned());
    lines.insert(0, (None, 45_892_285));
    let whole: Vec<NaiveDate> =
        model.weeks().into_iter().filter(|(_, days)| *days == 7).map(|(day, _)| day).collect();
    let first = sunday(model.newest() - Days::new(6)) - Days::new(7 * 52);
    let mut rows = Rows::new();
    for starts_on in whole.into_iter().filter(|day| *day >= first).collect::<Vec<_>>() {
        for (id, people) in &lines {
            let in_line = |case: &Case| {
                sunday(case.registered_on) == starts_on && (id.is_none() || case.residence == *id)
            };
            let confirmed = count(model.confirmed(), in_line);
            let (year, week) = epidemiological(starts_on);
            rows.push(vec![
                year,
                week,
                Field::text(starts_on),
                Field::maybe(*id),
                model.province(*id),
                Field::Number(f64::from(*people)),
                Field::count(confirmed),
                Field::Number(100_000.0 * confirmed as f64 / f64::from(*people)),
            ]);
        }
    }
    rows
}

pub(crate) fn department_ranking(model: &Model) -> Rows {
    let newest = model.newest();
    let mut departments: BTreeMap<Option<i32>, [usize; 4]> = BTreeMap::new();
    for case in model.confirmed() {
        let (in_year, ago) =
            (case.registered_on.year() == newest.year(), (newest - case.registered_on).num_days());
        let facts = [in_year, ago < 14, (14..28).contains(&ago), in_year && case.died_on.is_some()];
        if facts.contains(&true) {
            let counts = departments.entry(case.department).or_default();
            counts.iter_mut().zip(facts).for_each(|(count, fact)| *count += usize::from(fact));
        }
    }
    let mut sorted: Vec<_> = departments.into_iter().collect();
    sorted.sort_by_key(|(id, counts)| (id.is_none(), usize::MAX - counts[0]));
    let ranks: Vec<usize> = sorted
        .iter()
        .map(|(id, counts)| {
            let better = |(other, theirs): &&(Option<i32>, [usize; 4])| {
                id.is_none() && other.is_some() || other.is_some() && theirs[0] > counts[0]
            };
            1 + sorted.iter().filter(better).count()
        })
        .collect();
    let row = |((id, counts), rank): (&(Option<i32>, [usize; 4]), usize)| {
        let department = id.map(|id| &model.departments[&id]);
        let change = match (counts[1], counts[2]) {
            (_, 0) => Field::Nothing,
            (last, before) => Field::Number(100.0 * (last as f64 - before as f64) / before as f64),
        };
        vec![
            Field::text(rank),
            Field::maybe(*id),
            Field::maybe(department.map(|(name, _)| name)),
            model.province(department.map(|(_, province)| *province)),
            Field::count(counts[0]),
            Field::count(counts[1]),
            change,
            Field::count(counts[3]),
        ]
    };
    sorted.iter().zip(ranks).map(row).collect()
}

pub(crate) fn residence_registration(model: &Model) -> Rows {
    let mut pairs: BTreeMap<(Option<i16>, i16), usize> = BTreeMap::new();
    model.confirmed().for_each(|case| *pairs.entry((case.residence, case.registration)).or_default() += 1);
    let mut apart: Vec<_> = pairs.into_iter().filter(|((home, there), _)| *home != Some(*there)).collect();
    apart.sort_by_key(|((home, there), cases)| (usize::MAX - cases, home.is_none(), *home, *there));
    let row = |((home, there), cases): &((Option<i16>, i16), usize)| {
        let residents = count(model.confirmed(), |case| case.residence == *home);
        vec![
            Field::maybe(*home),
            model.province(*home),
            Field::text(there),
            model.province(Some(*there)),
            Field::count(*cases),
            Field::percent(*cases, residents),
        ]
    };
    apart.iter().map(row).collect()
}
