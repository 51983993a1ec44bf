//! The folder of a report in the store: `reports/<YYYYmmdd_HHMMSS>_<run>`, which no other report writes to.

use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;

use super::Options;
use crate::store::{OrRefused as _, REPORTS, Store, refused};
use common::failure::Result;

/// The name of the text in a report's folder.
pub(super) const REPORT_TEXT: &str = "report.txt";

/// … of the page …
pub(super) const REPORT_HTML: &str = "report.html";

/// … and of the document for machines.
pub(super) const REPORT_JSON: &str = "report.json";

/// The folder in which earlier versions kept a copy of the latest report, under [`REPORTS`].
const OLD_COPY: &str = "latest";

/// Returns the name of the report's folder, under [`REPORTS`].
pub(super) fn name(options: &Options) -> String {
    format!("{}_{}", options.started_at.format("%Y%m%d_%H%M%S"), options.run_id)
}

/// Writes the files, in this order, to the folder with this name; returns the folder's key.
pub(super) async fn write(name: &str, store: &Store, files: Vec<(String, Vec<u8>)>) -> Result<Key> {
    let folder = Key::from_iter([REPORTS, name]);
    for (name, content) in files {
        store.put(&folder.clone().join(name), content).await?;
    }
    Ok(folder)
}

/// Deletes the copy of the latest report that earlier versions left: nothing updates it any more.
pub(super) async fn delete_old_copy(store: &Store) -> Result<()> {
    let copy = Key::from_iter([REPORTS, OLD_COPY]);
    let found: Vec<_> = store
        .objects()
        .list(Some(&copy))
        .try_collect()
        .await
        .or_refused(|| format!("cannot list `{}`", store.url_of(&copy)))?;
    for key in found.into_iter().map(|object| object.location) {
        match store.objects().delete(&key).await {
            // Another report may be deleting the same copy.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(refused(format!("cannot delete `{}`", store.url_of(&key)), error)),
        }
    }
    Ok(())
}
