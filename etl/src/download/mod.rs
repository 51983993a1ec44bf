//! Downloads the datasets from their publishers into the store. Each is replaced atomically, or left as it is.
//!
//! `http_file` reads a file over HTTP and resumes after connection losses, `validate` checks the bytes as they pass, `upload` collects
//! parts that become an object when it is complete, and `version_cache` records which version the store holds. Files are streamed.
//!
//! A caller with a deadline (the Lambda function) notifies [`Options::stop`] shortly before it and gets an [`Unfinished`] from which
//! another process resumes.

mod http_file;
mod upload;
mod validate;
mod version_cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use self::http_file::{Chunk, HttpFile, HttpRequest};
pub use self::http_file::{DEFAULT_MAX_GIGABYTES, Limits, RetryPolicy, Version};
use self::upload::Upload;
pub use self::upload::{PART_BYTES, PausedUpload};
use self::validate::Validator;
use self::version_cache::CachedVersion;
use crate::dataset::Dataset;
use crate::store::Store;
use common::failure::{Exit, Result};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Options {
    /// The URL of each dataset, in the order of their downloads.
    pub sources: Vec<(Dataset, String)>,
    pub retry: RetryPolicy,
    pub limits: Limits,
    /// Stops the download, which then returns [`Ended::Unfinished`].
    pub stop: Arc<Notify>,
    /// Bytes of the current file received so far.
    pub position: Arc<AtomicU64>,
}

impl Options {
    /// Takes the URLs that `url_of` returns, else the publishers' own; optional datasets come last. The register of doses, which is larger
    /// than all others together, is only downloaded if it has a URL.
    pub fn new(url_of: impl Fn(Dataset) -> Option<String>) -> Self {
        let source = |dataset: Dataset| {
            // An empty variable counts as not set.
            let given = url_of(dataset).filter(|url| !url.is_empty());
            let url = given.or_else(|| (dataset != Dataset::Doses).then(|| dataset.url()));
            url.map(|url| (dataset, url))
        };
        Self {
            sources: Dataset::ALL.into_iter().filter_map(source).collect(),
            retry: RetryPolicy::default(),
            limits: Limits::default(),
            stop: Arc::default(),
            position: Arc::default(),
        }
    }
}

#[derive(Debug)]
pub enum Ended {
    /// The store has the published version of every dataset, optional ones aside; `replaced` of them are new.
    Complete { replaced: usize },
    /// Stopped before its end.
    Unfinished(Unfinished),
}

/// The state from which another process resumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The name of the dataset; those before it are complete.
    dataset: String,
    version: Version,
    /// The parts in the store, if it supports resuming.
    upload: Option<PausedUpload>,
}

/// Downloads every dataset whose published version is not in the store. A failure does not stop the other datasets; that of an
/// optional dataset is only logged.
pub async fn run(options: &Options, store: &Store, resume: Option<Unfinished>) -> Result<Ended> {
    let client = http_file::client(options.limits)?;
    let (mut replaced, mut first_failure, mut resume) = (0, None, resume);
    for (dataset, url) in &options.sources {
        let begun = match &resume {
            Some(unfinished) if unfinished.dataset != dataset.name() => continue,
            _ => resume.take(),
        };
        let transfer =
            Transfer { client: &client, options, store, dataset: *dataset, url, key: key(*dataset) };
        match transfer.run(begun).await {
            Ok(Transferred::Unchanged) => {}
            Ok(Transferred::Replaced) => replaced += 1,
            Ok(Transferred::Unfinished(unfinished)) => return Ok(Ended::Unfinished(unfinished)),
            Err(failure) => {
                let old_file_stays = store.objects().head(&transfer.key).await.is_ok();
                let name = dataset.name();
                if dataset.is_optional() && failure.exit() != Exit::Usage {
                    tracing::warn!(
                        dataset = name,
                        old_file_stays,
                        "optional dataset not downloaded: {failure}"
                    );
                } else {
                    tracing::error!(dataset = name, old_file_stays, "{failure}");
                    first_failure.get_or_insert(failure);
                }
            }
        }
    }
    first_failure.map_or(Ok(Ended::Complete { replaced }), Err)
}

/// Returns whether the store has a line list that was not downloaded, such as a sample, which a download would overwrite.
pub async fn would_overwrite_other_file(store: &Store) -> bool {
    for key in Dataset::Cases.keys() {
        if store.objects().head(&key).await.is_ok() && CachedVersion::of(store, &key).await.is_none() {
            return true;
        }
    }
    false
}

/// Deletes the uploaded parts of an unfinished download.
pub async fn discard(unfinished: &Unfinished, store: &Store) {
    let dataset = Dataset::ALL.into_iter().find(|dataset| dataset.name() == unfinished.dataset);
    if let (Some(dataset), Some(paused)) = (dataset, unfinished.upload.clone()) {
        Upload::resume(store, &key(dataset), paused).abort().await;
    }
}

/// Returns the key of a dataset: the file name under which it is published.
fn key(dataset: Dataset) -> Key {
    Key::from(dataset.file_names()[0])
}

/// The download of one dataset.
struct Transfer<'a> {
    client: &'a reqwest::Client,
    options: &'a Options,
    store: &'a Store,
    dataset: Dataset,
    url: &'a str,
    key: Key,
}

enum Transferred {
    Unchanged,
    Replaced,
    Unfinished(Unfinished),
}

impl Transfer<'_> {
    async fn run(&self, begun: Option<Unfinished>) -> Result<Transferred> {
        let begun = begun.and_then(|begun| begun.upload.map(|paused| (begun.version, paused)));
        let (dataset, url) = (self.dataset.name(), self.url);
        let Options { retry, limits, .. } = self.options;
        let request = HttpRequest { client: self.client, url, retry, max_size: limits.max_size };
        let (file, mut upload) = if let Some((version, paused)) = begun {
            let file = HttpFile::resume(request, version, paused.size());
            (Some(file), Upload::resume(self.store, &self.key, paused))
        } else {
            let known = version_cache::read(self.store, &self.key, url).await;
            (HttpFile::open(request, known).await?, Upload::new(self.store, &self.key))
        };
        let Some(mut file) = file else {
            tracing::info!(dataset, url, "unchanged since the last download");
            return Ok(Transferred::Unchanged);
        };
        let begun = Instant::now();
        match self.stream(&mut file, &mut upload).await {
            Ok(true) => {
                version_cache::write(self.store, &self.key, url, &file.version).await;
                tracing::info!(
                    dataset,
                    url,
                    bytes = file.position,
                    seconds = begun.elapsed().as_secs(),
                    breaks = file.total_losses,
                    "file replaced"
                );
                Ok(Transferred::Replaced)
            }
            Ok(false) => {
                let upload = upload.pause().await?;
                let kept = upload.as_ref().map_or(0, PausedUpload::size);
                tracing::info!(dataset, kept, of = file.version.size, "download paused");
                let (dataset, version) = (dataset.to_owned(), file.version);
                Ok(Transferred::Unfinished(Unfinished { dataset, version, upload }))
            }
            Err(failure) => {
                upload.abort().await;
                Err(failure)
            }
        }
    }

    /// Streams the file into the store; returns whether it was completed before it was stopped.
    async fn stream(&self, file: &mut HttpFile<'_>, upload: &mut Upload) -> Result<bool> {
        let resumed = file.position > 0;
        let mut validator = Validator::new(self.dataset, self.url, resumed);
        let mut part = Vec::with_capacity(PART_BYTES);
        let mut reported = Instant::now();
        loop {
            let chunk = tokio::select! {
                biased;
                () = self.options.stop.notified() => return Ok(false),
                chunk = file.next() => chunk?,
            };
            self.options.position.store(file.position, Ordering::Relaxed);
            if reported.elapsed() >= PROGRESS_INTERVAL {
                reported = Instant::now();
                let (url, bytes) = (self.url, file.position);
                tracing::info!(url, bytes, of = file.version.size, "downloading");
            }
            match chunk {
                Chunk::Bytes(bytes) => {
                    validator.add(&bytes)?;
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let (now, later) = rest.split_at(rest.len().min(PART_BYTES - part.len()));
                        part.extend_from_slice(now);
                        rest = later;
                        if part.len() == PART_BYTES {
                            upload.put(std::mem::replace(&mut part, Vec::with_capacity(PART_BYTES))).await?;
                        }
                    }
                }
                Chunk::Restarted => {
                    upload.abort().await;
                    validator = Validator::new(self.dataset, self.url, false);
                    part.clear();
                }
                Chunk::End => break,
            }
        }
        validator.finish(file.position)?;
        upload.finish(part).await.map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most bytes of an event that a Lambda function sends to itself: 256 KB.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    const MAX_EVENT: usize = 256_000;

    #[test]
    fn state_of_the_largest_file_fits_into_an_event() {
        let parts = DEFAULT_MAX_GIGABYTES * 1_000_000_000 / PART_BYTES as u64;
        let etag = "\"9b2cf535f27731c974343645a3985328\"".to_owned();
        let unfinished = Unfinished {
            dataset: Dataset::Doses.name().to_owned(),
            version: Version { etag: Some(etag.clone()), last_modified: None, size: Some(20_000_000_000) },
            upload: Some(PausedUpload::new("x".repeat(128), (0..parts).map(|_| etag.clone()).collect())),
        };
        let bytes = serde_json::to_vec(&unfinished).unwrap().len();
        assert!(bytes < MAX_EVENT / 2, "{bytes} bytes");
    }
}
