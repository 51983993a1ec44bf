//! `covidctl db init` through the bastion, as a master user without superuser rights, as on RDS.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::cloud::Cloud;
use crate::support::tls::Certificate;
use crate::support::{Said, environment, step};

/// A server of its own, whose roles no other test sees: that of a local target.
struct Server {
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The user that runs PostgreSQL must be able to pass.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let server = Self { folder };
        server.covidctl(&["up"]);
        // The local target created the roles as a superuser; here an administrator does.
        for role in ["covid19_owner", "covid19_writer", "covid19_reader"] {
            server.sql(&format!("DROP OWNED BY {role}"));
            server.sql(&format!("DROP ROLE {role}"));
        }
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    #[track_caller]
    fn covidctl(&self, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_covidctl"));
        command.env_clear().env("PATH", environment("PATH")).env("HOME", self.folder.path());
        command.args(["--target", "local", "--pg-bin", &environment("TEST_PG_BIN"), "--data-dir"]);
        let output = command.arg(self.data()).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The value of a query, as the superuser, in the database of the local target.
    #[track_caller]
    fn sql(&self, query: &str) -> String {
        self.covidctl(&["psql", "--", "-XAtqc", query]).trim().to_owned()
    }

    fn port(&self) -> String {
        self.sql("SHOW port")
    }

    /// Logs in with this password and returns the result of a query.
    fn as_login(&self, user: &str, password: &str, database: &str, query: &str) -> Result<String, String> {
        let mut psql = Command::new(PathBuf::from(environment("TEST_PG_BIN")).join("psql"));
        psql.env_clear().env("PGPASSWORD", password);
        psql.args(["-h", "127.0.0.1", "-p", &self.port(), "-U", user, "-d", database, "-XAtqc", query]);
        let output = psql.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("logs/postgresql.log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.covidctl(&["down", "--delete-data", "--yes", "--quiet"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_database_gets_schema_and_logins() {
    let cloud = Cloud::deploy(0).await;
    let server = Server::start();
    // The server logs every statement.
    server.sql("ALTER SYSTEM SET log_statement = 'all'");
    server.sql("SELECT pg_reload_conf()");
    server.sql("CREATE ROLE covid19_master LOGIN CREATEROLE CREATEDB PASSWORD 'master-password'");
    server.sql("CREATE DATABASE fresh OWNER covid19_master");
    cloud.write("database/port", &server.port()).await;
    cloud.write("database/name", "fresh").await;
    let logins = [
        ("database/secret", "covid19_master", "master-password"),
        ("database/secret/writer", "covid19_writer", "the'writer\\password"),
        ("database/secret/reader", "covid19_reader", "reader-password"),
        ("database/secret/metabase", "metabase", "metabase-password"),
    ];
    for (key, user, password) in logins {
        cloud.keep_login(key, user, password).await;
    }

    step("db init creates the schema, the roles and Metabase's database");
    cloud.say(&["--read-only", "db", "init"]).await.failed(2, &["read-only"]);
    let first = cloud.say(&["db", "init"]).await.worked();
    for words in ["migrations", "created role `metabase`", "created database `metabase`"] {
        assert!(first.err.contains(words), "{words}: {first:?}");
    }
    let see = |user, password, database, query| server.as_login(user, password, database, query);
    assert_eq!(
        see("covid19_writer", logins[1].2, "fresh", "SET ROLE covid19_owner; SELECT 7"),
        Ok("7".to_owned())
    );
    assert_eq!(
        see("covid19_reader", logins[2].2, "fresh", "SELECT count(*) FROM covid_case"),
        Ok("0".to_owned())
    );
    assert!(see("covid19_reader", logins[2].2, "fresh", "DELETE FROM covid_case").is_err());
    assert_eq!(see("metabase", logins[3].2, "metabase", "CREATE TABLE own (); SELECT 7"), Ok("7".to_owned()));
    assert!(
        see("covid19_writer", "wrong", "fresh", "SELECT 7")
            .unwrap_err()
            .contains("password authentication failed")
    );

    step("db init again changes nothing, except a new password");
    let second = cloud.say(&["db", "init"]).await.worked();
    assert!(second.err.contains("the schema is up to date") && !second.err.contains("created"), "{second:?}");
    cloud.keep_login("database/secret/reader", "covid19_reader", "another-password").await;
    cloud.say(&["db", "init"]).await.worked();
    assert!(see("covid19_reader", logins[2].2, "fresh", "SELECT 7").is_err());
    assert_eq!(see("covid19_reader", "another-password", "fresh", "SELECT 7"), Ok("7".to_owned()));
    let status = cloud.say(&["db", "status", "-o", "json"]).await.worked().json();
    assert_eq!(status["pending"], Value::from(0), "{status}");

    step("dashboard apply discovers the database URL");
    let words =
        ["dashboard", "apply", "--url", "http://127.0.0.1:1", "--email", "a@b.org", "--password", "x"];
    let metabase = cloud.say(&words).await;
    assert!(metabase.err.contains("127.0.0.1:1") && !metabase.err.contains("database-url"), "{metabase:?}");

    step("no password was sent or printed in clear text");
    for (_, _, password) in &logins[1..] {
        for said in [&first, &second] {
            assert!(!said.err.contains(password) && !said.out.contains(password), "{said:?}");
        }
        assert!(!server.log().contains(password), "a password is in the server's log");
    }
    assert!(server.log().contains("SCRAM-SHA-256"), "the server logs statements");

    step("db init rejects the administrator as one of the logins");
    cloud.keep_login("database/secret/writer", "covid19_master", "x").await;
    cloud.say(&["db", "init"]).await.failed(1, &["contains the administrator `covid19_master`"]);
}

/// Runs a command that verifies the database's certificate.
async fn verified(cloud: &Cloud, certificate: &Certificate, words: &[&str]) -> Said {
    let bundle = certificate.authority();
    let words = [&["--ssl-root-cert", bundle.to_str().unwrap()], words].concat();
    let given = cloud.covidctl(&words);
    let mut command = Command::new(given.get_program());
    command.args(given.get_args().map(|word| if word == "disable" { "verify-full".as_ref() } else { word }));
    command.env_clear().envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Said::of(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_must_be_of_the_host_name_also_for_sessions_of_the_program() {
    let cloud = Cloud::deploy(0).await;
    let server = Server::start();
    server.sql("CREATE ROLE covid19_reader LOGIN PASSWORD 'reader-password'");
    let certificate = Certificate::of("localhost");
    certificate.install(|query| server.sql(query));
    cloud.write("database/port", &server.port()).await;
    cloud.write("database/name", "covid19").await;
    cloud.keep_login("database/secret/reader", "covid19_reader", "reader-password").await;
    cloud.print_host_key();
    let status = ["db", "status", "-o", "json"];

    step("the name of the certificate is accepted");
    cloud.write("database/master/endpoint", "localhost").await;
    verified(&cloud, &certificate, &status).await.worked();
    verified(&cloud, &certificate, &["psql", "--", "-XAtc", "SELECT 7"]).await.worked();
    let stranger = Certificate::of("localhost");
    verified(&cloud, &stranger, &status).await.failed(1, &["invalid peer certificate"]);

    step("also through a tunnel in the background");
    verified(&cloud, &certificate, &["tunnel", "start", "master", "--local-port", "0"]).await.worked();
    verified(&cloud, &certificate, &status).await.worked();
    let list = cloud.say(&["-o", "json", "tunnel", "list"]).await.worked().json();
    assert_eq!(list[0]["connections_total"], 1, "the session goes through the tunnel that runs: {list}");

    step("another name is refused, by libpq and by the program");
    cloud.write("database/master/endpoint", "127.0.0.1").await;
    let refused = verified(&cloud, &certificate, &status).await;
    refused.failed(1, &["cannot connect to postgres://covid19_reader:***@127.0.0.1"]);
    assert!(
        refused.err.contains("NotValidForName") || refused.err.contains("not valid for name"),
        "{refused:?}"
    );
    let psql = verified(&cloud, &certificate, &["psql", "--", "-XAtc", "SELECT 7"]).await;
    assert_eq!(psql.code, Some(2), "{psql:?}");
    verified(&cloud, &certificate, &["tunnel", "stop"]).await.worked();
}
