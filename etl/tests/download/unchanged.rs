//! What the store has already is not transferred again.

use etl::download::Ended;

use crate::place::{Place, Published, ZIP, cases, options, serving};
use crate::server::Server;

async fn replaced(place: &Place, server: &Server) -> usize {
    match place.download(server).await.unwrap() {
        Ended::Whole { replaced } => replaced,
        Ended::Unfinished(_) => panic!("there is no deadline"),
    }
}

#[tokio::test]
async fn a_version_that_is_there_is_not_fetched_again() {
    let published = Published::new(cases(1000, 1));
    let server = serving(move |request| published.answer(request)).await;
    let place = Place::new().await;
    assert_eq!([replaced(&place, &server).await, replaced(&place, &server).await], [3, 0]);
    let asked = server.requests();
    assert_eq!(asked.len(), 6);
    assert!(asked[3..].iter().all(|request| request.header("if-none-match") == Some("\"one\"")), "{asked:?}");
}

#[tokio::test]
async fn a_date_alone_is_enough() {
    let published = Published { etag: None, ..Published::new(cases(1000, 2)) };
    let server = serving(move |request| published.answer(request)).await;
    let place = Place::new().await;
    assert_eq!([replaced(&place, &server).await, replaced(&place, &server).await], [3, 0]);
}

/// A file that somebody replaced by hand is not the one that was downloaded.
#[tokio::test]
async fn a_file_that_was_touched_is_fetched_again() {
    let published = Published::new(cases(1000, 3));
    let content = published.content.clone();
    let server = serving(move |request| published.answer(request)).await;
    let place = Place::new().await;
    assert_eq!(replaced(&place, &server).await, 3);
    std::fs::write(place.folder.path().join(ZIP), "something else").unwrap();
    assert_eq!(replaced(&place, &server).await, 1);
    assert!(place.content(ZIP).await == content);
}

#[tokio::test]
async fn another_address_is_another_file() {
    let published = Published::new(cases(1000, 4));
    let server = serving(move |request| published.answer(request)).await;
    let place = Place::new().await;
    assert_eq!(replaced(&place, &server).await, 3);
    let mut elsewhere = options(&server);
    elsewhere.sources[2].1 = server.url("moved/Covid19Casos.zip");
    let ended = etl::download::run(&elsewhere, &place.store, None).await.unwrap();
    assert!(matches!(ended, Ended::Whole { replaced: 1 }), "{ended:?}");
}
