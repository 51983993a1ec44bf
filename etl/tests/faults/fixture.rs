//! A database and a folder for datasets of one test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::thread;

use etl::sample;
use sqlx::postgres::{PgConnectOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::run::{Ended, Run};
use crate::watch::until;

/// A superuser's URL of the test server.
const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

/// Database and folder; both are deleted when it is dropped.
pub(crate) struct Fixture {
    server: PgConnectOptions,
    database: String,
    folder: tempfile::TempDir,
}

/// A dataset in a folder of its own.
#[derive(Debug, Clone)]
pub(crate) struct Dataset(pub(crate) PathBuf);

/// What readers see of `covid_case`: the number of rows, and a digest of all values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) rows: i64,
    pub(crate) digest: String,
}

impl From<PgRow> for Seen {
    fn from(row: PgRow) -> Self {
        Self { rows: row.get("rows"), digest: row.get("digest") }
    }
}

/// Returns a [`Seen`].
pub(crate) const LOOK: &str = "SELECT count(*) AS rows, coalesce(sum(hash_record_extended(covid_case, 0)), 0)::text AS digest FROM covid_case";

impl Fixture {
    /// Creates a fixture on the server that all tests share.
    pub(crate) async fn new() -> Self {
        Self::on(&environment(TEST_DATABASE_URL)).await
    }

    /// Creates a fixture on this server.
    pub(crate) async fn on(server: &str) -> Self {
        let server = PgConnectOptions::from_str(server).unwrap();
        let database = format!("test_{}", Uuid::new_v4().simple());
        execute(&mut server.connect().await.unwrap(), &format!("CREATE DATABASE {database}")).await;
        Self { server, database, folder: tempfile::tempdir().unwrap() }
    }

    /// Writes a dataset. Another seed gives other rows.
    pub(crate) fn dataset(&self, rows: u64, seed: u64) -> Dataset {
        self.dirty_dataset(rows, seed, 0.0)
    }

    /// Writes a dataset with a share of defects.
    pub(crate) fn dirty_dataset(&self, rows: u64, seed: u64, dirty: f64) -> Dataset {
        let out = self.folder.path().join(format!("{rows}-{seed}"));
        sample::write(&sample::Options { rows, seed, dirty, doses: 0, out: out.clone() }, &|_| {}).unwrap();
        Dataset(out)
    }

    /// Writes two datasets, and loads the first.
    pub(crate) async fn with_two_datasets(&self, rows: u64) -> (Dataset, Dataset) {
        let (old, new) = (self.dataset(rows, 1), self.dirty_dataset(rows + rows / 10, 2, 0.02));
        self.load(&old, &[]).await;
        (old, new)
    }

    /// Starts `etl run` with all years of a dataset.
    pub(crate) fn start(&self, dataset: &Dataset, arguments: &[&str]) -> Run {
        Run::start(&self.url(), &dataset.0, &self.folder.path().join("reports"), arguments)
    }

    /// The same through a proxy of the server on this port of the loopback.
    pub(crate) fn start_through(&self, port: u16, dataset: &Dataset, arguments: &[&str]) -> Run {
        Run::start(&self.url_through(port), &dataset.0, &self.folder.path().join("reports"), arguments)
    }

    /// Returns the URL of the database through a proxy on this port of the loopback.
    pub(crate) fn url_through(&self, port: u16) -> String {
        let options = self.server.clone().database(&self.database).host("127.0.0.1").port(port);
        options.ssl_mode(PgSslMode::Disable).to_url_lossy().to_string()
    }

    /// Returns the name of the superuser.
    pub(crate) fn user(&self) -> &str {
        self.server.get_username()
    }

    /// Returns the address of the server.
    pub(crate) async fn address(&self) -> SocketAddr {
        let address = tokio::net::lookup_host((self.server.get_host(), self.server.get_port())).await;
        address.unwrap().next().unwrap()
    }

    /// Returns the content of a run's record.
    pub(crate) fn record(&self, run: Uuid) -> Vec<u8> {
        std::fs::read(self.folder.path().join(format!("reports/runs/{run}.json"))).unwrap()
    }

    /// Runs `etl run`, which must succeed.
    pub(crate) async fn load(&self, dataset: &Dataset, arguments: &[&str]) -> Ended {
        let ended = self.start(dataset, arguments).end().await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended
    }

    /// Returns a superuser's URL of the database.
    pub(crate) fn url(&self) -> String {
        self.server.clone().database(&self.database).to_url_lossy().to_string()
    }

    /// Returns the name of the database.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Runs statements on a connection of their own.
    pub(crate) async fn change(&self, statements: &str) {
        execute(&mut self.connect().await, statements).await;
    }

    /// Returns what a new session sees.
    pub(crate) async fn seen(&self) -> Seen {
        look(&mut self.connect().await).await
    }

    /// Returns the status of a run, and its error if there is one; `None` if the run has no row.
    pub(crate) async fn status(&self, run: Uuid) -> Option<(String, Option<String>)> {
        sqlx::query_as("SELECT status, error FROM pipeline_run WHERE run_id = $1")
            .bind(run)
            .fetch_optional(&mut self.connect().await)
            .await
            .unwrap()
    }

    /// Returns the tables of cases of releases other than the published one.
    pub(crate) async fn leftovers(&self) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND starts_with(relname, 'release_case_')
             AND relname NOT IN (SELECT 'release_case_' || release_id FROM release
                                 WHERE run_id IS NULL OR release_id = (SELECT release_id FROM published_release)) ORDER BY 1",
        )
        .fetch_all(&mut self.connect().await)
        .await
        .unwrap()
    }

    /// Asserts that no other release is left after a load of this dataset. Autovacuum may hold a table while a run tries to drop it; then
    /// the next run drops it.
    pub(crate) async fn clear_by_runs_of(&self, dataset: &Dataset) {
        until("a run drops what is left over", async || {
            let clear = self.leftovers().await.is_empty();
            if !clear {
                self.load(dataset, &[]).await;
            }
            clear
        })
        .await;
    }

    /// Makes a run give up on tables in use after a second or two instead of fifteen: it waits for parts of `deadlock_timeout`.
    pub(crate) async fn hurry(&self) {
        self.change(&format!("ALTER DATABASE {} SET deadlock_timeout = '20ms'", self.database)).await;
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let server = self.server.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        // A thread of its own has no runtime yet, so it may block on one, also while the test unwinds.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                // A server that the test stopped is gone with all it had.
                if let Ok(mut connection) = server.connect().await {
                    execute(&mut connection, &statement).await;
                }
            });
        });
        let dropped = dropped.join().is_ok();
        assert!(dropped || thread::panicking(), "the test database {} could not be dropped", self.database);
    }
}

/// Returns what this connection sees, by a statement that is parsed again.
pub(crate) async fn look(connection: &mut PgConnection) -> Seen {
    look_by(connection, LOOK).await.unwrap()
}

/// Returns what this connection sees, by another statement.
pub(crate) async fn look_by(connection: &mut PgConnection, statement: &str) -> sqlx::Result<Seen> {
    sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(connection).await.map(Seen::from)
}

/// Runs one or more statements.
pub(crate) async fn execute(connection: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.unwrap();
}

/// Returns a variable that the test command sets.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line: the test command passes the server this way"
)]
pub(crate) fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"))
}
