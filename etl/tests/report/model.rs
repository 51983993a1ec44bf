//! The published rows in memory, from which the tests compute every answer a second time.
//!
//! The model shares nothing with the queries: weeks are counted from 4 January, intervals follow the definition, medians come from sorted
//! lists.

#![expect(clippy::cast_precision_loss, reason = "a test has no 2^52 cases")]
#![expect(clippy::needless_pass_by_value, reason = "shorter calls")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, NaiveDate};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) sex: Option<String>,
    pub(crate) age: Option<i16>,
    pub(crate) registered_on: NaiveDate,
    pub(crate) symptoms_on: Option<NaiveDate>,
    pub(crate) admitted_on: Option<NaiveDate>,
    pub(crate) died_on: Option<NaiveDate>,
    pub(crate) diagnosed_on: Option<NaiveDate>,
    pub(crate) icu: bool,
    pub(crate) ventilated: bool,
    pub(crate) registration: i16,
    pub(crate) residence: Option<i16>,
    pub(crate) department: Option<i32>,
    pub(crate) classification: Option<String>,
}

impl Case {
    pub(crate) fn confirmed(&self) -> bool {
        self.classification.as_deref() == Some("Confirmado")
    }

    pub(crate) fn decided(&self) -> bool {
        self.confirmed() || self.classification.as_deref() == Some("Descartado")
    }

    /// `0-9` … `90+`.
    pub(crate) fn band(&self) -> Option<String> {
        self.age.map(|age| match age {
            0..90 => format!("{}-{}", age - age % 10, age - age % 10 + 9),
            _ => "90+".to_owned(),
        })
    }

    pub(crate) fn delay(&self) -> Option<i64> {
        self.symptoms_on.map(|day| (self.registered_on - day).num_days()).filter(|days| *days >= 0)
    }
}

/// The tests of a laboratory on one day.
#[derive(Debug, Clone)]
pub(crate) struct Laboratory {
    pub(crate) tested_on: NaiveDate,
    pub(crate) province: Option<i16>,
    pub(crate) tests: i64,
    pub(crate) positives: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Doses {
    pub(crate) province: Option<i16>,
    pub(crate) vaccine: String,
    pub(crate) dose: String,
    pub(crate) given: i64,
}

/// A row of `dose_count`, or of `dose_application_count`.
#[derive(Debug, Clone)]
pub(crate) struct WeeklyDoses {
    pub(crate) week: Option<NaiveDate>,
    pub(crate) province: Option<i16>,
    pub(crate) department: Option<i32>,
    pub(crate) dose: Option<String>,
    /// Sex and age group, or vaccine and condition.
    pub(crate) texts: [Option<String>; 2],
    pub(crate) given: i64,
}

pub(crate) struct Model {
    pub(crate) cases: Vec<Case>,
    pub(crate) laboratories: Vec<Laboratory>,
    pub(crate) doses: Vec<Doses>,
    pub(crate) residence_doses: Vec<WeeklyDoses>,
    pub(crate) application_doses: Vec<WeeklyDoses>,
    pub(crate) provinces: BTreeMap<i16, String>,
    pub(crate) departments: BTreeMap<i32, (String, i16)>,
}

/// An expected field of a CSV.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Text(String),
    Number(f64),
    Nothing,
}

impl Field {
    pub(crate) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::Number(f64::from(u32::try_from(count).unwrap()))
    }

    /// Returns a percentage, or an empty field if `whole` is 0.
    pub(crate) fn percent(part: usize, whole: usize) -> Self {
        if whole == 0 { Self::Nothing } else { Self::Number(100.0 * part as f64 / whole as f64) }
    }

    pub(crate) fn maybe(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Nothing, Self::text)
    }

    pub(crate) fn matches(&self, actual: &str) -> bool {
        match self {
            Self::Text(text) => text == actual,
            Self::Nothing => actual.is_empty(),
            Self::Number(number) => actual
                .parse::<f64>()
                .is_ok_and(|actual| (actual - number).abs() <= 1e-9 * number.abs().max(1.0)),
        }
    }
}

impl Model {
    pub(crate) async fn read(connection: &mut PgConnection) -> Self {
        let rows = sqlx::query("SELECT * FROM covid_case").fetch_all(&mut *connection).await.unwrap();
        let case = |row: &sqlx::postgres::PgRow| Case {
            sex: row.get("sex"),
            age: row.get("age"),
            registered_on: row.get("registered_on"),
            symptoms_on: row.get("symptoms_on"),
            admitted_on: row.get("admitted_on"),
            died_on: row.get("died_on"),
            diagnosed_on: row.get("diagnosed_on"),
            icu: row.get("icu"),
            ventilated: row.get("ventilated"),
            registration: row.get("registration_province_id"),
            residence: row.get("residence_province_id"),
            department: row.get("residence_department_id"),
            classification: row.get("classification"),
        };
        let run = "(SELECT run_id FROM pipeline_run WHERE kind = 'etl' AND status = 'succeeded' ORDER BY finished_at DESC LIMIT 1)";
        let published = |table: &str| format!("SELECT * FROM {table} WHERE run_id = {run}");
        let laboratories = sqlx::query(AssertSqlSafe(published("test_count")));
        let laboratories = laboratories.fetch_all(&mut *connection).await.unwrap();
        let laboratory = |row: &sqlx::postgres::PgRow| Laboratory {
            tested_on: row.get("tested_on"),
            province: row.get("province_id"),
            tests: row.get("tests"),
            positives: row.get("positives"),
        };
        let doses = sqlx::query(AssertSqlSafe(published("vaccination_count")));
        let doses = doses.fetch_all(&mut *connection).await.unwrap();
        let given = |row: &sqlx::postgres::PgRow| Doses {
            province: row.get("province_id"),
            vaccine: row.get("vaccine"),
            dose: row.get("dose"),
            given: row.get("doses"),
        };
        let weekly = |row: &sqlx::postgres::PgRow| WeeklyDoses {
            week: row.get(0),
            province: row.get(1),
            department: row.get(2),
            dose: row.get(3),
            texts: [row.get(4), row.get(5)],
            given: row.get("doses"),
        };
        let residence_doses = sqlx::query(
            "SELECT week_starts_on, residence_province_id, residence_department_id, dose, sex, age_group, doses FROM dose_count",
        );
        let application_doses = sqlx::query(
            "SELECT week_starts_on, application_province_id, application_department_id, dose, vaccine, condition, doses
             FROM dose_application_count",
        );
        let residence_doses = residence_doses.fetch_all(&mut *connection).await.unwrap();
        let application_doses = application_doses.fetch_all(&mut *connection).await.unwrap();
        let provinces = sqlx::query_as::<_, (i16, String)>("SELECT province_id, name FROM province");
        let departments = sqlx::query_as::<_, (i32, String, i16)>(
            "SELECT department_id, name, province_id FROM department",
        );
        Self {
            cases: rows.iter().map(case).collect(),
            laboratories: laboratories.iter().map(laboratory).collect(),
            doses: doses.iter().map(given).collect(),
            residence_doses: residence_doses.iter().map(weekly).collect(),
            application_doses: application_doses.iter().map(weekly).collect(),
            provinces: provinces.fetch_all(&mut *connection).await.unwrap().into_iter().collect(),
            departments: departments
                .fetch_all(&mut *connection)
                .await
                .unwrap()
                .into_iter()
                .map(|(id, name, province)| (id, (name, province)))
                .collect(),
        }
    }

    pub(crate) fn newest(&self) -> NaiveDate {
        self.cases.iter().map(|case| case.registered_on).max().unwrap()
    }

    pub(crate) fn confirmed(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.confirmed())
    }

    /// Returns every day of the loaded years up to the newest registration.
    pub(crate) fn days(&self) -> Vec<NaiveDate> {
        days_until_newest(self.cases.iter().map(|case| case.registered_on))
    }

    /// Returns the number of loaded days of each week, by its Sunday.
    pub(crate) fn weeks(&self) -> BTreeMap<NaiveDate, usize> {
        weeks_of(&self.days())
    }

    pub(crate) fn province(&self, id: Option<i16>) -> Field {
        Field::maybe(id.and_then(|id| self.provinces.get(&id)))
    }
}

/// Returns every day of the years of these days, up to the newest day.
pub(crate) fn days_until_newest(known: impl Iterator<Item = NaiveDate>) -> Vec<NaiveDate> {
    let known: BTreeSet<NaiveDate> = known.collect();
    let Some(newest) = known.last().copied() else { return Vec::new() };
    let years: BTreeSet<i32> = known.iter().map(NaiveDate::year).collect();
    let days = years.into_iter().flat_map(|year| {
        NaiveDate::from_ymd_opt(year, 1, 1).unwrap().iter_days().take_while(move |day| day.year() == year)
    });
    days.take_while(|day| *day <= newest).collect()
}

/// Returns the number of these days in each week, by its Sunday.
pub(crate) fn weeks_of(days: &[NaiveDate]) -> BTreeMap<NaiveDate, usize> {
    let mut weeks = BTreeMap::new();
    for day in days {
        *weeks.entry(sunday(*day)).or_default() += 1;
    }
    weeks
}

/// Returns the Sunday on or before a day.
pub(crate) fn sunday(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_sunday()))
}

/// Returns year and number of the epidemiological week that starts on this Sunday. Week 1 contains 4 January.
pub(crate) fn epidemiological(starts_on: NaiveDate) -> (Field, Field) {
    let of_year = |year| sunday(NaiveDate::from_ymd_opt(year, 1, 4).unwrap());
    let year =
        (starts_on.year() - 1..=starts_on.year() + 1).rfind(|year| of_year(*year) <= starts_on).unwrap();
    (Field::text(year), Field::text((starts_on - of_year(year)).num_days() / 7 + 1))
}

/// Returns Wilson's interval in percent.
pub(crate) fn wilson(part: usize, whole: usize) -> [Field; 2] {
    if whole == 0 {
        return [Field::Nothing, Field::Nothing];
    }
    let (n, z) = (whole as f64, 1.959_963_984_540_054_f64);
    let p = part as f64 / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    [Field::Number(100.0 * (middle - half).max(0.0)), Field::Number(100.0 * (middle + half).min(1.0))]
}

/// Returns the age bands in order, the unknown age last.
pub(crate) fn bands() -> Vec<Option<String>> {
    let known = (0..9).map(|decade| Some(format!("{}-{}", decade * 10, decade * 10 + 9)));
    known.chain([Some("90+".to_owned()), None]).collect()
}
