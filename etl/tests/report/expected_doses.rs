//! The expected rows of the questions on the register of doses. Functions have the names of the questions.

#![expect(clippy::cast_precision_loss, reason = "a test has no 2^52 doses")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, NaiveDate};
use sqlx::PgConnection;

use crate::expected::Rows;
use crate::model::{Case, Field, Model, WeeklyDoses, epidemiological};

/// People of the census.
pub(crate) struct People {
    by_age: BTreeMap<i16, i64>,
    by_department: BTreeMap<i32, i32>,
}

impl People {
    pub(crate) async fn read(connection: &mut PgConnection) -> Self {
        let by_age = sqlx::query_as("SELECT age, sum(population)::bigint FROM age_population GROUP BY age");
        let by_department = sqlx::query_as("SELECT department_id, population FROM department_population");
        let people = Self {
            by_age: by_age.fetch_all(&mut *connection).await.unwrap().into_iter().collect(),
            by_department: by_department.fetch_all(connection).await.unwrap().into_iter().collect(),
        };
        // The published totals.
        assert_eq!(people.by_age.values().sum::<i64>(), 45_618_787);
        assert_eq!(people.by_department.values().map(|people| i64::from(*people)).sum::<i64>(), 45_892_285);
        people
    }

    fn of(&self, (youngest, oldest): (i16, i16)) -> i64 {
        self.by_age.range(youngest..=oldest).map(|(_, people)| people).sum()
    }
}

pub(crate) fn all(model: &Model, people: &People) -> Vec<(&'static str, Rows)> {
    vec![
        ("doses_by_week", doses_by_week(model)),
        ("coverage_by_age", coverage_by_age(model, people)),
        ("coverage_by_department", coverage_by_department(model, people)),
        ("vaccines_by_month", vaccines_by_month(model)),
        ("dose_lag", dose_lag(model)),
        ("vaccination_and_cases_by_age", vaccination_and_cases_by_age(model, people)),
        ("unknown_doses", unknown_doses(model)),
    ]
}

fn number(number: i64) -> Field {
    Field::Number(number as f64)
}

fn per(times: f64, part: i64, whole: i64) -> Field {
    if whole == 0 { Field::Nothing } else { Field::Number(times * part as f64 / whole as f64) }
}

fn given<'a>(doses: impl Iterator<Item = &'a WeeklyDoses>, kinds: &[&str]) -> i64 {
    let of_kind = |dose: &&WeeklyDoses| dose.dose.as_deref().is_some_and(|dose| kinds.contains(&dose));
    doses.filter(of_kind).map(|dose| dose.given).sum()
}

const BEGIN: [&str; 2] = ["first", "single"];
const COMPLETE: [&str; 2] = ["second", "single"];
const BOOST: [&str; 4] = ["booster", "third", "fourth", "fifth"];

fn doses_by_week(model: &Model) -> Rows {
    let weeks: BTreeSet<NaiveDate> = model.residence_doses.iter().filter_map(|dose| dose.week).collect();
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else { return Rows::new() };
    let row = |week: NaiveDate| {
        let of = || model.residence_doses.iter().filter(move |dose| dose.week == Some(week));
        let (year, number_of_week) = epidemiological(week);
        let mut fields = vec![year, number_of_week, Field::text(week)];
        fields.push(number(of().map(|dose| dose.given).sum()));
        fields.extend(["first", "second", "single", "additional"].map(|kind| number(given(of(), &[kind]))));
        fields.push(number(given(of(), &BOOST)));
        fields
    };
    first.iter_weeks().take_while(|week| week <= last).map(row).collect()
}

/// Returns the youngest and the oldest age of a group.
fn ages(group: &str) -> (i16, i16) {
    if let Some(age) = group.strip_prefix('<') {
        return (0, age.parse::<i16>().unwrap() - 1);
    }
    if let Some(age) = group.strip_prefix(">=") {
        return (age.parse().unwrap(), 100);
    }
    let (youngest, oldest) = group.split_once('-').unwrap();
    (youngest.parse().unwrap(), oldest.parse().unwrap())
}

fn coverage_by_age(model: &Model, people: &People) -> Rows {
    let groups: BTreeSet<Option<&str>> =
        model.residence_doses.iter().map(|dose| dose.texts[1].as_deref()).collect();
    let mut groups: Vec<Option<&str>> = groups.into_iter().collect();
    groups.sort_by_key(|group| (group.is_none(), group.map(ages)));
    let all = |kinds: &[&str]| per(100.0, given(model.residence_doses.iter(), kinds), 45_892_285);
    let row = |group: Option<&str>| {
        let of = || model.residence_doses.iter().filter(move |dose| dose.texts[1].as_deref() == group);
        let population = group.map_or(0, |group| people.of(ages(group)));
        let mut fields = vec![all(&BEGIN), all(&COMPLETE), Field::maybe(group)];
        fields.push(group.map_or(Field::Nothing, |_| number(population)));
        for kinds in [&BEGIN[..], &COMPLETE, &BOOST] {
            fields.extend([number(given(of(), kinds)), per(100.0, given(of(), kinds), population)]);
        }
        fields
    };
    groups.into_iter().map(row).collect()
}

fn coverage_by_department(model: &Model, people: &People) -> Rows {
    if model.residence_doses.is_empty() {
        return Rows::new();
    }
    let unknown = model.residence_doses.iter().any(|dose| dose.department.is_none());
    let departments = model.departments.keys().map(|id| Some(*id)).chain(unknown.then_some(None));
    let mut lines: Vec<(f64, Option<i32>, Vec<Field>)> = Vec::new();
    for id in departments {
        let of = || model.residence_doses.iter().filter(move |dose| dose.department == id);
        let population = id.and_then(|id| people.by_department.get(&id)).map(|people| i64::from(*people));
        let department = id.and_then(|id| model.departments.get(&id));
        let mut fields = vec![
            Field::maybe(id),
            Field::maybe(department.map(|(name, _)| name)),
            model.province(department.map(|(_, province)| *province)),
            population.map_or(Field::Nothing, number),
        ];
        for kinds in [&BEGIN[..], &COMPLETE] {
            let doses = given(of(), kinds);
            fields.extend([
                number(doses),
                population.map_or(Field::Nothing, |people| per(100.0, doses, people)),
            ]);
        }
        let completed = given(of(), &COMPLETE);
        let share = population.map_or(f64::INFINITY, |people| 100.0 * completed as f64 / people as f64);
        lines.push((share, id, fields));
    }
    lines.sort_by(|left, right| {
        left.0.total_cmp(&right.0).then_with(|| (left.1.is_none(), left.1).cmp(&(right.1.is_none(), right.1)))
    });
    lines.into_iter().map(|(_, _, fields)| fields).collect()
}

fn vaccines_by_month(model: &Model) -> Rows {
    let month = |week: NaiveDate| (week + Days::new(3)).with_day(1).unwrap();
    let dated = || model.application_doses.iter().filter_map(|dose| Some((month(dose.week?), dose)));
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, dose) in dated() {
        if let Some(vaccine) = &dose.texts[0] {
            *totals.entry(vaccine).or_default() += dose.given;
        }
    }
    let mut largest: Vec<(&str, i64)> = totals.into_iter().collect();
    largest.sort_by_key(|(name, doses)| (-doses, *name));
    let largest: Vec<&str> = largest.into_iter().take(7).map(|(name, _)| name).collect();
    let months: BTreeSet<NaiveDate> = dated().map(|(month, _)| month).collect();
    let (Some(first), Some(last)) = (months.first().copied(), months.last().copied()) else {
        return Rows::new();
    };
    let mut rows = Rows::new();
    let mut month = first;
    while month <= last {
        for line in largest.iter().map(|name| Some(*name)).chain([None]) {
            let fits = |dose: &WeeklyDoses| {
                let name = dose.texts[0].as_deref().filter(|name| largest.contains(name));
                name == line
            };
            let doses =
                dated().filter(|(of, dose)| *of == month && fits(dose)).map(|(_, dose)| dose.given).sum();
            rows.push(vec![Field::text(month), Field::maybe(line), number(doses)]);
        }
        month = month + chrono::Months::new(1);
    }
    rows
}

fn dose_lag(model: &Model) -> Rows {
    let mut weeks: BTreeMap<NaiveDate, [i64; 2]> = BTreeMap::new();
    for dose in &model.residence_doses {
        let Some(week) = dose.week else { continue };
        let sums = weeks.entry(week).or_default();
        for (sum, kind) in sums.iter_mut().zip(["first", "second"]) {
            *sum += if dose.dose.as_deref() == Some(kind) { dose.given } else { 0 };
        }
    }
    let all: i64 = weeks.values().map(|sums| sums[1]).sum();
    if all == 0 {
        return Rows::new();
    }
    let reached = |kind: usize, level: i64| {
        let mut sum = 0;
        weeks.iter().find_map(|(week, sums)| {
            sum += sums[kind];
            (sum >= level).then_some(*week)
        })
    };
    let row = |tenth: i64| {
        let level = (all * tenth + 9) / 10;
        let (first, second) = (reached(0, level), reached(1, level));
        let lag = first.zip(second).map(|(first, second)| (second - first).num_days());
        vec![
            Field::text(10 * tenth),
            number(level),
            Field::maybe(first),
            Field::maybe(second),
            lag.map_or(Field::Nothing, number),
        ]
    };
    (1..=9).map(row).collect()
}

fn vaccination_and_cases_by_age(model: &Model, people: &People) -> Rows {
    if model.residence_doses.is_empty() {
        return Rows::new();
    }
    let row = |(name, youngest, oldest): (&str, i16, i16)| {
        let of = || {
            model.residence_doses.iter().filter(move |dose| {
                let youngest_of_group = dose.texts[1].as_deref().map(|group| ages(group).0);
                youngest_of_group.is_some_and(|age| (youngest..=oldest).contains(&age))
            })
        };
        let population = people.of((youngest, oldest));
        let oldest = if oldest == 100 { i16::MAX } else { oldest };
        let fits = |case: &&Case| case.age.is_some_and(|age| (youngest..=oldest).contains(&age));
        let cases = i64::try_from(model.confirmed().filter(fits).count()).unwrap();
        let died = model.confirmed().filter(fits).filter(|case| case.died_on.is_some()).count();
        let died = i64::try_from(died).unwrap();
        vec![
            Field::text(name),
            number(population),
            per(100.0, given(of(), &COMPLETE), population),
            per(100.0, given(of(), &BOOST), population),
            number(cases),
            per(100_000.0, cases, population),
            number(died),
            per(100.0, died, cases),
        ]
    };
    [
        ("0-29", 0, 29),
        ("30-39", 30, 39),
        ("40-49", 40, 49),
        ("50-59", 50, 59),
        ("60-69", 60, 69),
        ("70-79", 70, 79),
        ("80-89", 80, 89),
        ("90+", 90, 100),
    ]
    .map(row)
    .into()
}

fn unknown_doses(model: &Model) -> Rows {
    let all: i64 = model.residence_doses.iter().map(|dose| dose.given).sum();
    if all == 0 {
        return Rows::new();
    }
    let (residence, application) = (&model.residence_doses, &model.application_doses);
    let unknown = |doses: &[WeeklyDoses], is_unknown: fn(&WeeklyDoses) -> bool| -> i64 {
        doses.iter().filter(|dose| is_unknown(dose)).map(|dose| dose.given).sum()
    };
    [
        ("week_starts_on", unknown(residence, |dose| dose.week.is_none())),
        ("dose", unknown(residence, |dose| dose.dose.is_none())),
        ("vaccine", unknown(application, |dose| dose.texts[0].is_none())),
        ("condition", unknown(application, |dose| dose.texts[1].is_none())),
        ("sex", unknown(residence, |dose| dose.texts[0].is_none())),
        ("age_group", unknown(residence, |dose| dose.texts[1].is_none())),
        ("residence_province_id", unknown(residence, |dose| dose.province.is_none())),
        ("residence_department_id", unknown(residence, |dose| dose.department.is_none())),
        ("application_province_id", unknown(application, |dose| dose.province.is_none())),
        ("application_department_id", unknown(application, |dose| dose.department.is_none())),
    ]
    .map(|(field, doses)| vec![Field::text(field), number(all), number(doses), per(100.0, doses, all)])
    .into()
}
