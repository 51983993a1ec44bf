//! Optional datasets: a failure is logged and affects no other dataset.

use common::failure::Exit;
use etl::download::{self, Ended};
use object_store::path::Path as Key;

use crate::fixture::{
    DEPARTMENTS, Fixture, OLD, PROVINCES, Published, TESTS, VACCINATIONS, all_options, archive, cases,
    departments, provinces,
};
use crate::server::{Reply, Request, Server};

type Answer = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Publishes all datasets; `answer` serves the tests.
async fn with_tests(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.path.as_str() {
        PROVINCES => provinces().answer(request),
        DEPARTMENTS => departments().answer(request),
        TESTS => answer(request),
        VACCINATIONS => Published::new(archive("Covid19VacunasAgrupadas.csv", 300, 2)).answer(request),
        _ => Published::new(cases(1000, 1)).answer(request),
    })
    .await
}

async fn replaced(fixture: &Fixture, server: &Server) -> usize {
    match download::run(&all_options(server), &fixture.store, None).await.unwrap() {
        Ended::Complete { replaced } => replaced,
        Ended::Unfinished(_) => panic!("there is no deadline"),
    }
}

#[tokio::test]
async fn all_datasets_are_downloaded_once() {
    let published = archive("Covid19Determinaciones.csv", 500, 3);
    let content = published.clone();
    let server = with_tests(move |request| Published::new(published.clone()).answer(request)).await;
    let fixture = Fixture::new().await;
    assert_eq!([replaced(&fixture, &server).await, replaced(&fixture, &server).await], [5, 0]);
    assert!(fixture.content(TESTS).await == content);
    assert!(fixture.names().contains(&VACCINATIONS.to_owned()));
}

#[tokio::test]
async fn failed_optional_dataset_keeps_old_file() {
    let other = archive("readme.txt", 100, 8);
    let answers: [Answer; 3] = [
        Box::new(|_| Reply::new("404 Not Found").body(b"<html>no</html>")),
        Box::new(|_| Reply::new("200 OK").body(b"<html>En mantenimiento</html>")),
        Box::new(move |request| Published::new(other.clone()).answer(request)),
    ];
    for answer in answers {
        let server = with_tests(answer).await;
        let fixture = Fixture::new().await;
        fixture.store.put(&Key::from(TESTS), OLD).await.unwrap();
        assert_eq!(replaced(&fixture, &server).await, 4);
        assert_eq!(fixture.content(TESTS).await, OLD.as_bytes());
    }
}

#[tokio::test]
async fn invalid_url_of_optional_dataset_is_usage_error() {
    let server = with_tests(|_| Reply::new("404 Not Found").body(b"")).await;
    let fixture = Fixture::new().await;
    let mut options = all_options(&server);
    "Covid19Determinaciones.zip".clone_into(&mut options.sources[3].1);
    let failure = download::run(&options, &fixture.store, None).await.unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage, "{failure}");
}
