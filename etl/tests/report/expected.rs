//! The expected rows of the questions on cases, from the [`Model`]. Functions have the names of the questions.

#![expect(clippy::cast_precision_loss, reason = "a test has no 2^52 cases")]

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};

use crate::expected_geography::{department_ranking, incidence_by_province, residence_registration};
use crate::model::{Case, Field, Model, bands, epidemiological, sunday, wilson};

pub(crate) type Rows = Vec<Vec<Field>>;

pub(crate) fn all(model: &Model) -> Vec<(&'static str, Rows)> {
    vec![
        ("confirmed_by_year", confirmed_by_year(model)),
        ("seven_day_mean", seven_day_mean(model)),
        ("confirmed_by_month", confirmed_by_month(model)),
        ("confirmed_by_week", confirmed_by_week(model)),
        ("positivity_by_week", positivity_by_week(model)),
        ("last_month_by_sex", last_month_by_sex(model)),
        ("last_month_by_age", last_month_by_age(model)),
        ("age_pyramid", age_pyramid(model)),
        ("severity_by_age", severity_by_age(model)),
        ("fatality_by_age", fatality_by_age(model)),
        ("last_month_by_province", last_month_by_province(model)),
        ("incidence_by_province", incidence_by_province(model)),
        ("department_ranking", department_ranking(model)),
        ("residence_registration", residence_registration(model)),
        ("reporting_delay", reporting_delay(model)),
        ("recent_completeness", recent_completeness(model)),
        ("contradictions", contradictions(model)),
    ]
}

pub(crate) fn count<'a>(cases: impl Iterator<Item = &'a Case>, fits: impl Fn(&Case) -> bool) -> usize {
    cases.filter(|case| fits(case)).count()
}

fn confirmed_by_year(model: &Model) -> Rows {
    let mut years: BTreeMap<i32, Vec<&Case>> = BTreeMap::new();
    model.cases.iter().for_each(|case| years.entry(case.registered_on.year()).or_default().push(case));
    let row = |(year, cases): (i32, Vec<&Case>)| {
        let confirmed = count(cases.iter().copied(), Case::confirmed);
        let died = count(cases.iter().copied(), |case| case.confirmed() && case.died_on.is_some());
        vec![
            Field::text(year),
            Field::count(confirmed),
            Field::count(cases.len()),
            Field::percent(confirmed, cases.len()),
            Field::count(died),
            Field::percent(died, confirmed),
            Field::maybe(cases.iter().map(|case| case.registered_on).max()),
        ]
    };
    years.into_iter().map(row).collect()
}

fn seven_day_mean(model: &Model) -> Rows {
    let mut daily: BTreeMap<NaiveDate, usize> = model.days().into_iter().map(|day| (day, 0)).collect();
    model.confirmed().for_each(|case| *daily.get_mut(&case.registered_on).unwrap() += 1);
    let mean = |day: NaiveDate| -> Option<f64> {
        let days: Option<Vec<usize>> =
            (0..7).map(|back| daily.get(&(day - Days::new(back))).copied()).collect();
        days.map(|days| days.iter().sum::<usize>() as f64 / 7.0)
    };
    let row = |(day, confirmed): (&NaiveDate, &usize)| {
        let (this, before) = (mean(*day), mean(*day - Days::new(7)));
        let change = this
            .zip(before.filter(|mean| *mean > 0.0))
            .map(|(this, before)| 100.0 * (this - before) / before);
        let number = |number: Option<f64>| number.map_or(Field::Nothing, Field::Number);
        vec![Field::text(day), Field::count(*confirmed), number(this), number(change)]
    };
    daily.iter().map(row).collect()
}

fn confirmed_by_month(model: &Model) -> Rows {
    let mut months: Vec<NaiveDate> = model.days().iter().map(|day| day.with_day(1).unwrap()).collect();
    months.dedup();
    let newest = model.newest();
    let row = |month: &NaiveDate| {
        let in_month = |case: &Case| case.registered_on.with_day(1) == Some(*month);
        let year = count(model.confirmed(), |case| case.registered_on.year() == month.year());
        let confirmed = count(model.confirmed(), in_month);
        let last = *month + chrono::Months::new(1) - Days::new(1);
        vec![
            Field::text(month),
            Field::count(confirmed),
            Field::percent(confirmed, year),
            Field::text(newest < last),
        ]
    };
    months.iter().map(row).collect()
}

fn confirmed_by_week(model: &Model) -> Rows {
    let weeks = model.weeks();
    let since = model.newest() - chrono::Months::new(2);
    let confirmed =
        |starts_on: NaiveDate| count(model.confirmed(), |case| sunday(case.registered_on) == starts_on);
    let row = |(starts_on, days): (&NaiveDate, &usize)| {
        let before = *starts_on - Days::new(7);
        let whole = *days == 7 && weeks.get(&before) == Some(&7);
        let (this, last) = (confirmed(*starts_on), confirmed(before));
        let change = (whole && last > 0).then(|| 100.0 * (this as f64 - last as f64) / last as f64);
        let (year, week) = epidemiological(*starts_on);
        vec![
            year,
            week,
            Field::text(starts_on),
            Field::text(*starts_on + Days::new(6)),
            Field::count(*days),
            Field::count(this),
            change.map_or(Field::Nothing, Field::Number),
            Field::text(*days < 7),
        ]
    };
    weeks.iter().filter(|(starts_on, _)| **starts_on + Days::new(6) >= since).map(row).collect()
}

fn positivity_by_week(model: &Model) -> Rows {
    let weeks = model.weeks();
    let first = sunday(model.newest()) - Days::new(7 * 52);
    let row = |(starts_on, days): (&NaiveDate, &usize)| {
        let in_week = |case: &Case| sunday(case.registered_on) == *starts_on;
        let decided = count(model.cases.iter(), |case| in_week(case) && case.decided());
        let confirmed = count(model.confirmed(), in_week);
        let (year, week) = epidemiological(*starts_on);
        let mut row =
            vec![year, week, Field::text(starts_on), Field::count(decided), Field::count(confirmed)];
        row.push(Field::percent(confirmed, decided));
        row.extend(wilson(confirmed, decided));
        row.push(Field::text(*days < 7));
        row
    };
    weeks.range(first..).map(row).collect()
}

/// Returns rows with the columns of the month, of the line, and of the counts in the month and its year.
fn last_month<T: PartialEq>(model: &Model, of: impl Fn(&Case) -> T, lines: &[(Vec<Field>, T)]) -> Rows {
    let newest = model.newest();
    let (month, year) = (newest.with_day(1).unwrap(), newest.with_ordinal(1).unwrap());
    let since = |day: NaiveDate, line: &T| {
        count(model.confirmed(), |case| case.registered_on >= day && of(case) == *line)
    };
    let totals = [month, year].map(|day| count(model.confirmed(), |case| case.registered_on >= day));
    let partial = newest < month + chrono::Months::new(1) - Days::new(1);
    let row = |(named, line): &(Vec<Field>, T)| {
        let (in_month, in_year) = (since(month, line), since(year, line));
        let mut row = vec![Field::text(month), Field::text(newest), Field::text(partial)];
        row.extend(named.iter().cloned());
        row.extend([Field::count(in_month), Field::percent(in_month, totals[0])]);
        row.extend([Field::count(in_year), Field::percent(in_year, totals[1])]);
        row
    };
    lines.iter().map(row).collect()
}

fn last_month_by_sex(model: &Model) -> Rows {
    let mut sexes: Vec<Option<String>> = ["F", "M", "NR"].map(|sex| Some(sex.to_owned())).into();
    sexes.extend(model.cases.iter().map(|case| case.sex.clone()));
    sexes.sort_by_key(|sex| (sex.is_none(), sex.as_deref() == Some("NR"), sex.clone()));
    sexes.dedup();
    let lines: Vec<_> = sexes.into_iter().map(|sex| (vec![Field::maybe(sex.as_ref())], sex)).collect();
    last_month(model, |case| case.sex.clone(), &lines)
}

fn last_month_by_age(model: &Model) -> Rows {
    let lines: Vec<_> = bands().into_iter().map(|band| (vec![Field::maybe(band.as_ref())], band)).collect();
    last_month(model, Case::band, &lines)
}

fn last_month_by_province(model: &Model) -> Rows {
    let line = |id: Option<i16>| (vec![Field::maybe(id), model.province(id)], id);
    let lines: Vec<_> = model.provinces.keys().map(|id| line(Some(*id))).chain([line(None)]).collect();
    let mut rows = last_month(model, |case| case.residence, &lines);
    let number = |field: &Field| if let Field::Number(number) = field { *number } else { 0.0 };
    rows.sort_by(|one, other| {
        let by_number = |at: usize| number(&other[at]).total_cmp(&number(&one[at]));
        (one[3] == Field::Nothing)
            .cmp(&(other[3] == Field::Nothing))
            .then_with(|| by_number(5))
            .then_with(|| by_number(7))
    });
    rows
}

fn age_pyramid(model: &Model) -> Rows {
    let row = |band: Option<String>| {
        let with = |sex: &dyn Fn(Option<&str>) -> bool| {
            Field::count(count(model.confirmed(), |case| case.band() == band && sex(case.sex.as_deref())))
        };
        let other = |sex: Option<&str>| !matches!(sex, Some("F" | "M"));
        vec![
            Field::maybe(band.as_ref()),
            with(&|sex| sex == Some("F")),
            with(&|sex| sex == Some("M")),
            with(&other),
        ]
    };
    bands().into_iter().map(row).collect()
}

fn severity_by_age(model: &Model) -> Rows {
    let row = |band: Option<String>| {
        let those: Vec<&Case> = model.confirmed().filter(|case| case.band() == band).collect();
        let counts = [
            count(those.iter().copied(), |case| case.admitted_on.is_some()),
            count(those.iter().copied(), |case| case.icu),
            count(those.iter().copied(), |case| case.ventilated),
            count(those.iter().copied(), |case| case.died_on.is_some()),
        ];
        let mut row = vec![Field::maybe(band.as_ref()), Field::count(those.len())];
        row.extend(counts.map(Field::count));
        row.extend(counts.map(|part| Field::percent(part, those.len())));
        row
    };
    bands().into_iter().map(row).collect()
}

fn fatality_by_age(model: &Model) -> Rows {
    let row = |band: Option<String>| {
        let confirmed = count(model.confirmed(), |case| case.band() == band);
        let died = count(model.confirmed(), |case| case.band() == band && case.died_on.is_some());
        let mut row = vec![Field::maybe(band.as_ref()), Field::count(confirmed), Field::count(died)];
        row.push(Field::percent(died, confirmed));
        row.extend(wilson(died, confirmed));
        row
    };
    bands().into_iter().map(row).collect()
}

fn reporting_delay(model: &Model) -> Rows {
    let first = model.newest().with_day(1).unwrap() - chrono::Months::new(11);
    let mut months: BTreeMap<NaiveDate, Vec<&Case>> = BTreeMap::new();
    for case in model.confirmed().filter(|case| case.registered_on >= first) {
        months.entry(case.registered_on.with_day(1).unwrap()).or_default().push(case);
    }
    let row = |(month, cases): (&NaiveDate, &Vec<&Case>)| {
        let mut delays: Vec<i64> = cases.iter().filter_map(|case| case.delay()).collect();
        delays.sort_unstable();
        // The smallest delay that this share of all does not exceed.
        let at =
            |tenths: usize| Field::maybe(delays.get((delays.len() * tenths).div_ceil(10).saturating_sub(1)));
        let within = delays.iter().filter(|days| **days <= 7).count();
        vec![
            Field::text(month),
            Field::count(cases.len()),
            Field::count(delays.len()),
            Field::percent(delays.len(), cases.len()),
            at(5),
            at(9),
            Field::percent(within, delays.len()),
        ]
    };
    months.iter().map(row).collect()
}

fn recent_completeness(model: &Model) -> Rows {
    let newest = model.newest();
    let began = |case: &Case| case.symptoms_on.map(|day| (newest - day).num_days());
    let usable: Vec<&Case> =
        model.confirmed().filter(|case| case.delay().is_some_and(|days| days <= 45)).collect();
    let reference: Vec<i64> = usable
        .iter()
        .filter(|case| began(case).is_some_and(|age| (45..=104).contains(&age)))
        .filter_map(|case| case.delay())
        .collect();
    if reference.is_empty() {
        return Rows::new();
    }
    let row = |age: i64| {
        let registered = usable.iter().filter(|case| began(case) == Some(age)).count();
        let complete = reference.iter().filter(|days| **days <= age).count() as f64 / reference.len() as f64;
        let expected = (complete > 0.0).then(|| (registered as f64 / complete).round());
        vec![
            Field::text(newest - Days::new(age.unsigned_abs())),
            Field::text(age),
            Field::count(registered),
            Field::Number(100.0 * complete),
            expected.map_or(Field::Nothing, Field::Number),
            expected.map_or(Field::Nothing, |expected| Field::Number(expected - registered as f64)),
        ]
    };
    (0..14).rev().map(row).collect()
}

type Check<'a> = Box<dyn Fn(&Case) -> bool + 'a>;

fn contradictions(model: &Model) -> Rows {
    let before = |a: Option<NaiveDate>, b: Option<NaiveDate>| a.zip(b).is_some_and(|(a, b)| a < b);
    let pandemic = NaiveDate::from_ymd_opt(2020, 1, 1);
    let checks: [(&str, Check); 10] = [
        ("died_unconfirmed", Box::new(|case| case.died_on.is_some() && !case.confirmed())),
        ("died_unadmitted", Box::new(|case| case.died_on.is_some() && case.admitted_on.is_none())),
        ("ventilated_without_icu", Box::new(|case| case.ventilated && !case.icu)),
        ("icu_unadmitted", Box::new(|case| case.icu && case.admitted_on.is_none())),
        ("registered_before_symptoms", Box::new(|case| before(Some(case.registered_on), case.symptoms_on))),
        ("diagnosed_before_registered", Box::new(|case| before(case.diagnosed_on, Some(case.registered_on)))),
        ("died_before_registered", Box::new(|case| before(case.died_on, Some(case.registered_on)))),
        ("died_before_symptoms", Box::new(|case| before(case.died_on, case.symptoms_on))),
        ("died_before_admitted", Box::new(|case| before(case.died_on, case.admitted_on))),
        (
            "before_pandemic",
            Box::new(|case| {
                let dates = [case.symptoms_on, case.admitted_on, case.died_on, case.diagnosed_on];
                dates.into_iter().any(|date| before(date, pandemic))
            }),
        ),
    ];
    let mut rows: Vec<(usize, &str)> =
        checks.iter().map(|(name, check)| (count(model.cases.iter(), check), *name)).collect();
    rows.sort_by_key(|(cases, name)| (usize::MAX - cases, *name));
    let row = |(cases, name): (usize, &str)| {
        vec![Field::text(name), Field::count(cases), Field::percent(cases, model.cases.len())]
    };
    rows.into_iter().map(row).collect()
}
