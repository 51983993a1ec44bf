//! From the ministry's servers into the store: each dataset whole, or as it was before.
//!
//! `source` reads a file over HTTP and goes on where a connection broke, `check` sees on the way through whether it is what it should
//! be, `upload` collects parts that become an object at once, at the end, and `memo` remembers which version the store holds. A file
//! is never in memory as a whole.
//!
//! Whoever has a deadline (the Lambda) says stop shortly before it, and gets an [`Unfinished`] with which another process goes on.
//! Nothing here knows about Lambda, ECS or the database.

mod check;
mod memo;
mod source;
mod upload;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use self::check::Check;
use self::memo::Memo;
pub use self::source::{Patience, Version};
use self::source::{Piece, Source};
pub use self::upload::Open;
use self::upload::Upload;
use crate::dataset::Dataset;
use crate::store::Store;
use common::failure::{Exit, Result};

/// What is collected before it is written: with one more on its way to the store this is what a download costs in memory. S3 takes
/// ten thousand parts: 80 GB.
pub const PART: usize = 8 << 20;

/// Between two lines that say how far it is.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What to download, and how patiently.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where each dataset is published, in this order.
    pub sources: Vec<(Dataset, String)>,
    /// What is put up with.
    pub patience: Patience,
    /// Whoever notifies it gets an [`Unfinished`].
    pub stop: Arc<Notify>,
    /// How many bytes of the current file have come.
    pub position: Arc<AtomicU64>,
}

impl Options {
    /// The datasets from where these addresses say, or from where they are usually published; the optional ones come last.
    pub fn new(address: impl Fn(Dataset) -> Option<String>) -> Self {
        let source = |dataset: Dataset| {
            // A variable that is set to nothing is one that is not set.
            let given = address(dataset).filter(|url| !url.is_empty());
            (dataset, given.unwrap_or_else(|| dataset.url().to_owned()))
        };
        Self {
            sources: Dataset::IN_LOAD_ORDER.map(source).into(),
            patience: Patience::default(),
            stop: Arc::default(),
            position: Arc::default(),
        }
    }
}

/// How a download stands when it ends.
#[derive(Debug)]
pub enum Ended {
    /// Every dataset is in the store as it is published, but for optional ones.
    Whole {
        /// How many of them are new.
        replaced: usize,
    },
    /// It was stopped before.
    Unfinished(Unfinished),
}

/// Where another process goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The dataset's name; those before it are done.
    dataset: String,
    /// What the server called this version of the file.
    version: Version,
    /// The parts that the store has already, if it could keep any.
    upload: Option<Open>,
}

/// Downloads every dataset that is not in the store yet as it is published. One that fails does not keep the others from being tried;
/// where it is an optional one, that is only said.
pub async fn run(options: &Options, store: &Store, resume: Option<Unfinished>) -> Result<Ended> {
    let client = source::client()?;
    let (mut replaced, mut first_failure, mut resume) = (0, None, resume);
    for (dataset, url) in &options.sources {
        let begun = match &resume {
            Some(unfinished) if unfinished.dataset != dataset.name() => continue,
            _ => resume.take(),
        };
        let fetch = Fetch { client: &client, options, store, dataset: *dataset, url, key: key(*dataset) };
        match fetch.run(begun).await {
            Ok(Fetched::Unchanged) => {}
            Ok(Fetched::Replaced) => replaced += 1,
            Ok(Fetched::Unfinished(unfinished)) => return Ok(Ended::Unfinished(unfinished)),
            Err(failure) => {
                let stays = store.objects().head(&fetch.key).await.is_ok();
                if dataset.is_optional() && failure.exit() != Exit::Usage {
                    tracing::warn!(
                        dataset = dataset.name(),
                        old_file_stays = stays,
                        "this optional dataset is left as it is: {failure}"
                    );
                } else {
                    tracing::error!(dataset = dataset.name(), old_file_stays = stays, "{failure}");
                    first_failure.get_or_insert(failure);
                }
            }
        }
    }
    first_failure.map_or(Ok(Ended::Whole { replaced }), Err)
}

/// Whether the store has a line list that no download put there: a sample, or a file of somebody's own, which they may want to keep.
pub async fn would_replace_another(store: &Store) -> bool {
    for key in Dataset::Cases.keys() {
        if store.objects().head(&key).await.is_ok() && !Memo::covers(store, &key).await {
            return true;
        }
    }
    false
}

/// Gives up for good: the parts in the store are deleted.
pub async fn forget(unfinished: &Unfinished, store: &Store) {
    let dataset = Dataset::IN_LOAD_ORDER.into_iter().find(|dataset| dataset.name() == unfinished.dataset);
    if let (Some(dataset), Some(open)) = (dataset, unfinished.upload.clone()) {
        Upload::resume(store, &key(dataset), open).abort().await;
    }
}

/// The name under which a dataset is published, and under which it stands in the store.
fn key(dataset: Dataset) -> Key {
    Key::from(dataset.file_names()[0])
}

/// One dataset on its way.
struct Fetch<'a> {
    client: &'a reqwest::Client,
    options: &'a Options,
    store: &'a Store,
    dataset: Dataset,
    url: &'a str,
    key: Key,
}

enum Fetched {
    Unchanged,
    Replaced,
    Unfinished(Unfinished),
}

impl Fetch<'_> {
    async fn run(&self, begun: Option<Unfinished>) -> Result<Fetched> {
        // A beginning of which the store could keep nothing is no beginning.
        let begun = begun.and_then(|begun| begun.upload.map(|open| (begun.version, open)));
        let (client, patience) = (self.client, &self.options.patience);
        let (source, mut upload) = if let Some((version, open)) = begun {
            let source = Source::resume(client, self.url, patience, version, open.size());
            (Some(source), Upload::resume(self.store, &self.key, open))
        } else {
            let known = Memo::read(self.store, &self.key, self.url).await;
            (Source::open(client, self.url, patience, known).await?, Upload::new(self.store, &self.key))
        };
        let Some(mut source) = source else {
            tracing::info!(
                dataset = self.dataset.name(),
                url = self.url,
                "unchanged since the last download"
            );
            return Ok(Fetched::Unchanged);
        };
        let begun = Instant::now();
        match self.transfer(&mut source, &mut upload).await {
            Ok(true) => {
                Memo::write(self.store, &self.key, self.url, source.version()).await;
                tracing::info!(
                    dataset = self.dataset.name(),
                    url = self.url,
                    bytes = source.position(),
                    seconds = begun.elapsed().as_secs(),
                    breaks = source.total_breaks(),
                    "the new file has taken the old one's place"
                );
                Ok(Fetched::Replaced)
            }
            Ok(false) => {
                let upload = upload.pause().await?;
                let kept = upload.as_ref().map_or(0, Open::size);
                tracing::info!(
                    dataset = self.dataset.name(),
                    kept,
                    of = source.version().size,
                    "to be continued"
                );
                let (dataset, version) = (self.dataset.name().to_owned(), source.version().clone());
                Ok(Fetched::Unfinished(Unfinished { dataset, version, upload }))
            }
            Err(failure) => {
                upload.abort().await;
                Err(failure)
            }
        }
    }

    /// Brings everything over and puts it in its place, or nothing; says whether it came to the end before it was stopped.
    async fn transfer(&self, source: &mut Source<'_>, upload: &mut Upload) -> Result<bool> {
        let resumed = source.position() > 0;
        let mut check = Check::new(self.dataset, self.url, resumed);
        let mut part = Vec::with_capacity(PART);
        let mut said = Instant::now();
        loop {
            let piece = tokio::select! {
                biased;
                () = self.options.stop.notified() => return Ok(false),
                piece = source.next() => piece?,
            };
            self.options.position.store(source.position(), Ordering::Relaxed);
            if said.elapsed() >= LINE_EVERY {
                said = Instant::now();
                tracing::info!(
                    url = self.url,
                    bytes = source.position(),
                    of = source.version().size,
                    "downloading"
                );
            }
            match piece {
                Piece::Bytes(bytes) => {
                    check.add(&bytes)?;
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let (now, later) = rest.split_at(rest.len().min(PART - part.len()));
                        part.extend_from_slice(now);
                        rest = later;
                        if part.len() == PART {
                            upload.part(std::mem::replace(&mut part, Vec::with_capacity(PART))).await?;
                        }
                    }
                }
                Piece::Restarted => {
                    upload.abort().await;
                    check = Check::new(self.dataset, self.url, false);
                    part.clear();
                }
                Piece::End => break,
            }
        }
        check.finish(source.position())?;
        upload.finish(part).await.map(|()| true)
    }
}
