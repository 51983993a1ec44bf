//! Invalid files: the run fails with a message, a hint and code 1, and the published release is unchanged.

use crate::fixture::{CSV, Etl, Fixture, ZIP, url};
use crate::outcome::value;
use crate::rows::{DEPARTMENTS, MINISTRY, PROVINCES, deflated, file, good, zip};

const PAGE: &str =
    "\n<!DOCTYPE html>\n<html><head><title>503</title></head><body>Servicio no disponible</body></html>\n";

#[tokio::test]
async fn line_lists_that_are_none() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let text = file(&good(20));
    let cases: [(&str, Vec<u8>, &[&str]); 13] = [
        (CSV, Vec::new(), &[CSV, "is empty"]),
        (CSV, b"\xEF\xBB\xBF".to_vec(), &[CSV, "is empty"]),
        (CSV, b"\r\n\r\n\n".to_vec(), &[CSV, "is empty"]),
        (CSV, MINISTRY.header().into_bytes(), &["no date in", "ultima_actualizacion"]),
        (CSV, MINISTRY.header().trim_end().as_bytes().to_vec(), &["no date in", "ultima_actualizacion"]),
        (CSV, PAGE.into(), &[CSV, "is a web page"]),
        (ZIP, PAGE.into(), &[ZIP, "is a web page"]),
        (ZIP, zip(CSV, PAGE, deflated()), &["is a web page"]),
        (ZIP, zip(CSV, "", deflated()), &["is empty"]),
        (ZIP, Vec::new(), &[ZIP, "is empty"]),
        (
            CSV,
            text.replacen("fecha_apertura", "apertura", 1).into_bytes(),
            &["lacks the column `fecha_apertura`"],
        ),
        (
            CSV,
            text.replacen("sexo", "sex", 1).replacen("\"edad\"", "\"age\"", 1).into_bytes(),
            &["lacks the columns `sexo`, `edad`", "age"],
        ),
        (CSV, (0..=255).cycle().take(50_000).collect(), &[CSV]),
    ];
    for (name, content, words) in cases {
        fixture.replace(name, content);
        let run = fixture.run(&["--years", "all"]).failed(words).run;
        assert_eq!(fixture.published().await, before, "{words:?}");
        let query = format!("SELECT status FROM pipeline_run WHERE run_id = '{run}'");
        assert_eq!(value::<String>(&mut fixture.connect().await, &query).await, "failed", "{words:?}");
    }
}

#[tokio::test]
async fn places_that_are_none() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    for (name, good) in [("provincias.csv", PROVINCES), ("departamentos.csv", DEPARTMENTS)] {
        let cases: [(Vec<u8>, &[&str]); 4] = [
            (Vec::new(), &[name, "is empty"]),
            (PAGE.into(), &[name, "is a web page"]),
            (good.replacen("nombre", "name", 1).into_bytes(), &[name, "lacks the column `nombre`"]),
            (b"PK\x03\x04 and no more".to_vec(), &[name, "zip"]),
        ];
        for (content, words) in cases {
            fixture.put(name, content);
            fixture.run(&["--years", "all"]).failed(words);
            assert_eq!(fixture.published().await, before, "{name} {words:?}");
        }
        fixture.put_georef();
    }
}

#[tokio::test]
async fn files_that_are_not_there() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    for name in ["provincias.csv", "departamentos.csv", CSV] {
        let content = std::fs::read(fixture.path(name)).unwrap();
        std::fs::remove_file(fixture.path(name)).unwrap();
        fixture.run(&["--years", "all"]).failed(&["there is no", name, "published at https://"]);
        fixture.put(name, content);
    }
    std::fs::remove_file(fixture.path(CSV)).unwrap();
    std::fs::create_dir(fixture.path(CSV)).unwrap();
    fixture.run(&["--years", "all"]).failed(&[CSV]);
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn stores_that_are_not_there() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let missing = fixture.path("nowhere/at/all");
    fixture.run(&["--store-url", &url(&missing)]).failed(&["nowhere/at/all"]);
    assert!(!missing.exists(), "a mistyped folder is not made");
    fixture.run(&["--store-url", &url(&fixture.path("provincias.csv"))]).failed(&["provincias.csv"]);
    fixture
        .run(&["--reports-url", &url(&fixture.path("provincias.csv/reports"))])
        .failed(&["provincias.csv/reports"]);
    for wrong in ["ftp://example.org/x", "data", "file://relative"] {
        let ended = fixture.run(&["--store-url", wrong]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(wrong) && ended.stderr.contains("hint: "), "{}", ended.stderr);
    }
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn wrong_years_are_a_usage_error() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    for wrong in ["last", "2021;2022", "", "20222", "2021,"] {
        let ended = fixture.run(&["--years", wrong]);
        assert_eq!(ended.code, Some(2), "{wrong:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("hint: write latest, all, or a list"), "{}", ended.stderr);
    }
    assert_eq!(fixture.published().await, before);
}

#[test]
fn missing_option_is_a_usage_error() {
    for subcommand in ["run", "report", "migrate", "sample", "load"] {
        let ended = Etl::new(subcommand).end();
        assert_eq!(ended.code, Some(2), "{subcommand}: {}", ended.stderr);
    }
}
