//! Compares every answer with an independent computation, on a sample that the pipeline loaded and, if `COVID_REAL_DATA` names a folder
//! with them, on real rows.

use std::path::Path;

use etl::report::Language;
use etl::sample;
use uuid::Uuid;

use crate::cluster::execute;
use crate::fixture::Fixture;
use crate::model::Model;
use crate::{expected, expected_checks, expected_doses, expected_optional, optional_datasets};

/// Compares every answer, first with the counts that the load stored, then with counts computed by the report.
async fn assert_answers_equal_model(fixture: &Fixture) {
    let model = Model::read(&mut fixture.database.connect().await).await;
    let people = expected_doses::People::read(&mut fixture.database.connect().await).await;
    assert!(model.cases.len() > 1000, "too few cases");
    let checks = expected_checks::loaded_checks(&mut fixture.database.connect().await).await;
    let expected: Vec<_> = expected::all(&model)
        .into_iter()
        .chain(expected_optional::all(&model))
        .chain(expected_doses::all(&model, &people))
        .chain([("loaded_checks", checks)])
        .collect();
    for counts in ["stored by the load", "computed by the report"] {
        if counts == "computed by the report" {
            for table in ["case_count", "place_count", "delay_count", "contradiction_count"] {
                fixture.change(&format!("DELETE FROM {table}")).await;
            }
        }
        fixture.report(Language::Spanish).await.unwrap();
        for (question, rows) in &expected {
            let actual = fixture.rows(question);
            assert_eq!(actual.len(), rows.len(), "{question}: rows, counts {counts}");
            for (nth, (actual, row)) in actual.iter().zip(rows).enumerate() {
                let matches = actual.len() == row.len()
                    && row.iter().zip(actual).all(|(field, actual)| field.matches(actual));
                assert!(
                    matches,
                    "{question}, row {nth}, counts {counts}:\n  actual {actual:?}\nexpected {row:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn answers_of_loaded_sample_equal_model() {
    let fixture = Fixture::sampled(8_000, 11).await;
    assert_answers_equal_model(&fixture).await;
    for question in optional_datasets::QUESTIONS {
        assert!(fixture.rows(question).len() >= 8, "{question} has too few rows");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
async fn answers_of_real_releases_equal_model() {
    let Ok(real) = std::env::var("COVID_REAL_DATA") else {
        println!("skipped: COVID_REAL_DATA is not set");
        return;
    };
    let fixture = Fixture::without_schema().await;
    for release in ["Covid19Casos_20200625_20k.csv", "Covid19Casos_20211017_20k.csv"] {
        let files = tempfile::tempdir().unwrap();
        for name in ["provincias.csv", "departamentos.csv"] {
            std::fs::copy(Path::new(&real).join(name), files.path().join(name)).unwrap();
        }
        std::fs::copy(Path::new(&real).join(release), files.path().join("Covid19Casos.csv")).unwrap();
        fixture.load(files.path()).await;
        assert_answers_equal_model(&fixture).await;
    }
}

#[tokio::test]
async fn release_difference_compares_common_years_with_previous_release() {
    let fixture = Fixture::with(crate::fixture::EDGES).await;
    // The published run of 2021-02-11 and the previous run, of the release of 2021-02-15. Only the previous run has 2019.
    fixture
        .change(
            "INSERT INTO case_count VALUES
                ('00000000-0000-4000-8000-000000000002', '2021-01-31', 6, 'F', 3, 'Confirmado', 5, 0, 0, 0, 1),
                ('00000000-0000-4000-8000-000000000002', '2021-02-01', 6, 'F', 3, 'Descartado', 4, 0, 0, 0, 1),
                ('00000000-0000-4000-8000-000000000002', '2019-12-31', 6, 'F', 3, 'Confirmado', 9, 0, 0, 0, 0),
                ('00000000-0000-4000-8000-000000000001', '2021-01-01', NULL, 'M', NULL, 'Confirmado', 2, 0, 0, 0, 0),
                ('00000000-0000-4000-8000-000000000001', '2021-02-28', 6, 'F', 3, 'Confirmado', 7, 0, 0, 0, 3),
                ('00000000-0000-4000-8000-000000000005', '2021-01-01', 6, 'F', 3, 'Confirmado', 99, 0, 0, 0, 9)",
        )
        .await;
    let columns = [
        "before_on",
        "this_on",
        "month",
        "notified",
        "notified_difference",
        "confirmed",
        "confirmed_difference",
        "died_difference",
    ];
    assert_eq!(
        fixture.answer("release_difference", &columns).await,
        ["2021-02-15 2021-02-11 2021-01-01 2 -3 2 -3 -1", "2021-02-15 2021-02-11 2021-02-01 7 3 7 7 3",]
    );
}

#[tokio::test]
async fn counts_of_published_load_and_previous_release_are_kept() {
    let fixture = Fixture::without_schema().await;
    let mut connection = fixture.database.connect().await;
    let mut runs = Vec::new();
    for (seed, day) in [(1, "2022-06-01"), (2, "2022-06-01"), (3, "2022-05-01")] {
        let files = tempfile::tempdir().unwrap();
        let options = sample::Options { rows: 200, seed, dirty: 0.0, doses: 0, out: files.path().to_owned() };
        sample::write(&options, &|_| {}).unwrap();
        fixture.load(files.path()).await;
        // All samples have the same date, which identifies a release.
        let dated =
            format!("UPDATE pipeline_run SET dataset_updated_on = '{day}' WHERE run_id = published_load()");
        execute(&mut connection, &dated).await;
        runs.push(
            sqlx::query_scalar::<_, Uuid>("SELECT published_load()")
                .fetch_one(&mut connection)
                .await
                .unwrap(),
        );
    }
    execute(
        &mut connection,
        "INSERT INTO case_count SELECT gen_random_uuid(), '2022-01-01', 2, 'F', 1, 'x', 1, 0, 0, 0, 0",
    )
    .await;
    etl::load::counts::delete_unused(&mut connection).await.unwrap();
    let mut kept: Vec<Uuid> = sqlx::query_scalar("SELECT DISTINCT run_id FROM case_count")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    kept.sort();
    let mut expected = vec![runs[1], runs[2]];
    expected.sort();
    assert_eq!(kept, expected);
}
