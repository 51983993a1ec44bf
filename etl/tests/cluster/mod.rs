//! A PostgreSQL database for each integration test, empty or migrated.
//!
//! `cargo xtask test` starts the server and sets `TEST_DATABASE_URL`. A test creates a database there and drops it at the end, also if it
//! fails.

use std::path::Path;
use std::str::FromStr as _;
use std::thread;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use uuid::Uuid;

/// A superuser's URL of the test server.
const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

/// A database that is dropped with this value.
pub(crate) struct TestDatabase {
    server: PgConnectOptions,
    name: String,
}

/// Creates a database without tables, as before the first `etl run`.
pub(crate) async fn empty_database() -> TestDatabase {
    let server = PgConnectOptions::from_str(&server_url()).unwrap();
    let name = format!("test_{}", Uuid::new_v4().simple());
    execute(&mut server.connect().await.unwrap(), &format!("CREATE DATABASE {name}")).await;
    TestDatabase { server, name }
}

/// Creates a database with every migration applied.
pub(crate) async fn database() -> TestDatabase {
    let database = empty_database().await;
    let mut connection = database.connect().await;
    for migration in migrations() {
        execute(&mut connection, &migration).await;
    }
    database
}

/// Returns statements that publish the empty release 1 for the run `run_id`.
pub(crate) fn published_by(run_id: &str) -> String {
    format!(
        "UPDATE release SET run_id = '{run_id}', rules_version = 1, publication = 1 WHERE release_id = 1;
         INSERT INTO published_release (release_id) VALUES (1);"
    )
}

impl TestDatabase {
    /// Returns a superuser's URL of this database.
    pub(crate) fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// Opens a connection to this database.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own has no runtime yet, so it may block on one, also while the test unwinds.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { execute(&mut server.connect().await.unwrap(), &statement).await });
        });
        let dropped = dropped.join().is_ok();
        assert!(dropped || thread::panicking(), "the test database {} could not be dropped", self.name);
    }
}

/// Runs one or more statements.
pub(crate) async fn execute(connection: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line: the test command passes the server this way"
)]
fn server_url() -> String {
    std::env::var(TEST_DATABASE_URL)
        .unwrap_or_else(|_| panic!("{TEST_DATABASE_URL} is not set: run `cargo xtask test`"))
}

/// Returns the text of all migrations, in order.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no migrations in {}", folder.display());
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}
