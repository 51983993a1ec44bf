//! A folder or an S3 bucket at one URL, through the `object_store` crate.
//!
//! Datasets are at the top, under the ministry's file names; reports in `reports/`; run records in `runs/`.

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

/// `file:///folder` or `s3://bucket/prefix`.
#[derive(Clone)]
pub struct Store {
    url: String,
    objects: Arc<DynObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
}

/// Objects and, if supported, multipart uploads that another process can resume.
type Interfaces = (Arc<DynObjectStore>, Option<Arc<dyn MultipartStore>>);

impl Store {
    /// Opens an existing folder or bucket.
    ///
    /// S3 reads the standard AWS environment (`AWS_REGION`, `AWS_ENDPOINT_URL`, keys or a container's role).
    pub fn open(url: &str) -> Result<Self> {
        Self::at(url, false)
    }

    /// Opens a store; creates a missing folder.
    pub fn open_or_create(url: &str) -> Result<Self> {
        Self::at(url, true)
    }

    /// Creates an in-memory store with the features of S3, for tests.
    pub fn in_memory() -> Self {
        let (objects, parts) = with_multipart(InMemory::new());
        Self { url: "memory://".to_owned(), objects, parts }
    }

    fn at(url: &str, create: bool) -> Result<Self> {
        let (objects, parts): Interfaces = match url.split_once("://") {
            Some(("file", folder)) => (Arc::new(folder_store(url, folder, create)?), None),
            Some(("s3", rest)) => s3_store(url, rest)?,
            _ => {
                return Err(Failure::usage(format!("`{url}` is not a store URL"))
                    .hint("use file:///folder or s3://bucket/prefix"));
            }
        };
        Ok(Self { url: url.trim_end_matches('/').to_owned(), objects, parts })
    }

    /// Wraps an object store that the caller has opened.
    pub fn over(url: &str, objects: Arc<DynObjectStore>) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), objects, parts: None }
    }

    /// Returns the full URL of an object, for messages.
    pub fn url_of(&self, key: &Key) -> String {
        format!("{}/{key}", self.url)
    }

    pub fn is_folder(&self) -> bool {
        self.url.starts_with("file://")
    }

    /// Returns the local path of an object in a folder.
    pub fn path_of(&self, key: &Key) -> Option<std::path::PathBuf> {
        let root = self.url.strip_prefix("file://")?;
        Some(std::path::Path::new(&percent_decoded(root)).join(key.as_ref()))
    }

    pub fn objects(&self) -> &Arc<DynObjectStore> {
        &self.objects
    }

    /// Returns the interface for uploads that another process can resume; `None` for a folder.
    pub const fn parts(&self) -> Option<&Arc<dyn MultipartStore>> {
        self.parts.as_ref()
    }

    /// Writes an object atomically and durably. In a folder, a killed writer leaves a file whose name ends with `#` and a number, which
    /// listings omit.
    pub async fn put(&self, key: &Key, content: impl Into<bytes::Bytes>) -> Result<()> {
        let put = self.objects.put(key, content.into().into()).await;
        put.map(drop).or_refused(|| format!("cannot write `{}`", self.url_of(key)))
    }

    /// Reads a small object into memory.
    pub async fn get(&self, key: &Key) -> Result<bytes::Bytes> {
        let read = async { self.objects.get(key).await?.bytes().await };
        read.await.or_refused(|| format!("cannot read `{}`", self.url_of(key)))
    }
}

/// Converts errors of a store; `what` names the failed operation and its object.
pub trait OrRefused<T> {
    fn or_refused(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> OrRefused<T> for object_store::Result<T> {
    fn or_refused(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| refused(what(), error))
    }
}

/// Converts an error of a store; extracts code and message from the XML of S3, and adds a hint.
pub fn refused(what: impl Into<String>, error: object_store::Error) -> Failure {
    let failure = Failure::new(what);
    let text = error.to_string();
    let between = |tag: &str| {
        let rest = text.split_once(&format!("<{tag}>"))?.1;
        rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside.to_owned())
    };
    let Some(code) = between("Code") else {
        return failure.source(error).hint(
            "check that the store exists, has free space, and is readable and writable; on S3 also the region and the credentials",
        );
    };
    match code.as_str() {
        "NoSuchBucket" => failure
            .source("the bucket does not exist")
            .hint("check the name, the region and the account; the stack `storage` creates the bucket"),
        "NoSuchKey" => failure.source("the object does not exist").hint("check its name"),
        "AccessDenied" => failure
            .source("access denied")
            .hint("request read and write permissions; docs/reference/iam-operator.json lists all that are used")
            .exit_code(Exit::Credentials),
        "ExpiredToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" => failure
            .source(format!("invalid AWS credentials ({code})"))
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
        return Err(Failure::usage(format!("`{url}` is not an absolute path"))
            .hint("use three slashes: file:///folder"));
    }
    let folder = percent_decoded(folder);
    if create {
        std::fs::create_dir_all(&folder)
            .context(|| format!("cannot create the folder `{folder}`"))
            .map_err(|failure| failure.hint("choose a writable folder"))?;
    }
    LocalFileSystem::new_with_prefix(&folder)
        // As durable as S3: a write returns after fsync of the file and its folder.
        .map(|store| store.with_fsync(true).with_automatic_cleanup(true))
        .context(|| format!("cannot open the folder `{folder}`"))
        .map_err(|failure| failure.hint("check the path and its permissions"))
}

/// Decodes percent-escapes; anything else is kept.
pub fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn s3_store(url: &str, rest: &str) -> Result<Interfaces> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(Failure::usage(format!("`{url}` has no bucket")).hint("use s3://bucket/prefix"));
    }
    // Endpoints of emulators use plain HTTP; those of AWS never do.
    #[expect(
        clippy::disallowed_methods,
        reason = "object_store reads the same variable; only its scheme matters here"
    )]
    let plain_http = std::env::var("AWS_ENDPOINT_URL").is_ok_and(|endpoint| endpoint.starts_with("http://"));
    let s3 = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_allow_http(plain_http)
        .with_retry(retry_config())
        .build()
        .context(|| format!("cannot open `{url}`"))
        .map_err(|failure| failure.hint("check the bucket's name, AWS_REGION and AWS_ENDPOINT_URL"))?;
    let prefix = prefix.trim_end_matches('/');
    Ok(if prefix.is_empty() { with_multipart(s3) } else { with_multipart(PrefixStore::new(s3, prefix)) })
}

fn with_multipart(store: impl ObjectStore + MultipartStore) -> Interfaces {
    let store = Arc::new(store);
    (Arc::clone(&store) as _, Some(store))
}

/// Retries for at most 30 seconds, so that an unreachable service does not block a run for minutes.
pub fn retry_config() -> RetryConfig {
    let (first, longest) = (Duration::from_millis(200), Duration::from_secs(5));
    let backoff = BackoffConfig { init_backoff: first, max_backoff: longest, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(30) }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn folder_store_returns_written_object() {
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
    async fn folder_store_syncs_writes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        assert!(format!("{:?}", store.objects()).contains("fsync: true"), "{:?}", store.objects());
    }

    #[tokio::test]
    async fn folder_store_listing_omits_leftovers_of_killed_writers() {
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
    fn s3_error_has_code_message_and_hint() {
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
        assert_eq!(said("NoSuchBucket"), (sentence("the bucket does not exist"), 1, true));
        assert_eq!(said("AccessDenied"), (sentence("access denied"), 4, true));
        assert_eq!(said("ExpiredToken"), (sentence("invalid AWS credentials (ExpiredToken)"), 4, true));
        assert_eq!(said("SlowDown"), (sentence("SlowDown As it says"), 1, true));
    }

    #[test]
    fn invalid_url_is_usage_error_with_hint() {
        for url in ["", "data", "ftp://x", "file://relative/path", "s3://"] {
            let failure = Store::open(url).err().unwrap();
            assert_eq!(failure.exit().code(), 2, "{url}");
            assert!(failure.hint_text().is_some(), "{url}");
        }
    }
}
