//! The SQL of covidctl: runs, releases, checks, migrations and data.
//!
//! It reads; jobs change the schema and the data. Exceptions: creating the local database, and the roles of a new database.

pub mod checks;
pub mod data;
pub mod migrations;
pub mod releases;
pub mod roles;
pub mod runs;

use std::borrow::Cow;
use std::time::Duration;

use common::failure::{Context as _, Exit, Failure, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};

use target::Database;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a connection, with a hint on failure.
pub async fn connect(database: &Database) -> Result<PgConnection> {
    open(options(database)?, database).await
}

/// Creates the database on its server if it does not exist.
pub async fn create_if_missing(database: &Database) -> Result<()> {
    let mut server = open(options(database)?.database("postgres"), database).await?;
    let name = &database.name;
    let there = sqlx::query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)").bind(name);
    let there = there.fetch_one(&mut server).await.and_then(|row| row.try_get::<bool, _>(0));
    if !there.context(|| "cannot list the databases".to_owned())? {
        // The name is a constant that needs no quotes; CREATE DATABASE takes no parameters.
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        match sqlx::raw_sql(create).execute(&mut server).await {
            // Another client created it in the meantime.
            Err(error) if code(&error).is_some_and(|code| matches!(code.as_ref(), "42P04" | "23505")) => {}
            created => created.map(drop).context(|| format!("cannot create the database `{name}`"))?,
        }
    }
    Ok(())
}

/// Returns the TLS version of the connection, or `None` without TLS.
pub async fn encryption(connection: &mut PgConnection) -> Result<Option<String>> {
    let version = sqlx::query_scalar("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl");
    version
        .fetch_optional(connection)
        .await
        .context(|| "cannot query the TLS state of the connection".to_owned())
}

fn options(database: &Database) -> Result<PgConnectOptions> {
    database
        .url()
        .parse::<PgConnectOptions>()
        .map_err(|_| Failure::new(format!("invalid database URL {database:?}")))
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

/// Returns the error of a query; a missing table, column or function means that migrations are pending.
fn cannot_read(what: &str, error: sqlx::Error) -> Failure {
    let missing = code(&error).is_some_and(|code| matches!(code.as_ref(), "42P01" | "42703" | "42883"));
    let failure = Failure::new(format!("cannot read {what}"));
    if missing {
        failure.source("the schema is missing or outdated").hint("covidctl db migrate")
    } else {
        failure.source(error)
    }
}

/// Returns the SQLSTATE of an error.
fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}
