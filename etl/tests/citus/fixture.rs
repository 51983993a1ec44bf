//! A database on every node of the cluster, and a folder of datasets, for one test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr as _;
use std::thread;

use common::env;
use etl::sample;
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Decode, PgConnection, Type};
use uuid::Uuid;

use crate::cluster::execute;

const CITUS_URL: &str = "CITUS_URL";

/// Shards of a table: few, so that tests are fast.
pub(crate) const SHARDS: i64 = 4;

/// Selects everything that a release shows, in one line: the cases joined with the names, their counts, and the run.
const WHOLE: &str = "
    SELECT concat_ws(' ', shown.number, counted.number, loaded.number, shown.digest, shown.ages, shown.provinces, shown.departments, loaded.run_id)
    FROM (SELECT count(*) AS number, sum(hashint8(case_id)::bigint) AS digest, sum(age) AS ages,
                 count(DISTINCT province.name) AS provinces, count(DISTINCT department.name) AS departments
          FROM covid_case
          LEFT JOIN province ON province.province_id = registration_province_id
          LEFT JOIN department ON department_id = residence_department_id) AS shown,
         (SELECT sum(cases) AS number FROM case_count WHERE run_id = (SELECT published_load())) AS counted,
         (SELECT rows_loaded AS number, run_id FROM pipeline_run WHERE run_id = (SELECT published_load())) AS loaded";

/// Databases and folder; all are deleted when it is dropped.
pub(crate) struct Fixture {
    coordinator: PgConnectOptions,
    pub(crate) workers: Vec<PgConnectOptions>,
    database: String,
    folder: tempfile::TempDir,
}

impl Fixture {
    /// Creates a database on the coordinator and its worker nodes, which know each other; `None` without a cluster.
    pub(crate) async fn new() -> Option<Self> {
        let fixture = Self::without_workers().await?;
        fixture.add_workers().await;
        Some(fixture)
    }

    /// The same, but the coordinator does not know the worker nodes.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    pub(crate) async fn without_workers() -> Option<Self> {
        let Some(server) = server_url() else {
            println!("skipped: {CITUS_URL} is not set");
            return None;
        };
        let coordinator = PgConnectOptions::from_str(&server).unwrap();
        let nodes: Vec<(String, i32)> = sqlx::query_as(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0 AND noderole = 'primary' AND isactive ORDER BY nodeid",
        )
        .fetch_all(&mut coordinator.connect().await.unwrap())
        .await
        .unwrap();
        assert!(nodes.len() >= 2, "{CITUS_URL} needs two worker nodes, and has {nodes:?}");
        let worker =
            |(host, port): (String, i32)| coordinator.clone().host(&host).port(u16::try_from(port).unwrap());
        let workers = nodes.into_iter().map(worker).collect();
        let database = format!("test_{}", Uuid::new_v4().simple());
        let fixture = Self { coordinator, workers, database, folder: tempfile::tempdir().unwrap() };
        for node in fixture.nodes() {
            let mut server = node.connect().await.unwrap();
            execute(&mut server, "SET citus.enable_create_database_propagation = off").await;
            execute(&mut server, &format!("CREATE DATABASE {}", fixture.database)).await;
            let shards = format!("ALTER DATABASE {} SET citus.shard_count = {SHARDS}", fixture.database);
            execute(&mut server, &shards).await;
            let mut database = node.clone().database(&fixture.database).connect().await.unwrap();
            execute(&mut database, "CREATE EXTENSION citus").await;
        }
        Some(fixture)
    }

    pub(crate) async fn add_workers(&self) {
        let mut connection = self.connect().await;
        let add = async |connection: &mut PgConnection, function: &str, node: &PgConnectOptions| {
            let (host, port) = (node.get_host(), node.get_port());
            execute(connection, &format!("SELECT {function}('{host}', {port})")).await;
        };
        add(&mut connection, "citus_set_coordinator_host", &self.coordinator).await;
        for worker in &self.workers {
            add(&mut connection, "citus_add_node", worker).await;
        }
    }

    fn nodes(&self) -> impl DoubleEndedIterator<Item = &PgConnectOptions> {
        self.workers.iter().chain([&self.coordinator])
    }

    /// Returns the URL of the database on the coordinator, for a role.
    pub(crate) fn url_as(&self, role: &str) -> String {
        let options = self.coordinator.clone().database(&self.database).username(role);
        options.to_url_lossy().to_string()
    }

    /// Returns a superuser's URL of the database on a worker node.
    pub(crate) fn worker_url(&self, worker: usize) -> String {
        self.workers[worker].clone().database(&self.database).to_url_lossy().to_string()
    }

    /// Returns a superuser's URL of the database on the coordinator.
    pub(crate) fn url(&self) -> String {
        self.url_as(self.coordinator.get_username())
    }

    /// Opens a superuser's connection to the coordinator.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn value<T>(&self, query: &str) -> T
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    {
        value(&mut self.connect().await, query).await
    }

    /// Writes a dataset. Another seed gives other rows.
    pub(crate) fn dataset(&self, rows: u64, seed: u64) -> PathBuf {
        let out = self.folder.path().join(format!("{rows}-{seed}"));
        sample::write(&sample::Options { rows, seed, dirty: 0.0, doses: 0, out: out.clone() }, &|_| {})
            .unwrap();
        out
    }

    /// Returns the folder of the reports of a role.
    pub(crate) fn reports(&self, role: &str) -> PathBuf {
        self.folder.path().join("reports").join(role)
    }

    /// Runs a command of `etl` as a superuser.
    pub(crate) fn etl(&self, arguments: &[&str]) -> Ended {
        etl(&self.url(), self.folder.path(), &self.reports("postgres"), arguments)
    }

    /// Runs `etl run` with all years of a dataset, as the role that loads.
    pub(crate) fn load(&self, dataset: &Path, arguments: &[&str]) -> Ended {
        let arguments = [&["run", "--years", "all"], arguments].concat();
        etl(&self.url_as("covid19_writer"), dataset, &self.reports("covid19_writer"), &arguments)
    }

    /// Runs `etl rollback`, as the role that loads.
    pub(crate) fn roll_back(&self, arguments: &[&str]) -> Ended {
        let arguments = [&["rollback"], arguments].concat();
        etl(&self.url_as("covid19_writer"), self.folder.path(), &self.reports("covid19_writer"), &arguments)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // The coordinator first: its daemon reads the nodes.
        let nodes: Vec<PgConnectOptions> = self.nodes().rev().cloned().collect();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        // A thread of its own has no runtime yet, so it may block on one, also while the test unwinds.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for node in nodes {
                    execute(&mut node.connect().await.unwrap(), &statement).await;
                }
            });
        });
        let dropped = dropped.join().is_ok();
        assert!(dropped || thread::panicking(), "the test database {} could not be dropped", self.database);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line: the test command passes the server this way"
)]
fn server_url() -> Option<String> {
    std::env::var(CITUS_URL).ok()
}

/// Returns the only value of a query.
pub(crate) async fn value<T>(connection: &mut PgConnection, query: &str) -> T
where
    T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
{
    let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
    query.fetch_one(connection).await.unwrap()
}

/// Returns everything that a release shows, by one statement; its parts must agree.
pub(crate) async fn whole(connection: &mut PgConnection) -> String {
    let whole: String = value(connection, WHOLE).await;
    let words: Vec<&str> = whole.split(' ').collect();
    let [shown, counted, loaded, _, _, _, _, _] = words[..] else { panic!("a part is missing: {whole}") };
    assert_eq!((shown, shown), (counted, loaded), "cases, their counts and the run agree: {whole}");
    whole
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    code: Option<i32>,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert_eq!(self.code, Some(1), "{}", self.stderr);
        self
    }
}

/// Runs the real binary with an environment of its own.
pub(crate) fn etl(database: &str, store: &Path, reports: &Path, arguments: &[&str]) -> Ended {
    std::fs::create_dir_all(reports).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_etl"))
        .args(arguments)
        .env_clear()
        .env(env::DATABASE_URL, database)
        .env(env::STORE_URL, format!("file://{}", store.display()))
        .env(env::REPORTS_URL, format!("file://{}", reports.display()))
        .env(env::LOG_FORMAT, "text")
        .output()
        .unwrap();
    Ended { code: output.status.code(), stderr: String::from_utf8(output.stderr).unwrap() }
}
