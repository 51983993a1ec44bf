//! The only part that speaks SQL to the pipeline's database: its history of runs, its migrations and its data.
//!
//! It reads; what changes the schema or the data is a job. The exceptions are an empty database of our own, and the logins of a new one.

pub mod checks;
pub mod data;
pub mod migrations;
pub mod releases;
pub mod roles;
pub mod runs;
mod scram;

use std::borrow::Cow;
use std::time::Duration;

use common::failure::{Context as _, Exit, Failure, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};

use target::Database;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a connection.
pub async fn connect(database: &Database) -> Result<PgConnection> {
    open(options(database)?, database).await
}

/// Creates the database itself on its server.
pub async fn create_if_missing(database: &Database) -> Result<()> {
    let mut server = open(options(database)?.database("postgres"), database).await?;
    let name = &database.name;
    let there = sqlx::query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)").bind(name);
    let there = there.fetch_one(&mut server).await.and_then(|row| row.try_get::<bool, _>(0));
    if !there.context(|| "cannot list the databases".to_owned())? {
        // A name of ours, without anything to escape; statements of this kind take no parameters.
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        match sqlx::raw_sql(create).execute(&mut server).await {
            // Somebody else was a little quicker.
            Err(error) if code(&error).is_some_and(|code| matches!(code.as_ref(), "42P04" | "23505")) => {}
            created => created.map(drop).context(|| format!("cannot create the database `{name}`"))?,
        }
    }
    Ok(())
}

/// How a connection is protected on its way: the version of TLS, or nothing.
pub async fn encryption(connection: &mut PgConnection) -> Result<Option<String>> {
    let version = sqlx::query_scalar("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl");
    version
        .fetch_optional(connection)
        .await
        .context(|| "cannot ask how the connection is encrypted".to_owned())
}

fn options(database: &Database) -> Result<PgConnectOptions> {
    database
        .url()
        .parse::<PgConnectOptions>()
        .map_err(|_| Failure::new(format!("wrong address {database:?}")))
}

async fn open(options: PgConnectOptions, database: &Database) -> Result<PgConnection> {
    let options = options.application_name("covidctl");
    let connecting = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options));
    match connecting.await {
        Ok(connected) => connected.context(|| format!("cannot connect to {database:?}")),
        Err(_) => Err(Failure::new(format!("{database:?} does not answer")).exit_code(Exit::Timeout)),
    }
    .map_err(|failure| failure.hint("covidctl status"))
}

/// Says what was being read, and what to do if tables, columns or functions are missing: the schema is that of an older version.
fn cannot_read(what: &str, error: sqlx::Error) -> Failure {
    let missing = code(&error).is_some_and(|code| matches!(code.as_ref(), "42P01" | "42703" | "42883"));
    let failure = Failure::new(format!("cannot read {what}"));
    if missing {
        failure
            .source("the database has no tables yet, or those of an older version")
            .hint("covidctl db migrate")
    } else {
        failure.source(error)
    }
}

/// The server's own code of an error.
fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}
