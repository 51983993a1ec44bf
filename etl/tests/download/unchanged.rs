//! Versions that the store already has are not transferred again.

use etl::download::Ended;

use crate::fixture::{Fixture, Published, ZIP, cases, options, serving};
use crate::server::Server;

async fn replaced(fixture: &Fixture, server: &Server) -> usize {
    match fixture.download(server).await.unwrap() {
        Ended::Complete { replaced } => replaced,
        Ended::Unfinished(_) => panic!("there is no deadline"),
    }
}

#[tokio::test]
async fn unchanged_version_is_not_fetched_again() {
    let published = Published::new(cases(1000, 1));
    let server = serving(move |request| published.answer(request)).await;
    let fixture = Fixture::new().await;
    assert_eq!([replaced(&fixture, &server).await, replaced(&fixture, &server).await], [3, 0]);
    let asked = server.requests();
    assert_eq!(asked.len(), 6);
    assert!(asked[3..].iter().all(|request| request.header("if-none-match") == Some("\"one\"")), "{asked:?}");
}

#[tokio::test]
async fn last_modified_alone_identifies_version() {
    let published = Published { etag: None, ..Published::new(cases(1000, 2)) };
    let server = serving(move |request| published.answer(request)).await;
    let fixture = Fixture::new().await;
    assert_eq!([replaced(&fixture, &server).await, replaced(&fixture, &server).await], [3, 0]);
}

#[tokio::test]
async fn modified_object_is_fetched_again() {
    let published = Published::new(cases(1000, 3));
    let content = published.content.clone();
    let server = serving(move |request| published.answer(request)).await;
    let fixture = Fixture::new().await;
    assert_eq!(replaced(&fixture, &server).await, 3);
    std::fs::write(fixture.folder.path().join(ZIP), "something else").unwrap();
    assert_eq!(replaced(&fixture, &server).await, 1);
    assert!(fixture.content(ZIP).await == content);
}

#[tokio::test]
async fn file_at_another_url_is_fetched_again() {
    let published = Published::new(cases(1000, 4));
    let server = serving(move |request| published.answer(request)).await;
    let fixture = Fixture::new().await;
    assert_eq!(replaced(&fixture, &server).await, 3);
    let mut elsewhere = options(&server);
    elsewhere.sources[2].1 = server.url("moved/Covid19Casos.zip");
    let ended = etl::download::run(&elsewhere, &fixture.store, None).await.unwrap();
    assert!(matches!(ended, Ended::Complete { replaced: 1 }), "{ended:?}");
}
