//! Databases that are unreachable, or that the program must not change.

use std::net::TcpListener;
use std::str::FromStr as _;

use common::env;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::fixture::{CSV, Etl, Fixture};
use crate::rows::{file, good};

/// The password in every URL of this module, which no message may contain.
const SECRET: &str = "hunter2-and-more";

fn run(fixture: &Fixture, url: &str, words: &[&str]) {
    let ended = fixture.command().env(env::DATABASE_URL, url).end().failed(words);
    assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    let record = std::fs::read_to_string(fixture.path(&format!("runs/{}.json", ended.run))).unwrap();
    assert!(record.contains("\"failed\"") && !record.contains(SECRET), "{record}");
}

fn options(fixture: &Fixture) -> PgConnectOptions {
    PgConnectOptions::from_str(&fixture.database.url()).unwrap()
}

#[tokio::test]
async fn urls_that_lead_nowhere() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = |address: &str| format!("postgres://user:{SECRET}@{address}");
    run(
        &fixture,
        "garbage",
        &["DATABASE_URL is not a PostgreSQL URL", "postgres://user:password@host:port/database"],
    );
    run(&fixture, &url("127.0.0.1:port/x"), &["DATABASE_URL is not a PostgreSQL URL"]);
    run(
        &fixture,
        &url("127.0.0.1/x").replace("postgres", "mysql"),
        &["DATABASE_URL is not a PostgreSQL URL"],
    );
    run(
        &fixture,
        &url(&format!("127.0.0.1:{port}/x")),
        &["cannot connect to PostgreSQL at 127.0.0.1", "check host and port"],
    );
    run(&fixture, &url("no.such.host.invalid/x"), &["no.such.host.invalid:5432", "check host and port"]);
    let elsewhere = options(&fixture).database("no_such_database").to_url_lossy().to_string();
    run(&fixture, &elsewhere, &["no_such_database", "create the database, or check its name"]);
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn wrong_password() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let role = format!("login_{}", Uuid::new_v4().simple());
    fixture.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'")).await;
    let wrong = options(&fixture).username(&role).password(SECRET);
    if wrong.connect().await.is_ok() {
        println!("skipped: this server does not ask for passwords");
    } else {
        run(
            &fixture,
            wrong.to_url_lossy().as_ref(),
            &["password authentication failed", "check user and password"],
        );
    }
    fixture.execute(&format!("DROP ROLE {role}")).await;
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn newer_schema() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', true, '', 0)";
    fixture.execute(newer).await;
    for subcommand in ["run", "report", "migrate"] {
        let ended = Etl::new(subcommand)
            .env(env::STORE_URL, &crate::fixture::url(fixture.folder.path()))
            .env(env::DATABASE_URL, &fixture.database.url())
            .end();
        ended.failed(&["version 9999", "the release that migrated it"]);
    }
    assert_eq!(fixture.published().await, before);
}

/// The tally cannot be written: the run fails after everything is loaded, and nothing is published.
#[tokio::test]
async fn missing_table() {
    let fixture = Fixture::loaded().await;
    fixture.execute("DROP TABLE run_issue").await;
    let before = fixture.published().await;
    fixture.put(CSV, file(&good(10)));
    fixture.run(&["--years", "all"]).failed(&["run_issue", "does not exist"]);
    assert_eq!(fixture.published().await, before);
}

#[tokio::test]
async fn environment_completes_the_url() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(60)));
    let options = options(&fixture);
    let url = format!("postgres:///{}", options.get_database().unwrap());
    let password = PgConnectOptions::to_url_lossy(&options).password().unwrap_or_default().to_owned();
    let command = |port: u16| {
        fixture
            .command()
            .env(env::DATABASE_URL, &url)
            .env("PGHOST", options.get_host())
            .env("PGPORT", &port.to_string())
            .env("PGUSER", options.get_username())
            .env("PGPASSWORD", &password)
            .arguments(&["--years", "all"])
    };
    command(1).end().failed(&["cannot connect to PostgreSQL", ":1"]);
    command(options.get_port()).end().succeeded();
    assert!(!fixture.published().await.is_empty());
}

#[tokio::test]
async fn server_ends_sessions_of_clients_that_are_gone() {
    let fixture = Fixture::loaded().await;
    let mut session = etl::database::connect(&fixture.database.url(), Uuid::new_v4()).await.unwrap();
    for (setting, value) in [
        ("client_connection_check_interval", "500ms"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "60000"),
    ] {
        let show = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        let shown: String = show.fetch_one(&mut session).await.unwrap();
        assert_eq!(shown, value, "{setting}");
    }
}
