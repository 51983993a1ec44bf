//! Answers all questions in one read-only snapshot and keeps the values.
//!
//! Runs unchanged on the primary, on a read replica and on a Citus cluster: plain SELECTs, no temporary tables, no settings.

use std::error::Error;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Postgres, Row as _, Transaction};
use uuid::Uuid;

use super::pointer::published_load;
use super::question::{Column, ColumnKind, Question};
use super::questions::QUESTIONS;
use common::failure::{Context as _, Result};

/// The contents of one database snapshot.
pub(super) struct Snapshot {
    /// The published load, if there is one.
    pub(super) published_load: Result<Option<Uuid>>,
    /// One result for each of [`QUESTIONS`], in the same order.
    pub(super) results: Vec<QuestionResult>,
}

#[derive(Debug)]
pub struct QuestionResult {
    pub question: &'static Question,
    pub answer: Result<Answer>,
}

/// The answer to one question. Each row has one value for each column of the question.
#[derive(Debug, Clone)]
pub struct Answer {
    pub question: &'static Question,
    pub rows: Vec<Vec<Value>>,
}

impl Answer {
    pub fn columns(&self) -> &'static [Column] {
        &self.question.columns
    }
}

/// A raw value: not rounded, in no language.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// NULL.
    Missing,
    Text(String),
    Number(i64),
    /// A percentage; 12.5 is 12.5 %.
    Percent(f64),
    Rate(f64),
    /// A day, or a month as its first day.
    Date(NaiveDate),
    Time(DateTime<Utc>),
    Flag(bool),
}

impl Value {
    /// Returns a number as one that can be drawn.
    #[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
    pub(super) const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number as f64),
            Self::Percent(number) | Self::Rate(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) const fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Answers every question. Fails as a whole only if no snapshot can be taken.
pub(super) async fn take_snapshot(database: &mut PgConnection) -> Result<Snapshot> {
    let mut snapshot = database
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .context(|| "cannot begin a read-only transaction".to_owned())?;
    let published_load = in_savepoint(&mut snapshot, published_load)
        .await
        .context(|| "cannot read which load is published".to_owned());
    let mut results = Vec::with_capacity(QUESTIONS.len());
    for &question in QUESTIONS.iter() {
        let rows = in_savepoint(&mut snapshot, async |database| {
            let rows = sqlx::query(question.sql).fetch_all(database).await?;
            rows.iter().map(|row| read_row(question, row)).collect()
        });
        let rows = rows.await.context(|| format!("cannot answer `{}`", question.name));
        results.push(QuestionResult { question, answer: rows.map(|rows| Answer { question, rows }) });
    }
    // Nothing was written, so that a failed rollback changes no answer.
    if let Err(error) = snapshot.rollback().await {
        tracing::debug!(%error, "could not roll back the report's snapshot");
    }
    Ok(Snapshot { published_load, results })
}

/// Runs a query under a savepoint, so that its failure leaves the snapshot usable.
async fn in_savepoint<T>(
    snapshot: &mut Transaction<'_, Postgres>,
    query: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    let result = async {
        let mut savepoint = snapshot.begin().await?;
        match query(&mut savepoint).await {
            Ok(value) => savepoint.commit().await.map(|()| value),
            Err(error) => {
                savepoint.rollback().await?;
                Err(error)
            }
        }
    };
    result.await.map_err(|error| match &error {
        // The driver would append the line of the server's source code.
        sqlx::Error::Database(database) => database.message().into(),
        _ => error.into(),
    })
}

fn read_row(question: &Question, row: &PgRow) -> sqlx::Result<Vec<Value>> {
    question.columns.iter().map(|column| read_value(column, row)).collect()
}

fn read_value(column: &Column, row: &PgRow) -> sqlx::Result<Value> {
    let name = column.name;
    let value = match column.kind {
        ColumnKind::Text => row.try_get::<Option<_>, _>(name)?.map(Value::Text),
        ColumnKind::Number | ColumnKind::Count | ColumnKind::Difference => {
            row.try_get::<Option<_>, _>(name)?.map(Value::Number)
        }
        ColumnKind::Rate | ColumnKind::Ratio => row.try_get::<Option<_>, _>(name)?.map(Value::Rate),
        ColumnKind::Percent | ColumnKind::Share | ColumnKind::Change => {
            row.try_get::<Option<_>, _>(name)?.map(Value::Percent)
        }
        ColumnKind::Date | ColumnKind::Month => row.try_get::<Option<_>, _>(name)?.map(Value::Date),
        ColumnKind::Time => row.try_get::<Option<_>, _>(name)?.map(Value::Time),
        ColumnKind::Flag => row.try_get::<Option<_>, _>(name)?.map(Value::Flag),
    };
    Ok(value.unwrap_or(Value::Missing))
}
