//! Connections to PostgreSQL: options, role, and errors with hints. No message contains the URL, which holds a password.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError};
use sqlx::{ConnectOptions as _, Connection as _, Execute, Executor as _, Postgres};
use uuid::Uuid;

use common::failure::{Context as _, Failure, Result};

/// Owns every table; cannot log in.
pub const OWNER: &str = "covid19_owner";

/// Logs in and can only read.
pub const READER: &str = "covid19_reader";

/// Prefix of `application_name` of all sessions; the run's id follows.
pub const APPLICATION: &str = "covid19 ";

/// The hint where a connection pooler is in the way.
pub(crate) const POOLER_HINT: &str = "connect to PostgreSQL itself, or to a pool whose mode is `session`: DATABASE_URL must not name PgBouncer or RDS Proxy in transaction mode";

/// Returns the `application_name` of a run's sessions, by which a refused run names the holder of the lock.
pub fn application_name(run_id: Uuid) -> String {
    format!("{APPLICATION}{run_id}")
}

/// The database of a run, which knows the sessions that the run has open.
#[derive(Debug, Clone)]
pub struct Database {
    url: Secret,
    run_id: Uuid,
    /// How long the server may not answer.
    timeout: Duration,
    /// Process ids on the server.
    open: Arc<Mutex<BTreeSet<i32>>>,
}

/// A session of a run.
#[derive(Debug)]
pub struct Session {
    connection: PgConnection,
    pid: i32,
    open: Arc<Mutex<BTreeSet<i32>>>,
}

/// Not shown by `Debug`.
#[derive(Clone)]
struct Secret(String);

impl Database {
    /// Returns the database at `url`, without connecting.
    pub fn new(url: &str, run_id: Uuid) -> Self {
        Self { url: Secret(url.to_owned()), run_id, timeout: ANSWER_TIMEOUT, open: Arc::default() }
    }

    /// Sets how long the server may not answer while a run is [watched](Self::watched).
    #[must_use]
    pub fn answer_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Opens a session, as [`connect`] does.
    pub async fn connect(&self) -> Result<Session> {
        let mut connection = connect(self.url(), self.run_id).await?;
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection);
        let pid = pid.await.db_context("cannot read the process id of the session")?;
        lock(&self.open).insert(pid);
        Ok(Session { connection, pid, open: Arc::clone(&self.open) })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url.0
    }

    pub(crate) const fn run_id(&self) -> Uuid {
        self.run_id
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the process ids of the open sessions.
    pub(crate) fn open_sessions(&self) -> BTreeSet<i32> {
        lock(&self.open).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        lock(&self.open).remove(&self.pid);
    }
}

/// Opens a session for a run, as the owner role if it exists.
pub async fn connect(url: &str, run_id: Uuid) -> Result<PgConnection> {
    let mut session = connect_plain(url, run_id).await?;
    let set_up = async {
        // The server notices a killed client within half a second, and within a minute one whose host or network is gone or that does not
        // read, and releases its locks. JIT-compiling the few statements of a run takes longer than running them.
        session
            .execute(
                "SET client_connection_check_interval = '500ms'; SET jit = off;
                 SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '60s';
                 SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0",
            )
            .await
            .context(|| CANNOT_SET_UP.to_owned())
            .map_err(|failure| failure.hint("PostgreSQL 14 or later is required"))?;
        become_owner(&mut session).await
    };
    let set_up = tokio::time::timeout(CONNECT_TIMEOUT, set_up).await;
    set_up.unwrap_or_else(|_| Err(Failure::new(CANNOT_SET_UP).source(NO_ANSWER)))?;
    Ok(session)
}

/// Opens a session without settings, as the role that logs in.
pub(crate) async fn connect_plain(url: &str, run_id: Uuid) -> Result<PgConnection> {
    let options = options(url)?.application_name(&application_name(run_id)).disable_statement_logging();
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let failed = Failure::new(format!("cannot connect to PostgreSQL at {address}"));
    match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(error)) => Err(failed.hint(connect_hint(&error)).source(error)),
        Err(_) => {
            Err(failed.source(NO_ANSWER).hint("check that firewalls and security groups allow this host"))
        }
    }
}

const CANNOT_SET_UP: &str = "cannot set up the session with PostgreSQL";

const NO_ANSWER: &str = "no answer within 15 seconds";

fn options(url: &str) -> Result<PgConnectOptions> {
    let wrong = Failure::new("DATABASE_URL is not a PostgreSQL URL")
        .hint("write postgres://user:password@host:port/database");
    // The library accepts any scheme.
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(wrong);
    }
    PgConnectOptions::from_str(url).map_err(|error| wrong.source(error))
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A failover of RDS takes longer, but ends the sessions anyway.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

fn connect_hint(error: &sqlx::Error) -> &'static str {
    match code(error).as_deref() {
        Some("28P01" | "28000") => "check user and password in DATABASE_URL",
        Some("3D000") => "create the database, or check its name in DATABASE_URL",
        // PgBouncer: an unknown startup parameter.
        Some("08P01") => POOLER_HINT,
        Some("53300") => "too many connections: wait, or raise max_connections",
        Some("57P03") => "the server is starting or stopping: try again in a moment",
        _ => "check host and port in DATABASE_URL, and that the server runs",
    }
}

/// Returns the SQLSTATE of an error of the server.
pub fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Switches to the owner role if it exists and this login is a member.
pub async fn become_owner(session: &mut PgConnection) -> Result<()> {
    let may: bool = sqlx::query_scalar(
        "SELECT coalesce((SELECT pg_has_role(current_user, oid, \
         CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) \
         FROM pg_roles WHERE rolname = $1), false)",
    )
    .bind(OWNER)
    .fetch_one(&mut *session)
    .await
    .context(|| "cannot look up the roles".to_owned())?;
    if may {
        session
            .execute("SET ROLE covid19_owner")
            .await
            .context(|| format!("cannot take the role `{OWNER}`"))?;
    }
    Ok(())
}

/// Returns a hint for a failed statement, by its SQLSTATE.
fn hint(error: &sqlx::Error) -> Option<&'static str> {
    if let sqlx::Error::Io(_) = error {
        return Some(
            "the connection was lost: check that PostgreSQL runs, then run again; the published release is untouched",
        );
    }
    let database = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    Some(match database.code() {
        "53100" => {
            "the disk of the database is full: free some space, then run again; the published release is untouched"
        }
        "53200" => "the database ran out of memory: lower its settings or wait, then run again",
        "57P01" | "57P02" | "57P03" => {
            "PostgreSQL was stopped: start it, then run again; the published release is untouched"
        }
        "42501" => "this login lacks a right: connect as `covid19_writer`, or as the owner of the tables",
        "42P01" => "a table is missing: run `etl migrate`",
        _ => return None,
    })
}

/// Executes statements whose results are not needed; `what` names the action and its object.
pub async fn execute<'q>(
    session: &mut PgConnection,
    statements: impl Execute<'q, Postgres> + 'q,
    what: &str,
) -> Result<()> {
    session.execute(statements).await.db_context(what).map(drop)
}

/// Converts errors of the database; adds a hint.
pub trait DbContext<T> {
    /// `what` names the action and its object.
    fn db_context(self, what: &str) -> Result<T>;
}

impl<T> DbContext<T> for std::result::Result<T, sqlx::Error> {
    fn db_context(self, what: &str) -> Result<T> {
        self.map_err(|error| match hint(&error) {
            Some(hint) => Failure::new(what).source(error).hint(hint),
            None => Failure::new(what).source(error),
        })
    }
}
