//! The datasets in the store: whatever stands at its top.

use chrono::{DateTime, Utc};
use etl::failure::Result;
use etl::store::{OrRefused as _, Store};
use serde::Serialize;

/// A file at the top of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// Its name, as the ministry gave it.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was stored.
    pub stored_at: DateTime<Utc>,
}

/// Lists them by name.
pub async fn list(store: &Store) -> Result<Vec<Dataset>> {
    let listed = store.objects().list_with_delimiter(None).await;
    let mut datasets: Vec<Dataset> = listed
        .or_refused(|| format!("cannot list `{store}`"))?
        .objects
        .into_iter()
        .map(|object| Dataset {
            name: object.location.to_string(),
            size: object.size,
            stored_at: object.last_modified,
        })
        .collect();
    datasets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(datasets)
}
