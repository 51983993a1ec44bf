//! What the Database screen reads and does, on a real server: sessions, blockers, cancel and terminate.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod fixture;

use covidctl::db::{self, activity};
use covidctl::tui::domain::DatabaseSession;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Error};

use crate::fixture::TestDatabase;

/// Returns the session with this pid, when it is as expected.
async fn session(
    connection: &mut PgConnection,
    pid: i32,
    is_expected: impl Fn(&DatabaseSession) -> bool,
) -> DatabaseSession {
    loop {
        let activity = activity::read(connection).await.unwrap();
        let session = activity.sessions.into_iter().find(|session| session.pid == pid);
        if let Some(session) = session.filter(&is_expected) {
            return session;
        }
    }
}

fn is_working(session: &DatabaseSession) -> bool {
    session.state.as_deref() == Some("active")
        && session.query.as_ref().is_some_and(|query| query.contains("pg_sleep"))
}

/// Starts a query that never ends by itself; returns the pid and the query, which returns its error and the session.
async fn sleeping(mut session: PgConnection) -> (i32, tokio::task::JoinHandle<(Error, PgConnection)>) {
    let pid = fixture::pid(&mut session).await;
    let query = tokio::spawn(async move {
        let slept = sqlx::query("SELECT pg_sleep(3600)").execute(&mut session).await;
        (slept.unwrap_err(), session)
    });
    (pid, query)
}

fn code(error: &Error) -> String {
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_ends_query_and_keeps_session() {
    let database = TestDatabase::create().await;
    let mut screen = db::connect(&database.administrator_access()).await.unwrap();
    let (pid, query) = sleeping(database.connect().await).await;
    let found = session(&mut screen, pid, is_working).await;
    assert_eq!(found.database.as_deref(), Some(database.name.as_str()));
    activity::end(&mut screen, pid, found.began_at, false).await.unwrap();
    let (error, mut worker) = query.await.unwrap();
    assert_eq!(code(&error), "57014", "query_canceled");
    assert_eq!(fixture::pid(&mut worker).await, pid, "the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn terminate_ends_session_and_not_a_later_one_with_its_pid() {
    let database = TestDatabase::create().await;
    let mut screen = db::connect(&database.administrator_access()).await.unwrap();
    let (pid, query) = sleeping(database.connect().await).await;
    let found = session(&mut screen, pid, is_working).await;
    // As if the server had given the pid to another session since it was read.
    let error = activity::end(&mut screen, pid, found.began_at - 1, true).await.unwrap_err();
    assert_eq!(error.to_string(), format!("session {pid} has ended"));
    activity::end(&mut screen, pid, found.began_at, true).await.unwrap();
    let (error, mut worker) = query.await.unwrap();
    assert_eq!(code(&error), "57P01", "admin_shutdown");
    assert!(worker.ping().await.is_err(), "the session has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_is_told_that_it_may_not_and_sees_no_query_of_others() {
    let database = TestDatabase::create().await;
    let mut administrator = db::connect(&database.administrator_access()).await.unwrap();
    let mut reader = db::connect(&database.reader_access()).await.unwrap();
    let (pid, query) = sleeping(database.connect().await).await;
    let found = session(&mut administrator, pid, is_working).await;
    let seen = session(&mut reader, pid, |_| true).await;
    assert_eq!((seen.user, seen.database), (found.user, found.database));
    assert_eq!((seen.state, seen.query.as_deref()), (None, Some("<insufficient privilege>")));
    for terminate in [false, true] {
        let error = activity::end(&mut reader, pid, found.began_at, terminate).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot signal session {pid}: the role may not end sessions of other roles")
        );
        assert!(error.hint_text().unwrap().contains("pg_signal_backend"), "{error}");
    }
    assert!(!query.is_finished(), "it goes on");
    // What the reader has read is enough for the administrator.
    activity::end(&mut administrator, pid, seen.began_at, true).await.unwrap();
    assert_eq!(code(&query.await.unwrap().0), "57P01");
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_sees_that_a_command_of_another_role_goes_on() {
    let database = TestDatabase::create().await;
    let mut administrator = db::connect(&database.administrator_access()).await.unwrap();
    let mut reader = db::connect(&database.reader_access()).await.unwrap();
    let mut worker = database.connect().await;
    let pid = fixture::pid(&mut worker).await;
    sqlx::raw_sql("CREATE TABLE copied (line text)").execute(&mut worker).await.unwrap();
    let mut copy = worker.copy_in_raw("COPY copied FROM STDIN").await.unwrap();
    copy.send(b"one\n".as_slice()).await.unwrap();
    let of = async |connection: &mut PgConnection| loop {
        let progress = activity::read(connection).await.unwrap().progress;
        if let Some(progress) = progress.into_iter().find(|progress| progress.pid == pid) {
            return (progress.command, progress.table);
        }
    };
    let table = Some("copied".to_owned());
    assert_eq!(of(&mut administrator).await, ("COPY FROM PIPE".to_owned(), table));
    assert_eq!(of(&mut reader).await, ("COPY".to_owned(), None));
    copy.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_waits_names_its_blocker() {
    let database = TestDatabase::create().await;
    let mut screen = db::connect(&database.administrator_access()).await.unwrap();
    let (mut blocker, mut waiting) = (database.connect().await, database.connect().await);
    let (blocker_pid, waiting_pid) = (fixture::pid(&mut blocker).await, fixture::pid(&mut waiting).await);
    sqlx::raw_sql("BEGIN; LOCK TABLE release").execute(&mut blocker).await.unwrap();
    let query = tokio::spawn(async move {
        sqlx::raw_sql("UPDATE release SET rules_version = rules_version")
            .execute(&mut waiting)
            .await
            .unwrap();
    });
    let found = session(&mut screen, waiting_pid, |found| !found.blocked_by.is_empty()).await;
    assert_eq!(found.blocked_by, [blocker_pid]);
    let mut reader = db::connect(&database.reader_access()).await.unwrap();
    assert_eq!(session(&mut reader, waiting_pid, |_| true).await.blocked_by, [blocker_pid]);
    assert_eq!(found.wait.as_deref(), Some("Lock: relation"));
    let holder = session(&mut screen, blocker_pid, |_| true).await;
    assert_eq!((holder.state.as_deref(), holder.blocked_by.len()), (Some("idle in transaction"), 0));
    // The sizes of tables wait for the lock, too; the screen shows the rest.
    assert_eq!(activity::read(&mut screen).await.unwrap().tables, None);
    activity::end(&mut screen, blocker_pid, holder.began_at, true).await.unwrap();
    query.await.unwrap();
    let tables = activity::read(&mut screen).await.unwrap().tables.unwrap();
    assert!(tables.iter().any(|table| table.name == "release" && !table.is_replaced), "{tables:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_of_another_pipeline_has_sizes_without_releases() {
    let database = TestDatabase::without_schema().await;
    let mut screen = db::connect(&database.administrator_access()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE release_case_7 (line text)").execute(&mut screen).await.unwrap();
    let tables = activity::read(&mut screen).await.unwrap().tables.unwrap();
    let shown: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.is_replaced)).collect();
    assert_eq!(shown, [("release_case_7", false)]);
}
