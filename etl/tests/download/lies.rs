//! Servers that send something else than the file: it never takes the old one's place, and the failure says what it was.

use crate::place::{DEPARTMENTS, OLD, PROVINCES, Place, Published, ZIP, archive, cases, provinces, serving};
use crate::server::{Reply, Request, Server};

/// What the server sends for the line list is refused, in these words.
async fn refused(words: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
    let server = serving(answer).await;
    let place = Place::new().await;
    let failure = place.download(&server).await.unwrap_err();
    assert!(failure.to_string().contains(words), "{failure}");
    assert!(failure.hint_text().unwrap().contains("what is in the store stays"));
    assert_eq!(place.content(ZIP).await, OLD.as_bytes());
    assert_eq!(place.names(), ["Covid19Casos.zip", "departamentos.csv", "downloads", "provincias.csv"]);
}

#[tokio::test]
async fn a_web_page() {
    let page = format!("<!DOCTYPE html><html><body>{}</body></html>", "mantenimiento ".repeat(5000));
    refused("is a web page", move |request| Published::new(page.clone()).answer(request)).await;
    refused("is a web page", |request| Published::new("\n <html></html>").answer(request)).await;
}

#[tokio::test]
async fn nothing_at_all() {
    refused("is empty", |_| Reply::new("200 OK").body(b"")).await;
}

#[tokio::test]
async fn something_that_is_no_zip() {
    refused("is not a zip archive", |request| Published::new("a,b\n1,2\n").answer(request)).await;
}

/// Cut off where the server keeps it, in the first part and behind several.
#[tokio::test]
async fn a_truncated_zip() {
    for (size, kept) in [(100_000, 99_990), (20_000_000, 18_000_000)] {
        let mut whole = cases(size, 7);
        whole.truncate(kept);
        refused("is not a whole zip archive", move |request| Published::new(whole.clone()).answer(request))
            .await;
    }
}

#[tokio::test]
async fn a_zip_with_something_else_in_it() {
    let other = archive("readme.txt", 100, 8);
    refused("is a zip archive without `Covid19Casos.csv`", move |request| {
        Published::new(other.clone()).answer(request)
    })
    .await;
}

#[tokio::test]
async fn a_length_that_is_too_long() {
    let published = Published::new(cases(50_000, 9));
    let size = published.content.len() as u64;
    refused(&format!("it announced {} bytes and has {size}", size + 10), move |request| {
        match request.from() {
            None => {
                Reply::new("200 OK").with("ETag", "\"one\"").announcing(size + 10).sending(&published.content)
            }
            Some(_) => published.answer(request),
        }
    })
    .await;
}

#[tokio::test]
async fn a_length_that_is_too_short() {
    let content = cases(50_000, 10);
    refused("is not a whole zip archive", move |_| {
        Reply::new("200 OK").announcing(content.len() as u64 - 10).sending(&content)
    })
    .await;
}

#[tokio::test]
async fn the_rest_of_another_file() {
    let published = Published::new(cases(50_000, 11));
    refused("it sent `bytes 0-9/50000`", move |request| match request.from() {
        None => published.answer(request).cut(20_000),
        Some(_) => {
            Reply::new("206 Partial Content").with("Content-Range", "bytes 0-9/50000").body(b"0123456789")
        }
    })
    .await;
}

/// It does not know `If-Range`, and the two versions are of one size.
#[tokio::test]
async fn the_rest_of_another_version() {
    let (old, new) = (Published::new(cases(50_000, 14)), cases(50_000, 15));
    refused("it sent the rest of another version", move |request| match request.from() {
        None => old.answer(request).cut(20_000),
        Some(from) => Reply::new("206 Partial Content")
            .with("ETag", "\"two\"")
            .with("Content-Range", format!("bytes {from}-{}/{}", new.len() - 1, new.len()))
            .body(&new[from..]),
    })
    .await;
}

#[tokio::test]
async fn georef_files_that_are_not_what_they_should_be() {
    for (provinces, words) in [
        ("<html></html>", "is a web page"),
        ("nombre,iso\nBuenos Aires,AR-B\n", "lacks the column `id`"),
        ("id,nombre,iso\n02,CABA,AR-C\n06,Buenos Ai", "ends in the middle of a row (2 of 3 fields)"),
        ("", "is empty"),
    ] {
        let server = Server::start(move |request| match request.path.as_str() {
            PROVINCES => Reply::new("200 OK").body(provinces.as_bytes()),
            DEPARTMENTS => Published::new("id,nombre,provincia_id\n02007,Comuna 1,02\n").answer(request),
            _ => Published::new(cases(1000, 12)).answer(request),
        })
        .await;
        let place = Place::new().await;
        let failure = place.download(&server).await.unwrap_err();
        assert!(failure.to_string().contains(words), "{failure}");
        assert_eq!(place.content(PROVINCES).await, OLD.as_bytes());
        assert_ne!(place.content(ZIP).await, OLD.as_bytes());
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_no_lie() {
    let server = Server::start(|request| match request.path.as_str() {
        PROVINCES => Published::new([b"\xEF\xBB\xBF", &provinces().content[..]].concat()).answer(request),
        DEPARTMENTS => Published::new("id,nombre,provincia_id\n02007,\"Comuna, 1\",02").answer(request),
        _ => Published::new(cases(1000, 13)).answer(request),
    })
    .await;
    let place = Place::new().await;
    place.download(&server).await.unwrap();
    assert!(place.content(PROVINCES).await.starts_with(b"\xEF\xBB\xBF"));
}
