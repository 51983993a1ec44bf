//! The SQL of covidctl: runs, releases, checks, data and migrations.
//!
//! It reads; jobs change the schema and the data. Exceptions: creating the local database, and the roles of a new database.

pub mod activity;
pub mod checks;
pub mod cluster;
pub mod data;
pub mod releases;
pub mod roles;
pub mod runs;

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::failure::{Context as _, Exit, Failure, Result};
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, Postgres};
use target::Database;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take: the slowest query counts a table of 30 million rows.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);

/// How long migrations may take: they may build an index of a large table.
pub const MIGRATION_TIMEOUT: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedMigration {
    pub version: i64,
    pub description: String,
    pub applied_at: DateTime<Utc>,
    pub success: bool,
}

/// Opens a connection, with a hint on failure.
pub async fn connect(database: &Database) -> Result<PgConnection> {
    open(options(database)?, database).await
}

/// Creates the database on its server if it does not exist.
pub async fn create_if_missing(database: &Database) -> Result<()> {
    let mut server = open(options(database)?.database("postgres"), database).await?;
    roles::ensure_database(&mut server, &database.name, None).await.map(drop)
}

/// Returns the TLS version of the connection, or `None` without TLS.
pub async fn encryption(connection: &mut PgConnection) -> Result<Option<String>> {
    let version = sqlx::query_scalar("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl");
    answered(version.fetch_optional(connection))
        .await
        .context(|| "cannot query the TLS state of the connection")
}

/// Lists applied migrations in order; none if the schema does not exist.
pub async fn applied_migrations(connection: &mut PgConnection) -> Result<Vec<AppliedMigration>> {
    const SQL: &str =
        "SELECT version, description, installed_on, success FROM _sqlx_migrations ORDER BY version";
    if etl::migrate::schema_state(connection).await?.applied == 0 {
        return Ok(Vec::new());
    }
    let rows =
        answered(sqlx::query_as(SQL).fetch_all(connection)).await.map_err(cannot_read("the migrations"))?;
    let migration = |(version, description, applied_at, success)| AppliedMigration {
        version,
        description,
        applied_at,
        success,
    };
    Ok(rows.into_iter().map(migration).collect())
}

fn options(database: &Database) -> Result<PgConnectOptions> {
    database.url().parse().map_err(|_| Failure::new(format!("invalid database URL {database:?}")))
}

async fn open(options: PgConnectOptions, database: &Database) -> Result<PgConnection> {
    let options = options.application_name("covidctl");
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options));
    match connecting.await {
        Ok(connected) => connected.context(|| format!("cannot connect to {database:?}")),
        Err(_) => Err(Failure::new(format!("connecting to {database:?} timed out")).exit_code(Exit::Timeout)),
    }
    .map_err(|failure| failure.hint("covidctl status"))
}

/// Waits for the answer to a query. A connection does not notice that the server or the network is gone.
async fn answered<T>(query: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(ANSWER_TIMEOUT, query).await.unwrap_or_else(|_| {
        let text = format!("PostgreSQL has not answered for {} seconds", ANSWER_TIMEOUT.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text)))
    })
}

/// Runs a query and converts its rows.
async fn rows<T>(
    connection: &mut PgConnection,
    what: &str,
    query: Query<'_, Postgres, PgArguments>,
    convert: impl Fn(&PgRow) -> sqlx::Result<T>,
) -> Result<Vec<T>> {
    let rows = answered(query.fetch_all(connection)).await;
    rows.and_then(|rows| rows.iter().map(convert).collect()).map_err(cannot_read(what))
}

/// Converts the error of a query; a missing table, column or function means that migrations are pending.
fn cannot_read(what: &str) -> impl Fn(sqlx::Error) -> Failure {
    move |error| {
        let failure = Failure::new(format!("cannot read {what}"));
        if code(&error).is_some_and(|code| matches!(code.as_ref(), "42P01" | "42703" | "42883")) {
            failure.source("the schema is missing or outdated").hint("covidctl db migrate")
        } else {
            failure.source(error)
        }
    }
}

/// Returns the SQLSTATE of an error.
fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn query_without_answer_fails() {
        let error = answered(std::future::pending::<sqlx::Result<()>>()).await.unwrap_err();
        assert!(error.to_string().contains("PostgreSQL has not answered for 120 seconds"), "{error}");
    }
}
