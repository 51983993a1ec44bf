//! Questions on the optional datasets, with answers written by hand, and reports without these datasets.

use etl::report::Language;

use crate::fixture::{EDGES, FOLDER, Fixture};

/// The published run of [`EDGES`], and a run that is not published.
const RUN: &str = "00000000-0000-4000-8000-000000000001";
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

/// The questions on optional datasets.
pub(crate) const QUESTIONS: [&str; 11] = [
    "test_positivity_by_week",
    "tests_by_province",
    "doses_by_province",
    "doses_by_vaccine",
    "doses_by_week",
    "coverage_by_age",
    "coverage_by_department",
    "vaccines_by_month",
    "dose_lag",
    "vaccination_and_cases_by_age",
    "unknown_doses",
];

async fn with_both() -> Fixture {
    let fixture = Fixture::with(EDGES).await;
    fixture
        .change(&format!(
            "INSERT INTO test_count VALUES
                ('{RUN}', '2020-12-27', 6, 6441, 'Público', 'Provincial', 100, 40),
                ('{RUN}', '2021-01-02', 2, NULL, 'Privado', 'Privado', 20, 0),
                ('{RUN}', '2021-01-10', NULL, NULL, NULL, NULL, 5, 5),
                ('{RUN}', '2021-01-12', 6, NULL, 'Público', 'Municipal', 0, 0),
                ('{OTHER}', '2021-01-12', 6, NULL, 'Público', 'Municipal', 999, 999);
             INSERT INTO vaccination_count VALUES
                ('{RUN}', 6, 'Sputnik', 'first', 1752399), ('{RUN}', 6, 'Sputnik', 'second', 1),
                ('{RUN}', 2, 'Cansino', 'single', 30), ('{RUN}', NULL, 'Moderna', 'booster', 9),
                ('{RUN}', 2, 'Moderna', 'additional', 7), ('{OTHER}', 2, 'Moderna', 'first', 999);
             INSERT INTO release_dataset VALUES (1, 'tests', '{RUN}'), (1, 'vaccinations', '{RUN}');
             INSERT INTO run_dataset VALUES
                ('{RUN}', 'vaccinations', 'loaded', 'Covid19VacunasAgrupadas.csv', 300, 4, 0, 4, 0, 0, NULL),
                ('{RUN}', 'cases', 'loaded', 'Covid19Casos.zip', 3000, 40, 6, 30, 4, 3, NULL),
                ('{RUN}', 'tests', 'unreadable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '`x` is a web page'),
                ('{OTHER}', 'tests', 'missing', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
        ))
        .await;
    fixture
}

#[tokio::test]
async fn test_positivity_crosses_new_year_and_is_empty_without_tests() {
    let fixture = with_both().await;
    let columns = [
        "epidemiological_year",
        "epidemiological_week",
        "week_starts_on",
        "tests",
        "positives",
        "positivity_percent",
        "partial",
    ];
    let rows = fixture.answer("test_positivity_by_week", &columns).await;
    assert_eq!(
        rows[rows.len() - 3..],
        [
            "2020 53 2020-12-27 120 40 33.333333333333336 false",
            "2021 1 2021-01-03 0 0 - false",
            "2021 2 2021-01-10 5 5 100 true",
        ]
    );
    assert_eq!(rows.len(), 53, "the newest, also where there was none");
}

#[tokio::test]
async fn provinces_without_tests_or_doses_and_unknown_province_have_rows() {
    let fixture = with_both().await;
    let columns = ["province_id", "province", "tests", "share_percent", "positives", "positivity_percent"];
    assert_eq!(
        fixture.answer("tests_by_province", &columns).await,
        [
            "6 Buenos Aires 100 80 40 40",
            "2 CABA 20 16 0 0",
            "14 Córdoba 0 0 0 -",
            "94 Tierra del Fuego 0 0 0 -",
            "- - 5 4 5 100",
        ]
    );
    let columns = ["province", "doses", "first", "second", "single", "additional", "booster"];
    assert_eq!(
        fixture.answer("doses_by_province", &columns).await,
        [
            "Buenos Aires 1752400 1752399 1 0 0 0",
            "CABA 37 0 0 30 7 0",
            "Córdoba 0 0 0 0 0 0",
            "Tierra del Fuego 0 0 0 0 0 0",
            "- 9 0 0 0 0 9",
        ]
    );
    let per_100 = fixture.answer("doses_by_province", &["per_100"]).await;
    assert!(per_100[0].starts_with("10.00"), "1,752,400 doses for 17,523,996 people: {per_100:?}");
    assert_eq!(
        fixture.answer("doses_by_vaccine", &["vaccine", "doses"]).await,
        ["Sputnik 1752400", "Cansino 30", "Moderna 16"]
    );
}

#[tokio::test]
async fn loaded_datasets_has_status_of_each_file() {
    let fixture = with_both().await;
    let columns = ["dataset", "status", "rows_read", "rows_loaded", "error"];
    assert_eq!(
        fixture.answer("loaded_datasets", &columns).await,
        ["cases loaded 40 30 -", "tests unreadable - - `x` is a web page", "vaccinations loaded 4 4 -"]
    );
}

#[tokio::test]
async fn report_without_optional_datasets_says_so_in_every_format() {
    let fixture = Fixture::with(EDGES).await;
    let text = fixture.report(Language::Spanish).await.unwrap().text;
    assert_eq!(text.matches("No hay datos: la carga no tiene pruebas").count(), 2, "{text}");
    assert_eq!(text.matches("No hay datos: la carga no tiene vacunas").count(), 2, "{text}");
    assert_eq!(text.matches("No hay datos: la carga no tiene el registro de dosis").count(), 6, "{text}");
    assert_eq!(text.matches("No hay datos: la carga no tiene segundas dosis").count(), 1, "{text}");
    let page = fixture.read(&format!("{FOLDER}/report.html"));
    for question in QUESTIONS {
        assert!(page.contains(&format!("<section id=\"{question}\" class=\"nothing")), "{question}");
        assert!(fixture.rows(question).is_empty(), "{question}");
    }
    let document: serde_json::Value =
        serde_json::from_str(&fixture.read(&format!("{FOLDER}/report.json"))).unwrap();
    for question in document["questions"].as_array().unwrap() {
        assert!(question["error"].is_null() && question["rows"].is_array(), "{question}");
    }
}
