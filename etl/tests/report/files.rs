//! The files of a report and the format of its CSVs.

use etl::report::{Language, QUESTIONS};

use crate::fixture::{EDGES, FOLDER, Fixture, file_names};

#[tokio::test]
async fn report_files_are_in_own_folder_with_text_last() {
    let fixture = Fixture::with(EDGES).await;
    let written = fixture.report(Language::English).await.unwrap();
    assert_eq!(written.folder, FOLDER);
    let mut expected: Vec<String> =
        QUESTIONS.iter().map(|question| format!("{}.csv", question.name)).collect();
    expected.extend(["report.json", "report.html", "report.txt"].map(str::to_owned));
    assert_eq!(written.files, expected);
    assert_eq!(fixture.names(FOLDER), file_names());
    assert_eq!(fixture.read(&format!("{FOLDER}/report.txt")), written.text);
}

#[tokio::test]
async fn csv_is_rfc_4180_and_same_in_every_language() {
    let fixture = Fixture::with(EDGES).await;
    fixture.change(r#"UPDATE release_case_1 SET sex = 'a,"b"' WHERE case_id = 26"#).await;
    let csv = format!("{FOLDER}/last_month_by_sex.csv");
    fixture.report(Language::English).await.unwrap();
    let english = fixture.read(&csv);
    fixture.report(Language::Spanish).await.unwrap();
    assert_eq!(fixture.read(&csv), english);
    let header =
        "month,newest_on,partial,sex,confirmed,share_percent,confirmed_in_year,share_of_year_percent";
    let quoted = "2021-02-01,2021-02-10,true,\"a,\"\"b\"\"\",1,33.333333333333336,1,8.333333333333334";
    assert!(english.starts_with(&format!("{header}\r\n")), "{english}");
    assert!(english.contains(&format!("\r\n{quoted}\r\n")), "{english}");
}

#[tokio::test]
async fn csv_of_names_like_formulas_is_safe_in_spreadsheet() {
    let fixture = Fixture::sampled(500, 3).await;
    fixture
        .change("UPDATE department SET name = '=HYPERLINK(1)'; UPDATE province SET name = '@SUM(1)'")
        .await;
    let written = fixture.report(Language::English).await.unwrap();
    let cells: Vec<String> = fixture.rows("department_ranking").concat();
    assert!(cells.contains(&"'=HYPERLINK(1)".to_owned()), "{cells:?}");
    assert!(cells.contains(&"'@SUM(1)".to_owned()), "{cells:?}");
    assert!(!cells.iter().any(|cell| cell.starts_with(['=', '@'])), "{cells:?}");
    // Spreadsheets do not open the other formats.
    assert!(String::from_utf8(written.document).unwrap().contains("\"=HYPERLINK(1)\""));
    assert!(written.text.contains(" =HYPERLINK(1)") && !written.text.contains("'="), "{}", written.text);
}
