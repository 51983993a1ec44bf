//! A run of `etl report`: records itself if this login can write, and writes the report to the store.
//!
//! A run on a read replica or as the reader role has no row in `pipeline_run`, only its record in the store.

use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use sqlx::postgres::PgConnection;

use super::answer::{Snapshot, take_snapshot};
use super::content::{Content, Options};
use super::pointer::{LATEST_JSON, Pointer};
use super::{csv, html, json, text};
use crate::database::{Database, DbContext as _, Session};
use crate::interrupts::Interrupts;
use crate::store::{OrRefused as _, REPORTS, Store, refused};
use crate::{database, migrate, run_session, runs};
use common::failure::{Context as _, Failure, Result};

const REPORT_TEXT: &str = "report.txt";
const REPORT_HTML: &str = "report.html";
const REPORT_JSON: &str = "report.json";

/// A report that is stopped must not hold its snapshot, which keeps replaced releases, for long.
const LIMITS: &str = "SET idle_in_transaction_session_timeout = '1min'; SET statement_timeout = '15min'";

/// The folder in which earlier versions kept a copy of the latest report, under [`REPORTS`].
const OLD_COPY: &str = "latest";

/// A report in the store.
#[derive(Debug, Clone)]
pub struct Written {
    /// The key of its folder, `reports/<YYYYmmdd_HHMMSS>_<run>`.
    pub folder: String,
    /// The contents of `report.txt`.
    pub text: String,
    /// The contents of `report.json`.
    pub document: Vec<u8>,
    /// The names of the files in the order of writing, `report.txt` last.
    pub files: Vec<String>,
    /// Whether `reports/latest.json` names it.
    pub latest: bool,
}

/// Writes a report of the published release.
pub async fn run(
    options: &Options,
    database_url: &str,
    reports: &Store,
    interrupts: &mut Interrupts,
) -> Result<Written> {
    let database = Database::new(database_url, options.run_id);
    let (mut session, can_write) = interrupts.or_interrupted(database.watched(begin(&database))).await?;
    let work = async {
        database::execute(&mut session, LIMITS, "cannot set time limits").await?;
        let written = write(options, &mut session, reports).await?;
        if can_write && let Err(error) = runs::finish(&mut session, options.run_id, "succeeded").await {
            tracing::warn!(%error, "could not record the end of the run");
        }
        Ok(written)
    };
    let result = interrupts.or_interrupted(database.watched(work)).await;
    if let Ok(written) = &result {
        tracing::info!(
            folder = reports.url_of(&written.folder.as_str().into()),
            files = written.files.len(),
            latest = written.latest,
            "report written"
        );
    }
    if can_write { run_session::settle(&database, session, result, None).await } else { result }
}

/// Opens the session of a report and records the run, if this login can write; returns whether it can.
async fn begin(database: &Database) -> Result<(Session, bool)> {
    let mut session = database.connect().await?;
    let can_write = can_write(&mut session).await?;
    if can_write {
        migrate::migrate(&mut session).await?;
        runs::mark_stale_failed(&mut session, runs::RunKind::Report).await?;
        runs::begin(&mut session, database.run_id(), runs::RunKind::Report).await?;
    } else if migrate::schema_state(&mut session).await?.pending > 0 {
        return Err(Failure::new("the schema is not up to date, and this login cannot change it")
            .hint("run `etl migrate` with a login that can write"));
    }
    Ok((session, can_write))
}

/// Returns whether this login can record a run: not on a replica, and only with write privileges.
async fn can_write(session: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT NOT pg_is_in_recovery()
            AND coalesce(has_table_privilege(to_regclass('public.pipeline_run'), 'INSERT'),
                         has_schema_privilege('public', 'CREATE'))",
    )
    .fetch_one(session)
    .await
    .db_context("cannot read the privileges of this login")
}

/// Answers every question, writes the report to a folder of its own, and makes it the latest report if its release is still published.
///
/// If a question fails, the report is written but does not become the latest, and the failure names the question.
pub async fn write(options: &Options, database: &mut PgConnection, store: &Store) -> Result<Written> {
    let Snapshot { published_load, results } = take_snapshot(database).await?;
    let content = Content { options: *options, results };
    let text = text::render(&content, text::STORED_WIDTH);
    let document = json::encode(&content).context(|| format!("cannot encode `{REPORT_JSON}`"))?;

    let mut files = Vec::with_capacity(content.results.len() + 3);
    for answer in content.answers() {
        files.push((answer.question.file_name(), csv::encode(answer)?));
    }
    files.push((REPORT_JSON.to_owned(), document.clone()));
    files.push((REPORT_HTML.to_owned(), html::render(&content).into_bytes()));
    files.push((REPORT_TEXT.to_owned(), text.clone().into_bytes()));
    let file_names = files.iter().map(|(name, _)| name.clone()).collect();
    let name = format!("{}_{}", options.started_at.format("%Y%m%d_%H%M%S"), options.run_id);
    let folder = Key::from_iter([REPORTS, &name]);
    for (name, bytes) in files {
        store.put(&folder.clone().join(name), bytes).await?;
    }
    let url = store.url_of(&folder.clone().join(REPORT_TEXT));

    ensure_complete(content, &url)?;
    let pointer = Pointer { folder: name, run_id: options.run_id };
    let latest = match published_load {
        Ok(load) => pointer.write_if_published(load, database, store).await,
        Err(failure) => Err(failure),
    };
    let latest = latest.map_err(|failure| {
        failure.hint(format!("the report is in `{url}`; run `etl report` again to make it the latest"))
    })?;
    if latest {
        if let Err(error) = delete_old_copy(store).await {
            tracing::warn!(%error, "could not delete the copy of the latest report that an earlier version left");
        }
    } else {
        tracing::warn!(
            report = url,
            "another load was published during the report: `{LATEST_JSON}` was not changed; run `etl report` again"
        );
    }
    Ok(Written { folder: folder.to_string(), text, document, files: file_names, latest })
}

/// Fails if a question failed. `url` is that of the report's text.
fn ensure_complete(content: Content, url: &str) -> Result<()> {
    let of = content.results.len();
    let mut failed = Vec::new();
    let mut first_cause = None;
    for result in content.results {
        if let Err(failure) = result.answer {
            failed.push(format!("`{}`", result.question.name));
            first_cause.get_or_insert(failure);
        }
    }
    let Some(cause) = first_cause else { return Ok(()) };
    let what = format!("{} of {of} questions of the report failed ({})", failed.len(), failed.join(", "));
    let hint = format!("the other answers are in `{url}`; `{LATEST_JSON}` was not changed");
    Err(Failure::new(what).source(cause).hint(hint))
}

/// Deletes the copy of the latest report that earlier versions wrote and that is no longer updated.
async fn delete_old_copy(store: &Store) -> Result<()> {
    let copy = Key::from_iter([REPORTS, OLD_COPY]);
    let objects: Vec<_> = store
        .objects()
        .list(Some(&copy))
        .try_collect()
        .await
        .or_refused(|| format!("cannot list `{}`", store.url_of(&copy)))?;
    for key in objects.into_iter().map(|object| object.location) {
        match store.objects().delete(&key).await {
            // Another report can be deleting the same copy.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(refused(format!("cannot delete `{}`", store.url_of(&key)), error)),
        }
    }
    Ok(())
}

/// Renders the text of a report for lines of `width` characters, from its `report.json`. Returns `None` if another release wrote the document.
pub fn text_of(document: &serde_json::Value, width: usize) -> Option<String> {
    json::decode(document).map(|content| text::render(&content, width))
}
