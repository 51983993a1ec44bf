//! Who owns the tables, who may read them, and what a login may do that is not an administrator's.

use std::str::FromStr as _;

use common::env;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::loaded::value;
use crate::place::{CSV, Place};
use crate::rows::{file, good};

const OWNERS: &str = "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'";

/// A login of its own, which is no superuser and may create no roles; it goes before the database does.
struct Login {
    name: String,
}

impl Login {
    async fn new(place: &Place) -> Self {
        let name = format!("login_{}", Uuid::new_v4().simple());
        place.execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'right'")).await;
        Self { name }
    }

    fn url(&self, place: &Place) -> String {
        let options = PgConnectOptions::from_str(&place.database.url()).unwrap();
        options.username(&self.name).password("right").to_url_lossy().to_string()
    }

    async fn remove(self, place: &Place) {
        let database: String = value(&mut place.connect().await, "SELECT current_database()::text").await;
        let Self { name } = self;
        place
            .execute(&format!(
                "ALTER DATABASE {database} OWNER TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}"
            ))
            .await;
    }
}

#[tokio::test]
async fn as_an_administrator_the_owner_owns_and_the_reader_reads() {
    let place = Place::new().await;
    place.put(CSV, file(&good(10)));
    for swap in 1..=2 {
        place.run(&["--years", "all", "--force"]).succeeded();
        let mut connection = place.connect().await;
        assert_eq!(value::<String>(&mut connection, OWNERS).await, "covid19_owner", "swap {swap}");
        sqlx::raw_sql("SET ROLE covid19_reader").execute(&mut connection).await.unwrap();
        for table in ["covid_case", "province", "department", "pipeline_run", "run_dataset"] {
            let count: i64 = value(&mut connection, &format!("SELECT count(*) FROM {table}")).await;
            assert!(count > 0, "swap {swap}: {table}");
        }
        for readable in ["run_issue", "rejected_row", "test_counts()", "vaccination_counts()"] {
            value::<i64>(&mut connection, &format!("SELECT count(*) FROM {readable}")).await;
        }
        let refused = sqlx::query("DELETE FROM covid_case").execute(&mut connection).await;
        assert!(refused.is_err(), "a reader only reads");
    }
}

#[tokio::test]
async fn the_writer_loads_what_an_administrator_set_up() {
    let place = Place::loaded().await;
    let login = Login::new(&place).await;
    place.execute(&format!("GRANT covid19_owner TO {}", login.name)).await;
    place.put(CSV, file(&good(25)));
    let ended =
        place.command().env(env::DATABASE_URL, &login.url(&place)).arguments(&["--years", "all"]).end();
    ended.succeeded();
    let mut connection = place.connect().await;
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await, 25);
    assert_eq!(value::<String>(&mut connection, OWNERS).await, "covid19_owner");
    login.remove(&place).await;
}

#[tokio::test]
async fn a_plain_login_works_as_itself_in_a_database_of_its_own() {
    let place = Place::new().await;
    let login = Login::new(&place).await;
    let database: String = value(&mut place.connect().await, "SELECT current_database()::text").await;
    place.execute(&format!("ALTER DATABASE {database} OWNER TO {}", login.name)).await;
    place.put(CSV, file(&good(15)));
    for _ in 0..2 {
        let command = place.command().env(env::DATABASE_URL, &login.url(&place));
        command.arguments(&["--years", "all", "--force"]).end().succeeded();
    }
    let mut connection = place.connect().await;
    assert_eq!(value::<String>(&mut connection, OWNERS).await, login.name);
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await, 15);
    login.remove(&place).await;
}

#[tokio::test]
async fn a_login_without_rights_is_told_whom_to_ask() {
    let place = Place::new().await;
    place.put(CSV, file(&good(15)));
    let login = Login::new(&place).await;
    let run =
        || place.command().env(env::DATABASE_URL, &login.url(&place)).arguments(&["--years", "all"]).end();
    run().failed(&[
        "cannot migrate the schema",
        "permission denied",
        "as the owner of the database or an administrator",
    ]);

    place.run(&["--years", "all"]).succeeded();
    let before = place.published().await;
    place.put(CSV, file(&good(16)));
    run().failed(&["permission denied", "covid19_writer"]);
    place.execute(&format!("GRANT covid19_reader TO {}", login.name)).await;
    run().failed(&["permission denied", "covid19_writer"]);
    assert_eq!(place.published().await, before);
    login.remove(&place).await;
}
