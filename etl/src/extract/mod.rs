//! Finds a dataset's file in a store, inflates the member of a zip, decodes it to UTF-8 and splits it into blocks of complete lines.
//!
//! Files are streamed: memory is a few megabytes, whatever the size of the file.

mod archive;
pub mod blocks;
mod magic;
mod ranges;
pub(crate) mod read;
mod text;

use std::io::{Read, Seek as _};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore as _, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use crate::dataset::Dataset;
use crate::panics;
use crate::parse::header::empty;
use crate::parse::unlike::looks_like_html;
use crate::store::{Store, refused};
use archive::{Directory, Member};
use common::failure::{Context as _, Failure, Result};
use ranges::Ranges;
use read::fill;

/// A dataset's file, as it was when it was found.
#[derive(Debug, Clone)]
pub struct Source {
    pub dataset: Dataset,
    pub key: Key,
    /// The full URL, for messages.
    pub url: String,
    /// In bytes.
    pub size: u64,
    /// The store's `ETag`, if any.
    pub version: Option<String>,
    /// Whether the store is a folder, so that hashing needs no transfer.
    pub in_folder: bool,
    /// The SHA-256 of its bytes, in hexadecimal; only for folders, once [`Self::identify`] has computed it.
    pub sha256: Option<String>,
    /// The member of an archive, once found.
    member: Arc<OnceLock<Member>>,
}

impl Source {
    /// Returns the `ETag` of an object in S3; that of a file in a folder changes with every copy.
    pub fn etag(&self) -> Option<String> {
        self.version.clone().filter(|_| !self.in_folder)
    }

    /// Computes the checksum of a file in a folder.
    pub async fn identify(&mut self, store: &Store) -> Result<()> {
        if self.in_folder {
            self.sha256 = Some(sha256(store, self).await?);
        }
        Ok(())
    }

    /// Identifies the version, by the checksum if there is one, else by the `ETag`.
    pub fn identity(&self) -> String {
        let mark = self.sha256.as_deref().or(self.version.as_deref()).unwrap_or("?");
        format!("{} {} {mark}", self.key, self.size)
    }
}

/// Finds the file of a required dataset.
pub async fn find(store: &Store, dataset: Dataset) -> Result<Source> {
    let wanted: Vec<_> = dataset.file_names().iter().map(|name| format!("`{name}`")).collect();
    find_optional(store, dataset).await?.ok_or_else(|| {
        Failure::new(format!("there is no {} in `{store}`", wanted.join(" or ")))
            .hint(format!("put it there; it is published at {}", dataset.url()))
    })
}

/// Finds the file of an optional dataset.
pub async fn find_optional(store: &Store, dataset: Dataset) -> Result<Option<Source>> {
    for key in dataset.keys() {
        match store.objects().head(&key).await {
            Ok(meta) => return source(store, dataset, meta).map(Some),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(unreadable(&store.url_of(&key), error)),
        }
    }
    Ok(None)
}

/// Takes an object of the store as the file of a dataset.
pub fn source(store: &Store, dataset: Dataset, object: ObjectMeta) -> Result<Source> {
    let url = store.url_of(&object.location);
    if object.size == 0 {
        return Err(empty(&url));
    }
    Ok(Source {
        dataset,
        key: object.location,
        url,
        size: object.size,
        version: object.e_tag,
        in_folder: store.is_folder(),
        sha256: None,
        member: Arc::default(),
    })
}

async fn sha256(store: &Store, source: &Source) -> Result<String> {
    const PIECE: u64 = 1 << 20;
    let offsets = (0..source.size.div_ceil(PIECE)).map(|piece| piece * PIECE);
    let read = async |from: u64| {
        let range = Some(GetRange::Bounded(from..(from + PIECE).min(source.size)));
        let options = GetOptions { range, if_match: source.version.clone(), ..GetOptions::default() };
        store.objects().get_opts(&source.key, options).await?.bytes().await
    };
    let mut pieces = futures_util::stream::iter(offsets.map(read)).buffered(2);
    let mut hash = Sha256::new();
    while let Some(piece) = pieces.try_next().await.map_err(|error| unreadable(&source.url, error))? {
        hash.update(&piece);
    }
    Ok(hexadecimal(&hash.finalize()))
}

/// Formats a digest in hexadecimal.
pub fn hexadecimal(digest: &[u8]) -> String {
    format!("{:x}", bytes::Bytes::copy_from_slice(digest))
}

fn unreadable(url: &str, error: object_store::Error) -> Failure {
    refused(format!("cannot read `{url}`"), error).hint(
        "check STORE_URL, the network and the right to read there; on S3 also AWS_REGION and the credentials",
    )
}

/// Calls [`with_text`] on a thread for blocking work.
pub async fn read_text<T: Send + 'static>(
    store: &Store,
    source: &Source,
    read: impl FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (store, source, runtime) = (store.clone(), source.clone(), Handle::current());
    let work = move || with_text(&store, &source, &runtime, &Arc::default(), read);
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(panics::failure()))
}

/// Calls `read` with a blocking reader of the text as UTF-8 without BOM; invalid bytes of the file are passed through.
///
/// `position` is updated to the bytes read of the stored file, compressed or not. Must not be called on a runtime's thread.
pub fn with_text<T>(
    store: &Store,
    source: &Source,
    runtime: &Handle,
    position: &Arc<AtomicU64>,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let options = GetOptions { if_match: source.version.clone(), ..GetOptions::default() };
    let mut file = Ranges::new(store.objects(), &source.key, source.size, options, runtime, position);
    let mut start = [0; 512];
    let length = fill(&mut file, &mut start)
        .and_then(|length| file.rewind().map(|()| length))
        .context(|| format!("cannot read `{}`", source.url))?;
    // An archive may begin with other bytes: a program that unpacks it.
    if start.starts_with(b"PK\x03\x04")
        || start.starts_with(b"PK\x05\x06")
        || source.key.extension() == Some("zip")
    {
        let member = member(&mut file, source, &start[..length])?;
        let content = archive::open(&mut file, member, &source.url)?;
        read(&mut text::Utf8::open(content, &source.url)?)
    } else {
        read(&mut text::Utf8::open(file, &source.url)?)
    }
}

/// Returns the member to read; it is searched and logged once.
fn member<'a>(file: &mut Ranges, source: &'a Source, start: &[u8]) -> Result<&'a Member> {
    if let Some(member) = source.member.get() {
        return Ok(member);
    }
    let name = &source.url;
    let directory = Directory::find(file, source.size).map_err(|error| archive::broken(name, error))?;
    let Some(directory) = directory else {
        return Err(if start.starts_with(b"PK") { archive::endless(name) } else { not_a_zip(source, start) });
    };
    let member = archive::find(file, &directory, source.dataset.member_name(), name)?;
    tracing::info!(archive = name, member = member.name, "reading the archive's member");
    Ok(source.member.get_or_init(|| member))
}

fn not_a_zip(source: &Source, start: &[u8]) -> Failure {
    if looks_like_html(start) {
        return Failure::new(format!("`{}` is a web page, not a zip archive", source.url)).hint(
            "the ministry's site returns a web page when it is down or the file has moved: download the file again later",
        );
    }
    let content =
        magic::format(start).map(|(format, _)| format!(", it contains {format} data")).unwrap_or_default();
    Failure::new(format!("`{}` is not a zip archive{content}", source.url))
        .hint("download it again, or check what was put there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn replaced_file_is_never_mixed_with_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Covid19Casos.csv");
        std::fs::write(&file, vec![b'a'; 24 << 20]).unwrap();
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        let source = find(&store, Dataset::Cases).await.unwrap();
        let runtime = Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            with_text(&store, &source, &runtime, &Arc::default(), |text| {
                let mut start = [0; 1024];
                text.read_exact(&mut start).context(|| "cannot read the start".to_owned())?;
                // As a download does: a new file takes the old one's name.
                let new = folder.path().join("new");
                std::fs::write(&new, vec![b'b'; 24 << 20])
                    .and_then(|()| std::fs::rename(new, &file))
                    .unwrap();
                let mut rest = Vec::new();
                text.read_to_end(&mut rest).context(|| "cannot read on".to_owned()).map(|_| rest)
            })
        });
        let failure = read.await.unwrap().map(|rest| rest.contains(&b'b')).unwrap_err();
        assert!(failure.to_string().starts_with("cannot read on: "), "{failure}");
    }
}
