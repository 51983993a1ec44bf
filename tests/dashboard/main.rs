//! `covidctl dashboard` against a fake Metabase that validates and stores requests.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod front;
mod schema;
mod stub;

use std::process::Command;

use serde_json::{Value, json};

use crate::front::Front;
use crate::stub::Stub;

struct Output {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program, configured by its environment.
#[track_caller]
fn dashboard(stub: &Stub, args: &[&str], password: &str) -> Output {
    dashboard_at(&stub.url, args, password)
}

#[track_caller]
fn dashboard_at(url: &str, args: &[&str], password: &str) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_covidctl"))
        .arg("dashboard")
        .args(args)
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("METABASE_URL", url)
        .env("METABASE_EMAIL", "admin@example.org")
        .env("METABASE_PASSWORD", password)
        .env(
            "METABASE_DATABASE_URL",
            "postgres://covid19_reader:hush-hush@replica.internal:5432/covid19?sslmode=require",
        )
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
fn items(output: &Output) -> Vec<Value> {
    serde_json::from_str::<Value>(&output.out)
        .unwrap_or_else(|_| panic!("{}{}", output.out, output.err))
        .as_array()
        .unwrap()
        .clone()
}

#[track_caller]
fn states(output: &Output, state: &str) -> usize {
    items(output).iter().filter(|item| item["state"] == state).count()
}

#[test]
fn apply_new_metabase_creates_everything_and_second_time_nothing() {
    let stub = Stub::start();
    let first = dashboard(&stub, &["apply", "-o", "json"], "correct horse");
    assert_eq!(first.code, Some(0), "{}", first.err);
    let made = stub.take_changes();
    let count = |what: &str| made.iter().filter(|change| *change == what).count();
    let things = ["user", "create database", "create collection", "create card", "create dashboard"];
    assert_eq!(things.map(count), [1, 1, 1, 45, 1]);
    assert_eq!(count("change field"), 9 + 11, "nine titles and eleven keys");
    assert_eq!(count("change table"), 2, "internal tables are hidden");

    let database = &stub.things("database")[0];
    assert_eq!(database["details"]["user"], "covid19_reader");
    assert_eq!(
        (&database["details"]["ssl"], &database["details"]["ssl-mode"]),
        (&json!(true), &json!("require"))
    );
    let dashboard_made = &stub.things("dashboard")[0];
    let slugs: Vec<&Value> =
        dashboard_made["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["slug"]).collect();
    assert_eq!(slugs, ["province", "period", "classification"]);
    let dashcards = dashboard_made["dashcards"].as_array().unwrap();
    assert_eq!(dashcards.len(), 45);
    let mapped = dashcards
        .iter()
        .filter(|dashcard| dashcard["parameter_mappings"].as_array().unwrap().len() == 3)
        .count();
    assert_eq!(mapped, 4, "the filters apply to the filtered cards");

    let second = dashboard(&stub, &["apply", "-o", "json"], "correct horse");
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert_eq!(stub.take_changes(), [""; 0]);
    assert_eq!(states(&second, "same"), items(&second).len());
    assert!(
        !format!("{}{}", first.out, first.err).contains("hush-hush"),
        "the password is sent to Metabase only"
    );
}

#[test]
fn status_reports_differences_and_apply_updates_only_those() {
    let stub = Stub::start();
    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    let whole = dashboard(&stub, &["status"], "correct horse");
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);

    {
        let mut state = stub.state.lock().unwrap();
        let kinds: Vec<(String, i64)> = state.things.keys().cloned().collect();
        let of = |kind: &str| kinds.iter().filter(|(at, _)| at == kind).cloned().collect::<Vec<_>>();
        // A user moves a card, renames another, edits a query, deletes a third.
        state.things.get_mut(&of("dashboard")[0]).unwrap()["dashcards"][3]["col"] = json!(1);
        state.things.get_mut(&of("card")[5]).unwrap()["name"] = json!("Mine");
        state.things.get_mut(&of("card")[6]).unwrap()["dataset_query"]["native"]["query"] = json!("SELECT 1");
        state.things.remove(&of("card")[7]);
        state.things.get_mut(&of("database")[0]).unwrap()["details"]["host"] = json!("elsewhere");
        state.changes.clear();
    }
    let drifted = dashboard(&stub, &["status", "-o", "json"], "correct horse");
    assert_eq!(drifted.code, Some(1));
    assert!(drifted.err.contains("hint: covidctl dashboard apply"), "{}", drifted.err);
    assert_eq!((states(&drifted, "differs"), states(&drifted, "missing")), (4, 1), "{}", drifted.out);
    assert_eq!(stub.take_changes(), [""; 0], "status changes nothing");

    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    let mut updated = stub.take_changes();
    updated.sort();
    assert_eq!(updated, ["change card", "change card", "change dashboard", "change database", "create card"]);
    assert_eq!(dashboard(&stub, &["status"], "correct horse").code, Some(0));
}

#[test]
fn apply_declares_the_keys_of_views_and_hides_internal_tables() {
    let stub = Stub::start();
    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    let field = |table: &str, name: &str| {
        let fields = stub.things("field");
        fields.into_iter().find(|field| field["table"] == table && field["name"] == name).unwrap()
    };
    for (table, name) in
        [("covid_case", "case_id"), ("province", "province_id"), ("department", "department_id")]
    {
        assert_eq!(field(table, name)["semantic_type"], "type/PK", "{table}.{name}");
    }
    for (table, name, target) in [
        ("covid_case", "residence_province_id", ("province", "province_id")),
        ("covid_case", "registration_province_id", ("province", "province_id")),
        ("covid_case", "residence_department_id", ("department", "department_id")),
        ("department", "province_id", ("province", "province_id")),
    ] {
        let key = field(table, name);
        assert_eq!(key["semantic_type"], "type/FK", "{key}");
        assert_eq!(key["fk_target_field_id"], field(target.0, target.1)["id"], "{key}");
    }
    let hidden = |name: &str| {
        stub.things("table").into_iter().find(|table| table["name"] == name).unwrap()["visibility_type"]
            == "hidden"
    };
    assert!(hidden("release_case") && hidden("release_case_1"));
    for table in ["covid_case", "province", "department", "pipeline_run", "theirs"] {
        assert!(!hidden(table), "{table}");
    }

    // The next load creates partitions of another release: no difference, and hidden by the next apply.
    let partition = json!({ "id": 999, "name": "release_case_2", "visibility_type": null });
    stub.state.lock().unwrap().things.insert(("table".to_owned(), 999), partition);
    stub.take_changes();
    assert_eq!(dashboard(&stub, &["status"], "correct horse").code, Some(0));
    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    assert_eq!(stub.take_changes(), ["change table"]);
    assert!(hidden("release_case_2"));

    // A removed key is a difference.
    let id = field("covid_case", "case_id")["id"].as_i64().unwrap();
    stub.state.lock().unwrap().things.get_mut(&("field".to_owned(), id)).unwrap()["semantic_type"] =
        Value::Null;
    let status = dashboard(&stub, &["status", "-o", "json"], "correct horse");
    assert_eq!((status.code, states(&status, "differs")), (Some(1), 1), "{}", status.out);
}

#[test]
fn apply_leaves_items_of_users_alone() {
    let stub = Stub::start();
    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    let collection = stub.things("collection")[0]["id"].clone();
    let theirs = json!({ "id": 999, "name": "Theirs", "description": null, "collection_id": collection });
    stub.state.lock().unwrap().things.insert(("card".to_owned(), 999), theirs.clone());
    stub.take_changes();
    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    assert_eq!(stub.take_changes(), [""; 0]);
    assert!(stub.things("card").contains(&theirs));
}

#[test]
fn failures_have_hint_and_exit_code() {
    let stub = Stub::start();
    let fresh = dashboard(&stub, &["status"], "x");
    assert_eq!(fresh.code, Some(1));
    assert!(
        fresh.err.contains("is not set up yet") && fresh.err.contains("hint: covidctl dashboard apply"),
        "{}",
        fresh.err
    );
    assert_eq!(dashboard(&stub, &["apply"], "correct horse").code, Some(0));
    let refused = dashboard(&stub, &["status"], "wrong");
    assert_eq!(refused.code, Some(4), "{}", refused.err);
    assert!(refused.err.contains("hint: check --email and METABASE_PASSWORD"), "{}", refused.err);
    assert!(!refused.err.contains("hush-hush"));
    let read_only = dashboard(&stub, &["apply", "--read-only"], "correct horse");
    assert_ne!(read_only.code, Some(0));
    let unreachable = dashboard(&stub, &["status", "--url", "http://127.0.0.1:1"], "x");
    assert!(unreachable.code == Some(1) && unreachable.err.contains("check --url"), "{}", unreachable.err);
    let wrong = dashboard(&stub, &["apply", "--database-url", "mysql://a:b@c/d"], "x");
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
}

/// Runs the filtered queries as Metabase does: without filters, and with a condition on the unaliased table.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line: the test command passes the server this way"
)]
async fn filtered_queries_run_with_and_without_filters() {
    use sqlx::{AssertSqlSafe, Connection as _, Row as _};
    let server = std::env::var("TEST_DATABASE_URL").expect("run `cargo xtask test`");
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    // Rolled back with the connection.
    let rows = "BEGIN;
        CREATE SCHEMA filtered; SET LOCAL search_path = filtered;
        CREATE TABLE province (province_id smallint, name text);
        CREATE TABLE covid_case (registered_on date, age smallint, residence_province_id smallint, classification text);
        INSERT INTO province VALUES (2, 'CABA'), (6, 'Buenos Aires');
        INSERT INTO covid_case VALUES ('2022-01-01', 5, 2, 'Confirmado'), ('2022-01-02', 95, 2, 'Confirmado'),
            ('2022-01-03', NULL, NULL, 'Confirmado'), ('2022-01-04', 39, 6, 'Descartado'), ('2021-01-04', 39, 2, 'Confirmado')";
    sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    let filled = |sql: &str, values: [&str; 3]| {
        let tags = ["province", "period", "classification"];
        tags.iter().zip(values).fold(sql.to_owned(), |sql, (tag, value)| {
            let clause = if value.is_empty() { String::new() } else { format!("AND {value}") };
            sql.replace(&format!("[[AND {{{{{tag}}}}}]]"), &clause)
        })
    };
    let conditions = [
        "\"filtered\".\"province\".\"name\" = 'CABA'",
        "\"filtered\".\"covid_case\".\"registered_on\" >= date '2022-01-01'",
        "\"filtered\".\"covid_case\".\"classification\" = 'Confirmado'",
    ];
    let queries = [
        (include_str!("../../src/dashboard/queries/cases.sql"), 1, 1),
        (include_str!("../../src/dashboard/queries/by_week.sql"), 3, 2),
        (include_str!("../../src/dashboard/queries/by_province.sql"), 3, 1),
        (include_str!("../../src/dashboard/queries/by_age.sql"), 4, 2),
    ];
    for (sql, lines_of_all, lines_of_some) in queries {
        for (values, cases, lines) in [([""; 3], 5, lines_of_all), (conditions, 2, lines_of_some)] {
            let query = filled(sql, values);
            let rows = sqlx::query(AssertSqlSafe(query.as_str())).fetch_all(&mut connection).await.unwrap();
            let sum: i64 = rows.iter().map(|row| row.get::<i64, _>("cases")).sum();
            assert_eq!((rows.len(), sum), (lines, cases), "{query}");
        }
    }
}

const SET_UP: &str = r#"{"has-user-setup": true}"#;

#[test]
fn redirect_is_not_followed_and_the_other_address_is_named() {
    let front = Front::start(|_, request| {
        let path = request.split(' ').nth(1).unwrap();
        ("301 Moved Permanently", format!("Location: https://metabase.example{path}\r\n"), "")
    });
    let output = dashboard_at(&front.url, &["status"], "hush-hush");
    assert_eq!(output.code, Some(1), "{}", output.err);
    assert!(
        output.err.contains("redirects to `https://metabase.example/api/session/properties`"),
        "{}",
        output.err
    );
    assert!(output.err.contains("--url https://metabase.example\n"), "{}", output.err);
    assert!(!front.requests().concat().contains("hush-hush"));
}

#[test]
fn login_is_not_sent_to_the_target_of_a_redirect() {
    let elsewhere = Front::start(|_, _| ("200 OK", String::new(), r#"{"id": "stolen"}"#));
    let to = elsewhere.url.clone();
    let front = Front::start(move |_, request| match request {
        "GET /api/session/properties" => ("200 OK", String::new(), SET_UP),
        _ => ("307 Temporary Redirect", format!("Location: {to}/api/session\r\n"), ""),
    });
    let output = dashboard_at(&front.url, &["status"], "hush-hush");
    assert_eq!(output.code, Some(1), "{}", output.err);
    assert_eq!(elsewhere.requests(), [""; 0]);
}

#[test]
fn metabase_that_starts_is_waited_for() {
    let front = Front::start(|number, request| match (number, request) {
        (0..2, _) => {
            ("503 Service Unavailable", String::new(), r#"{"status": "initializing", "progress": 0.3}"#)
        }
        (_, "GET /api/session/properties") => ("200 OK", String::new(), SET_UP),
        _ => ("401 Unauthorized", String::new(), ""),
    });
    let output = dashboard_at(&front.url, &["status"], "x");
    assert_eq!(output.err.matches("Metabase is starting: 30 %").count(), 1, "{}", output.err);
    assert_eq!(output.code, Some(4), "{}", output.err);
    assert!(output.err.contains("log in with a password"), "{}", output.err);
    assert_eq!(front.requests().len(), 4);
}

#[test]
fn login_that_is_throttled_or_refused_by_an_old_or_no_metabase_is_explained() {
    let throttled =
        r#"{"errors": {"username": "Too many attempts! You must wait 15 seconds before trying again."}}"#;
    for (properties, login, words) in [
        (SET_UP, throttled, ["You must wait 15 seconds", "wait as long as Metabase says"]),
        (r#"{"setup-token": "abc"}"#, "", ["does not say whether it is set up", "too old"]),
        ("<!doctype html><title>A page</title>", "", ["cannot GET", "this is not Metabase"]),
    ] {
        let front = Front::start(move |_, request| match request {
            "GET /api/session/properties" => ("200 OK", String::new(), properties),
            _ => ("400 Bad Request", String::new(), login),
        });
        let output = dashboard_at(&front.url, &["status"], "x");
        assert_eq!(output.code, Some(1), "{}", output.err);
        for words in words {
            assert!(output.err.contains(words), "{}", output.err);
        }
    }
}

#[test]
fn metabase_without_a_path_of_the_interface_is_explained() {
    let front = Front::start(|_, request| match request {
        "GET /api/session/properties" => ("200 OK", String::new(), SET_UP),
        "POST /api/session" => ("200 OK", String::new(), r#"{"id": "1"}"#),
        _ => ("404 Not Found", String::new(), "API endpoint does not exist."),
    });
    let output = dashboard_at(&front.url, &["status"], "x");
    assert_eq!(output.code, Some(1), "{}", output.err);
    for words in ["404 Not Found: API endpoint does not exist.", "this may be another version"] {
        assert!(output.err.contains(words), "{}", output.err);
    }
}
