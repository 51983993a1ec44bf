//! The text of the report, compared with the snapshots in `tests/snapshots`.
//!
//! `UPDATE_SNAPSHOTS=1` rewrites the snapshots; review the difference before committing it.

use std::path::Path;

use etl::report::Language;

use crate::fixture::{EDGES, FOLDER, Fixture, TWO_YEARS};

#[tokio::test]
async fn text_in_spanish_equals_snapshot() {
    let written = Fixture::with(TWO_YEARS).await.report(Language::Spanish).await.unwrap();
    assert_snapshot("report_es.txt", &written.text);
}

#[tokio::test]
async fn text_in_english_equals_snapshot() {
    let written = Fixture::with(TWO_YEARS).await.report(Language::English).await.unwrap();
    assert_snapshot("report_en.txt", &written.text);
}

#[tokio::test]
async fn text_without_data_equals_snapshot() {
    let fixture = Fixture::with("").await;
    let written = fixture.report(Language::Spanish).await.unwrap();
    assert_snapshot("report_empty_es.txt", &written.text);
    assert_eq!(
        fixture.read(&format!("{FOLDER}/confirmed_by_year.csv")).lines().count(),
        1,
        "more than the header"
    );
}

#[tokio::test]
async fn text_lines_fit_80_columns() {
    for fixture in [EDGES, TWO_YEARS] {
        let fixture = Fixture::with(fixture).await;
        for language in [Language::Spanish, Language::English] {
            for line in fixture.report(language).await.unwrap().text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }
}

#[tokio::test]
async fn text_escapes_values_that_act_on_a_terminal() {
    let fixture = Fixture::with(TWO_YEARS).await;
    let written = fixture.report(Language::Spanish).await.unwrap();
    let document = String::from_utf8(written.document).unwrap();
    assert!(document.contains("\"Mendoza\""), "{document}");
    let hostile = document.replace("\"Mendoza\"", r#""Men\u001b[2J\u009b31m\u202e\ndoza""#);
    let text = etl::report::text_of(&serde_json::from_str(&hostile).unwrap(), 160).unwrap();
    assert!(text.contains("[2J") && text.contains("\\u{202e}"), "{text}");
    assert!(!text.contains(|at: char| at != '\n' && at.is_control() || at == '\u{202e}'), "{text}");
    let ordinary = etl::report::text_of(&serde_json::from_str(&document).unwrap(), 160).unwrap();
    assert_eq!(text.lines().count(), ordinary.lines().count());
}

/// A document in storage may be damaged or of another program.
#[tokio::test]
async fn text_of_document_that_lacks_rows_is_rendered() {
    let fixture = Fixture::sampled(3_000, 6).await;
    let written = fixture.report(Language::Spanish).await.unwrap();
    let document: serde_json::Value = serde_json::from_slice(&written.document).unwrap();
    for (at, question) in document["questions"].as_array().unwrap().iter().enumerate() {
        let rows = question["rows"].as_array().unwrap();
        for left in [&rows[..0], &rows[..rows.len() / 3], &rows[rows.len() / 2..]] {
            let mut document = document.clone();
            document["questions"][at]["rows"] = left.into();
            assert!(etl::report::text_of(&document, 100).is_some(), "{}", question["name"]);
        }
    }
}

#[tokio::test]
async fn text_of_document_fits_any_width() {
    let fixture = Fixture::sampled(3_000, 6).await;
    for language in [Language::Spanish, Language::English] {
        let written = fixture.report(language).await.unwrap();
        let document = serde_json::from_slice(&written.document).unwrap();
        assert_eq!(etl::report::text_of(&document, 80).as_deref(), Some(written.text.as_str()));
        for width in [100, 140, 160] {
            let text = etl::report::text_of(&document, width).unwrap();
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert_eq!(widest, width, "rules have the width of the terminal, and no line is wider");
            assert!(text.lines().count() < written.text.lines().count(), "wider prose needs fewer lines");
        }
        let narrow = etl::report::text_of(&document, 20).unwrap();
        assert_eq!(narrow, etl::report::text_of(&document, 60).unwrap(), "numbers are never cut off");
    }
    // The document has the failures, too.
    fixture
        .change("ALTER VIEW covid_case RENAME COLUMN diagnosed_on TO tested_on; DELETE FROM case_count")
        .await;
    fixture.report(Language::English).await.unwrap_err();
    let document = serde_json::from_str(&fixture.read(&format!("{FOLDER}/report.json"))).unwrap();
    assert_eq!(etl::report::text_of(&document, 80).unwrap(), fixture.read(&format!("{FOLDER}/report.txt")));
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var("UPDATE_SNAPSHOTS").is_ok() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs; now it is:\n{text}", path.display());
}
