//! What `etl report` does: ask the database a few fixed questions and put the answers into the store.
//!
//! The questions stand in one table ([`QUESTIONS`]), each with its own `.sql` file. They are asked in one read-only snapshot,
//! and each answer is kept as values ([`Answer`]); the text and the page for people, and the JSON and CSVs for machines, are
//! views of the same answers, and more can be added beside them. A question that fails is shown as failed and spoils no other.
//!
//! This module opens no connection, changes nothing in the database and knows nothing of how its run is recorded.

mod answer;
mod csv;
mod folder;
mod format;
mod grid;
mod html;
mod json;
mod language;
mod pointer;
mod question;
mod questions;
mod reading;
pub mod run;
mod table;
mod text;
mod vocabulary;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use self::answer::Snapshot;
pub use self::answer::{Answer, Finding, Value};
pub use self::language::{Language, Words};
pub use self::pointer::{LATEST_JSON, POINTER_LOCK, Pointer, REWRITE_HINT};
pub use self::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
pub use self::questions::QUESTIONS;
pub use self::reading::text_of;
pub use self::vocabulary::Vocabulary;
use crate::store::Store;
use common::failure::{Failure, Result};

/// How a report is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The language of the text; the CSVs have none.
    pub language: Language,
    /// The id of the report's own run.
    pub run_id: Uuid,
    /// When that run started; names the report's folder.
    pub started_at: DateTime<Utc>,
}

/// A report that stands in the store.
#[derive(Debug, Clone)]
pub struct Written {
    /// The key of its folder, `reports/<YYYYmmdd_HHMMSS>_<run>`.
    pub folder: String,
    /// The text, as in `report.txt`.
    pub text: String,
    /// The document, as in `report.json`.
    pub document: Vec<u8>,
    /// The names of the files in the folder, `report.txt` last.
    pub files: Vec<String>,
    /// Whether `reports/latest.json` names it.
    pub latest: bool,
}

/// Asks every question, writes the report to its own folder, and makes it the latest one, if its release is still published.
///
/// If a question failed, the report is written to its folder but does not become the latest, and the result is a failure that
/// names the question.
pub async fn write(options: &Options, database: &mut PgConnection, store: &Store) -> Result<Written> {
    let Snapshot { release, findings } = answer::ask_all(database).await?;
    let text = text::render(options, &findings, text::STORED_WIDTH);
    let document = json::encode(options, &findings)?;

    let mut files = Vec::with_capacity(findings.len() + 3);
    for answer in findings.iter().filter_map(|finding| finding.outcome.as_ref().ok()) {
        files.push((answer.question.file_name(), csv::encode(answer)?));
    }
    files.push((folder::REPORT_JSON.to_owned(), document.clone()));
    files.push((folder::REPORT_HTML.to_owned(), html::render(options, &findings).into_bytes()));
    files.push((folder::REPORT_TEXT.to_owned(), text.clone().into_bytes()));
    let names = files.iter().map(|(name, _)| name.clone()).collect();
    let name = folder::name(options);
    let folder = folder::write(&name, store, files).await?;
    let place = store.url_of(&folder.clone().join(folder::REPORT_TEXT));

    check_complete(findings, &place)?;
    let pointer = Pointer { folder: name, run_id: options.run_id };
    let latest = match release {
        Ok(release) => pointer.write_if_published(release, database, store).await,
        Err(failure) => Err(failure),
    };
    let latest = latest.map_err(|failure| {
        failure.hint(format!("the report is in `{place}`; run `etl report` again to make it the latest"))
    })?;
    if latest {
        if let Err(error) = folder::delete_old_copy(store).await {
            tracing::warn!(%error, "the copy of the latest report that an earlier version left was not deleted");
        }
    } else {
        tracing::warn!(
            report = place,
            "another load was published during the report: `{LATEST_JSON}` was not changed; run `etl report` again"
        );
    }
    Ok(Written { folder: folder.to_string(), text, document, files: names, latest })
}

/// Fails if a question failed; `place` is where the text of the report is.
fn check_complete(findings: Vec<Finding>, place: &str) -> Result<()> {
    let mut failed = Vec::new();
    let mut first_cause = None;
    for finding in findings {
        if let Err(failure) = finding.outcome {
            failed.push(format!("`{}`", finding.question.name));
            first_cause.get_or_insert(failure);
        }
    }
    let Some(cause) = first_cause else { return Ok(()) };
    let what = format!("{} of {} questions of the report failed", failed.len(), QUESTIONS.len());
    Err(Failure::new(format!("{what} ({})", failed.join(", ")))
        .source(cause)
        .hint(format!("the other answers are in `{place}`; `{LATEST_JSON}` was not changed")))
}
