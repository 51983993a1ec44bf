//! A stopped download is resumed from the parts in the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etl::download::{self, Ended, PART_BYTES, Unfinished};
use etl::store::Store;

use crate::fixture::{OLD, Published, ZIP, cases, content, options, put_old, serving};
use crate::server::Server;

/// Downloads until `until` bytes of the line list are received, after which the server hangs.
async fn begin(server: &Server, store: &Store, resume: Option<Unfinished>, until: usize) -> Unfinished {
    let options = options(server);
    let (stop, position) = (Arc::clone(&options.stop), Arc::clone(&options.position));
    let stopping = async {
        while position.load(Ordering::SeqCst) != until as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.notify_one();
    };
    let (ended, ()) = tokio::join!(download::run(&options, store, resume), stopping);
    match ended.unwrap() {
        // As serialized in the payload of the next invocation.
        Ended::Unfinished(unfinished) => {
            serde_json::from_str(&serde_json::to_string(&unfinished).unwrap()).unwrap()
        }
        ended @ Ended::Complete { .. } => panic!("{ended:?}"),
    }
}

/// Each response hangs after the given number of bytes.
async fn hanging_after(published: Published, bytes: &'static [usize]) -> Server {
    let asked = AtomicUsize::new(0);
    serving(move |request| {
        let reply = published.answer(request);
        match bytes.get(asked.fetch_add(1, Ordering::SeqCst)) {
            Some(bytes) => reply.cut(*bytes).hanging(),
            None => reply,
        }
    })
    .await
}

#[tokio::test]
async fn three_processes_download_one_file() {
    let published = Published::new(cases(45_000_000, 1));
    let whole = published.content.clone();
    let server = hanging_after(published, &[20_000_000, 18_000_000]).await;
    let store = Store::in_memory();
    put_old(&store).await;

    let first = begin(&server, &store, None, 20_000_000).await;
    let second = begin(&server, &store, Some(first), PART_BYTES + 18_000_000).await;
    assert_eq!(content(&store, ZIP).await, OLD.as_bytes(), "old file until the end");
    let ended = download::run(&options(&server), &store, Some(second)).await.unwrap();

    assert!(matches!(ended, Ended::Complete { replaced: 1 }), "{ended:?}");
    assert!(content(&store, ZIP).await == whole, "another file arrived");
    let from: Vec<_> = server
        .requests()
        .iter()
        .filter(|request| request.path == ZIP)
        .map(crate::server::Request::from)
        .collect();
    // Two parts were complete, of which the last one is fetched again; then two more.
    assert_eq!(from, [None, Some(PART_BYTES), Some(2 * PART_BYTES)]);
}

#[tokio::test]
async fn resume_with_another_version_restarts() {
    let store = Store::in_memory();
    put_old(&store).await;
    let server = hanging_after(Published::new(cases(45_000_000, 2)), &[20_000_000]).await;
    let unfinished = begin(&server, &store, None, 20_000_000).await;
    let new = Published { etag: Some("\"two\"".to_owned()), ..Published::new(cases(30_000_000, 3)) };
    let whole = new.content.clone();
    let server = serving(move |request| new.answer(request)).await;
    download::run(&options(&server), &store, Some(unfinished)).await.unwrap();
    assert!(content(&store, ZIP).await == whole, "another file arrived");
}

#[tokio::test]
async fn stop_before_first_part_restarts() {
    let published = Published::new(cases(9_000_000, 4));
    let whole = published.content.clone();
    let server = hanging_after(published, &[1_000_000]).await;
    let store = Store::in_memory();
    put_old(&store).await;
    let unfinished = begin(&server, &store, None, 1_000_000).await;
    download::run(&options(&server), &store, Some(unfinished)).await.unwrap();
    assert!(content(&store, ZIP).await == whole);
}

#[tokio::test]
async fn discard_deletes_uploaded_parts() {
    let server = hanging_after(Published::new(cases(45_000_000, 5)), &[20_000_000]).await;
    let store = Store::in_memory();
    put_old(&store).await;
    let unfinished = begin(&server, &store, None, 20_000_000).await;
    download::discard(&unfinished, &store).await;
    let failure = download::run(&options(&server), &store, Some(unfinished)).await.unwrap_err();
    assert!(failure.to_string().starts_with("cannot write `memory:///Covid19Casos.zip`"), "{failure}");
    assert_eq!(content(&store, ZIP).await, OLD.as_bytes());
}
