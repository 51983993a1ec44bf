//! A download that is stopped is handed over, in parts that the store keeps, and the file is the same in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etl::download::{self, Ended, PART, Unfinished};
use etl::store::Store;

use crate::place::{OLD, Published, ZIP, cases, content, options, put_old, serving};
use crate::server::Server;

/// Downloads until so many bytes of the line list have come, behind which the server hangs.
async fn begin(server: &Server, store: &Store, resume: Option<Unfinished>, until: usize) -> Unfinished {
    let mut options = options(server);
    options.patience.silence = Duration::from_mins(5);
    let (stop, position) = (Arc::clone(&options.stop), Arc::clone(&options.position));
    let stopping = async {
        while position.load(Ordering::SeqCst) != until as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.notify_one();
    };
    let (ended, ()) = tokio::join!(download::run(&options, store, resume), stopping);
    match ended.unwrap() {
        // What Lambda would carry from one invocation to the next is text.
        Ended::Unfinished(unfinished) => {
            serde_json::from_str(&serde_json::to_string(&unfinished).unwrap()).unwrap()
        }
        ended @ Ended::Whole { .. } => panic!("{ended:?}"),
    }
}

/// Each request gets so much of the file and then nothing more.
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
async fn three_processes_make_one_file() {
    let published = Published::new(cases(45_000_000, 1));
    let whole = published.content.clone();
    let server = hanging_after(published, &[20_000_000, 18_000_000]).await;
    let store = Store::in_memory();
    put_old(&store).await;

    let first = begin(&server, &store, None, 20_000_000).await;
    let second = begin(&server, &store, Some(first), PART + 18_000_000).await;
    assert_eq!(content(&store, ZIP).await, OLD.as_bytes(), "nothing shows before the end");
    let ended = download::run(&options(&server), &store, Some(second)).await.unwrap();

    assert!(matches!(ended, Ended::Whole { replaced: 1 }), "{ended:?}");
    assert!(content(&store, ZIP).await == whole, "another file arrived");
    let from: Vec<_> = server
        .requests()
        .iter()
        .filter(|request| request.path == ZIP)
        .map(crate::server::Request::from)
        .collect();
    // Two parts were whole, and the last one is fetched again; then two more.
    assert_eq!(from, [None, Some(PART), Some(2 * PART)]);
}

/// The rest of another version does not continue the first one's parts.
#[tokio::test]
async fn a_version_that_changes_between_two_processes() {
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

/// What has come is too little for a part: the next process begins anew.
#[tokio::test]
async fn a_stop_before_the_first_part() {
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
async fn what_is_given_up_is_forgotten() {
    let server = hanging_after(Published::new(cases(45_000_000, 5)), &[20_000_000]).await;
    let store = Store::in_memory();
    put_old(&store).await;
    let unfinished = begin(&server, &store, None, 20_000_000).await;
    download::forget(&unfinished, &store).await;
    let failure = download::run(&options(&server), &store, Some(unfinished)).await.unwrap_err();
    assert!(failure.to_string().starts_with("cannot write `memory:///Covid19Casos.zip`"), "{failure}");
    assert_eq!(content(&store, ZIP).await, OLD.as_bytes());
}
