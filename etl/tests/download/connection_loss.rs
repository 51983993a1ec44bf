//! Lost, hanging and refused connections: the file is complete in the end, or the old one is kept.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etl::download::Ended;
use proptest::prelude::*;

use crate::fixture::{Fixture, OLD, Published, ZIP, cases, options, serving};
use crate::server::Reply;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// With and without support for ranges.
    #[test]
    fn download_is_exact_wherever_connections_are_cut(cuts in prop::collection::vec(0_usize..3_000_000, 0..5), ranges in any::<bool>(), seed in any::<u32>()) {
        runtime().block_on(async {
            let published = Published { ranges, ..Published::new(cases(2_500_000, seed)) };
            let (content, cuts) = (published.content.clone(), Mutex::new(cuts));
            let server = serving(move |request| {
                let reply = published.answer(request);
                cuts.lock().unwrap().pop().map_or(reply.clone(), |cut| reply.cut(cut))
            })
            .await;
            let fixture = Fixture::new().await;
            let ended = fixture.download(&server).await.unwrap();
            assert!(matches!(ended, Ended::Complete { replaced: 3 }), "{ended:?}");
            assert!(fixture.content(ZIP).await == content, "another file arrived");
        });
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Files of several parts; the version changes in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn download_never_mixes_two_versions() {
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
    let fixture = Fixture::new().await;
    fixture.download(&server).await.unwrap();
    assert!(fixture.content(ZIP).await == content, "another file arrived");
    assert_eq!(fixture.names(), ["Covid19Casos.zip", "departamentos.csv", "downloads", "provincias.csv"]);
}

#[tokio::test]
async fn file_without_validator_is_read_from_the_start() {
    let published = Published { etag: None, last_modified: None, ..Published::new(cases(100_000, 3)) };
    let content = published.content.clone();
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| {
        assert_eq!(request.from(), None);
        let reply = published.answer(request);
        if asked.fetch_add(1, Ordering::SeqCst) < 2 { reply.cut(50_000) } else { reply }
    })
    .await;
    let fixture = Fixture::new().await;
    fixture.download(&server).await.unwrap();
    assert!(fixture.content(ZIP).await == content);
}

#[tokio::test]
async fn download_without_progress_fails_after_max_losses() {
    let published = Published::new(cases(100_000, 4));
    let server = serving(move |request| published.answer(request).cut(0)).await;
    let fixture = Fixture::new().await;
    let failure = fixture.download(&server).await.unwrap_err();
    assert!(failure.to_string().starts_with("cannot download `http://127.0.0.1:"), "{failure}");
    assert!(failure.hint_text().unwrap().contains("the store is unchanged"));
    assert_eq!(fixture.content(ZIP).await, OLD.as_bytes());
    let asked = server.requests().iter().filter(|request| request.path == ZIP).count();
    assert_eq!(asked, 1 + options(&server).retry.max_losses as usize);
}

#[tokio::test]
async fn silent_server_is_retried_after_idle_timeout() {
    let published = Published::new(cases(100_000, 5));
    let content = published.content.clone();
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| {
        let reply = published.answer(request);
        if asked.fetch_add(1, Ordering::SeqCst) == 0 { reply.cut(40_000).hanging() } else { reply }
    })
    .await;
    let fixture = Fixture::new().await;
    let mut options = options(&server);
    options.retry.idle_timeout = Duration::from_millis(300);
    etl::download::run(&options, &fixture.store, None).await.unwrap();
    assert!(fixture.content(ZIP).await == content);
    assert!(server.requests().iter().any(|request| request.from() == Some(40_000)));
}

#[tokio::test]
async fn overloaded_server_is_retried() {
    let published = Published::new(cases(1000, 6));
    let asked = AtomicUsize::new(0);
    let server = serving(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new("503 Service Unavailable").body(b"come back"),
        1 => Reply::new("429 Too Many Requests").body(b""),
        _ => published.answer(request),
    })
    .await;
    let fixture = Fixture::new().await;
    assert!(matches!(fixture.download(&server).await.unwrap(), Ended::Complete { replaced: 3 }));
}

#[tokio::test]
async fn missing_file_is_not_retried() {
    let server = serving(|_| Reply::new("404 Not Found").body(b"<html>no</html>")).await;
    let fixture = Fixture::new().await;
    let failure = fixture.download(&server).await.unwrap_err();
    assert!(failure.to_string().ends_with(": the server answered 404 Not Found"), "{failure}");
    assert_eq!(fixture.content(ZIP).await, OLD.as_bytes());
    assert_eq!(server.requests().len(), 3);
    // One that fails does not keep the others back.
    assert_ne!(fixture.content("provincias.csv").await, OLD.as_bytes());
}
