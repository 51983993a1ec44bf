//! A folder or an S3 bucket behind one URL, through the `object_store` crate.
//!
//! Owns the names of what stands in a store: datasets at the top, under the names that the ministry gives them; reports in
//! `reports/`; run records in `runs/`. Callers never ask which of the two kinds it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, DynObjectStore, ObjectStore, ObjectStoreExt as _, RetryConfig};

use common::failure::{Context as _, Exit, Failure, Result};

/// The folder of reports, under `REPORTS_URL`.
pub const REPORTS: &str = "reports";

/// The folder of run records, under `REPORTS_URL`.
pub const RUNS: &str = "runs";

/// A place for files: `file:///folder` or `s3://bucket/prefix`.
#[derive(Clone)]
pub struct Store {
    url: String,
    folder: bool,
    objects: Arc<DynObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
}

/// What every kind of store gives: objects, and, where it has them, uploads in parts that anybody can go on with.
type Interfaces = (Arc<DynObjectStore>, Option<Arc<dyn MultipartStore>>);

impl Store {
    /// Opens the store that `url` names, to read or write; the folder or bucket must exist.
    ///
    /// S3 takes the ordinary AWS environment (`AWS_REGION`, `AWS_ENDPOINT_URL`, keys or a container's role).
    pub fn open(url: &str) -> Result<Self> {
        Self::at(url, false)
    }

    /// Opens the store that `url` names; a folder is created where it is missing.
    pub fn open_or_create(url: &str) -> Result<Self> {
        Self::at(url, true)
    }

    /// A store that is gone with the process, with everything that S3 can do; for tests.
    pub fn in_memory() -> Self {
        let (objects, parts) = both(InMemory::new());
        Self { url: "memory://".to_owned(), folder: false, objects, parts }
    }

    fn at(url: &str, create: bool) -> Result<Self> {
        let (folder, (objects, parts)): (bool, Interfaces) = match url.split_once("://") {
            Some(("file", folder)) => (true, (Arc::new(folder_store(url, folder, create)?), None)),
            Some(("s3", rest)) => (false, s3_store(url, rest)?),
            _ => {
                return Err(Failure::usage(format!("`{url}` is not the URL of a store"))
                    .hint("write file:///folder or s3://bucket/prefix"));
            }
        };
        Ok(Self { url: url.trim_end_matches('/').to_owned(), folder, objects, parts })
    }

    /// What is at `url`, opened by somebody who knows more about how to get in.
    pub fn over(url: &str, objects: Arc<DynObjectStore>) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), folder: false, objects, parts: None }
    }

    /// The object's full URL, for messages.
    pub fn url_of(&self, key: &Key) -> String {
        format!("{}/{key}", self.url)
    }

    /// Whether it is a folder of this machine, where reading a file twice costs no transfer.
    pub const fn is_folder(&self) -> bool {
        self.folder
    }

    /// Where an object stands on this machine, if it does.
    pub fn path_of(&self, key: &Key) -> Option<std::path::PathBuf> {
        let root = self.url.strip_prefix("file://").filter(|_| self.folder)?;
        Some(std::path::Path::new(&percent_decoded(root)).join(key.as_ref()))
    }

    /// The `object_store` interface, for reading ranges and listing.
    pub fn objects(&self) -> &Arc<DynObjectStore> {
        &self.objects
    }

    /// Uploads in parts that another process can go on with; nothing for a folder.
    pub const fn parts(&self) -> Option<&Arc<dyn MultipartStore>> {
        self.parts.as_ref()
    }

    /// Writes one object, whole or not at all, and durably. A writer that is killed in a folder leaves a file whose name ends with `#` and a
    /// number, which no listing shows.
    pub async fn put(&self, key: &Key, content: impl Into<bytes::Bytes>) -> Result<()> {
        let content: bytes::Bytes = content.into();
        self.objects
            .put(key, content.into())
            .await
            .map(drop)
            .or_refused(|| format!("cannot write `{}`", self.url_of(key)))
    }

    /// Reads one object as a whole; only for small ones.
    pub async fn get(&self, key: &Key) -> Result<bytes::Bytes> {
        let read = async { self.objects.get(key).await?.bytes().await };
        read.await.or_refused(|| format!("cannot read `{}`", self.url_of(key)))
    }
}

/// Turns what a store answers into a failure in words.
pub trait OrRefused<T> {
    /// `what` says what could not be done, and on what.
    fn or_refused(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> OrRefused<T> for object_store::Result<T> {
    fn or_refused(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| refused(what(), error))
    }
}

/// What S3 says of itself is XML in the middle of a sentence about HTTP; people get its code, its message, and what to do.
pub fn refused(what: impl Into<String>, error: object_store::Error) -> Failure {
    let failure = Failure::new(what);
    let text = error.to_string();
    let between = |tag: &str| {
        let rest = text.split_once(&format!("<{tag}>"))?.1;
        rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside.to_owned())
    };
    let Some(code) = between("Code") else {
        return failure.source(error).hint(
            "check that the place exists, has room, and that you may read and write there; on S3 also the region and the credentials",
        );
    };
    match code.as_str() {
        "NoSuchBucket" => failure
            .source("there is no such bucket")
            .hint("check its name, the region and the account; the stack `storage` creates it"),
        "NoSuchKey" => failure.source("it is not there").hint("check its name"),
        "AccessDenied" => failure
            .source("access is denied")
            .hint("ask for the right to read and write there; docs/reference/iam-operator.json lists all that are used")
            .exit_code(Exit::Credentials),
        "ExpiredToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" => failure
            .source(format!("no valid credentials for AWS ({code})"))
            .hint("log in again (`aws sso login`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            .exit_code(Exit::Credentials),
        _ => {
            let message = between("Message").unwrap_or_default();
            failure.source(format!("{code} {message}").trim().to_owned()).hint("check the region and the credentials")
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

fn folder_store(url: &str, folder: &str, create: bool) -> Result<LocalFileSystem> {
    if !folder.starts_with('/') {
        return Err(Failure::usage(format!("`{url}` does not name an absolute folder"))
            .hint("write three slashes: file:///folder"));
    }
    let folder = percent_decoded(folder);
    if create {
        std::fs::create_dir_all(&folder)
            .context(|| format!("cannot create the folder `{folder}`"))
            .map_err(|failure| failure.hint("name a folder that you may write to"))?;
    }
    LocalFileSystem::new_with_prefix(&folder)
        // As durable as S3: a write returns when the file and the folder entry that names it are on disk.
        .map(|store| store.with_fsync(true).with_automatic_cleanup(true))
        .context(|| format!("cannot open the folder `{folder}`"))
        .map_err(|failure| failure.hint("check the path, and that you may enter it"))
}

/// A URL may be written with `%20` for a blank; anything that is no escape stays as it is.
pub fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn s3_store(url: &str, rest: &str) -> Result<Interfaces> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(Failure::usage(format!("`{url}` names no bucket")).hint("write s3://bucket/prefix"));
    }
    // An emulator's endpoint is plain HTTP on loopback; AWS's own never is.
    #[expect(
        clippy::disallowed_methods,
        reason = "object_store reads the same variable; only its scheme matters here"
    )]
    let plain_http = std::env::var("AWS_ENDPOINT_URL").is_ok_and(|endpoint| endpoint.starts_with("http://"));
    let s3 = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_allow_http(plain_http)
        .with_retry(patience())
        .build()
        .context(|| format!("cannot open `{url}`"))
        .map_err(|failure| failure.hint("check the bucket's name, AWS_REGION and AWS_ENDPOINT_URL"))?;
    let prefix = prefix.trim_end_matches('/');
    Ok(if prefix.is_empty() { both(s3) } else { both(PrefixStore::new(s3, prefix)) })
}

fn both(store: impl ObjectStore + MultipartStore) -> Interfaces {
    let store = Arc::new(store);
    (Arc::clone(&store) as _, Some(store))
}

/// A service that stumbles is asked again for some seconds; one that is not there must not keep a run waiting for minutes.
pub fn patience() -> RetryConfig {
    let (first, longest) = (Duration::from_millis(200), Duration::from_secs(5));
    let backoff = BackoffConfig { init_backoff: first, max_backoff: longest, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(30) }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_what_is_put_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let spaced = folder.path().join("with blank");
        let url = format!("file://{}", spaced.display()).replace(' ', "%20");
        assert!(Store::open(&url).is_err(), "it does not exist yet");
        let store = Store::open_or_create(&url).unwrap();
        let key = Key::from("reports/a/report.txt");
        store.put(&key, "hola").await.unwrap();
        assert_eq!(store.get(&key).await.unwrap(), "hola");
        assert!(spaced.join("reports/a/report.txt").is_file());
    }

    #[tokio::test]
    async fn local_store_syncs_writes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        assert!(format!("{:?}", store.objects()).contains("fsync: true"), "{:?}", store.objects());
    }

    #[tokio::test]
    async fn local_store_lists_no_leftovers_of_killed_writers() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        let key = Key::from("reports/a/report.txt");
        // An upload that is never completed is what a killed writer leaves.
        let mut upload = store.objects().put_multipart(&key).await.unwrap();
        upload.put_part("half".into()).await.unwrap();
        let names = |folder: std::path::PathBuf| {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
        };
        assert_eq!(names(folder.path().join("reports/a")), ["report.txt#1"]);
        let listed = store.objects().list(None).collect::<Vec<_>>().await;
        assert!(listed.is_empty(), "{listed:?}");
        let listed = store.objects().list_with_delimiter(Some(&"reports/a".into())).await.unwrap();
        assert!(listed.objects.is_empty(), "{listed:?}");
        store.put(&key, "whole").await.unwrap();
        assert_eq!(store.get(&key).await.unwrap(), "whole");
    }

    #[test]
    fn what_s3_says_is_told_in_words() {
        let said = |code: &str| {
            let text = format!(
                "404 Not Found: <?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>As it says</Message></Error>"
            );
            let failure = refused(
                "cannot list `s3://x`",
                object_store::Error::Generic { store: "S3", source: text.into() },
            );
            (failure.to_string(), failure.exit().code(), failure.hint_text().is_some())
        };
        let sentence = |why: &str| format!("cannot list `s3://x`: {why}");
        assert_eq!(said("NoSuchBucket"), (sentence("there is no such bucket"), 1, true));
        assert_eq!(said("AccessDenied"), (sentence("access is denied"), 4, true));
        assert_eq!(said("ExpiredToken"), (sentence("no valid credentials for AWS (ExpiredToken)"), 4, true));
        assert_eq!(said("SlowDown"), (sentence("SlowDown As it says"), 1, true));
    }

    #[test]
    fn a_wrong_url_is_a_usage_error_with_a_hint() {
        for url in ["", "data", "ftp://x", "file://relative/path", "s3://"] {
            let failure = Store::open(url).err().unwrap();
            assert_eq!(failure.exit().code(), 2, "{url}");
            assert!(failure.hint_text().is_some(), "{url}");
        }
    }
}
