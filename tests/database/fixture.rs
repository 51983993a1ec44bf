//! A migrated database of its own on the test server, which is dropped with its value.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use target::Database;
use uuid::Uuid;

pub(crate) struct TestDatabase {
    server: PgConnectOptions,
    pub(crate) name: String,
}

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        let database = Self::without_schema().await;
        etl::migrate::migrate(&mut database.connect().await).await.unwrap();
        database
    }

    /// Creates a database of another pipeline.
    pub(crate) async fn without_schema() -> Self {
        let server = PgConnectOptions::from_str(&server_url()).unwrap();
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    /// Opens a connection as a superuser.
    pub(crate) async fn connect(&self) -> PgConnection {
        self.server.clone().database(&self.name).connect().await.unwrap()
    }

    /// Returns the access of a role, by default of the superuser. The test server asks for no password.
    pub(crate) fn access(&self, role: Option<&str>) -> Database {
        Database {
            host: self.server.get_host().to_owned(),
            address: None,
            socket_folder: None,
            port: self.server.get_port(),
            user: role.unwrap_or(self.server.get_username()).to_owned(),
            name: self.name.clone(),
            password_file: None,
            programs: None,
            ca_bundle: None,
            password: Some("unused".to_owned()),
            guard: None,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, statement) =
            (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A thread of its own has no runtime yet, so it may block on one, also while the test unwinds.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, statement));
        });
        assert!(dropped.join().is_ok() || std::thread::panicking(), "the database {} stays", self.name);
    }
}

/// Returns the pid of a session.
pub(crate) async fn pid(session: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(session).await.unwrap()
}

async fn execute(server: &PgConnectOptions, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut server.connect().await.unwrap()).await.unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line: the test command passes the server this way"
)]
fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect("run `cargo xtask test`")
}
