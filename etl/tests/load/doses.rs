//! The register of doses: every dose is counted, in memory or in parts, and published with the cases or not at all.

use std::io::Read as _;

use common::env;
use etl::sample;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use sqlx::Connection as _;
use tokio::runtime::Runtime;

use crate::dose_model::{self as model, published};
use crate::fixture::{CSV, Etl, Fixture};
use crate::optional_model::{Dataset, planted};
use crate::outcome::value;
use crate::rows::{deflated, file, georef, good, zip};

const DOSES: &str = "datos_nomivac_covid19.csv";
const DOSES_ZIP: &str = "datos_nomivac_covid19.zip";

const PLACES: &str = "\"sexo\",\"grupo_etario\",\"jurisdiccion_residencia\",\"jurisdiccion_residencia_id\",\"depto_residencia\",\
    \"depto_residencia_id\",\"jurisdiccion_aplicacion\",\"jurisdiccion_aplicacion_id\",\"depto_aplicacion\",\"depto_aplicacion_id\"";

/// The columns of 2021.
fn first_header() -> String {
    format!(
        "{PLACES},\"fecha_aplicacion\",\"vacuna\",\"condicion_aplicacion\",\"orden_dosis\",\"lote_vacuna\"\r\n"
    )
}

/// The columns since 2022.
fn last_header() -> String {
    format!(
        "{PLACES},\"fecha_aplicacion\",\"vacuna\",\"cod_dosis_generica\",\"nombre_dosis_generica\",\"condicion_aplicacion\",\
         \"orden_dosis\",\"lote_vacuna\",\"id_persona_dw\"\r\n"
    )
}

/// Creates a fixture with few cases and a file of doses.
async fn with_doses(text: &str) -> Fixture {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(60)));
    fixture.put(DOSES, text);
    fixture
}

fn first_rows() -> String {
    let place = "\"Buenos Aires\",\"06\",\"La Plata\",\"441\"";
    format!(
        "{}\"F\",\"18-29\",{place},{place},\"2021-03-01\",\"Sputnik V\",\"Personal de Salud\",1,\"A1\"\r\n\
         \"M\",\">=100\",{place},{place},\"2021-03-06\",\"Sputnik V\",\"Personal de Salud\",2,\"A1\"\r\n\
         \"M\",\">=100\",{place},{place},\"2021-03-07\",\"S.I.\",\"S.I.\",2,\"\"\r\n",
        first_header()
    )
}

async fn status(fixture: &Fixture) -> String {
    let query = "SELECT concat_ws(' ', status, error IS NULL, rows_loaded) FROM run_dataset
                 WHERE run_id = published_load() AND dataset = 'doses'";
    value(&mut fixture.connect().await, query).await
}

async fn outcome(fixture: &Fixture, run: uuid::Uuid) -> Dataset {
    let connection = &mut fixture.connect().await;
    let mut outcome = Dataset::of(connection, run, "doses").await;
    outcome.rows = published(connection).await;
    outcome
}

#[tokio::test]
async fn columns_of_2021_are_read_and_weeks_begin_on_sunday() {
    let fixture = with_doses(&first_rows()).await;
    // The years of the cases do not filter doses.
    let run = fixture.run(&["--years", "2022"]).succeeded().run;
    let doses = outcome(&fixture, run).await;
    assert_eq!(doses, model::doses(first_rows().as_bytes(), &georef()));
    let residence = "6|6441";
    assert_eq!(
        doses.rows,
        [
            format!("application|2021-02-28|{residence}|Sputnik V|first|Personal de Salud"),
            format!("application|2021-02-28|{residence}|Sputnik V|second|Personal de Salud"),
            format!("application|2021-03-07|{residence}||second|"),
            format!("residence|2021-02-28|{residence}|F|18-29|first"),
            format!("residence|2021-02-28|{residence}|M|>=100|second"),
            format!("residence|2021-03-07|{residence}|M|>=100|second"),
        ]
    );
}

#[tokio::test]
async fn samples_are_counted_to_the_dose_and_no_person_is_stored() {
    for dirty in [0.0, 0.3] {
        let fixture = Fixture::new().await;
        let options = sample::Options {
            rows: 1_000,
            seed: 3,
            dirty,
            doses: 20_000,
            out: fixture.folder.path().to_owned(),
        };
        let written = sample::write(&options, &|_| {}).unwrap().doses;
        let georef = crate::model::Georef::read(
            &std::fs::read(fixture.path("provincias.csv")).unwrap(),
            &std::fs::read(fixture.path("departamentos.csv")).unwrap(),
        );
        let run = fixture.run(&["--years", "all", "--accept-anomalies"]).succeeded().run;
        let (file, mut text) = (std::fs::File::open(fixture.path(DOSES_ZIP)).unwrap(), Vec::new());
        ::zip::ZipArchive::new(file).unwrap().by_index(0).unwrap().read_to_end(&mut text).unwrap();
        let doses = outcome(&fixture, run).await;
        assert_eq!((doses.read.unsigned_abs(), doses.read), (written.rows, doses.loaded + doses.rejected));
        assert!(doses == model::doses(&text, &georef), "dirty {dirty}");
        let planted = planted(&written);
        assert_eq!(doses.issues, planted, "dirty {dirty}");
        let kept =
            "SELECT count(*) FROM rejected_row WHERE dataset = 'doses' AND raw !~ ',$' AND raw !~ 'not kept'";
        assert_eq!(
            value::<i64>(&mut fixture.connect().await, kept).await,
            0,
            "the last column is the person"
        );
    }
}

/// More groups than fit in memory.
#[tokio::test]
async fn groups_beyond_memory_are_counted() {
    let fixture = Fixture::new().await;
    let options = sample::Options {
        rows: 100,
        seed: 5,
        dirty: 0.0,
        doses: 1_600_000,
        out: fixture.folder.path().to_owned(),
    };
    sample::write(&options, &|_| {}).unwrap();
    fixture.run(&["--years", "all"]).succeeded();
    let connection = &mut fixture.connect().await;
    let counted = "SELECT concat_ws(' ', (SELECT sum(doses) FROM dose_count), (SELECT sum(doses) FROM dose_application_count))";
    assert_eq!(value::<String>(connection, counted).await, "1600000 1600000");
    assert!(
        value::<bool>(connection, "SELECT count(*) > 450000 FROM dose_application_count").await,
        "in one part"
    );
    let twice = "SELECT count(*) FROM (SELECT FROM dose_application_count
                 GROUP BY week_starts_on, application_province_id, application_department_id, vaccine, dose, condition
                 HAVING count(*) > 1) AS twice";
    assert_eq!(value::<i64>(connection, twice).await, 0);
}

#[tokio::test]
async fn kept_rows_are_published_and_dropped_with_their_counts() {
    let fixture = with_doses(&first_rows()).await;
    let connection = &mut fixture.connect().await;
    fixture.run(&["--years", "all", "--dose-rows"]).succeeded();
    let rows = "SELECT string_agg(concat_ws('|', applied_on, sex, age_group, residence_department_id, vaccine, dose, condition, batch), ' ' ORDER BY applied_on)
                FROM dose";
    assert_eq!(
        value::<String>(connection, rows).await,
        "2021-03-01|F|18-29|6441|Sputnik V|first|Personal de Salud|A1 \
         2021-03-06|M|>=100|6441|Sputnik V|second|Personal de Salud|A1 2021-03-07|M|>=100|6441|second"
    );
    let in_march = "SELECT count(*) FROM release_dose_1_2021_03";
    assert_eq!(value::<i64>(connection, in_march).await, 3, "its month has a partition");
    let count = "SELECT count(*) FROM dose";
    // A damaged file keeps the published rows.
    fixture.put(DOSES, "nonsense");
    fixture.run(&["--years", "all", "--dose-rows"]).succeeded();
    assert_eq!(value::<i64>(connection, count).await, 3);
    // A load that keeps none shows none; its counts are there.
    fixture.put(DOSES, first_rows());
    fixture.run(&["--years", "all", "--force", "--keep-releases", "1"]).succeeded();
    assert_eq!(value::<i64>(connection, count).await, 0);
    assert_eq!(value::<i64>(connection, "SELECT sum(doses)::bigint FROM dose_count").await, 3);
    // The release before it shows them again.
    let rollback = Etl::new("rollback").env(env::STORE_URL, &crate::fixture::url(fixture.folder.path()));
    rollback.env(env::DATABASE_URL, &fixture.database.url()).end().succeeded();
    assert_eq!(value::<i64>(connection, count).await, 3);
    // Once no kept release shows them, they are dropped.
    for _ in 0..2 {
        fixture
            .run(&["--years", "all", "--force", "--keep-releases", "0", "--retire-after", "0s"])
            .succeeded();
    }
    let left = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'release_dose'::regclass";
    assert_eq!(value::<i64>(connection, left).await, 2, "only the empty ones");
}

/// A snapshot from before a load sees the rows of its release, and one without them sees none.
#[tokio::test]
async fn readers_see_rows_of_their_snapshot() {
    let fixture = with_doses(&first_rows()).await;
    fixture.run(&["--years", "all", "--dose-rows"]).succeeded();
    let count = "SELECT count(*) FROM dose";
    let mut reader = fixture.connect().await;
    let mut snapshot = reader.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    assert_eq!(value::<i64>(&mut snapshot, count).await, 3);
    fixture.put(DOSES, format!("{}{}", first_rows(), first_rows().lines().nth(1).unwrap()));
    fixture
        .run(&["--years", "all", "--dose-rows", "--keep-releases", "0", "--retire-after", "1h"])
        .succeeded();
    assert_eq!(value::<i64>(&mut snapshot, count).await, 3);
    snapshot.rollback().await.unwrap();
    assert_eq!(value::<i64>(&mut fixture.connect().await, count).await, 4);
}

#[tokio::test]
async fn refused_or_damaged_file_keeps_published_doses() {
    let fixture = with_doses(&first_rows()).await;
    fixture.run(&["--years", "all"]).succeeded();
    assert_eq!(status(&fixture).await, "loaded t 3");
    let connection = &mut fixture.connect().await;
    let before = published(connection).await;
    let many = format!("{}{}", first_rows(), first_rows().lines().nth(1).unwrap().to_owned().repeat(3000));
    let mut torn = zip(DOSES, &many, deflated());
    let middle = torn.len() / 2;
    torn.truncate(middle);
    for (name, content, words) in [
        // Two thirds of the doses are gone.
        (DOSES, first_rows().split_inclusive('\n').take(2).collect::<String>().into_bytes(), "refused f 1"),
        (DOSES, b"<html>mantenimiento</html>".to_vec(), "unreadable f"),
        (DOSES, b"fecha,total\n2020-05-04,5\n".to_vec(), "unreadable f"),
        (DOSES_ZIP, torn, "unreadable f"),
    ] {
        fixture.put(name, content);
        fixture.run_gated(&["--force"]).succeeded();
        assert_eq!(status(&fixture).await, words);
        assert_eq!(published(connection).await, before, "{words}");
        assert_eq!(
            value::<i64>(connection, "SELECT sum(doses)::bigint FROM run_dose_count").await,
            3,
            "{words}"
        );
    }
}

/// Rows with arbitrary text in the columns that are read, some of them damaged.
fn rows() -> impl Strategy<Value = String> {
    let day = select(
        &[
            "2020-12-29",
            "2020-12-28",
            "2021-02-29",
            "2022-06-05",
            "2299-06-06",
            "",
            "NA",
            "S.I.",
            "s.i.",
            "2021-07-15 ",
        ][..],
    );
    let province = || select(&["02", "6", "94", "38", "99", "0", "", "NA", "S.I.", "97", "x", "65542"][..]);
    let department = || {
        select(&["441", "001", "14", "007", "000", "0", "", "999", "S.I.", "x", "18446744073709551615"][..])
    };
    let sex = select(&["F", "m", "X", "S.I.", "", "No binario"][..]);
    let age = select(&["<12", "12-17", " 18 - 29", ">=100", "S.I.", "30", "1-2-3", "x", ""][..]);
    let kind = select(&["1ra", "2DA", "Refuerzo", "Única", "S.I.", "", "otra", "4ta"][..]);
    let order = select(&["1", "2", "3", "0", "", "S.I.", "x"][..]);
    let name = || select(&["Sputnik V", " Sputnik  V ", "S.I.", "", "NA", "Otra"][..]);
    let end = select(&["\r\n", "\n", ",\n", "\"\n"][..]);
    let places = (province(), department(), province(), department());
    (day, places, sex, age, kind, order, (name(), name()), end).prop_map(
        |(day, places, sex, age, kind, order, (vaccine, condition), end)| {
            format!(
                "{sex},\"{age}\",x,{},x,{},x,{},x,{},{day},\"{vaccine}\",1,{kind},\"{condition}\",{order},L1,4711{end}",
                places.0, places.1, places.2, places.3
            )
        },
    )
}

#[test]
fn any_rows_are_counted_as_the_model_says() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(with_doses(&last_header()));
    let config = Config { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config).run(&prop::collection::vec(rows(), 1..300), |rows| {
        let text = format!("{}{}", last_header(), rows.concat());
        fixture.put(DOSES, &text);
        let ended = fixture.run(&["--years", "all", "--force", "--accept-anomalies"]);
        prop_assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let found = runtime.block_on(outcome(&fixture, ended.run));
        prop_assert_eq!(found.read, found.loaded + found.rejected);
        prop_assert_eq!(found, model::doses(text.as_bytes(), &georef()));
        Ok(())
    });
    tested.unwrap();
}
