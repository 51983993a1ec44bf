//! Recorded answers of AWS, served over HTTP to the SDK and shown by the adapters.
//!
//! `docs/reference/aws-answers.md` has every recorded state and what is made of it. With `UPDATE_SNAPSHOTS=1` the test rewrites the page; review
//! the difference before committing it.

mod operations;
mod recordings;
pub(crate) mod replay;
pub(crate) mod state;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use operations::OPERATIONS;

const PAGE: &str = "../../docs/reference/aws-answers.md";

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_state_is_shown_as_the_page_says() {
    let Some(folder) = replay::folder() else {
        eprintln!("skipped: AWS_ANSWERS names no folder of recorded answers");
        return;
    };
    let mut recordings = recordings::read(&folder);
    let mut page = String::from(HEAD);
    for (operation, show) in OPERATIONS {
        let answers = recordings.remove(*operation).unwrap_or_default();
        let states = stream::iter(&answers).map(|answer| show(operation, answer.clone()));
        let states: Vec<_> = states.buffer_unordered(CONCURRENCY).concat().await;
        let mut shown: BTreeMap<(String, String), usize> = BTreeMap::new();
        for state in states {
            *shown.entry(state).or_default() += 1;
        }
        _ = write!(
            page,
            "\n## `{operation}`\n\n{} answers.\n\n| recorded | shown | times |\n| --- | --- | --- |\n",
            answers.len()
        );
        for ((recorded, shown), times) in shown {
            _ = writeln!(page, "| {} | {} | {times} |", cell(&recorded), cell(&shown));
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(file, page).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap();
    for (line, expected) in page.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(page.lines().count(), expected.lines().count());
}

const CONCURRENCY: usize = 8;

/// The longest texts are messages about other requests.
const WIDTH: usize = 140;

const HEAD: &str = "# Recorded answers of AWS

What `covidctl` makes of answers that the real services gave. The answers are data of two public repositories, cloud-custodian and LocalStack
(Apache-2.0), and not part of this repository; the test `recorded_answers` reads them from the folder `AWS_ANSWERS`, serves them in the
protocol of each service, and compares with this page. Identifiers are left out.
";

/// Returns the start of a text as a cell of a table.
fn cell(text: &str) -> String {
    let text: String = text.chars().take(WIDTH).collect();
    let text = text.replace('|', "\\|").replace('\n', " ");
    if text.is_empty() { "-".to_owned() } else { text }
}
