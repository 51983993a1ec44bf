//! The databases of the competitors, each a copy of a template that `etl migrate` creates.
//!
//! Nothing here is measured. A database is dropped after its turn, so that its autovacuum does not disturb the next one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::Cluster;
use crate::process;
use common::env;
use common::failure::{Failure, Result};

/// The cleaned rows of `etl run`, as `psql` loads them.
pub(super) const CLEANED: &str = "covid_case.csv";

/// Tables in place of the views of the published release, with the keys that each release has.
const PLAIN_TABLES: &str = "
    DROP VIEW covid_case, department, province;
    CREATE TABLE province (province_id smallint CONSTRAINT province_pkey PRIMARY KEY, name text NOT NULL);
    CREATE TABLE department (department_id integer CONSTRAINT department_pkey PRIMARY KEY, name text NOT NULL,
        province_id smallint NOT NULL CONSTRAINT department_province_fkey REFERENCES province);
    CREATE TABLE covid_case (LIKE release_case);
    ALTER TABLE covid_case DROP COLUMN release_id,
        ADD CONSTRAINT covid_case_pkey PRIMARY KEY (case_id),
        ADD CONSTRAINT covid_case_registration_province_fkey FOREIGN KEY (registration_province_id) REFERENCES province,
        ADD CONSTRAINT covid_case_residence_province_fkey FOREIGN KEY (residence_province_id) REFERENCES province,
        ADD CONSTRAINT covid_case_residence_department_fkey FOREIGN KEY (residence_department_id) REFERENCES department";

/// Selects the number of rows, a sum over them, and the number of keys of their table: the published release's or a competitor's own.
const CONTENT: &str = "
    WITH cases AS (
        SELECT coalesce((SELECT to_regclass('release_case_' || release_id) FROM published_release), 'covid_case'::regclass) AS oid)
    SELECT count(*), coalesce(sum(hashtextextended(covid_case::text, 0)::numeric), 0),
           (SELECT count(*) FROM pg_index, cases WHERE indrelid = cases.oid AND indisunique)
           + (SELECT count(*) FROM pg_constraint, cases WHERE conrelid = cases.oid AND contype = 'f')
    FROM covid_case";

const TEMPLATE: &str = "bench_template";

/// The small tables that others refer to, in the order of their keys.
const SMALL: [&str; 2] = ["province", "department"];

/// The server, through `psql`.
pub(super) struct Server {
    pub(super) psql: PathBuf,
    pub(super) cluster: Cluster,
}

/// The content of `covid_case`: the number of rows, and a sum over them that does not depend on their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Content {
    pub(super) rows: u64,
    fingerprint: String,
}

impl Server {
    /// Returns a command of `psql`. The password is passed in the environment.
    pub(super) fn psql(&self, database: &str, statement: &str) -> Command {
        let mut command = Command::new(&self.psql);
        command
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
            .args(["--command", statement])
            .envs(connection(&self.cluster.url(database)));
        command
    }

    /// Creates the schema that every competitor starts with.
    pub(super) fn create_template(&self, etl: &Path) -> Result<()> {
        self.run("postgres", &format!("CREATE DATABASE {TEMPLATE}"))?;
        process::output_of(
            Command::new(etl).arg("migrate").env(env::DATABASE_URL, self.cluster.url(TEMPLATE)),
        )
        .map(drop)
    }

    /// Creates the database anew. Nothing is left to write from the turn before.
    pub(super) fn create(&self, database: &str) -> Result<()> {
        self.drop_database(database)?;
        self.run("postgres", &format!("CREATE DATABASE {database} TEMPLATE {TEMPLATE}"))?;
        self.run("postgres", "CHECKPOINT")
    }

    /// Drops a database and its connections.
    pub(super) fn drop_database(&self, database: &str) -> Result<()> {
        self.run("postgres", &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
    }

    /// Writes the cleaned rows and the small tables as CSV files, for the competitor that loads them.
    pub(super) fn export(&self, database: &str, folder: &Path) -> Result<()> {
        for table in SMALL.into_iter().chain(["covid_case"]) {
            let file = folder.join(format!("{table}.csv"));
            // A view cannot be copied by its name.
            let copy = format!("\\copy (SELECT * FROM {table}) to '{}' with (format csv)", file.display());
            self.run(database, &copy)?;
        }
        Ok(())
    }

    /// Replaces the views of the published release by tables.
    pub(super) fn create_plain_tables(&self, database: &str) -> Result<()> {
        self.run(database, PLAIN_TABLES)
    }

    /// Fills the small tables from the files of [`Self::export`].
    pub(super) fn import_small_tables(&self, database: &str, folder: &Path) -> Result<()> {
        for table in SMALL {
            let file = folder.join(format!("{table}.csv"));
            self.run(database, &format!("\\copy {table} from '{}' with (format csv)", file.display()))?;
        }
        Ok(())
    }

    /// Returns what a competitor has loaded. Its keys are checked too: without them it has not done the same job.
    pub(super) fn content(&self, database: &str) -> Result<Content> {
        let output = self.query(database, CONTENT)?;
        let unreadable = || Failure::new(format!("unexpected output of psql on `{database}`: {output}"));
        let mut fields = output.trim().split('|');
        let (Some(rows), Some(sum), Some(keys)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(unreadable());
        };
        let rows = rows.parse().map_err(|_| unreadable())?;
        Ok(Content { rows, fingerprint: format!("{sum} with {keys} keys") })
    }

    fn run(&self, database: &str, statement: &str) -> Result<()> {
        self.query(database, statement).map(drop)
    }

    fn query(&self, database: &str, statement: &str) -> Result<String> {
        process::output_of(&mut self.psql(database, statement))
    }
}

/// Returns the parts of `postgres://user:password@host:port/database?…` as libpq's variables.
fn connection(url: &str) -> Vec<(&'static str, &str)> {
    let parts = url.split(['/', ':', '@', '?']).filter(|part| !part.is_empty()).skip(1);
    ["PGUSER", "PGPASSWORD", "PGHOST", "PGPORT", "PGDATABASE"].into_iter().zip(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_splits_url_into_libpq_variables() {
        let variables = connection("postgres://postgres:secret@127.0.0.1:5433/bench?sslmode=disable");
        let expected = [
            ("PGUSER", "postgres"),
            ("PGPASSWORD", "secret"),
            ("PGHOST", "127.0.0.1"),
            ("PGPORT", "5433"),
            ("PGDATABASE", "bench"),
        ];
        assert_eq!(variables, expected);
    }
}
