//! Runs, from `pipeline_run` and `run_issue`.

use common::failure::Result;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use target::Run;
use uuid::Uuid;

use super::{answered, cannot_read, rows};

const HISTORY: &str = "the history of runs";

/// How many rows of a run were rejected or repaired for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// `provinces`, `departments` or `cases`.
    pub dataset: String,
    /// `rejected` or `repaired`.
    pub kind: String,
    pub reason: String,
    pub rows: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT run_id, kind, status, started_at, finished_at, dataset_updated_on, source_name, source_size, ",
            "years, rows_read, rows_filtered, rows_loaded, rows_repaired, rows_rejected, error FROM pipeline_run ",
            $rest
        )
    };
}

/// Returns the newest runs, newest first.
pub async fn newest(connection: &mut PgConnection, limit: u32) -> Result<Vec<Run>> {
    let sql = select!("ORDER BY started_at DESC, run_id LIMIT $1");
    rows(connection, HISTORY, sqlx::query(sql).bind(i64::from(limit)), run).await
}

/// Returns the load that built the published release.
pub async fn published(connection: &mut PgConnection) -> Result<Option<Run>> {
    let sql = select!("WHERE run_id = published_load()");
    Ok(rows(connection, HISTORY, sqlx::query(sql), run).await?.pop())
}

/// Returns the latest load if the publish gate refused it and no load has published since.
pub async fn refused(connection: &mut PgConnection) -> Result<Option<Run>> {
    let sql = select!(
        "WHERE status = 'failed' AND run_id = (
             SELECT run_id FROM release WHERE EXISTS (SELECT FROM run_check WHERE run_check.run_id = release.run_id)
             ORDER BY release_id DESC LIMIT 1)
         AND EXISTS (SELECT FROM run_check WHERE run_check.run_id = pipeline_run.run_id AND outcome = 'failed'
                     AND dataset NOT IN ('tests', 'vaccinations', 'doses'))"
    );
    Ok(rows(connection, HISTORY, sqlx::query(sql), run).await?.pop())
}

/// Returns the run whose id begins as typed; `latest` is the newest.
pub async fn find(connection: &mut PgConnection, typed: &str) -> Result<Run> {
    let missing = || target::no_run(typed);
    if typed == "latest" {
        return newest(connection, 1).await?.pop().ok_or_else(missing);
    }
    // Other characters could be LIKE patterns.
    if typed.is_empty() || !typed.chars().all(|character| character.is_ascii_hexdigit() || character == '-') {
        return Err(missing());
    }
    let sql = select!("WHERE run_id::text LIKE lower($1) || '%' ORDER BY started_at DESC LIMIT 2");
    let mut found = rows(connection, HISTORY, sqlx::query(sql).bind(typed), run).await?;
    if found.len() > 1 {
        return Err(target::ambiguous_run(typed));
    }
    found.pop().ok_or_else(missing)
}

pub async fn issues(connection: &mut PgConnection, run: Uuid) -> Result<Vec<Issue>> {
    const SQL: &str = "SELECT dataset, kind, reason, rows FROM run_issue WHERE run_id = $1 ORDER BY dataset, kind, rows DESC, reason";
    let rows = answered(sqlx::query_as(SQL).bind(run).fetch_all(connection)).await;
    let issue = |(dataset, kind, reason, rows)| Issue { dataset, kind, reason, rows };
    Ok(rows.map_err(cannot_read("the rejects and repairs"))?.into_iter().map(issue).collect())
}

fn run(row: &PgRow) -> sqlx::Result<Run> {
    Ok(Run {
        finished_at: row.try_get("finished_at")?,
        status: row.try_get("status")?,
        dataset_updated_on: row.try_get("dataset_updated_on")?,
        source_name: row.try_get("source_name")?,
        source_size: row.try_get("source_size")?,
        years: row.try_get("years")?,
        rows_read: row.try_get("rows_read")?,
        rows_filtered: row.try_get("rows_filtered")?,
        rows_loaded: row.try_get("rows_loaded")?,
        rows_repaired: row.try_get("rows_repaired")?,
        rows_rejected: row.try_get("rows_rejected")?,
        error: row.try_get("error")?,
        ..Run::begun(row.try_get("run_id")?, row.try_get("kind")?, row.try_get("started_at")?)
    })
}
