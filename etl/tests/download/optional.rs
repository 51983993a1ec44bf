//! The optional datasets: they come like the others, and one that does not come is said and keeps nothing else back.

use common::failure::Exit;
use etl::download::{self, Ended};
use object_store::path::Path as Key;

use crate::place::{
    DEPARTMENTS, OLD, PROVINCES, Place, Published, TESTS, VACCINATIONS, all_options, archive, cases,
    departments, provinces,
};
use crate::server::{Reply, Request, Server};

type Answer = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A server that answers as it is told for the tests and publishes everything else.
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

async fn replaced(place: &Place, server: &Server) -> usize {
    match download::run(&all_options(server), &place.store, None).await.unwrap() {
        Ended::Whole { replaced } => replaced,
        Ended::Unfinished(_) => panic!("there is no deadline"),
    }
}

#[tokio::test]
async fn all_five_come_and_come_once() {
    let published = archive("Covid19Determinaciones.csv", 500, 3);
    let content = published.clone();
    let server = with_tests(move |request| Published::new(published.clone()).answer(request)).await;
    let place = Place::new().await;
    assert_eq!([replaced(&place, &server).await, replaced(&place, &server).await], [5, 0]);
    assert!(place.content(TESTS).await == content);
    assert!(place.names().contains(&VACCINATIONS.to_owned()));
}

#[tokio::test]
async fn one_that_does_not_come_keeps_nothing_back_and_the_old_file_stays() {
    let other = archive("readme.txt", 100, 8);
    let answers: [Answer; 3] = [
        Box::new(|_| Reply::new("404 Not Found").body(b"<html>no</html>")),
        Box::new(|_| Reply::new("200 OK").body(b"<html>En mantenimiento</html>")),
        Box::new(move |request| Published::new(other.clone()).answer(request)),
    ];
    for answer in answers {
        let server = with_tests(answer).await;
        let place = Place::new().await;
        place.store.put(&Key::from(TESTS), OLD).await.unwrap();
        assert_eq!(replaced(&place, &server).await, 4);
        assert_eq!(place.content(TESTS).await, OLD.as_bytes());
    }
}

/// An address that can never work is a mistake in the settings and no bad day of the ministry.
#[tokio::test]
async fn an_address_that_is_none_is_a_usage_error_all_the_same() {
    let server = with_tests(|_| Reply::new("404 Not Found").body(b"")).await;
    let place = Place::new().await;
    let mut options = all_options(&server);
    "Covid19Determinaciones.zip".clone_into(&mut options.sources[3].1);
    let failure = download::run(&options, &place.store, None).await.unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage, "{failure}");
}
