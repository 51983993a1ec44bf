//! Servers that send something other than the file: the old file is kept, and the error names what was sent.

use crate::fixture::{
    DEPARTMENTS, Fixture, OLD, PROVINCES, Published, ZIP, archive, cases, provinces, serving,
};
use crate::server::{Reply, Request, Server};

/// Asserts that the response for the line list is rejected with this message.
async fn refused(message: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
    let server = serving(answer).await;
    let fixture = Fixture::new().await;
    let failure = fixture.download(&server).await.unwrap_err();
    assert!(failure.to_string().contains(message), "{failure}");
    assert!(failure.hint_text().unwrap().contains("the store is unchanged"));
    assert_eq!(fixture.content(ZIP).await, OLD.as_bytes());
    assert_eq!(fixture.names(), ["Covid19Casos.zip", "departamentos.csv", "downloads", "provincias.csv"]);
}

#[tokio::test]
async fn web_page_is_rejected() {
    let page = format!("<!DOCTYPE html><html><body>{}</body></html>", "mantenimiento ".repeat(5000));
    refused("is a web page", move |request| Published::new(page.clone()).answer(request)).await;
    refused("is a web page", |request| Published::new("\n <html></html>").answer(request)).await;
}

#[tokio::test]
async fn empty_file_is_rejected() {
    refused("is empty", |_| Reply::new("200 OK").body(b"")).await;
}

#[tokio::test]
async fn file_other_than_zip_is_rejected() {
    refused("is not a zip archive", |request| Published::new("a,b\n1,2\n").answer(request)).await;
}

/// Truncated in the first part, and after several.
#[tokio::test]
async fn truncated_zip_is_rejected() {
    for (size, kept) in [(100_000, 99_990), (20_000_000, 18_000_000)] {
        let mut whole = cases(size, 7);
        whole.truncate(kept);
        refused("is not a complete zip archive", move |request| {
            Published::new(whole.clone()).answer(request)
        })
        .await;
    }
}

#[tokio::test]
async fn zip_without_member_is_rejected() {
    let other = archive("readme.txt", 100, 8);
    refused("is a zip archive without `Covid19Casos.csv`", move |request| {
        Published::new(other.clone()).answer(request)
    })
    .await;
}

#[tokio::test]
async fn announced_length_too_long_is_rejected() {
    let published = Published::new(cases(50_000, 9));
    let size = published.content.len() as u64;
    refused(
        &format!("the server announced {} bytes and has {size}", size + 10),
        move |request| match request.from() {
            None => {
                Reply::new("200 OK").with("ETag", "\"one\"").announcing(size + 10).sending(&published.content)
            }
            Some(_) => published.answer(request),
        },
    )
    .await;
}

#[tokio::test]
async fn announced_length_too_short_is_rejected() {
    let content = cases(50_000, 10);
    refused("is not a complete zip archive", move |_| {
        Reply::new("200 OK").announcing(content.len() as u64 - 10).sending(&content)
    })
    .await;
}

#[tokio::test]
async fn wrong_content_range_is_rejected() {
    let published = Published::new(cases(50_000, 11));
    refused("received `bytes 0-9/50000`", move |request| match request.from() {
        None => published.answer(request).cut(20_000),
        Some(_) => {
            Reply::new("206 Partial Content").with("Content-Range", "bytes 0-9/50000").body(b"0123456789")
        }
    })
    .await;
}

/// The server ignores `If-Range`, and both versions have the same size.
#[tokio::test]
async fn range_of_another_version_is_rejected() {
    let (old, new) = (Published::new(cases(50_000, 14)), cases(50_000, 15));
    refused("the server sent a range of another version", move |request| match request.from() {
        None => old.answer(request).cut(20_000),
        Some(from) => Reply::new("206 Partial Content")
            .with("ETag", "\"two\"")
            .with("Content-Range", format!("bytes {from}-{}/{}", new.len() - 1, new.len()))
            .body(&new[from..]),
    })
    .await;
}

#[tokio::test]
async fn invalid_georef_file_is_rejected() {
    for (provinces, words) in [
        ("<html></html>", "is a web page"),
        ("nombre,iso\nBuenos Aires,AR-B\n", "lacks the column `id`"),
        ("id,nombre,iso\n02,CABA,AR-C\n06,Buenos Ai", "ends within a row (2 of 3 fields)"),
        ("", "is empty"),
    ] {
        let server = Server::start(move |request| match request.path.as_str() {
            PROVINCES => Reply::new("200 OK").body(provinces.as_bytes()),
            DEPARTMENTS => Published::new("id,nombre,provincia_id\n02007,Comuna 1,02\n").answer(request),
            _ => Published::new(cases(1000, 12)).answer(request),
        })
        .await;
        let fixture = Fixture::new().await;
        let failure = fixture.download(&server).await.unwrap_err();
        assert!(failure.to_string().contains(words), "{failure}");
        assert_eq!(fixture.content(PROVINCES).await, OLD.as_bytes());
        assert_ne!(fixture.content(ZIP).await, OLD.as_bytes());
    }
}

#[tokio::test]
async fn byte_order_mark_is_accepted() {
    let server = Server::start(|request| match request.path.as_str() {
        PROVINCES => Published::new([b"\xEF\xBB\xBF", &provinces().content[..]].concat()).answer(request),
        DEPARTMENTS => Published::new("id,nombre,provincia_id\n02007,\"Comuna, 1\",02").answer(request),
        _ => Published::new(cases(1000, 13)).answer(request),
    })
    .await;
    let fixture = Fixture::new().await;
    fixture.download(&server).await.unwrap();
    assert!(fixture.content(PROVINCES).await.starts_with(b"\xEF\xBB\xBF"));
}

#[tokio::test]
async fn redirect_to_another_host_is_followed_only_if_allowed() {
    let whole = cases(50_000, 10);
    let expected = whole.clone();
    let elsewhere = serving(move |request| Published::new(whole.clone()).answer(request)).await;
    // The same server under another name.
    let url = elsewhere.url("moved.zip").replace("127.0.0.1", "localhost");
    let redirect = move |_: &Request| Reply::new("302 Found").with("Location", &url).body(b"");
    refused("redirects to `http://localhost:", redirect.clone()).await;

    let server = serving(redirect).await;
    let fixture = Fixture::new().await;
    let mut options = crate::fixture::options(&server);
    options.limits.allow_redirects = true;
    etl::download::run(&options, &fixture.store, None).await.unwrap();
    assert_eq!(fixture.content(ZIP).await, expected);
}

#[tokio::test]
async fn redirect_on_the_same_host_is_followed() {
    let whole = cases(50_000, 11);
    let expected = whole.clone();
    let server = serving(move |request| match request.path.as_str() {
        ZIP => Reply::new("301 Moved Permanently").with("Location", "/files/new.zip").body(b""),
        _ => Published::new(whole.clone()).answer(request),
    })
    .await;
    let fixture = Fixture::new().await;
    fixture.download(&server).await.unwrap();
    assert_eq!(fixture.content(ZIP).await, expected);
}

#[tokio::test]
async fn endless_redirect_is_rejected() {
    refused("it redirects too often", |_| Reply::new("302 Found").with("Location", "/again").body(b"")).await;
}

/// Announced, and received without an announcement.
#[tokio::test]
async fn file_beyond_the_size_limit_is_rejected() {
    let announced = |_: &Request| Reply::new("200 OK").announcing(1_000_000_000_000).sending(b"PK");
    refused("is larger than 20 GB", announced).await;

    let whole = cases(5_000_000, 12);
    let server = serving(move |_| Reply::new("200 OK").sending(&whole)).await;
    let fixture = Fixture::new().await;
    let mut options = crate::fixture::options(&server);
    options.limits.max_size = 1_000_000;
    let failure = etl::download::run(&options, &fixture.store, None).await.unwrap_err();
    assert!(failure.to_string().contains("is larger than 1 MB"), "{failure}");
    assert_eq!(fixture.content(ZIP).await, OLD.as_bytes());
}
