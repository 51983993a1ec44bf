//! A database of its own on the test server, which is dropped with its value.

use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use uuid::Uuid;

use super::environment;

/// A superuser's URL of the test server.
const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

pub(crate) struct Database {
    url: PgConnectOptions,
    text: String,
    pub(crate) name: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let text = environment(TEST_DATABASE_URL);
        let url = PgConnectOptions::from_str(&text).unwrap();
        let name = format!("test_{}", Uuid::new_v4().simple());
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(create).execute(&mut url.connect().await.unwrap()).await.unwrap();
        Self { url, text, name }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone().database(&self.name).to_url_lossy().to_string()
    }

    pub(crate) fn server(&self) -> &PgConnectOptions {
        &self.url
    }

    /// What stands before the `@`, which the library does not give away.
    pub(crate) fn password(&self) -> String {
        let before = self.text.split_once("://").unwrap().1.split_once('@').map_or("", |(login, _)| login);
        before.split_once(':').map_or("unused", |(_, password)| password).to_owned()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (url, drop_it) =
            (self.url.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sqlx::raw_sql(AssertSqlSafe(drop_it))
                    .execute(&mut url.connect().await.unwrap())
                    .await
                    .unwrap();
            });
        });
        assert!(dropped.join().is_ok() || std::thread::panicking(), "the database {} stays", self.name);
    }
}
