//! Owner and readers of the tables, and loads by a login that is not an administrator.

use std::str::FromStr as _;

use common::env;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::fixture::{CSV, Fixture};
use crate::outcome::value;
use crate::rows::{file, good};

const OWNERS: &str = "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'";

/// A login without superuser and CREATEROLE; it is dropped before the database.
struct Login {
    name: String,
}

impl Login {
    async fn new(fixture: &Fixture) -> Self {
        let name = format!("login_{}", Uuid::new_v4().simple());
        fixture.execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'right'")).await;
        Self { name }
    }

    fn url(&self, fixture: &Fixture) -> String {
        let options = PgConnectOptions::from_str(&fixture.database.url()).unwrap();
        options.username(&self.name).password("right").to_url_lossy().to_string()
    }

    async fn remove(self, fixture: &Fixture) {
        let database: String = value(&mut fixture.connect().await, "SELECT current_database()::text").await;
        let Self { name } = self;
        fixture
            .execute(&format!(
                "ALTER DATABASE {database} OWNER TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}"
            ))
            .await;
    }
}

#[tokio::test]
async fn as_an_administrator_the_owner_owns_and_the_reader_reads() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(10)));
    for swap in 1..=2 {
        fixture.run(&["--years", "all", "--force"]).succeeded();
        let mut connection = fixture.connect().await;
        assert_eq!(value::<String>(&mut connection, OWNERS).await, "covid19_owner", "swap {swap}");
        sqlx::raw_sql("SET ROLE covid19_reader").execute(&mut connection).await.unwrap();
        for table in ["covid_case", "province", "department", "pipeline_run", "run_dataset"] {
            let count: i64 = value(&mut connection, &format!("SELECT count(*) FROM {table}")).await;
            assert!(count > 0, "swap {swap}: {table}");
        }
        for readable in [
            "run_issue",
            "rejected_row",
            "test_counts()",
            "vaccination_counts()",
            "daily_estimates()",
            "past_estimates()",
        ] {
            value::<i64>(&mut connection, &format!("SELECT count(*) FROM {readable}")).await;
        }
        let refused = sqlx::query("DELETE FROM covid_case").execute(&mut connection).await;
        assert!(refused.is_err(), "a reader only reads");
    }
}

#[tokio::test]
async fn writer_loads_after_an_administrator_migrated() {
    let fixture = Fixture::loaded().await;
    let login = Login::new(&fixture).await;
    fixture.execute(&format!("GRANT covid19_owner TO {}", login.name)).await;
    fixture.put(CSV, file(&good(25)));
    let ended =
        fixture.command().env(env::DATABASE_URL, &login.url(&fixture)).arguments(&["--years", "all"]).end();
    ended.succeeded();
    let mut connection = fixture.connect().await;
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await, 25);
    assert_eq!(value::<String>(&mut connection, OWNERS).await, "covid19_owner");
    login.remove(&fixture).await;
}

#[tokio::test]
async fn plain_login_works_in_its_own_database() {
    let fixture = Fixture::new().await;
    let login = Login::new(&fixture).await;
    let database: String = value(&mut fixture.connect().await, "SELECT current_database()::text").await;
    fixture.execute(&format!("ALTER DATABASE {database} OWNER TO {}", login.name)).await;
    fixture.put(CSV, file(&good(15)));
    for _ in 0..2 {
        let command = fixture.command().env(env::DATABASE_URL, &login.url(&fixture));
        command.arguments(&["--years", "all", "--force"]).end().succeeded();
    }
    let mut connection = fixture.connect().await;
    assert_eq!(value::<String>(&mut connection, OWNERS).await, login.name);
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await, 15);
    login.remove(&fixture).await;
}

#[tokio::test]
async fn login_without_rights_gets_a_hint() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(15)));
    let login = Login::new(&fixture).await;
    let run = || {
        fixture.command().env(env::DATABASE_URL, &login.url(&fixture)).arguments(&["--years", "all"]).end()
    };
    run().failed(&[
        "cannot migrate the schema",
        "permission denied",
        "as the owner of the database or an administrator",
    ]);

    fixture.run(&["--years", "all"]).succeeded();
    let before = fixture.published().await;
    fixture.put(CSV, file(&good(16)));
    run().failed(&["permission denied", "covid19_writer"]);
    fixture.execute(&format!("GRANT covid19_reader TO {}", login.name)).await;
    run().failed(&["permission denied", "covid19_writer"]);
    assert_eq!(fixture.published().await, before);
    login.remove(&fixture).await;
}
