//! A network or server that does not answer any more, without closing a connection.

use std::net::SocketAddr;
use std::time::Duration;

use etl::database::Database;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::barrier::{Barrier, Stage};
use crate::fixture::Fixture;

/// Forwards connections to a server until it is silenced; then it keeps connections open, accepts new ones, and forwards nothing.
struct Proxy {
    port: u16,
    /// Increases when the open connections are silenced, and is even if new connections are forwarded.
    phase: watch::Sender<u32>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (phase, phases) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let phases = phases.clone();
                connections.spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let begun_in = *phases.borrow();
                    let is_silent = move |phase: &u32| begun_in % 2 == 1 || *phase > begun_in;
                    tokio::join!(
                        forward(from_client, to_server, phases.clone(), is_silent),
                        forward(from_server, to_client, phases.clone(), is_silent)
                    );
                });
            }
        });
        Self { port, phase, _tasks: tasks }
    }

    fn silence(&self) {
        self.phase.send_modify(|phase| *phase += 1);
    }

    /// Forwards new connections again; those of before stay silent.
    fn accept_again(&self) {
        self.phase.send_modify(|phase| *phase += 1);
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut phases: watch::Receiver<u32>,
    is_silent: impl FnMut(&u32) -> bool,
) {
    let copy = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            if to.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        drop(to.shutdown().await);
    };
    tokio::select! {
        biased;
        // Closed only with the test.
        () = silenced(&mut phases, is_silent) => std::future::pending().await,
        () = copy => {}
    }
}

async fn silenced(phases: &mut watch::Receiver<u32>, is_silent: impl FnMut(&u32) -> bool) {
    // Not after the end of the test.
    if phases.wait_for(is_silent).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn run_ends_at_its_time_limit_and_changes_nothing() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(1_000).await;
    let old_data = fixture.seen().await;
    let proxy = Proxy::to(fixture.address().await).await;
    let mut barrier = Barrier::close(&fixture, Stage::AddingKeys).await;
    let run = fixture.start_through(proxy.port, &new, &["--time-limit", "20s"]);
    barrier.reached_by(&run).await;
    proxy.silence();
    let run_id = run.id;
    run.end().await.assert_explained_with(124, "the run was stopped by its time limit of 20s");
    let record: etl::record::Record = serde_json::from_slice(&fixture.record(run_id)).unwrap();
    assert_eq!(record.exit_code, Some(124));
    drop((barrier, proxy));
    assert_eq!(fixture.seen().await, old_data);
    fixture.load(&new, &[]).await;
    assert_eq!(fixture.status(run_id).await.unwrap().0, "failed", "as the next run has recorded");
}

/// The timeout of the watchdog, shorter than in a run.
const TIMEOUT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn watchdog_ends_a_wait_for_a_silent_server() {
    let fixture = Fixture::new().await;
    let proxy = Proxy::to(fixture.address().await).await;
    let database = Database::new(&fixture.url_through(proxy.port), Uuid::new_v4()).answer_timeout(TIMEOUT);
    let mut session = database.connect().await.unwrap();
    let work = async {
        proxy.silence();
        etl::database::execute(&mut session, "SELECT 1", "cannot ask").await
    };
    let failure = database.watched(work).await.unwrap_err();
    assert_eq!(failure.to_string(), "PostgreSQL has not answered for 3 seconds");
    assert!(failure.hint_text().is_some());
}

#[tokio::test]
async fn watchdog_ends_a_wait_for_a_session_that_the_server_has_ended() {
    let fixture = Fixture::new().await;
    let proxy = Proxy::to(fixture.address().await).await;
    let database = Database::new(&fixture.url_through(proxy.port), Uuid::new_v4()).answer_timeout(TIMEOUT);
    let mut session = database.connect().await.unwrap();
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *session).await.unwrap();
    // The network has forgotten this connection alone.
    proxy.silence();
    proxy.accept_again();
    fixture.change(&format!("SELECT pg_terminate_backend({process}, 60000)")).await;
    let work = etl::database::execute(&mut session, "SELECT 1", "cannot ask");
    let failure = database.watched(work).await.unwrap_err();
    assert!(failure.to_string().starts_with("PostgreSQL has ended a session of the run"), "{failure}");
}

#[tokio::test]
async fn watchdog_leaves_an_answering_server_and_closed_sessions_alone() {
    let fixture = Fixture::new().await;
    let timeout = Duration::from_millis(600);
    let database = Database::new(&fixture.url(), Uuid::new_v4()).answer_timeout(timeout);
    let mut session = database.connect().await.unwrap();
    let work = async {
        for _ in 0..4 {
            drop(database.connect().await?);
            etl::database::execute(&mut session, "SELECT pg_sleep(0.2)", "cannot wait").await?;
        }
        Ok(())
    };
    database.watched(work).await.unwrap();
}
