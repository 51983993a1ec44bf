//! The published data: tables with their sizes, cases by week and province, rejected rows.
//!
//! Each query is one statement, so that it sees one release.

use chrono::NaiveDate;
use common::failure::Result;
use sqlx::postgres::PgConnection;
use sqlx::query_as;
use uuid::Uuid;

use super::{answered, cannot_read, cluster};

/// Returns the exact row counts of the tables that are small enough for it.
pub async fn small_tables(connection: &mut PgConnection) -> Result<Vec<(String, i64)>> {
    const SQL: &str = "
        SELECT 'province', count(*) FROM province
        UNION ALL SELECT 'department', count(*) FROM department
        UNION ALL SELECT 'pipeline_run', count(*) FROM pipeline_run";
    answered(query_as(SQL).fetch_all(connection)).await.map_err(cannot_read("the tables"))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalDataset {
    /// `tests`, `vaccinations` or `doses`.
    pub dataset: String,
    pub table: String,
    /// `loaded`, `missing`, `unreadable` or `refused`.
    pub status: String,
    /// Published rows, if the release has any. A refused dataset keeps the rows of an earlier load.
    pub rows: Option<i64>,
}

pub async fn optional(connection: &mut PgConnection, run: Uuid) -> Result<Vec<OptionalDataset>> {
    const SQL: &str = "
        SELECT dataset, CASE dataset WHEN 'tests' THEN 'test_count' WHEN 'doses' THEN 'dose_count' ELSE 'vaccination_count' END, of_load.status, shown.rows_loaded
        FROM run_dataset AS of_load
        LEFT JOIN (SELECT * FROM run_dataset WHERE run_id = published_dataset_load(dataset)) AS shown USING (dataset)
        WHERE of_load.run_id = $1 AND dataset IN ('tests', 'vaccinations', 'doses') ORDER BY dataset";
    let rows =
        answered(query_as(SQL).bind(run).fetch_all(connection)).await.map_err(cannot_read("the tables"))?;
    let dataset = |(dataset, table, status, rows)| OptionalDataset { dataset, table, status, rows };
    Ok(rows.into_iter().map(dataset).collect())
}

/// Returns the bytes of a table with its indexes. The three views of the published release have the size of its partitions.
pub async fn size(connection: &mut PgConnection, table: &str) -> Result<i64> {
    const SQL: &str = "
        SELECT relname::text, pg_total_relation_size(oid) FROM pg_class WHERE oid = coalesce(
            (SELECT to_regclass(format('public.release_%s_%s', view.release, release_id))
             FROM published_release, (VALUES ('covid_case', 'case'), ('province', 'province'), ('department', 'department')) AS view (name, release)
             WHERE view.name = $1),
            to_regclass('public.' || $1))";
    let local: Option<(String, i64)> = answered(query_as(SQL).bind(table).fetch_optional(&mut *connection))
        .await
        .map_err(cannot_read("the tables"))?;
    let Some((name, size)) = local else { return Ok(0) };
    let distributed = cluster::table_sizes(connection).await?;
    Ok(size + distributed.get(&name).copied().unwrap_or_default())
}

/// Returns confirmed cases by the first day of the week, from the first to the last week that has a case, without gaps. Weeks begin on
/// Sunday, as the ministry's do.
pub async fn weeks(connection: &mut PgConnection) -> Result<Vec<(NaiveDate, i64)>> {
    const SQL: &str = "
        WITH weekly AS (
            SELECT registered_on - extract(dow FROM registered_on)::int AS week,
                   sum(cases) FILTER (WHERE classification = 'Confirmado')::bigint AS confirmed
            FROM case_counts() GROUP BY 1)
        SELECT day::date, coalesce(confirmed, 0)
        FROM generate_series((SELECT min(week) FROM weekly)::timestamp, (SELECT max(week) FROM weekly)::timestamp, interval '7 days') AS day
        LEFT JOIN weekly ON weekly.week = day::date
        ORDER BY 1";
    answered(query_as(SQL).fetch_all(connection)).await.map_err(cannot_read("the cases"))
}

/// Returns confirmed cases by province of residence, largest first; an unknown residence has a row of its own.
pub async fn provinces(connection: &mut PgConnection) -> Result<Vec<(Option<String>, i64)>> {
    const SQL: &str = "
        SELECT province.name, confirmed
        FROM (SELECT residence_province_id AS province_id, sum(cases)::bigint AS confirmed
              FROM case_counts() WHERE classification = 'Confirmado' GROUP BY 1) AS tally
        LEFT JOIN province USING (province_id)
        ORDER BY confirmed DESC, name";
    answered(query_as(SQL).fetch_all(connection)).await.map_err(cannot_read("the cases"))
}

/// Returns the latest reproduction number of the country, its mean and its 95 % interval; `None` without estimates, or with fewer cases than the report shows.
pub async fn reproduction_number(connection: &mut PgConnection) -> Result<Option<(f64, f64, f64)>> {
    const SQL: &str = "
        SELECT r_mean, r_q025, r_q975 FROM daily_estimates()
        WHERE province_id IS NULL AND window_cases >= 11 ORDER BY day DESC LIMIT 1";
    answered(query_as(SQL).fetch_optional(connection)).await.map_err(cannot_read("the estimates"))
}

/// Returns the first rejected rows of a run for a reason: line number and raw text, at most 4,000 characters.
pub async fn rejected(
    connection: &mut PgConnection,
    run: Uuid,
    dataset: &str,
    reason: &str,
    limit: i64,
) -> Result<Vec<(i64, String)>> {
    const SQL: &str = "
        SELECT line, left(raw, 4000) FROM rejected_row
        WHERE run_id = $1 AND dataset = $2 AND reason = $3 ORDER BY line LIMIT $4";
    let rows = query_as(SQL).bind(run).bind(dataset).bind(reason).bind(limit);
    answered(rows.fetch_all(connection)).await.map_err(cannot_read("the rejected rows"))
}
