//! The datasets in the store: whatever stands at its top.

use chrono::{DateTime, Utc};
use common::failure::Result;
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

/// Lists them by name, without hidden files: a sample that was killed leaves such.
pub async fn list(store: &Store) -> Result<Vec<Dataset>> {
    let listed = store.objects().list_with_delimiter(None).await;
    let mut datasets: Vec<Dataset> = listed
        .or_refused(|| format!("cannot list `{store}`"))?
        .objects
        .into_iter()
        .filter(|object| !object.location.as_ref().starts_with('.'))
        .map(|object| Dataset {
            name: object.location.to_string(),
            size: object.size,
            stored_at: object.last_modified,
        })
        .collect();
    datasets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(datasets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn list_folder_with_leftovers_of_killed_writers_returns_datasets_alone() {
        let folder = tempfile::tempdir().unwrap();
        // A sample that was killed, a download that was killed, a dataset.
        for name in [".sample-x1Y2z3", "Covid19Casos.zip#1", "provincias.csv"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        let names: Vec<_> = list(&store).await.unwrap().into_iter().map(|dataset| dataset.name).collect();
        assert_eq!(names, ["provincias.csv"]);
    }
}
