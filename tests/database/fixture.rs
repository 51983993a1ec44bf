//! A migrated database of its own on the test server, which is dropped with its value.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use target::Database;
use uuid::Uuid;

/// The password of the readers, who log in over the loopback to their test's database alone.
const READER_PASSWORD: &str = "unused";

pub(crate) struct TestDatabase {
    server: PgConnectOptions,
    password: Option<String>,
    pub(crate) name: String,
}

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        let database = Self::without_schema().await;
        etl::migrate::migrate(&mut database.connect().await).await.unwrap();
        let reader = database.reader();
        let create =
            format!("CREATE ROLE {reader} LOGIN PASSWORD '{READER_PASSWORD}' IN ROLE covid19_reader");
        execute(&database.server, create).await;
        database
    }

    /// Creates a database of another pipeline.
    pub(crate) async fn without_schema() -> Self {
        let url = reqwest::Url::parse(&server_url()).unwrap();
        let (server, password) =
            (PgConnectOptions::from_url(&url).unwrap(), url.password().map(str::to_owned));
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, password, name }
    }

    /// Opens a connection as a superuser.
    pub(crate) async fn connect(&self) -> PgConnection {
        self.server.clone().database(&self.name).connect().await.unwrap()
    }

    /// Returns the access of the superuser.
    pub(crate) fn administrator_access(&self) -> Database {
        self.access(self.server.get_username().to_owned(), self.password.clone())
    }

    /// Returns the access of a role that can only read. It is this database's own, because roles belong to the server.
    pub(crate) fn reader_access(&self) -> Database {
        self.access(self.reader(), Some(READER_PASSWORD.to_owned()))
    }

    fn reader(&self) -> String {
        format!("reader_of_{}", self.name)
    }

    fn access(&self, user: String, password: Option<String>) -> Database {
        Database {
            host: self.server.get_host().to_owned(),
            address: None,
            socket_folder: None,
            port: self.server.get_port(),
            user,
            name: self.name.clone(),
            password_file: None,
            programs: None,
            ca_bundle: None,
            password,
            guard: None,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let statements = [
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
            format!("DROP ROLE IF EXISTS {}", self.reader()),
        ];
        // A thread of its own has no runtime yet, so it may block on one, also while the test unwinds.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            for statement in statements {
                runtime.block_on(execute(&server, statement));
            }
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
