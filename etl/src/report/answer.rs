//! Asks the questions, all in one read-only snapshot, and keeps what comes back as values.
//!
//! Runs unchanged on the master, on a read replica and on a Citus cluster: plain SELECTs, no temporary tables, no settings.

use std::error::Error;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Postgres, Row as _, Transaction};
use uuid::Uuid;

use super::pointer::published_load;
use super::question::{Column, Kind, Question};
use super::questions::QUESTIONS;
use common::failure::{Context as _, Result};

/// What one snapshot of the database holds.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The load that is published in it, if there is one.
    pub(super) release: Result<Option<Uuid>>,
    /// Every question of [`QUESTIONS`], in order.
    pub(super) findings: Vec<Finding>,
}

/// A question and what came of it.
#[derive(Debug)]
pub struct Finding {
    /// What was asked.
    pub question: &'static Question,
    /// The answer, or why there is none.
    pub outcome: Result<Answer>,
}

/// The answer to one question: as many values in each row as the question has columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was asked; has the columns.
    pub question: &'static Question,
    /// The rows, in the query's order.
    pub rows: Vec<Vec<Value>>,
}

impl Answer {
    /// The question's columns.
    pub const fn columns(&self) -> &'static [Column] {
        self.question.columns
    }
}

/// One value, raw: no language, no rounding.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Missing,
    /// Text or a code.
    Text(String),
    /// A count, or a number that is a name.
    Number(i64),
    /// A percentage; 12.5 is 12.5 %.
    Percent(f64),
    /// A mean or a rate.
    Rate(f64),
    /// A day, or a month as its first day.
    Date(NaiveDate),
    /// An instant.
    Time(DateTime<Utc>),
    /// Yes or no.
    Flag(bool),
}

/// Asks every question of [`QUESTIONS`], in order. Fails as a whole only where there can be no snapshot at all.
pub(super) async fn ask_all(database: &mut PgConnection) -> Result<Snapshot> {
    let mut snapshot = database
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .context(|| "cannot begin reading the database".to_owned())?;
    let release = ask_release(&mut snapshot).await;
    let mut findings = Vec::with_capacity(QUESTIONS.len());
    for question in &QUESTIONS {
        findings.push(Finding { question, outcome: ask(question, &mut snapshot).await });
    }
    // Nothing was written: how the snapshot ends changes no answer, and a lost connection has been reported by then.
    if let Err(error) = snapshot.rollback().await {
        tracing::debug!(%error, "the report's snapshot did not end cleanly");
    }
    Ok(Snapshot { release, findings })
}

/// Asks which load is published, under a savepoint, so that a failure leaves the snapshot usable.
async fn ask_release(snapshot: &mut Transaction<'_, Postgres>) -> Result<Option<Uuid>> {
    let asked = async {
        let mut attempt = snapshot.begin().await?;
        match published_load(&mut attempt).await {
            Ok(release) => attempt.commit().await.map(|()| release),
            Err(error) => {
                attempt.rollback().await?;
                Err(error)
            }
        }
    };
    asked.await.map_err(in_words).context(|| "cannot ask which load is published".to_owned())
}

/// Asks one question under a savepoint, so that a failure leaves the snapshot usable.
async fn ask(question: &'static Question, snapshot: &mut Transaction<'_, Postgres>) -> Result<Answer> {
    let asked = async {
        let mut attempt = snapshot.begin().await?;
        match sqlx::query(question.sql).fetch_all(&mut *attempt).await {
            Ok(rows) => {
                attempt.commit().await?;
                rows.iter().map(|row| read_row(question, row)).collect()
            }
            Err(error) => {
                attempt.rollback().await?;
                Err(error)
            }
        }
    };
    let rows = asked.await.map_err(in_words).context(|| format!("cannot answer `{}`", question.name))?;
    Ok(Answer { question, rows })
}

/// The server's own sentence; the driver would add the line of the server's source code.
fn in_words(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match &error {
        sqlx::Error::Database(said) => said.message().into(),
        _ => error.into(),
    }
}

fn read_row(question: &Question, row: &PgRow) -> Result<Vec<Value>, sqlx::Error> {
    question.columns.iter().map(|column| read_value(column, row)).collect()
}

fn read_value(column: &Column, row: &PgRow) -> Result<Value, sqlx::Error> {
    let name = column.name;
    let value = match column.kind {
        Kind::Text(_) => row.try_get::<Option<_>, _>(name)?.map(Value::Text),
        Kind::Number | Kind::Count | Kind::Difference => {
            row.try_get::<Option<_>, _>(name)?.map(Value::Number)
        }
        Kind::Rate => row.try_get::<Option<_>, _>(name)?.map(Value::Rate),
        Kind::Percent | Kind::Share | Kind::Change => row.try_get::<Option<_>, _>(name)?.map(Value::Percent),
        Kind::Date | Kind::Month => row.try_get::<Option<_>, _>(name)?.map(Value::Date),
        Kind::Time => row.try_get::<Option<_>, _>(name)?.map(Value::Time),
        Kind::Flag => row.try_get::<Option<_>, _>(name)?.map(Value::Flag),
    };
    Ok(value.unwrap_or(Value::Missing))
}
