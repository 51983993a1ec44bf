//! What is published, as far as the gate compares a load with it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::profile::Profile;
use crate::clean::missing::Column;
use crate::database::DbContext as _;
use crate::dataset::Dataset;
use common::failure::Result;

const WHAT: &str = "cannot read what is published";

/// The published release.
#[derive(Debug, Default)]
pub struct Published {
    /// `ultima_actualizacion` of its line list.
    pub dataset_date: Option<NaiveDate>,
    /// Its cases. Without missing values if an earlier version of this program loaded it.
    pub profile: Profile,
    /// Whether `profile` knows missing values.
    pub knows_missing: bool,
    /// Rows of the reference tables.
    pub georef: BTreeMap<Dataset, u64>,
    /// Its optional datasets.
    pub optional: BTreeMap<Dataset, OptionalFigures>,
}

/// Rows of an optional dataset, as the table of its counts has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionalFigures {
    /// By year; `None` for a dataset without dates.
    pub years: BTreeMap<Option<i32>, YearFigures>,
}

/// Rows, and rows without a value by column.
pub(super) type YearFigures = (u64, BTreeMap<&'static str, u64>);

impl OptionalFigures {
    /// Returns the rows and the missing values of a column in the years that `wanted` selects.
    pub fn share(&self, column: &str, wanted: impl Fn(Option<i32>) -> bool) -> (u64, u64) {
        let years = self.years.iter().filter(|(year, _)| wanted(**year));
        years.fold((0, 0), |(rows, missing), (_, (more, by_column))| {
            (rows + more, missing + by_column.get(column).copied().unwrap_or_default())
        })
    }

    /// Returns the columns that may have no value.
    pub fn columns(&self) -> Vec<&'static str> {
        self.years.values().next().map(|year| year.1.keys().copied().collect()).unwrap_or_default()
    }
}

impl Published {
    /// Reads it; `None` before the first publication.
    pub async fn read(session: &mut PgConnection) -> Result<Option<Self>> {
        let Some((run_id, dataset_date)): Option<(Uuid, Option<NaiveDate>)> = sqlx::query_as(
            "SELECT run_id, dataset_updated_on FROM pipeline_run WHERE run_id = published_load()",
        )
        .fetch_optional(&mut *session)
        .await
        .db_context(WHAT)?
        else {
            return Ok(None);
        };
        let mut published = Self { dataset_date, ..Self::default() };
        published.read_profile(session, run_id).await?;
        let (provinces, departments): (i64, i64) =
            sqlx::query_as("SELECT (SELECT count(*) FROM province), (SELECT count(*) FROM department)")
                .fetch_one(&mut *session)
                .await
                .db_context(WHAT)?;
        published.georef =
            [(Dataset::Provinces, count(provinces)), (Dataset::Departments, count(departments))].into();
        for dataset in Dataset::OPTIONAL {
            if let Some(load) = published_load_of(session, dataset).await? {
                published.optional.insert(dataset, optional_figures(session, dataset, load).await?);
            }
        }
        Ok(Some(published))
    }

    async fn read_profile(&mut self, session: &mut PgConnection, run_id: Uuid) -> Result<()> {
        let rows: Vec<(i16, String, i64, i64)> =
            sqlx::query_as("SELECT year, column_name, rows, missing FROM run_profile WHERE run_id = $1")
                .bind(run_id)
                .fetch_all(&mut *session)
                .await
                .db_context(WHAT)?;
        self.knows_missing = !rows.is_empty();
        for (year, name, rows, missing) in rows {
            let column = Column::ALL.into_iter().find(|column| column.name() == name);
            self.profile.set(year.into(), count(rows), column, count(missing));
        }
        if self.knows_missing {
            return Ok(());
        }
        let years: Vec<(i32, i64)> = sqlx::query_as(
            "SELECT extract(year FROM registered_on)::integer, sum(cases)::bigint FROM case_counts() GROUP BY 1",
        )
        .fetch_all(session)
        .await
        .db_context(WHAT)?;
        for (year, rows) in years {
            self.profile.set(year, count(rows), None, 0);
        }
        Ok(())
    }
}

/// The load whose rows the published release shows for an optional dataset.
pub async fn published_load_of(session: &mut PgConnection, dataset: Dataset) -> Result<Option<Uuid>> {
    sqlx::query_scalar("SELECT published_dataset_load($1)")
        .bind(dataset.name())
        .fetch_one(session)
        .await
        .db_context(WHAT)
}

/// Reads the rows that a load has left of an optional dataset, published or not.
pub async fn optional_figures(
    session: &mut PgConnection,
    dataset: Dataset,
    run_id: Uuid,
) -> Result<OptionalFigures> {
    let (columns, statement) = match dataset {
        Dataset::Vaccinations => (
            &["province_id"][..],
            "SELECT NULL::integer, count(*), ARRAY[count(*) FILTER (WHERE province_id IS NULL)]
             FROM vaccination_count WHERE run_id = $1 HAVING count(*) > 0",
        ),
        // Doses of unknown date are in no year.
        Dataset::Doses => (
            &["residence_province_id", "residence_department_id", "sex", "age_group", "dose"][..],
            "SELECT extract(year FROM week_starts_on)::integer, sum(doses)::bigint,
                    ARRAY[coalesce(sum(doses) FILTER (WHERE residence_province_id IS NULL), 0)::bigint,
                          coalesce(sum(doses) FILTER (WHERE residence_department_id IS NULL), 0)::bigint,
                          coalesce(sum(doses) FILTER (WHERE sex IS NULL), 0)::bigint,
                          coalesce(sum(doses) FILTER (WHERE age_group IS NULL), 0)::bigint,
                          coalesce(sum(doses) FILTER (WHERE dose IS NULL), 0)::bigint]
             FROM run_dose_count WHERE run_id = $1 AND week_starts_on IS NOT NULL GROUP BY 1",
        ),
        _ => (
            &["province_id", "department_id", "funding", "laboratory"][..],
            "SELECT extract(year FROM tested_on)::integer, count(*),
                    ARRAY[count(*) FILTER (WHERE province_id IS NULL), count(*) FILTER (WHERE department_id IS NULL),
                          count(*) FILTER (WHERE funding IS NULL), count(*) FILTER (WHERE laboratory IS NULL)]
             FROM test_count WHERE run_id = $1 GROUP BY 1",
        ),
    };
    let rows: Vec<(Option<i32>, i64, Vec<i64>)> =
        sqlx::query_as(statement).bind(run_id).fetch_all(session).await.db_context(WHAT)?;
    let years = rows.into_iter().map(|(year, rows, missing)| {
        (year, (count(rows), columns.iter().copied().zip(missing.into_iter().map(count)).collect()))
    });
    Ok(OptionalFigures { years: years.collect() })
}

fn count(rows: i64) -> u64 {
    rows.unsigned_abs()
}
