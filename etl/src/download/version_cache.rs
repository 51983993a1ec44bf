//! Records which published version an object of the store is, in a small JSON file per object.
//!
//! A record is valid only while the object is unchanged. A file that was put there by hand, or a crash between the two writes, leads to
//! another download and to nothing worse.

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};

use super::http_file::Version;
use crate::store::{OrRefused as _, Store};
use common::failure::{Context as _, Result};

const FOLDER: &str = "downloads";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CachedVersion {
    url: String,
    version: Version,
    object: ObjectVersion,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ObjectVersion {
    size: u64,
    e_tag: Option<String>,
}

impl CachedVersion {
    /// Returns the record of an object, if the object is unchanged since.
    pub(super) async fn of(store: &Store, key: &Key) -> Option<Self> {
        let cached: Self = serde_json::from_slice(&store.get(&file(key)).await.ok()?).ok()?;
        (cached.object == object_version(store, key).await.ok()?).then_some(cached)
    }
}

/// Returns the version of an object that was downloaded from `url` and is unchanged.
pub(super) async fn read(store: &Store, key: &Key, url: &str) -> Option<Version> {
    CachedVersion::of(store, key).await.filter(|cached| cached.url == url).map(|cached| cached.version)
}

/// Records the version of an object that was just written; a failure is only logged.
pub(super) async fn write(store: &Store, key: &Key, url: &str, version: &Version) {
    let written = async {
        let object = object_version(store, key).await?;
        let cached = CachedVersion { url: url.to_owned(), version: version.clone(), object };
        let text = serde_json::to_vec_pretty(&cached).context(|| "cannot encode the version".to_owned())?;
        store.put(&file(key), text).await
    };
    if let Err(error) = written.await {
        tracing::warn!(%error, "version not recorded: the next download will fetch the file again");
    }
}

async fn object_version(store: &Store, key: &Key) -> Result<ObjectVersion> {
    let found = store.objects().head(key).await;
    let meta = found.or_refused(|| format!("cannot look up `{}`", store.url_of(key)))?;
    Ok(ObjectVersion { size: meta.size, e_tag: meta.e_tag })
}

fn file(key: &Key) -> Key {
    Key::from(format!("{FOLDER}/{key}.json"))
}
