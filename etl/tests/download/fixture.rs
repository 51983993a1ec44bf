//! Published files, a server for them, and a store with old files.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use common::failure::Result;
use etl::dataset::Dataset;
use etl::download::{self, Ended, Options, RetryPolicy};
use etl::store::Store;
use object_store::path::Path as Key;
use zip::write::SimpleFileOptions;

use crate::server::{Reply, Request, Server};

pub(crate) const ZIP: &str = "Covid19Casos.zip";
pub(crate) const PROVINCES: &str = "provincias.csv";
pub(crate) const DEPARTMENTS: &str = "departamentos.csv";
pub(crate) const TESTS: &str = "Covid19Determinaciones.zip";
pub(crate) const VACCINATIONS: &str = "Covid19VacunasAgrupadas.csv.zip";

pub(crate) const OLD: &str = "the old file";

#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) content: Vec<u8>,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    /// Whether the server supports ranges.
    pub(crate) ranges: bool,
}

impl Published {
    pub(crate) fn new(content: impl Into<Vec<u8>>) -> Self {
        let (etag, last_modified) =
            (Some("\"one\"".to_owned()), Some("Mon, 06 Jun 2022 03:00:00 GMT".to_owned()));
        Self { content: content.into(), etag, last_modified, ranges: true }
    }

    /// Returns the response of a conforming server.
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let marked = |mut reply: Reply| {
            for (name, value) in [("ETag", &self.etag), ("Last-Modified", &self.last_modified)] {
                if let Some(value) = value {
                    reply = reply.with(name, value);
                }
            }
            reply
        };
        let is =
            |header: &str, mark: &Option<String>| mark.is_some() && request.header(header) == mark.as_deref();
        if is("if-none-match", &self.etag)
            || (self.etag.is_none() && is("if-modified-since", &self.last_modified))
        {
            return marked(Reply::new("304 Not Modified"));
        }
        let same = is("if-range", &self.etag) || is("if-range", &self.last_modified);
        match request.from().filter(|_| self.ranges && (same || request.header("if-range").is_none())) {
            Some(from) if from >= self.content.len() => Reply::new("416 Range Not Satisfiable")
                .with("Content-Range", format!("bytes */{}", self.content.len())),
            Some(from) => {
                let length = self.content.len();
                marked(Reply::new("206 Partial Content"))
                    .with("Content-Range", format!("bytes {from}-{}/{length}", length - 1))
                    .body(&self.content[from..])
            }
            None => marked(Reply::new("200 OK")).body(&self.content),
        }
    }
}

pub(crate) fn provinces() -> Published {
    Published::new("id,nombre\r\n02,Ciudad Autónoma de Buenos Aires\r\n06,Buenos Aires\r\n")
}

pub(crate) fn departments() -> Published {
    Published::new("id,nombre,provincia_id\n02007,Comuna 1,02\n06007,Adolfo Alsina,06\n")
}

/// Returns an archive with a member of `bytes` incompressible bytes.
pub(crate) fn archive(name: &str, bytes: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    })
    .take(bytes)
    .collect();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, SimpleFileOptions::default()).unwrap();
    archive.write_all(&noise).unwrap();
    archive.finish().unwrap().into_inner()
}

pub(crate) fn cases(bytes: usize, seed: u32) -> Vec<u8> {
    archive("Covid19Casos.csv", bytes, seed)
}

/// A store with an old file for every required dataset.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        put_old(&store).await;
        Self { store, folder }
    }

    pub(crate) async fn download(&self, server: &Server) -> Result<Ended> {
        download::run(&options(server), &self.store, None).await
    }

    pub(crate) async fn content(&self, name: &str) -> Vec<u8> {
        content(&self.store, name).await
    }

    /// Lists all files at the top of the store, temporary ones included.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

pub(crate) async fn put_old(store: &Store) {
    for name in [ZIP, PROVINCES, DEPARTMENTS] {
        store.put(&Key::from(name), OLD).await.unwrap();
    }
}

pub(crate) async fn content(store: &Store, name: &str) -> Vec<u8> {
    store.get(&Key::from(name)).await.unwrap().to_vec()
}

/// Options for the required datasets, without back-off.
pub(crate) fn options(server: &Server) -> Options {
    let mut options = all_options(server);
    options.sources.retain(|(dataset, _)| !dataset.is_optional());
    options
}

/// Options for all datasets, without back-off.
pub(crate) fn all_options(server: &Server) -> Options {
    Options {
        retry: RetryPolicy {
            max_losses: 5,
            max_total_losses: 100,
            // Only ends a test that would hang.
            idle_timeout: Duration::from_mins(5),
            initial_backoff: Duration::ZERO,
            max_backoff: Duration::ZERO,
        },
        ..Options::new(|dataset: Dataset| Some(server.url(dataset.file_names()[0])))
    }
}

/// Publishes the georef files and no optional dataset; `cases` serves the line list.
pub(crate) async fn serving(cases: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.path.as_str() {
        PROVINCES => provinces().answer(request),
        DEPARTMENTS => departments().answer(request),
        TESTS | VACCINATIONS => Reply::new("404 Not Found").body(b""),
        _ => cases(request),
    })
    .await
}
