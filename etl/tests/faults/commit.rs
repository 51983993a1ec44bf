//! A connection that is lost while the run publishes: exit code, record and data agree on whether it has published.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use etl::record::{Record, RunStatus};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::fixture::Fixture;

/// When the proxy closes the connection that publishes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// COMMIT does not reach the server.
    Request,
    /// The answer to COMMIT does not reach the run.
    Answer,
}

/// Forwards connections to a server, and closes the one that publishes.
async fn proxy(server: SocketAddr, cut: Cut) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            connections.spawn(async move {
                let server = TcpStream::connect(server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let publishes = Arc::new(AtomicBool::new(false));
                let requests = copy(from_client, to_server, Arc::clone(&publishes), cut == Cut::Request);
                let answers = copy(from_server, to_client, publishes, cut == Cut::Answer);
                // The first that ends closes both directions.
                tokio::select! { () = requests => {}, () = answers => {} }
            });
        }
    });
    (port, tasks)
}

/// Copies until the end, or, if it `cuts`, until a COMMIT after the statement that publishes.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    publishes: Arc<AtomicBool>,
    cuts: bool,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let chunk = &buffer[..count];
        let contains = |text: &str| chunk.windows(text.len()).any(|part| part == text.as_bytes());
        if cuts && publishes.load(Ordering::SeqCst) && contains("COMMIT\0") {
            return;
        }
        if contains("INSERT INTO published_release") {
            publishes.store(true, Ordering::SeqCst);
        }
        if to.write_all(chunk).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn lost_answer_to_commit_is_a_published_run() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(1_000).await;
    let old_data = fixture.seen().await;
    let (port, _proxy) = proxy(fixture.address().await, Cut::Answer).await;
    let run = fixture.start_through(port, &new, &[]);
    let run_id = run.id;
    let ended = run.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains("the transaction is committed"), "{}", ended.said);
    assert_eq!(fixture.status(run_id).await.unwrap(), ("succeeded".to_owned(), None));
    let record: Record = serde_json::from_slice(&fixture.record(run_id)).unwrap();
    assert_eq!((record.status, record.exit_code), (RunStatus::Succeeded, Some(0)));
    assert_ne!(fixture.seen().await, old_data);
}

#[tokio::test]
async fn lost_commit_is_a_failed_run() {
    let fixture = Fixture::new().await;
    let (_, new) = fixture.with_two_datasets(1_000).await;
    let old_data = fixture.seen().await;
    let (port, _proxy) = proxy(fixture.address().await, Cut::Request).await;
    let run = fixture.start_through(port, &new, &[]);
    let run_id = run.id;
    let ended = run.end().await;
    ended.assert_explained("cannot publish the new release");
    assert!(ended.said.contains("the published release is untouched"), "{}", ended.said);
    assert_eq!(fixture.status(run_id).await.unwrap().0, "failed");
    let record: Record = serde_json::from_slice(&fixture.record(run_id)).unwrap();
    assert_eq!((record.status, record.exit_code), (RunStatus::Failed, Some(1)));
    assert_eq!(fixture.seen().await, old_data);
}
