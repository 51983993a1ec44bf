//! Connections that break, hang or are refused: the file comes whole in the end, or the old one stays.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use etl::download::Ended;
use proptest::prelude::*;

use crate::place::{OLD, Place, Published, ZIP, cases, options, serving};
use crate::server::Reply;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Wherever connections are cut, what arrives is the file, to the byte, whether the server knows ranges or not.
    #[test]
    fn cut_anywhere(cuts in prop::collection::vec(0_usize..3_000_000, 0..5), ranges in any::<bool>(), seed in any::<u32>()) {
        runtime().block_on(async {
            let published = Published { ranges, ..Published::new(cases(2_500_000, seed)) };
            let (content, cuts) = (published.content.clone(), Mutex::new(cuts));
            let server = serving(move |request| {
                let reply = published.answer(request);
                cuts.lock().unwrap().pop().map_or(reply.clone(), |cut| reply.cut(cut))
            })
            .await;
            let place = Place::new().await;
            let ended = place.download(&server).await.unwrap();
            assert!(matches!(ended, Ended::Whole { replaced: 3 }), "{ended:?}");
            assert!(place.content(ZIP).await == content, "another file arrived");
        });
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Files of several parts, and the versions change in the middle: never a mixture.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_published_anew_meanwhile() {
    let old_version = Published::new(cases(20_000_000, 1));
    let new_version = Published { etag: Some("\"two\"".to_owned()), ..Published::new(cases(19_000_000, 2)) };
    let content = new_version.content.clone();
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => old_version.answer(request).cut(18_000_000),
        1 => new_version.answer(request).cut(9_000_000),
        _ => new_version.answer(request),
    })
    .await;
    let place = Place::new().await;
    place.download(&server).await.unwrap();
    assert!(place.content(ZIP).await == content, "another file arrived");
    assert_eq!(place.names(), ["Covid19Casos.zip", "departamentos.csv", "downloads", "provincias.csv"]);
}

/// Without a mark nobody can know whether the rest belongs to the beginning.
#[tokio::test]
async fn a_file_without_marks_is_read_from_its_beginning_again() {
    let published = Published { etag: None, last_modified: None, ..Published::new(cases(100_000, 3)) };
    let content = published.content.clone();
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| {
        assert_eq!(request.from(), None);
        let reply = published.answer(request);
        if asked.fetch_add(1, Ordering::SeqCst) < 2 { reply.cut(50_000) } else { reply }
    })
    .await;
    let place = Place::new().await;
    place.download(&server).await.unwrap();
    assert!(place.content(ZIP).await == content);
}

#[tokio::test]
async fn a_server_that_never_gets_further() {
    let published = Published::new(cases(100_000, 4));
    let server = serving(move |request| published.answer(request).cut(0)).await;
    let place = Place::new().await;
    let failure = place.download(&server).await.unwrap_err();
    assert!(failure.to_string().starts_with("cannot download `http://127.0.0.1:"), "{failure}");
    assert!(failure.hint_text().unwrap().contains("what is in the store stays"));
    assert_eq!(place.content(ZIP).await, OLD.as_bytes());
    let asked = server.requests().iter().filter(|request| request.path == ZIP).count();
    assert_eq!(asked, 1 + options(&server).patience.breaks as usize);
}

#[tokio::test]
async fn a_server_that_falls_silent() {
    let published = Published::new(cases(100_000, 5));
    let content = published.content.clone();
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| {
        let reply = published.answer(request);
        if asked.fetch_add(1, Ordering::SeqCst) == 0 { reply.cut(40_000).hanging() } else { reply }
    })
    .await;
    let place = Place::new().await;
    place.download(&server).await.unwrap();
    assert!(place.content(ZIP).await == content);
    assert_eq!(server.requests().last().unwrap().from(), Some(40_000));
}

#[tokio::test]
async fn a_server_that_is_overloaded_for_a_moment() {
    let published = Published::new(cases(1000, 6));
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new("503 Service Unavailable").body(b"come back"),
        1 => Reply::new("429 Too Many Requests").body(b""),
        _ => published.answer(request),
    })
    .await;
    let place = Place::new().await;
    assert!(matches!(place.download(&server).await.unwrap(), Ended::Whole { replaced: 3 }));
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_asked_for_again() {
    let server = serving(|_| Reply::new("404 Not Found").body(b"<html>no</html>")).await;
    let place = Place::new().await;
    let failure = place.download(&server).await.unwrap_err();
    assert!(failure.to_string().ends_with(": it answered 404 Not Found"), "{failure}");
    assert_eq!(place.content(ZIP).await, OLD.as_bytes());
    assert_eq!(server.requests().len(), 3);
    // One that fails does not keep the others back.
    assert_ne!(place.content("provincias.csv").await, OLD.as_bytes());
}
