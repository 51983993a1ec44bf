//! Where the files stand, and what machines read in them.

use etl::report::{Language, QUESTIONS};

use crate::place::{EDGES, FOLDER, Place};

#[tokio::test]
async fn files_stand_in_their_folder_and_in_latest_where_nothing_stale_remains() {
    let place = Place::with(EDGES).await;
    let latest = place.path("reports/latest");
    std::fs::create_dir_all(latest.join("old")).unwrap();
    std::fs::write(latest.join("question_of_last_year.csv"), "stale").unwrap();
    std::fs::write(latest.join("report.txt"), "stale").unwrap();
    std::fs::write(latest.join("old/chart.svg"), "stale").unwrap();

    let written = place.report(Language::English).await.unwrap();

    assert_eq!(written.folder, FOLDER);
    let mut expected: Vec<String> =
        QUESTIONS.iter().map(|question| format!("{}.csv", question.name)).collect();
    expected.extend(["report.json", "report.html", "report.txt"].map(str::to_owned));
    assert_eq!(written.files, expected);
    expected.sort();
    assert_eq!(place.names(FOLDER), expected);
    // A folder may outlive its files; a bucket has no folders.
    assert!(place.names("reports/latest/old").is_empty());
    std::fs::remove_dir(latest.join("old")).unwrap();
    assert_eq!(place.names("reports/latest"), expected);
    for name in &expected {
        assert_eq!(
            place.read(&format!("reports/latest/{name}")),
            place.read(&format!("{FOLDER}/{name}")),
            "{name}"
        );
    }
    assert_eq!(place.read(&format!("{FOLDER}/report.txt")), written.text);
}

#[tokio::test]
async fn a_csv_is_the_same_in_every_language_and_follows_rfc_4180() {
    let place = Place::with(EDGES).await;
    place.change(r#"UPDATE release_case_1 SET sex = 'a,"b"' WHERE case_id = 26"#).await;
    place.report(Language::English).await.unwrap();
    let english = place.read("reports/latest/last_month_by_sex.csv");
    place.report(Language::Spanish).await.unwrap();
    assert_eq!(place.read("reports/latest/last_month_by_sex.csv"), english);
    let header =
        "month,newest_on,partial,sex,confirmed,share_percent,confirmed_in_year,share_of_year_percent";
    let quoted = "2021-02-01,2021-02-10,true,\"a,\"\"b\"\"\",1,33.333333333333336,1,8.333333333333334";
    assert!(english.starts_with(&format!("{header}\r\n")), "{english}");
    assert!(english.contains(&format!("\r\n{quoted}\r\n")), "{english}");
}
