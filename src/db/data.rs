//! The published data: tables with their sizes, cases by week and province, rejected rows.
//!
//! Each query is one statement, so that it sees one release.

use chrono::NaiveDate;
use common::failure::Result;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use super::cannot_read;

/// Tables that are small enough for an exact count.
const SMALL: &str = "
    SELECT 'province', count(*) FROM province
    UNION ALL SELECT 'department', count(*) FROM department
    UNION ALL SELECT 'pipeline_run', count(*) FROM pipeline_run";

/// The optional datasets of a load with table, status and published rows. A refused dataset keeps the rows of an earlier load.
const OPTIONAL: &str = "
    SELECT dataset, CASE dataset WHEN 'tests' THEN 'test_count' ELSE 'vaccination_count' END, of_load.status, shown.rows_loaded
    FROM run_dataset AS of_load
    LEFT JOIN (SELECT * FROM run_dataset WHERE run_id = published_dataset_load(dataset)) AS shown USING (dataset)
    WHERE of_load.run_id = $1 AND dataset IN ('tests', 'vaccinations') ORDER BY dataset";

/// The size of a table with its indexes. The three views of the published release have the size of its partitions.
const SIZE: &str = "
    SELECT coalesce(pg_total_relation_size(coalesce(
        (SELECT to_regclass(format('public.release_%s_%s', view.release, release_id))
         FROM published_release, (VALUES ('covid_case', 'case'), ('province', 'province'), ('department', 'department')) AS view (name, release)
         WHERE view.name = $1),
        to_regclass('public.' || $1))), 0)";

/// Confirmed cases by week, from the first to the last week that has a case; weeks begin on Sunday, as the ministry's do.
const WEEKS: &str = "
    WITH weekly AS (
        SELECT registered_on - extract(dow FROM registered_on)::int AS week,
               sum(cases) FILTER (WHERE classification = 'Confirmado')::bigint AS confirmed
        FROM case_counts() GROUP BY 1)
    SELECT day::date, coalesce(confirmed, 0)
    FROM generate_series((SELECT min(week) FROM weekly)::timestamp, (SELECT max(week) FROM weekly)::timestamp, interval '7 days') AS day
    LEFT JOIN weekly ON weekly.week = day::date
    ORDER BY 1";

/// An unknown residence is a row of its own.
const PROVINCES: &str = "
    SELECT province.name, confirmed
    FROM (SELECT residence_province_id AS province_id, sum(cases)::bigint AS confirmed
          FROM case_counts() WHERE classification = 'Confirmado' GROUP BY 1) AS tally
    LEFT JOIN province USING (province_id)
    ORDER BY confirmed DESC, name";

/// Returns the exact row counts of the small tables.
pub async fn small_tables(connection: &mut PgConnection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query(SMALL).try_map(|row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.fetch_all(connection).await.map_err(|error| cannot_read("the tables", error))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalDataset {
    /// `tests` or `vaccinations`.
    pub dataset: String,
    pub table: String,
    /// `loaded`, `missing`, `unreadable` or `refused`.
    pub status: String,
    /// Published rows, if the release has any.
    pub rows: Option<i64>,
}

/// Returns the optional datasets of a load.
pub async fn optional(connection: &mut PgConnection, run: Uuid) -> Result<Vec<OptionalDataset>> {
    let rows = sqlx::query(OPTIONAL).bind(run).try_map(|row: PgRow| {
        Ok(OptionalDataset {
            dataset: row.try_get(0)?,
            table: row.try_get(1)?,
            status: row.try_get(2)?,
            rows: row.try_get(3)?,
        })
    });
    rows.fetch_all(connection).await.map_err(|error| cannot_read("the tables", error))
}

/// Returns the bytes of a table with its indexes.
pub async fn size(connection: &mut PgConnection, table: &str) -> Result<i64> {
    let size = sqlx::query(SIZE).bind(table);
    let size = size.try_map(|row: PgRow| row.try_get(0));
    size.fetch_one(connection).await.map_err(|error| cannot_read("the tables", error))
}

/// Returns confirmed cases by the first day of the week, without gaps.
pub async fn weeks(connection: &mut PgConnection) -> Result<Vec<(NaiveDate, i64)>> {
    let rows = sqlx::query(WEEKS).try_map(|row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.fetch_all(connection).await.map_err(|error| cannot_read("the cases", error))
}

/// Returns confirmed cases by province of residence, largest first.
pub async fn provinces(connection: &mut PgConnection) -> Result<Vec<(Option<String>, i64)>> {
    let rows = sqlx::query(PROVINCES).try_map(|row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.fetch_all(connection).await.map_err(|error| cannot_read("the cases", error))
}

/// Returns the first rejected rows of a run for a reason: line number and raw text, at most 4,000 characters.
pub async fn rejected(
    connection: &mut PgConnection,
    run: Uuid,
    dataset: &str,
    reason: &str,
    limit: i64,
) -> Result<Vec<(i64, String)>> {
    let rows = sqlx::query(
        "SELECT line, left(raw, 4000) FROM rejected_row
         WHERE run_id = $1 AND dataset = $2 AND reason = $3 ORDER BY line LIMIT $4",
    );
    let rows = rows.bind(run).bind(dataset).bind(reason).bind(limit);
    let rows = rows.try_map(|row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.fetch_all(connection).await.map_err(|error| cannot_read("the rejected rows", error))
}
