//! The optional datasets: every row is right, missing or damaged files are left out, and they are published with the cases or not at all.

use std::io::Read as _;

use etl::sample;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;

use crate::fixture::{CSV, Fixture};
use crate::optional_model::{self as model, Dataset, planted, published};
use crate::outcome::value;
use crate::rows::{deflated, file, georef, good, zip};

const TESTS: &str = "Covid19Determinaciones.csv";
const TESTS_ZIP: &str = "Covid19Determinaciones.zip";
const VACCINATIONS: &str = "Covid19VacunasAgrupadas.csv";

const TESTS_HEADER: &str = "\"fecha\",\"provincia\",\"codigo_indec_provincia\",\"departamento\",\
    \"codigo_indec_departamento\",\"localidad\",\"codigo_indec_localidad\",\"origen_financiamiento\",\"tipo\",\
    \"ultima_actualizacion\",\"total\",\"positivos\"\r\n";

/// A valid row of a laboratory, and one with each defect that the rules know.
const LABORATORIES: &str = "\
    \"2020-05-04\",\"Buenos Aires\",\"06\",\"La Plata\",\"441\",\"LA PLATA\",\"06441030\",\"Público\",\"Provincial\",\"2022-06-05\",\"120\",\"\"\r\n\
    \"2021-05-04\",\"CABA\",\"02\",\"COMUNA 01\",\"001\",\"CABA\",\"02000010\",\"Privado\",\"Obra  social\",\"2022-06-05\",\"1.234\",\"456\"\r\n\
    \"2022-01-04\",\"CABA\",\"02\",\"SIN ESPECIFICAR\",\"000\",\"CABA\",\"\",\"Privado\",\"Privado\",\"2022-06-05\",\"10\",\"10\"\r\n\
    \"2022-01-05\",\"Montevideo\",\"97\",\"X\",\"001\",\"X\",\"\",\"\",\"\",\"2022-06-05\",\"10\",\"1\"\r\n\
    \"2022-01-06\",\"Jujuy\",\"38\",\"Campana\",\"126\",\"X\",\"\",\"Público\",\"Municipal\",\"2022-06-05\",\"10\",\"1\"\r\n\
    \"2008-08-13\",\"Jujuy\",\"38\",\"X\",\"021\",\"X\",\"\",\"Público\",\"Municipal\",\"2022-06-05\",\"10\",\"1\"\r\n\
    \"2022-06-06\",\"Jujuy\",\"38\",\"X\",\"021\",\"X\",\"\",\"Público\",\"Municipal\",\"2022-06-05\",\"10\",\"1\"\r\n\
    \"2022-01-06\",\"Jujuy\",\"38\",\"X\",\"021\",\"X\",\"\",\"Público\",\"Municipal\",\"2022-06-05\",\"\",\"1\"\r\n\
    \"2022-01-06\",\"Jujuy\",\"38\",\"X\",\"021\",\"X\",\"\",\"Público\",\"Municipal\",\"2022-06-05\",\"5\",\"s/d\"\r\n\
    \"2022-01-06\",\"Jujuy\",\"38\",\"X\",\"021\",\"X\",\"\",\"Público\",\"Municipal\",\"2022-06-05\",\"5\",\"6\"\r\n\
    \"2022-01-06\",\"Jujuy\"\r\n";

const JURISDICTIONS: &str = "\
    \"jurisdiccion_codigo_indec\",\"jurisdiccion_nombre\",\"vacuna_nombre\",dosis_unica_cantidad,primera_dosis_cantidad,\
    segunda_dosis_cantidad,dosis_adicional_cantidad,dosis_refuerzo_cantidad\r\n\
    \"02\",\"CABA\",\"Sputnik V\",0,1000,900,10,300\r\n\
    \"06\",\"Buenos Aires\",\"Sputnik V\",,5000,4000,50,700\r\n\
    \"06\",\"Buenos Aires\",\" Sputnik  V\",0,1,1,1,1\r\n\
    \"97\",\"Montevideo\",\"Moderna\",0,1,1,1,1\r\n\
    \"99\",\"S.I.\",\"Moderna\",0,2,1,1,1\r\n\
    \"38\",\"Jujuy\",\"\",0,1,1,1,1\r\n\
    \"38\",\"Jujuy\",\"Moderna\",0,-1,1,1,1\r\n";

fn laboratories() -> String {
    format!("{TESTS_HEADER}{LABORATORIES}")
}

/// Creates a fixture with few cases and both optional files.
async fn with_both() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(60)));
    fixture.put(TESTS, laboratories());
    fixture.put(VACCINATIONS, JURISDICTIONS);
    fixture
}

async fn status_of(fixture: &Fixture, dataset: &str) -> String {
    let query = format!(
        "SELECT concat_ws(' ', status, error IS NULL, rows_loaded) FROM run_dataset
         WHERE run_id = published_load() AND dataset = '{dataset}'"
    );
    value(&mut fixture.connect().await, &query).await
}

#[tokio::test]
async fn both_are_loaded_to_the_row_and_every_row_is_accounted_for() {
    let fixture = with_both().await;
    for (flag, years) in [("all", None), ("latest", Some(&[2022][..])), ("2020,2021", Some(&[2020, 2021]))] {
        let run = fixture.run(&["--years", flag, "--force"]).succeeded().run;
        let connection = &mut fixture.connect().await;
        let expected = model::tests(laboratories().as_bytes(), &georef(), years, "2022-06-05");
        assert_eq!(expected.issues.len(), if flag == "2020,2021" { 2 } else { 7 }, "{:?}", expected.issues);
        assert_eq!(Dataset::of(connection, run, "tests").await, expected, "{flag}");
        assert_eq!(expected.read, expected.filtered + expected.loaded + expected.rejected, "{flag}");
        let expected = model::vaccinations(JURISDICTIONS.as_bytes(), &georef());
        assert_eq!(expected.issues.len(), 4);
        assert_eq!(Dataset::of(connection, run, "vaccinations").await, expected, "{flag}");
        let law = "SELECT bool_and(rows_read = rows_filtered + rows_loaded + rows_rejected) AND count(*) = 6
                   FROM run_dataset WHERE run_id = published_load()";
        assert!(value::<bool>(connection, law).await, "{flag}");
    }
}

#[tokio::test]
async fn formats_of_other_years() {
    let fixture = with_both().await;
    // May 2020: other names, UTF-16 with a byte order mark.
    let text = "\"fecha\",\"provincia\",\"codigo indec provincia\",\"departamento\",\"codigo Indec departamento\",\
        \"localidad\",\"codigo indec localidad\",\"origen de financiamiento\",\"tipo\",\"ultima_actualizacion\",\"total\",\
        \"positivos\"\r\n\"2020-05-04\",\"Buenos Aires\",\"06\",\"La Plata\",\"441\",\"LA PLATA\",\"06441030\",\"Público\",\
        \"Nacional\",\"2020-05-20\",\"7\",\"\"\r\n";
    let units = "\u{FEFF}".encode_utf16().chain(text.encode_utf16());
    fixture.put(TESTS_ZIP, zip(TESTS, units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), deflated()));
    fixture.put(
        VACCINATIONS,
        "\"jurisdiccion_codigo_indec\",\"jurisdiccion_nombre\",\"vacuna_nombre\",primera_dosis_cantidad,segunda_dosis_cantidad\n\
         \"06\",\"Buenos Aires\",\"Covishield\",12,7\n",
    );
    let run = fixture.run(&["--years", "all"]).succeeded().run;
    let connection = &mut fixture.connect().await;
    let tests = Dataset::of(connection, run, "tests").await;
    assert_eq!(tests.rows, ["2020-05-04|6|6441|Público|Nacional|7|0"]);
    let vaccinations = Dataset::of(connection, run, "vaccinations").await;
    assert_eq!(vaccinations.rows, ["6|Covishield|first|12", "6|Covishield|second|7"]);
}

#[tokio::test]
async fn one_that_is_missing_is_said_and_the_rest_is_loaded() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(60)));
    let ended = fixture.run(&["--years", "all"]).succeeded();
    let said = ended.stderr.matches("optional dataset not found").count();
    assert_eq!(said, 3, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Covid19Determinaciones.zip or Covid19Determinaciones.csv"),
        "{}",
        ended.stderr
    );
    for dataset in ["tests", "vaccinations"] {
        assert_eq!(status_of(&fixture, dataset).await, "missing t");
        assert!(published(&mut fixture.connect().await, dataset).await.is_empty());
    }
    assert_eq!(status_of(&fixture, "cases").await, "loaded t 60");
}

/// A damaged file is left out, even if the damage is detected late; the rest is loaded.
#[tokio::test]
async fn one_that_is_damaged_is_left_out_whole() {
    let fixture = with_both().await;
    let many = format!("{TESTS_HEADER}{}", LABORATORIES.repeat(3_000));
    let mut torn = zip(TESTS, &many, deflated());
    let middle = torn.len() / 2;
    torn[middle..middle + 200].fill(0x55);
    for (name, content, words) in [
        (TESTS, b"<html>mantenimiento</html>".to_vec(), "is a web page"),
        (TESTS, b"fecha,total\n2020-05-04,5\n".to_vec(), "lacks the columns"),
        (TESTS, Vec::new(), "is empty"),
        (TESTS_ZIP, zip("other.csv", &many, deflated()), "holds no `Covid19Determinaciones.csv`"),
        (TESTS_ZIP, torn, "Covid19Determinaciones.zip"),
    ] {
        drop(std::fs::remove_file(fixture.path(TESTS)));
        fixture.put(name, content);
        let ended = fixture.run(&["--years", "all", "--force"]).succeeded();
        assert!(
            ended.stderr.contains("cannot be loaded; its published rows are kept"),
            "{words}: {}",
            ended.stderr
        );
        let error: String = value(
            &mut fixture.connect().await,
            "SELECT error FROM run_dataset WHERE run_id = published_load() AND status = 'unreadable'",
        )
        .await;
        assert!(error.contains(words), "{words}: {error}");
        let left = "SELECT (SELECT count(*) FROM test_count) + (SELECT count(*) FROM rejected_row WHERE dataset = 'tests')
                         + (SELECT count(*) FROM run_issue WHERE dataset = 'tests')";
        assert_eq!(value::<i64>(&mut fixture.connect().await, left).await, 0, "{words}");
        assert_eq!(status_of(&fixture, "cases").await, "loaded t 60", "{words}");
        assert_eq!(status_of(&fixture, "vaccinations").await, "loaded t 3", "{words}");
    }
    // As soon as it is whole it is loaded, without being asked for.
    fixture.put(TESTS_ZIP, zip(TESTS, &many, deflated()));
    fixture.run(&["--years", "all"]).succeeded();
    assert_eq!(status_of(&fixture, "tests").await, "loaded t 15000");
    // Damaged again, it leaves what is published.
    let published = published(&mut fixture.connect().await, "tests").await;
    fixture.put(TESTS_ZIP, b"torn");
    fixture.run(&["--years", "all"]).succeeded();
    assert_eq!(self::published(&mut fixture.connect().await, "tests").await, published);
    assert_eq!(published.len(), 15_000);
}

#[tokio::test]
async fn another_optional_file_is_another_dataset() {
    let fixture = with_both().await;
    let skipped =
        |fixture: &Fixture| fixture.run(&["--years", "all"]).succeeded().stderr.contains("already loaded");
    assert!(!skipped(&fixture), "the first load");
    assert!(skipped(&fixture), "nothing is new");
    fixture.put(TESTS, format!("{TESTS_HEADER}{LABORATORIES}{LABORATORIES}"));
    assert!(!skipped(&fixture), "another file of tests");
    assert_eq!(status_of(&fixture, "tests").await, "loaded t 10");
    std::fs::remove_file(fixture.path(VACCINATIONS)).unwrap();
    assert!(!skipped(&fixture), "no file of vaccinations");
    assert_eq!(status_of(&fixture, "vaccinations").await, "missing t");
    assert!(skipped(&fixture), "and it stays so");
    fixture.put(VACCINATIONS, JURISDICTIONS);
    assert!(!skipped(&fixture), "it is there again");
}

/// A reader whose snapshot is older than the load sees the old rows to its end; no reader sees both.
#[tokio::test]
async fn readers_see_the_old_rows_or_the_new_ones() {
    let fixture = with_both().await;
    fixture.run(&["--years", "all"]).succeeded();
    let connection = &mut fixture.connect().await;
    let old = published(connection, "tests").await;
    let mut reader: PgConnection = fixture.connect().await;
    let mut snapshot = reader.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    assert_eq!(published(&mut snapshot, "tests").await, old);

    fixture.put(TESTS, format!("{TESTS_HEADER}{LABORATORIES}{LABORATORIES}"));
    fixture.run(&["--years", "all"]).succeeded();

    assert_eq!(published(&mut snapshot, "tests").await, old);
    snapshot.rollback().await.unwrap();
    let new = published(connection, "tests").await;
    assert_eq!(new.len(), 2 * old.len());
    // A run that fails behind them changes nothing either.
    fixture.put(TESTS, TESTS_HEADER);
    fixture.replace(CSV, "nonsense");
    fixture.run(&["--years", "all"]).failed(&["Covid19Casos.csv"]);
    assert_eq!(published(connection, "tests").await, new);
}

/// Returns the member of an archive.
fn unpacked(fixture: &Fixture, archive: &str) -> Vec<u8> {
    let file = std::fs::File::open(fixture.path(archive)).unwrap();
    let (mut archive, mut text) = (::zip::ZipArchive::new(file).unwrap(), Vec::new());
    archive.by_index(0).unwrap().read_to_end(&mut text).unwrap();
    text
}

#[tokio::test]
async fn samples_are_loaded_to_the_row_and_counted_as_they_were_planted() {
    for dirty in [0.0, 0.3] {
        let fixture = Fixture::new().await;
        let options =
            sample::Options { rows: 60_000, seed: 3, dirty, doses: 0, out: fixture.folder.path().to_owned() };
        let written = sample::write(&options, &|_| {}).unwrap();
        let georef = crate::model::Georef::read(
            &std::fs::read(fixture.path("provincias.csv")).unwrap(),
            &std::fs::read(fixture.path("departamentos.csv")).unwrap(),
        );
        let run = fixture.run(&["--years", "all"]).succeeded().run;
        let connection = &mut fixture.connect().await;
        let text = unpacked(&fixture, TESTS_ZIP);
        let tests = Dataset::of(connection, run, "tests").await;
        assert_eq!(tests, model::tests(&text, &georef, None, "2022-06-05"), "dirty {dirty}");
        let text = unpacked(&fixture, "Covid19VacunasAgrupadas.csv.zip");
        let vaccinations = Dataset::of(connection, run, "vaccinations").await;
        assert_eq!(vaccinations, model::vaccinations(&text, &georef), "dirty {dirty}");
        for (found, made) in [(tests, written.tests), (vaccinations, written.vaccinations)] {
            assert_eq!(found.read.unsigned_abs(), made.rows, "dirty {dirty}");
            let planted = planted(&made);
            assert_eq!(found.issues, planted, "dirty {dirty}");
        }
    }
}

/// Rows with arbitrary text in the columns that are read, some of them damaged.
fn rows() -> impl Strategy<Value = String> {
    let day = select(
        &["2020-01-01", "2019-12-31", "2021-02-29", "2022-06-05", "2022-06-06", "", "NA", "2021-07-15 "][..],
    );
    let code = select(&["02", "6", "94", "38", "99", "0", "", "NA", "S.I.", "97", "x", "65542"][..]);
    let fixture =
        select(&["441", "001", "14", "007", "000", "0", "", "999", "1441", "x", "18446744073709551615"][..]);
    let number = || {
        select(
            &["0", "5", "007", "1.234", "1.23", "-1", "", "NA", "1000000000", "999.999.999", "12.345.678"][..],
        )
    };
    let words = select(&["Público", " Obra  social ", "", "NA", "di\"\"jo"][..]);
    let updated = select(&["2022-06-05", "2021-07-15", "", "ayer"][..]);
    let end = select(&["\n", "\r\n", "\"\n", ",\n"][..]);
    (day, code, fixture, words, updated, number(), number(), end).prop_map(
        |(day, code, fixture, words, updated, tests, positives, end)| {
            format!(
                "{day},x,{code},x,{fixture},x,,\"{words}\",\"{words}\",{updated},{tests},{positives}{end}"
            )
        },
    )
}

#[test]
fn any_rows_of_tests_are_loaded_as_the_model_says() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(with_both());
    let config = Config { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config).run(&prop::collection::vec(rows(), 0..300), |rows| {
        let text = format!("{TESTS_HEADER}{}", rows.concat());
        fixture.put(TESTS, &text);
        let ended = fixture.run(&["--years", "2020,2022", "--force"]);
        prop_assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let found =
            runtime.block_on(async { Dataset::of(&mut fixture.connect().await, ended.run, "tests").await });
        prop_assert_eq!(found.read, found.filtered + found.loaded + found.rejected);
        prop_assert_eq!(found, model::tests(text.as_bytes(), &georef(), Some(&[2020, 2022]), "2022-06-05"));
        Ok(())
    });
    tested.unwrap();
}

/// The same for vaccinations, with few names, so that some repeat.
fn jurisdictions() -> impl Strategy<Value = String> {
    let code = select(&["02", "6", "94", "99", "0", "", "S.I.", "97", "x"][..]);
    let vaccine = select(&["Sputnik", " Sputnik ", "Moderna", "Otra  más", "", "NA"][..]);
    let number = || select(&["0", "5", "1.234", "1.2", "-1", "", "NA", "999999999", "1000000000"][..]);
    let numbers = (number(), number(), number(), number(), number());
    let end = select(&["\n", "\r\n", "\"\n", ",\n"][..]);
    (code, vaccine, numbers, end).prop_map(|(code, vaccine, (a, b, c, d, e), end)| {
        format!("\"{code}\",x,\"{vaccine}\",{a},{b},{c},{d},{e}{end}")
    })
}

#[test]
fn any_rows_of_vaccinations_are_loaded_as_the_model_says() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(with_both());
    let header = JURISDICTIONS.split_inclusive('\n').next().unwrap();
    let config = Config { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config).run(&prop::collection::vec(jurisdictions(), 0..60), |rows| {
        let text = format!("{header}{}", rows.concat());
        fixture.put(VACCINATIONS, &text);
        let ended = fixture.run(&["--years", "all", "--force"]);
        prop_assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let found = runtime
            .block_on(async { Dataset::of(&mut fixture.connect().await, ended.run, "vaccinations").await });
        prop_assert_eq!(found.read, found.filtered + found.loaded + found.rejected);
        prop_assert_eq!(found, model::vaccinations(text.as_bytes(), &georef()));
        Ok(())
    });
    tested.unwrap();
}
