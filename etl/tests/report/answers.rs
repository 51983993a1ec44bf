//! The answers to the questions, compared with values written by hand.

use etl::report::QUESTIONS;
use sqlx::{Executor as _, SqlSafeStr as _, Statement as _};

use crate::cluster;
use crate::fixture::{EDGES, Fixture, TWO_YEARS};

/// Returns statements that insert one confirmed case on each day.
fn cases_on(days: &[&str]) -> String {
    let rows: Vec<String> = days
        .iter()
        .enumerate()
        .map(|(id, day)| format!("({id}, '{day}', 6, 'Confirmado', false, false)"))
        .collect();
    format!(
        "INSERT INTO release_province_1 (province_id, name) VALUES (6, 'Buenos Aires') ON CONFLICT DO NOTHING; TRUNCATE release_case_1; \
         INSERT INTO release_case_1 (case_id, registered_on, registration_province_id, classification, icu, ventilated) \
         VALUES {}",
        rows.join(", ")
    )
}

#[tokio::test]
async fn last_update_and_loaded_questions_are_of_published_load() {
    let fixture = Fixture::with(EDGES).await;
    let columns = ["dataset_updated_on", "loaded_at", "years", "rows_loaded", "run_id"];
    assert_eq!(
        fixture.answer("last_update", &columns).await,
        ["2021-02-11 2021-02-12T03:05:06Z 2020,2021 30 00000000-0000-4000-8000-000000000001"]
    );
    let columns = ["rows_read", "rows_filtered", "rows_loaded", "rows_rejected", "rows_repaired"];
    assert_eq!(fixture.answer("loaded_rows", &columns).await, ["40 6 30 4 3"]);
    assert_eq!(
        fixture.answer("loaded_issues", &["dataset", "kind", "reason", "rows"]).await,
        [
            "cases rejected duplicate_case_id 3",
            "cases rejected malformed 1",
            "departments rejected malformed 1",
            "cases repaired missing_age 2",
            "cases repaired from_the_future 1",
        ]
    );
}

#[tokio::test]
async fn confirmed_by_year_counts_deaths_in_year_of_registration() {
    let fixture = Fixture::with(EDGES).await;
    let columns = ["year", "confirmed", "notified", "confirmed_percent", "died", "newest_on"];
    assert_eq!(
        fixture.answer("confirmed_by_year", &columns).await,
        ["2020 14 16 87.5 1 2020-12-31", "2021 12 14 85.71428571428571 1 2021-02-10"]
    );
}

#[tokio::test]
async fn confirmed_by_month_has_every_month_of_loaded_years() {
    let fixture = Fixture::with(EDGES).await;
    let months = fixture.answer("confirmed_by_month", &["month", "confirmed", "partial"]).await;
    assert_eq!(
        months,
        [
            "2020-01-01 0 false",
            "2020-02-01 1 false",
            "2020-03-01 2 false",
            "2020-04-01 0 false",
            "2020-05-01 0 false",
            "2020-06-01 0 false",
            "2020-07-01 0 false",
            "2020-08-01 0 false",
            "2020-09-01 0 false",
            "2020-10-01 0 false",
            "2020-11-01 0 false",
            "2020-12-01 11 false",
            "2021-01-01 9 false",
            "2021-02-01 3 true",
        ]
    );
    let shares = fixture.answer("confirmed_by_month", &["share_of_year_percent"]).await;
    assert_eq!(shares[12..], ["75", "25"]);
}

#[tokio::test]
async fn confirmed_by_week_crosses_new_year_and_compares_whole_weeks() {
    let fixture = Fixture::with(EDGES).await;
    let columns = [
        "epidemiological_year",
        "epidemiological_week",
        "week_starts_on",
        "week_ends_on",
        "days",
        "confirmed",
        "change_percent",
        "partial",
    ];
    assert_eq!(
        fixture.answer("confirmed_by_week", &columns).await,
        [
            "2020 50 2020-12-06 2020-12-12 7 2 -50 false",
            "2020 51 2020-12-13 2020-12-19 7 3 50 false",
            "2020 52 2020-12-20 2020-12-26 7 0 -100 false",
            "2020 53 2020-12-27 2021-01-02 7 4 - false",
            "2021 1 2021-01-03 2021-01-09 7 1 -75 false",
            "2021 2 2021-01-10 2021-01-16 7 0 -100 false",
            "2021 3 2021-01-17 2021-01-23 7 2 - false",
            "2021 4 2021-01-24 2021-01-30 7 2 0 false",
            "2021 5 2021-01-31 2021-02-06 7 3 50 false",
            "2021 6 2021-02-07 2021-02-13 4 2 - true",
        ]
    );
}

#[tokio::test]
async fn confirmed_by_week_reaching_into_unloaded_year_is_partial() {
    // 2021 is not loaded: its weeks have no rows.
    let fixture =
        Fixture::with(&cases_on(&["2020-12-31", "2022-01-01", "2022-01-03", "2022-01-04", "2022-01-15"]))
            .await;
    let columns =
        ["epidemiological_year", "epidemiological_week", "days", "confirmed", "change_percent", "partial"];
    assert_eq!(
        fixture.answer("confirmed_by_week", &columns).await,
        ["2021 52 1 1 - true", "2022 1 7 2 - false", "2022 2 7 1 -50 false"]
    );
}

#[tokio::test]
async fn last_month_by_sex_has_row_for_not_registered() {
    let fixture = Fixture::with(EDGES).await;
    let columns =
        ["month", "newest_on", "partial", "sex", "confirmed", "confirmed_in_year", "share_of_year_percent"];
    assert_eq!(
        fixture.answer("last_month_by_sex", &columns).await,
        [
            "2021-02-01 2021-02-10 true F 1 6 50",
            "2021-02-01 2021-02-10 true M 1 5 41.666666666666664",
            "2021-02-01 2021-02-10 true NR 1 1 8.333333333333334",
        ]
    );
}

#[tokio::test]
async fn last_month_by_sex_has_rows_for_unknown_code_and_null() {
    let fixture = Fixture::with(EDGES).await;
    fixture.change("UPDATE release_case_1 SET sex = 'X' WHERE case_id = 26; UPDATE release_case_1 SET sex = NULL WHERE case_id = 28").await;
    assert_eq!(
        fixture.answer("last_month_by_sex", &["sex", "confirmed"]).await,
        ["F 0", "M 0", "X 1", "NR 1", "- 1"]
    );
}

#[tokio::test]
async fn last_month_by_age_has_all_bands_and_unknown_age() {
    let fixture = Fixture::with(EDGES).await;
    let columns = ["age_band", "confirmed", "confirmed_in_year"];
    assert_eq!(
        fixture.answer("last_month_by_age", &columns).await,
        [
            "0-9 1 2",
            "10-19 0 2",
            "20-29 0 1",
            "30-39 0 2",
            "40-49 0 0",
            "50-59 0 0",
            "60-69 0 0",
            "70-79 0 0",
            "80-89 0 1",
            "90+ 1 2",
            "- 1 2",
        ]
    );
}

#[tokio::test]
async fn last_month_by_province_has_rows_for_no_cases_and_unspecified_residence() {
    let fixture = Fixture::with(EDGES).await;
    let columns = ["province_id", "province", "confirmed", "confirmed_in_year"];
    assert_eq!(
        fixture.answer("last_month_by_province", &columns).await,
        ["6 Buenos Aires 1 5", "2 CABA 1 3", "14 Córdoba 0 2", "94 Tierra del Fuego 0 0", "- - 1 2"]
    );
}

#[tokio::test]
async fn last_month_questions_add_up_to_month_and_year() {
    let fixture = Fixture::with(TWO_YEARS).await;
    let months = fixture.answer("confirmed_by_month", &["confirmed"]).await;
    let last_month: i64 = months.last().unwrap().parse().unwrap();
    let years = fixture.answer("confirmed_by_year", &["confirmed"]).await;
    let last_year: i64 = years.last().unwrap().parse().unwrap();
    for question in ["last_month_by_sex", "last_month_by_age", "last_month_by_province"] {
        let mut sums = [0.0; 4];
        let columns = ["confirmed", "confirmed_in_year", "share_percent", "share_of_year_percent"];
        for row in fixture.answer(question, &columns).await {
            for (sum, value) in sums.iter_mut().zip(row.split(' ')) {
                *sum += value.parse::<f64>().unwrap();
            }
        }
        let counts = [sums[0], sums[1]].map(|sum| sum.to_string());
        assert_eq!(counts, [last_month, last_year].map(|count| count.to_string()), "{question}");
        assert!((sums[2] - 100.0).abs() < 1e-6 && (sums[3] - 100.0).abs() < 1e-6, "{question}: {sums:?}");
    }
}

#[tokio::test]
async fn month_is_partial_until_its_last_day() {
    let fixture = Fixture::with("").await;
    for (newest, partial) in
        [("2020-02-28", "true"), ("2020-02-29", "false"), ("2021-02-28", "false"), ("2021-12-30", "true")]
    {
        fixture.change(&cases_on(&["2020-01-01", newest])).await;
        assert_eq!(fixture.answer("last_month_by_sex", &["partial"]).await[0], partial, "{newest}");
        assert_eq!(
            fixture.answer("confirmed_by_month", &["partial"]).await.last().unwrap(),
            partial,
            "{newest}"
        );
    }
}

#[tokio::test]
async fn question_columns_equal_query_columns() {
    let database = cluster::database().await;
    let mut connection = database.connect().await;
    for question in QUESTIONS.iter() {
        let prepared = connection.prepare(question.sql.into_sql_str()).await.unwrap();
        let found: Vec<&str> = prepared.columns().iter().map(sqlx::Column::name).collect();
        let declared: Vec<&str> = question.columns.iter().map(|column| column.name).collect();
        assert_eq!(found, declared, "{}", question.name);
    }
}
