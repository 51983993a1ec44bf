//! Where a report stands in the store: a folder of its own for ever, and a copy in `reports/latest`.

use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;

use super::Options;
use crate::failure::Result;
use crate::store::{OrRefused as _, REPORTS, Store};

/// The name of the text in a report's folder.
pub(super) const REPORT_TEXT: &str = "report.txt";

/// … of the page …
pub(super) const REPORT_HTML: &str = "report.html";

/// … and of the document for machines.
pub(super) const REPORT_JSON: &str = "report.json";

/// The folder that always holds the newest report, under [`REPORTS`].
const LATEST: &str = "latest";

/// Writes the files to the report's own folder, whose key is returned, and then to `latest`.
///
/// Last of all, what an older report left in `latest` is removed, so that no file there contradicts another.
pub(super) async fn write(options: &Options, store: &Store, files: Vec<(String, Vec<u8>)>) -> Result<Key> {
    let files: Vec<(String, bytes::Bytes)> =
        files.into_iter().map(|(name, content)| (name, content.into())).collect();
    let name = format!("{}_{}", options.started_at.format("%Y%m%d_%H%M%S"), options.run_id);
    let folder = Key::from_iter([REPORTS, name.as_str()]);
    let latest = Key::from_iter([REPORTS, LATEST]);
    for place in [&folder, &latest] {
        for (name, content) in &files {
            store.put(&place.clone().join(name.as_str()), content.clone()).await?;
        }
    }
    remove_others(store, &latest, &files).await?;
    Ok(folder)
}

async fn remove_others(store: &Store, latest: &Key, files: &[(String, bytes::Bytes)]) -> Result<()> {
    let kept: Vec<Key> = files.iter().map(|(name, _)| latest.clone().join(name.as_str())).collect();
    let found: Vec<_> = store
        .objects()
        .list(Some(latest))
        .try_collect()
        .await
        .or_refused(|| format!("cannot list `{}`", store.url_of(latest)))?;
    for key in found.into_iter().map(|object| object.location).filter(|key| !kept.contains(key)) {
        store
            .objects()
            .delete(&key)
            .await
            .or_refused(|| format!("cannot remove `{}`", store.url_of(&key)))?;
    }
    Ok(())
}
