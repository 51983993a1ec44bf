//! Every number of every question that is answered from the cases, beside an independent computation: on a sample that went
//! through the whole pipeline, and on real rows where `COVID_REAL_DATA` names a folder with them.

use std::path::Path;

use etl::report::Language;
use etl::sample;
use uuid::Uuid;

use crate::cluster::execute;
use crate::model::Model;
use crate::place::Place;
use crate::{expected, expected_checks, expected_optional};

/// Compares every answer, those from the optional datasets, too, with the counts of the load and without them.
async fn check(place: &Place) {
    let model = Model::read(&mut place.database.connect().await).await;
    assert!(model.cases.len() > 1000, "there is something to compare");
    let checks = expected_checks::loaded_checks(&mut place.database.connect().await).await;
    let expected: Vec<_> = expected::all(&model)
        .into_iter()
        .chain(expected_optional::all(&model))
        .chain([("loaded_checks", checks)])
        .collect();
    for counts in ["kept by the load", "made now"] {
        if counts == "made now" {
            for table in ["case_count", "place_count", "delay_count", "contradiction_count"] {
                place.change(&format!("DELETE FROM {table}")).await;
            }
        }
        place.report(Language::Spanish).await.unwrap();
        for (question, rows) in &expected {
            let said = place.rows(question);
            assert_eq!(said.len(), rows.len(), "{question}: rows, counts {counts}");
            for (nth, (said, row)) in said.iter().zip(rows).enumerate() {
                let fits =
                    said.len() == row.len() && row.iter().zip(said).all(|(field, said)| field.fits(said));
                assert!(fits, "{question}, row {nth}, counts {counts}:\n   said {said:?}\nexpected {row:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_number_of_a_sample_that_was_loaded() {
    let place = Place::sampled(8_000, 11).await;
    check(&place).await;
    for question in ["test_positivity_by_week", "tests_by_province", "doses_by_province", "doses_by_vaccine"]
    {
        assert!(place.rows(question).len() >= 8, "{question} has something to compare");
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line; whoever runs them names the folder this way"
)]
async fn every_number_of_real_rows_and_what_a_release_changed() {
    let Ok(real) = std::env::var("COVID_REAL_DATA") else {
        println!("skipped: COVID_REAL_DATA is not set");
        return;
    };
    let place = Place::without_schema().await;
    for release in ["Covid19Casos_20200625_20k.csv", "Covid19Casos_20211017_20k.csv"] {
        let files = tempfile::tempdir().unwrap();
        for name in ["provincias.csv", "departamentos.csv"] {
            std::fs::copy(Path::new(&real).join(name), files.path().join(name)).unwrap();
        }
        std::fs::copy(Path::new(&real).join(release), files.path().join("Covid19Casos.csv")).unwrap();
        place.load(files.path()).await;
        check(&place).await;
    }
}

#[tokio::test]
async fn what_a_release_says_otherwise_than_the_one_before() {
    let place = Place::with(crate::place::EDGES).await;
    // The published run of 2021-02-11 and the run before it, of the release of 2021-02-15; one has no 2019.
    place
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
        place.answer("release_difference", &columns).await,
        ["2021-02-15 2021-02-11 2021-01-01 2 -3 2 -3 -1", "2021-02-15 2021-02-11 2021-02-01 7 3 7 7 3",]
    );
}

/// Two loads of one release and one of another: the counts of the published load and of the other release stay.
#[tokio::test]
async fn counts_are_kept_for_the_published_load_and_the_release_before_it() {
    let place = Place::without_schema().await;
    let mut connection = place.database.connect().await;
    let mut runs = Vec::new();
    for (seed, day) in [(1, "2022-06-01"), (2, "2022-06-01"), (3, "2022-05-01")] {
        let files = tempfile::tempdir().unwrap();
        let options = sample::Options { rows: 200, seed, dirty: 0.0, out: files.path().to_owned() };
        sample::write(&options, &|_| {}).unwrap();
        place.load(files.path()).await;
        // Samples have one date; a release is told by its own.
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
