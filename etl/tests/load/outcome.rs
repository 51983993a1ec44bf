//! The outcome of a load as values, from the database or from the model.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row as _};
use uuid::Uuid;

/// A row of `covid_case`.
#[expect(clippy::struct_field_names, reason = "named as the columns are")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    pub(crate) case_id: i64,
    pub(crate) sex: Option<String>,
    pub(crate) age: Option<i16>,
    pub(crate) symptoms_on: Option<NaiveDate>,
    pub(crate) registered_on: NaiveDate,
    pub(crate) admitted_on: Option<NaiveDate>,
    pub(crate) icu: bool,
    pub(crate) ventilated: bool,
    pub(crate) died_on: Option<NaiveDate>,
    pub(crate) diagnosed_on: Option<NaiveDate>,
    pub(crate) registration_province_id: i16,
    pub(crate) residence_province_id: Option<i16>,
    pub(crate) residence_department_id: Option<i32>,
    pub(crate) classification: Option<String>,
}

impl FromRow<'_, PgRow> for Case {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            case_id: row.try_get("case_id")?,
            sex: row.try_get("sex")?,
            age: row.try_get("age")?,
            symptoms_on: row.try_get("symptoms_on")?,
            registered_on: row.try_get("registered_on")?,
            admitted_on: row.try_get("admitted_on")?,
            icu: row.try_get("icu")?,
            ventilated: row.try_get("ventilated")?,
            died_on: row.try_get("died_on")?,
            diagnosed_on: row.try_get("diagnosed_on")?,
            registration_province_id: row.try_get("registration_province_id")?,
            residence_province_id: row.try_get("residence_province_id")?,
            residence_department_id: row.try_get("residence_department_id")?,
            classification: row.try_get("classification")?,
        })
    }
}

/// A row of `rejected_row`, of the line list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rejected {
    pub(crate) line: i64,
    pub(crate) reason: String,
    pub(crate) raw: String,
}

/// Everything that a load writes.
#[expect(clippy::struct_field_names, reason = "the counts are named as in `pipeline_run`")]
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) read: i64,
    pub(crate) filtered: i64,
    pub(crate) loaded: i64,
    pub(crate) rejected: i64,
    pub(crate) repaired: i64,
    /// `run_issue` without the optional datasets: dataset, kind and reason in one text.
    pub(crate) issues: BTreeMap<String, i64>,
    /// By line.
    pub(crate) rejects: Vec<Rejected>,
    /// By id.
    pub(crate) cases: Vec<Case>,
}

impl Loaded {
    /// Reads the outcome of a run from the database.
    pub(crate) async fn of(connection: &mut PgConnection, run: Uuid) -> Self {
        let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT rows_read, rows_filtered, rows_loaded, rows_rejected, rows_repaired FROM pipeline_run
             WHERE run_id = $1 AND status = 'succeeded'",
        )
        .bind(run)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        let issues: Vec<(String, i64)> = sqlx::query_as(
            "SELECT dataset || ' ' || kind || ' ' || reason, rows FROM run_issue
             WHERE run_id = $1 AND dataset NOT IN ('tests', 'vaccinations', 'doses')",
        )
        .bind(run)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let rejects: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT line, reason, raw FROM rejected_row WHERE run_id = $1 AND dataset = 'cases'",
        )
        .bind(run)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let mut rejects: Vec<_> =
            rejects.into_iter().map(|(line, reason, raw)| Rejected { line, reason, raw }).collect();
        rejects.sort();
        let mut cases: Vec<Case> =
            sqlx::query_as("SELECT * FROM covid_case").fetch_all(connection).await.unwrap();
        cases.sort();
        let (read, filtered, loaded, rejected, repaired) = counts;
        Self {
            read,
            filtered,
            loaded,
            rejected,
            repaired,
            issues: issues.into_iter().collect(),
            rejects,
            cases,
        }
    }

    /// Describes the first difference from the expected outcome.
    pub(crate) fn difference(&self, expected: &Self) -> Option<String> {
        for (ours, theirs) in self.cases.iter().zip(&expected.cases) {
            if ours != theirs {
                return Some(format!("case\n{ours:#?}\nexpected\n{theirs:#?}"));
            }
        }
        for (ours, theirs) in self.rejects.iter().zip(&expected.rejects) {
            if ours != theirs {
                return Some(format!("rejected row\n{ours:#?}\nexpected\n{theirs:#?}"));
            }
        }
        let rest = |loaded: &Self| {
            let lengths = (loaded.cases.len(), loaded.rejects.len());
            let Self { read, filtered, loaded, rejected, repaired, issues, .. } = loaded;
            format!(
                "{lengths:?} {read} read, {filtered} filtered, {loaded} loaded, {rejected} rejected, {repaired} repaired, {issues:#?}"
            )
        };
        (self != expected).then(|| format!("{}\nexpected\n{}", rest(self), rest(expected)))
    }

    /// Panics with the first difference.
    pub(crate) fn must_be(&self, expected: &Self, of: &str) {
        if let Some(difference) = self.difference(expected) {
            panic!("{of}: {difference}");
        }
        let law = self.filtered + self.loaded + self.rejected;
        assert_eq!(self.read, law, "{of}: read is what was filtered, loaded and rejected");
    }
}

/// Returns the value of a query.
pub(crate) async fn value<T>(connection: &mut PgConnection, query: &str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(connection).await.unwrap()
}

/// Returns what readers see as one text: the table, its rows, and the names of provinces and departments.
pub(crate) async fn published(connection: &mut PgConnection) -> String {
    let query = "SELECT concat_ws(' ', (SELECT release_id FROM published_release),
        (SELECT count(*) || ' ' || md5(coalesce(string_agg(c::text, ';' ORDER BY case_id), '')) FROM covid_case c),
        (SELECT md5(coalesce(string_agg(p::text, ';' ORDER BY province_id), '')) FROM province p),
        (SELECT md5(coalesce(string_agg(d::text, ';' ORDER BY department_id), '')) FROM department d))";
    value(connection, query).await
}

/// Returns the rows of `covid_case` as one text.
pub(crate) async fn table(connection: &mut PgConnection) -> String {
    value(
        connection,
        "SELECT count(*) || ' ' || md5(coalesce(string_agg(c::text, ';' ORDER BY case_id), '')) FROM covid_case c",
    )
    .await
}
