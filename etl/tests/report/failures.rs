//! Reports of a database with a changed schema, without privileges, or with a publication in progress.

use etl::report::{self, Language, QUESTIONS};
use sqlx::Executor as _;

use crate::cluster::execute;
use crate::fixture::{EDGES, FOLDER, Fixture, another_run, options};

#[tokio::test]
async fn report_with_failed_question_answers_the_others() {
    let fixture = Fixture::with(EDGES).await;
    let before = fixture.report_as(&another_run(Language::English)).await.unwrap();
    fixture.change("ALTER VIEW covid_case RENAME COLUMN diagnosed_on TO tested_on").await;

    let failure = fixture.report(Language::English).await.unwrap_err();

    assert_eq!(failure.exit().code(), 1);
    assert_eq!(
        failure.to_string(),
        "1 of 41 questions of the report failed (`contradictions`): cannot answer `contradictions`: column \"diagnosed_on\" does not exist"
    );
    let report = format!("file://{}", fixture.path(FOLDER).join("report.txt").display());
    assert_eq!(
        failure.hint_text(),
        Some(format!("the other answers are in `{report}`; `latest.json` was not changed").as_str())
    );
    assert_eq!(fixture.latest().await, Some(before.folder));
    let text = fixture.read(&format!("{FOLDER}/report.txt"));
    assert!(text.contains("INCOMPLETE: 1 of 41 questions failed"), "{text}");
    assert!(text.contains("FAILED: cannot answer `contradictions`"), "{text}");
    assert!(text.contains("Tierra del Fuego"), "the next questions are not answered: {text}");
    let names = fixture.names(FOLDER);
    assert_eq!(names.len(), QUESTIONS.len() + 2, "text, page, document and every CSV but one: {names:?}");
    assert!(!names.contains(&"contradictions.csv".to_owned()));
}

#[tokio::test]
async fn report_without_privilege_on_cases_answers_the_rest() {
    let fixture = Fixture::with(EDGES).await;
    // Roles belong to the whole server, so that the name is unique.
    let mut connection = fixture.database.connect().await;
    let role = format!("reader_{}", uuid::Uuid::new_v4().simple());
    let setup = format!(
        "CREATE ROLE {role}; GRANT SELECT ON pipeline_run, run_issue, release, published_release TO {role}; SET ROLE {role}"
    );
    execute(&mut connection, &setup).await;

    let failure =
        report::write(&options(Language::Spanish), &mut connection, &fixture.store).await.unwrap_err();

    let clean = format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}");
    execute(&mut connection, &clean).await;
    assert!(
        failure.to_string().starts_with("38 of 41 questions of the report failed (`confirmed_by_year`, ")
    );
    assert!(failure.to_string().ends_with("permission denied for table case_count"), "{failure}");
    let text = fixture.read(&format!("{FOLDER}/report.txt"));
    assert!(text.contains("INCOMPLETO: fallaron 38 de 41 preguntas"), "{text}");
    assert!(text.contains("caso repetido"), "{text}");
}

#[tokio::test]
async fn report_during_publication_is_of_one_release() {
    let fixture = Fixture::with(EDGES).await;
    let mut publishing = fixture.database.connect().await;
    execute(
        &mut publishing,
        "UPDATE release SET run_id = '00000000-0000-4000-8000-000000000003', rules_version = 1, publication = 2 WHERE release_id = 2;
         BEGIN; LOCK TABLE run_issue IN ACCESS EXCLUSIVE MODE;
         UPDATE published_release SET release_id = 2;
         UPDATE pipeline_run SET status = 'succeeded', rows_loaded = 0 WHERE run_id = '00000000-0000-4000-8000-000000000003'",
    )
    .await;

    let publish = async {
        let mut watching = fixture.database.connect().await;
        let waits = "SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database
                     WHERE datname = current_database())";
        while watching.fetch_optional(waits).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        execute(&mut publishing, "COMMIT").await;
    };
    let (written, ()) = tokio::join!(fixture.report(Language::English), publish);

    let text = written.unwrap().text;
    assert!(text.contains("Load        00000000-0000-4000-8000-000000000001"), "{text}");
    assert!(!text.contains("no cases are loaded"), "{text}");
}
