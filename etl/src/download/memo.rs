//! What is remembered of a download: which version of a published file an object of the store is. One small JSON file for each, beside it.
//!
//! It is believed only while the object is still the one that was written then: a file that somebody put there by hand, or a crash between
//! the two writes, leads to another download and to nothing worse.

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};

use super::source::Version;
use crate::store::Store;
use common::failure::{Failure, Result};

/// The folder of these files.
const FOLDER: &str = "downloads";

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Memo {
    url: String,
    version: Version,
    object: Object,
}

/// How the store knows its object.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Object {
    size: u64,
    e_tag: Option<String>,
}

impl Memo {
    /// The version that is in the store, if it came from there and is untouched.
    pub(super) async fn read(store: &Store, key: &Key, url: &str) -> Option<Version> {
        let memo: Self = serde_json::from_slice(&store.get(&file(key)).await.ok()?).ok()?;
        let object = Object::of(store, key).await.ok()?;
        (memo.url == url && memo.object == object).then_some(memo.version)
    }

    /// Whether the object is one that a download wrote.
    pub(super) async fn covers(store: &Store, key: &Key) -> bool {
        let Ok(text) = store.get(&file(key)).await else { return false };
        let memo: Option<Self> = serde_json::from_slice(&text).ok();
        let object = Object::of(store, key).await.ok();
        memo.is_some_and(|memo| Some(memo.object) == object)
    }

    /// Notes which version was just written; says so where that fails.
    pub(super) async fn write(store: &Store, key: &Key, url: &str, version: &Version) {
        let written = async {
            let memo =
                Self { url: url.to_owned(), version: version.clone(), object: Object::of(store, key).await? };
            let text = serde_json::to_vec_pretty(&memo)
                .map_err(|error| Failure::new("cannot encode what was downloaded").source(error))?;
            store.put(&file(key), text).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "the next download cannot know that the file is there already");
        }
    }
}

impl Object {
    async fn of(store: &Store, key: &Key) -> Result<Self> {
        let found = store.objects().head(key).await;
        let meta = found
            .map_err(|error| Failure::new(format!("cannot look up `{}`", store.url_of(key))).source(error))?;
        Ok(Self { size: meta.size, e_tag: meta.e_tag })
    }
}

fn file(key: &Key) -> Key {
    Key::from(format!("{FOLDER}/{key}.json"))
}
