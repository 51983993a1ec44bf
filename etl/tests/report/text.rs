//! The text for people, compared whole.
//!
//! The snapshots in `tests/snapshots` are compared exactly. After a wanted change, run the tests with `UPDATE_SNAPSHOTS=1` to
//! rewrite them, and read the difference before committing it.

use std::path::Path;

use etl::report::Language;

use crate::place::{EDGES, FOLDER, Place, TWO_YEARS};

#[tokio::test]
async fn the_spanish_text() {
    let written = Place::with(TWO_YEARS).await.report(Language::Spanish).await.unwrap();
    assert_snapshot("report_es.txt", &written.text);
}

#[tokio::test]
async fn the_english_text() {
    let written = Place::with(TWO_YEARS).await.report(Language::English).await.unwrap();
    assert_snapshot("report_en.txt", &written.text);
}

#[tokio::test]
async fn without_any_data_it_says_so_and_succeeds() {
    let place = Place::with("").await;
    let written = place.report(Language::Spanish).await.unwrap();
    assert_snapshot("report_empty_es.txt", &written.text);
    assert_eq!(place.read(&format!("{FOLDER}/confirmed_by_year.csv")).lines().count(), 1, "only the header");
}

#[tokio::test]
async fn no_line_is_wider_than_a_terminal() {
    for fixture in [EDGES, TWO_YEARS] {
        let place = Place::with(fixture).await;
        for language in [Language::Spanish, Language::English] {
            for line in place.report(language).await.unwrap().text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }
}

/// From the document the stored text comes back to the letter, and other widths are kept to.
#[tokio::test]
async fn the_document_is_laid_out_for_any_terminal() {
    let place = Place::sampled(3_000, 6).await;
    for language in [Language::Spanish, Language::English] {
        let written = place.report(language).await.unwrap();
        let document = serde_json::from_slice(&written.document).unwrap();
        assert_eq!(etl::report::text_of(&document, 80).as_deref(), Some(written.text.as_str()));
        for width in [100, 140, 160] {
            let text = etl::report::text_of(&document, width).unwrap();
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert_eq!(widest, width, "rules are as wide as the terminal, and nothing is wider");
            assert!(text.lines().count() < written.text.lines().count(), "prose has room");
        }
        let narrow = etl::report::text_of(&document, 20).unwrap();
        assert_eq!(narrow, etl::report::text_of(&document, 60).unwrap(), "numbers are not broken");
    }
    // What failed is in the document, too.
    place
        .change("ALTER VIEW covid_case RENAME COLUMN diagnosed_on TO tested_on; DELETE FROM case_count")
        .await;
    place.report(Language::English).await.unwrap_err();
    let document = serde_json::from_str(&place.read(&format!("{FOLDER}/report.json"))).unwrap();
    assert_eq!(etl::report::text_of(&document, 80).unwrap(), place.read(&format!("{FOLDER}/report.txt")));
}

#[expect(
    clippy::disallowed_methods,
    reason = "the switch that rewrites snapshots is for whoever runs the tests"
)]
fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var("UPDATE_SNAPSHOTS").is_ok() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs; now it is:\n{text}", path.display());
}
